import Firewalls
import Packets
import Syntax

extension ListingReader {
  /// Statements that change nothing that a meaning tells.
  private static let idle: Set<String> = [
    "counter", "log", "continue", "ct helper", "ct timeout", "ct expectation", "secmark", "nftrace", "comment",
  ]

  /// Extensions of iptables that match every packet, and targets that let it go on.
  private static let idleExtensions: Set<String> = [
    "comment", "LOG", "NFLOG", "TRACE", "TCPMSS", "CHECKSUM", "AUDIT", "CLASSIFY", "TOS", "DSCP",
  ]

  /// Returns the rules that do what the statements `expressions` do, one after the other.
  mutating func rules(of expressions: [JSONValue], _ text: String) throws -> [HookedChains.Rule] {
    var ways = [Matched()]
    var result: [HookedChains.Rule] = []
    for (i, expression) in expressions.enumerated() {
      guard case .object(let members) = expression, let statement = members.first, members.count == 1 else {
        try unknownStatement(expression.text, i, expressions, &ways, &result, text)
        continue
      }
      let value = statement.value
      switch statement.name {
      case "match": try match(value, &ways)
      case "accept": return result + (try all(ways, .accept, text))
      case "drop": return result + (try all(ways, .drop, text))
      case "reject": return result + (try all(ways, .reject, text))
      case "return": return result + (try all(ways, .return, text))
      case "jump": return result + (try all(ways, .jump(position(of: value["target"]?.string)), text))
      case "goto": return result + (try all(ways, .goto(position(of: value["target"]?.string)), text))
      case "masquerade": return result + (try all(ways, .masquerade, text))
      case "snat":
        unknowns.append("\(place): \(expression.text) (taken for one of the host's addresses)")
        return result + (try all(ways, .masquerade, text))
      case "vmap": return result + (try verdicts(value, ways, text))
      case "dnat", "redirect":
        return result + (try translations(statement, ways, text))
      case "queue":
        let condition = try unknown(expression.text, isOfRule: true)
        return result + (try chosen(ways, condition, .drop, text)) + (try all(ways, .accept, text))
      case "limit": try limit(value, perSource: false, &ways, expression)
      case "set" where value["stmt"] == nil && value["op"]?.string != nil: continue
      case "set": try meter(value, &ways, expression)
      case "mangle":
        guard let actions = markActions(value) else {
          if !isHarmless(value) { unknowns.append("\(place): \(expression.text)") }
          continue
        }
        let rest = Array(expressions[(i + 1)...])
        return result + (try marking(actions, rest, ways, text))
      case "xt" where ListingReader.idleExtensions.contains(value["name"]?.string ?? ""): continue
      case "xt" where value["type"]?.string == "target" && value["name"]?.string == "REJECT":
        return result + (try all(ways, .reject, text))
      case "xt" where value["type"]?.string == "target" && value["name"]?.string == "MASQUERADE":
        return result + (try all(ways, .masquerade, text))
      case "xt" where value["type"]?.string == "target" && ["MARK", "CONNMARK"].contains(value["name"]?.string):
        // No look at a mark is understood then.
        unknowns.append("\(place): \(expression.text)")
      case "notrack", "flow", "dup", "synproxy", "tproxy":
        unknowns.append("\(place): \(expression.text)")
      case let name where ListingReader.idle.contains(name): continue
      default: try unknownStatement(expression.text, i, expressions, &ways, &result, text)
      }
    }
    return result
  }

  /// Goes on behind a statement that is not known: what comes to it may go on or not; at the end of a rule it may decide.
  private mutating func unknownStatement(
    _ words: String, _ index: Int, _ statements: [JSONValue], _ ways: inout [Matched],
    _ result: inout [HookedChains.Rule], _ text: String
  ) throws {
    let condition = try unknown(words, isOfRule: true)
    for i in ways.indices { try ways[i].narrow(to: [Cube(conditions: [condition])], in: universe) }
    guard index == statements.count - 1 else { return }
    let accepts = try unknown("\(words) accepts", isOfRule: true)
    result += try chosen(ways, accepts, .accept, text)
    result += try all(ways, .drop, text)
  }

  /// Returns rules that do `action` to all of `ways`.
  private func all(_ ways: [Matched], _ action: HookedChains.Action, _ text: String) throws -> [HookedChains.Rule] {
    try ways.flatMap { try $0.rules(action, text, in: universe) }
  }

  /// Returns rules that do `action` to those of `ways` for which `condition` holds.
  private func chosen(
    _ ways: [Matched], _ condition: PacketField, _ action: HookedChains.Action, _ text: String
  ) throws -> [HookedChains.Rule] {
    try ways.flatMap { try $0.rules([([Cube(conditions: [condition])], action)], text, in: universe) }
  }

  /// Returns the verdict that `value` is, or nothing if it is none.
  private func verdict(_ value: JSONValue) throws -> HookedChains.Action? {
    switch value.only?.name {
    case "accept": .accept
    case "drop": .drop
    case "return": .return
    case "jump": .jump(try position(of: value["jump"]?["target"]?.string))
    case "goto": .goto(try position(of: value["goto"]?["target"]?.string))
    default: nil
    }
  }

  /// Returns rules that do what the verdict map `map` says.
  private mutating func verdicts(_ map: JSONValue, _ ways: [Matched], _ text: String) throws -> [HookedChains.Rule] {
    guard let key = map["key"], let data = map["data"] else { return [] }
    let parts = parts(of: key)
    guard let elements = elements(of: data) else {
      // Whatever the map may lead to: a packet may be dropped or accepted.
      let (matches, accepts) = (
        try unknown("vmap \(map.text)", isOfRule: true), try unknown("vmap \(map.text) accepts", isOfRule: true)
      )
      var some = ways
      for i in some.indices { try some[i].narrow(to: [Cube(conditions: [matches])], in: universe) }
      return try chosen(some, accepts, .accept, text) + all(some, .drop, text)
    }
    var cases: [(cubes: [Cube], action: HookedChains.Action)] = []
    var others: HookedChains.Action?
    for element in elements {
      guard let pair = element.array, pair.count == 2 else {
        throw Unreadable(message: "\(place): an element of a map is no pair")
      }
      let verdict = try verdict(pair[1])
      // `continue` goes on with the next rule, as packets do that no element is for.
      guard let action = verdict else { continue }
      if pair[0] == .string("*") {
        others = action
      } else if let cubes = cube(of: parts, equal: pair[0]) {
        cases.append((cubes, action))
      } else {
        cases.append(([Cube(conditions: [try unknown("\(key.text) is \(pair[0].text)")])], action))
      }
    }
    var result = try ways.flatMap { try $0.rules(cases, text, in: universe) }
    if let others {
      let rest = try universe.set(of: cases.flatMap(\.cubes)).complement()
      var some = ways
      for i in some.indices { some[i].sets.append(rest) }
      result = try all(some, others, text) + result
    }
    return result
  }

  // MARK: - Rates

  /// Returns the condition to be within the rate of `limit`, or nothing if its numbers are no packets.
  private func condition(_ limit: JSONValue, perSource: Bool) throws -> PacketField? {
    guard let count = limit["rate"]?.number.flatMap({ UInt32(exactly: $0) }), limit["rate_unit"] == nil,
      let unit = limit["per"]?.string.flatMap({ Rate.Unit(rawValue: $0) }),
      let burst = UInt32(exactly: limit["burst"]?.number ?? 5)
    else { return nil }
    return try universe.within(Rate(count, per: unit), burst: burst, perSource: perSource)
  }

  /// Narrows `ways` to packets within the rate of `limit`, or beyond it if it says so.
  private mutating func limit(
    _ limit: JSONValue, perSource: Bool, _ ways: inout [Matched], _ statement: JSONValue
  ) throws {
    guard let condition = try condition(limit, perSource: perSource) else {
      let condition = try unknown(statement.text, isOfRule: true)
      for i in ways.indices { try ways[i].narrow(to: [Cube(conditions: [condition])], in: universe) }
      return
    }
    if limit["inv"] == .bool(true) {
      let beyond = try space.set(when: condition).complement()
      for i in ways.indices { ways[i].sets.append(beyond) }
    } else {
      for i in ways.indices { try ways[i].narrow(to: [Cube(conditions: [condition])], in: universe) }
    }
  }

  /// Narrows `ways` to packets within what an element of a set keeps for each of them.
  private mutating func meter(_ value: JSONValue, _ ways: inout [Matched], _ statement: JSONValue) throws {
    let key = value["elem"].map { parts(of: $0["elem"]?["val"] ?? $0) } ?? []
    let fields = key.map(ListedField.init)
    let isPerSource = fields.contains { $0?.field == .source && $0?.mask == nil }
    guard let inner = value["stmt"]?.array, inner.count == 1, let limit = inner[0]["limit"], isPerSource,
      !fields.contains(where: { $0 == nil })
    else {
      let condition = try unknown(statement.text, isOfRule: true)
      for i in ways.indices { try ways[i].narrow(to: [Cube(conditions: [condition])], in: universe) }
      return
    }
    var having = Cube()
    var exists = true
    for field in fields.compactMap(\.self) where !field.depend(&having, in: universe.space) { exists = false }
    for i in ways.indices { try ways[i].narrow(to: exists ? [having] : [], in: universe) }
    try self.limit(limit, perSource: true, &ways, statement)
  }
}
