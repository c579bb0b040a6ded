public import Firewalls
import Packets
import Syntax

/// What `nft -j list ruleset` prints: the rules of a kernel, whatever program put them there.
///
/// The tables of IPv4, IPv6 and both are read from libnftables-json(5); what has no meaning here is a condition that may
/// hold or not, and is named. Moments are read as UTC: the listing must be made with `TZ=UTC`.
public enum RulesetListing {
  /// Returns what the rules that `text` lists make a host do.
  public static func read(_ text: String, in universe: Universe) throws(UnreadableRuleset) -> RulesetReading {
    do {
      var reader = ListingReader(in: universe)
      try reader.read(try JSONReader.value(of: text))
      return RulesetReading(reader.host, unknowns: reader.unknowns)
    } catch {
      throw UnreadableRuleset(because: error)
    }
  }
}

/// The reader of a listing.
struct ListingReader {
  let universe: Universe

  /// The chains that were read.
  var host = HookedChains()

  /// What has no meaning here, with the place of each.
  var unknowns: [String] = []

  /// The position of each chain, by table and name.
  var positions: [String: Int] = [:]

  /// The sets and maps, by table and name.
  var sets: [String: JSONValue] = [:]

  /// `true` iff every rule that writes marks is understood; else no look at a mark is.
  var knowsMarks = true

  /// The rule that is being read, in words.
  var place = ""

  /// The table that is being read, by its family and name.
  var table = ""

  init(in universe: Universe) { self.universe = universe }

  var space: PacketSpace { universe.space }

  /// The families of tables whose rules judge packets of IP.
  private static let families: [String: Set<AddressFamily>] = [
    "ip": [.ipv4], "ip6": [.ipv6], "inet": [.ipv4, .ipv6],
  ]

  /// Reads `listing`.
  mutating func read(_ listing: JSONValue) throws {
    guard let objects = listing["nftables"]?.array else {
      throw Unreadable(message: "this is no listing: it has no array `nftables`")
    }
    let members = objects.compactMap(\.only)
    var dormant: Set<String> = []
    for member in members {
      guard let table = name(of: member, as: member.name == "table" ? "name" : "table") else { continue }
      switch member.name {
      case "table":
        let flags = member.value["flags"]
        if flags == .string("dormant") || flags?.array?.contains(.string("dormant")) ?? false { dormant.insert(table) }
      case "set", "map": sets["\(table) \(member.value["name"]?.string ?? "")"] = member.value
      case "chain": addChain(member.value, table)
      case "rule":
        for statement in member.value["expr"]?.array ?? [] where writesUnknownMarks(statement) { knowsMarks = false }
      default: continue
      }
    }
    for member in members {
      guard let table = name(of: member, as: member.name == "table" ? "name" : "table") else { continue }
      let isDormant = dormant.contains(table)
      switch member.name {
      case "chain" where !isDormant: try enter(member.value, table)
      case "rule" where ListingReader.families[member.value["family"]?.string ?? ""] != nil:
        try addRule(member.value, table)
      case "table", "set", "map", "chain", "rule", "element", "metainfo", "counter", "ct helper", "ct timeout",
        "secmark", "limit",
        "quota", "synproxy", "ct expectation":
        continue
      default: unknowns.append("\(table): \(member.name)")
      }
    }
  }

  /// Returns the family and the name of the table that `member` is, or is in.
  private func name(of member: JSONValue.Member, as key: String) -> String? {
    guard let family = member.value["family"]?.string, let name = member.value[key]?.string else { return nil }
    return "\(family) \(name)"
  }

  private mutating func addChain(_ chain: JSONValue, _ table: String) {
    let name = "\(table) \(chain["name"]?.string ?? "")"
    guard positions[name] == nil else { return }
    positions[name] = host.chains.count
    host.chains.append(HookedChains.Chain(name))
  }

  /// Lets the kernel enter `chain`, if it has a hook.
  private mutating func enter(_ chain: JSONValue, _ table: String) throws {
    guard let hook = chain["hook"]?.string else { return }
    let name = "\(table) \(chain["name"]?.string ?? "")"
    guard let position = positions[name] else { return }
    let policy: Firewalls.Verdict = chain["policy"]?.string == "drop" ? .drop : .accept
    let points: [String: HookedChains.Hook] = [
      "prerouting": .prerouting, "input": .input, "forward": .forward, "output": .output, "postrouting": .postrouting,
    ]
    let priority = chain["prio"]?.number
    if let families = ListingReader.families[chain["family"]?.string ?? ""], let point = points[hook], let priority {
      host.entrances.append(
        HookedChains.Entrance(
          point, priority: priority, translates: chain["type"]?.string == "nat", chain: position, policy: policy,
          families: families))
      return
    }
    // Such a chain may drop what arrives before anybody else sees it.
    let words = "chain \(name) at \(hook)\(priority == nil ? " without a priority" : "")"
    unknowns.append(words)
    guard ["netdev", "inet"].contains(chain["family"]?.string) || priority == nil else { return }
    var rule = HookedChains.Rule(.drop, text: words)
    rule.sets = [try space.set(when: universe.unknown("\(words) drops"))]
    host.entrances.append(
      HookedChains.Entrance(
        hook == "egress" ? .postrouting : .prerouting, priority: Int(Int32.min), chain: host.chains.count))
    host.chains.append(HookedChains.Chain("\(words) (unknown)", rules: [rule]))
    if hook != "ingress", hook != "egress" {
      for point in [HookedChains.Hook.output] {
        host.entrances.append(HookedChains.Entrance(point, priority: Int(Int32.min), chain: host.chains.count - 1))
      }
    }
  }

  /// Adds `rule` to its chain.
  private mutating func addRule(_ rule: JSONValue, _ table: String) throws {
    let chain = "\(table) \(rule["chain"]?.string ?? "")"
    guard let position = positions[chain] else { throw Unreadable(message: "there is no chain `\(chain)`") }
    place = "\(chain)\(rule["handle"]?.number.map { " handle \($0)" } ?? "")"
    self.table = table
    let expressions = rule["expr"]?.array ?? []
    let text = "chain \(place): \(rule["comment"]?.string ?? ListingReader.words(of: expressions))"
    let rules = try self.rules(of: expressions, text)
    host.chains[position].rules += rules
  }

  /// Returns `expressions` as the listing has them, cut where that is long.
  private static func words(of expressions: [JSONValue]) -> String {
    var result = ""
    for expression in expressions where result.utf8.count < 200 {
      result += (result.isEmpty ? "" : " ") + expression.text
    }
    return result.utf8.count > 240 ? String(result.prefix(237)) + "..." : result
  }

  /// Notes that `words` have no meaning here, and returns the condition that they match.
  mutating func unknown(_ words: String, isOfRule: Bool = false) throws -> PacketField {
    let note = "\(place): \(words)"
    if !unknowns.contains(note) { unknowns.append(note) }
    return try universe.unknown(isOfRule ? note : words)
  }

  /// Returns the position of the chain `name` of the table.
  func position(of name: String?) throws(Unreadable) -> Int {
    guard let name, let position = positions["\(table) \(name)"] else {
      throw Unreadable(message: "\(place): there is no chain `\(name ?? "")`")
    }
    return position
  }
}
