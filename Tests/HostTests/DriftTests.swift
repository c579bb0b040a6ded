import Deploy
import Foundation
import Nftables
import Support
import Testing

/// What others do to our table, and beside it.
@Suite struct DriftTests {
  /// A foreign edit.
  struct Edit: Sendable, CustomStringConvertible {
    /// What it is.
    var description: String

    /// The lines of nft(8).
    var lines: String

    /// A word of what `verify` says of it; nothing if it lets no packet through and stops none.
    var told: String?

    /// `true` iff it is in our table.
    var isOurs = true

    init(_ description: String, _ lines: String, tells told: String?, isOurs: Bool = true) {
      (self.description, self.lines, self.told, self.isOurs) = (description, lines, told, isOurs)
    }
  }

  static let policy = samplePolicy(
    """
    zone many { 198.51.100.0/25, 198.51.100.192/26, 192.0.2.128/26 }
    service api { owner ops; purpose "Programs"; port 8000/tcp; expose to many }
    service names { owner ops; purpose "Names"; port 53/udp; expose to 198.51.100.7, 198.51.100.9, 198.51.100.11 }
    service bulk { owner ops; purpose "Much"; port 9000-9010/tcp; expose to office }
    """
      + (0..<6).map {
        "\nservice s\($0) { owner ops; purpose \"One of some\"; port 700\($0)/tcp; expose to 198.51.100.\(20 + $0) }"
      }
      .joined(),
    running: ["api", "names", "bulk"] + (0..<6).map { "s\($0)" })

  static let own: [Edit] = [
    Edit("a rule inserted", "insert rule inet portcullis judge tcp dport 23 accept", tells: "23/tcp"),
    Edit("a rule added at the end", "add rule inet portcullis invalid accept", tells: nil),
    Edit("a rule before the others drops", "insert rule inet portcullis prerouting tcp dport 80 drop", tells: "80/tcp"),
    Edit("everything is accepted", "insert rule inet portcullis prerouting accept", tells: "/tcp"),
    Edit("everything is dropped", "insert rule inet portcullis judge drop", tells: "80"),
    Edit("a chain flushed", "flush chain inet portcullis prerouting", tells: "/tcp"),
    Edit("the chain of refusals flushed", "flush chain inet portcullis refuse", tells: "/tcp"),
    Edit("the table flushed", "flush table inet portcullis", tells: "/tcp"),
    Edit("the table deleted", "delete table inet portcullis", tells: "/tcp"),
    Edit("a policy of drop", "chain inet portcullis prerouting { policy drop; }", tells: "policy drop"),
    Edit("the table asleep", "add table inet portcullis { flags dormant; }", tells: "dormant"),
    Edit(
      "a base chain of another priority",
      "add chain inet portcullis early { type filter hook prerouting priority -200; }\n"
        + "add rule inet portcullis early tcp dport 443 drop", tells: "443/tcp"),
    Edit(
      "a chain at another hook", "add chain inet portcullis in { type filter hook input priority 0; policy drop; }",
      tells: "policy drop"),
    Edit(
      "a jump to a chain of their own",
      "add chain inet portcullis theirs\nadd rule inet portcullis theirs tcp dport 6000 accept\n"
        + "insert rule inet portcullis judge jump theirs", tells: "6000/tcp"),
    Edit(
      "flags of TCP", "insert rule inet portcullis judge tcp flags & (syn | ack) == syn accept",
      tells: "in our table: chain judge"),
    Edit("a mark is set", "insert rule inet portcullis judge meta mark set 1", tells: "in our table: chain judge"),
    Edit(
      "a header is written", "insert rule inet portcullis judge ip dscp set cs1", tells: "in our table: chain judge"),
    Edit("a rate", "insert rule inet portcullis judge tcp dport 80 limit rate over 5/second drop", tells: "80/tcp"),
    Edit(
      "an object and its rule",
      "add counter inet portcullis theirs\ninsert rule inet portcullis judge tcp dport 80 counter name theirs",
      tells: "theirs"),
    Edit("a set that nobody uses", "add set inet portcullis theirs { type ipv4_addr; }", tells: nil),
    Edit(
      "a set and a rule",
      "add set inet portcullis theirs { type inet_service; elements = { 8080, 8081 }; }\n"
        + "insert rule inet portcullis judge tcp dport @theirs accept", tells: "8080-8081/tcp"),
    Edit(
      "no connection goes on", "insert rule inet portcullis prerouting ct state established drop",
      tells: "Treats later packets"),
    Edit(
      "a translation",
      "add chain inet portcullis theirs { type nat hook prerouting priority -100; }\n"
        + "add rule inet portcullis theirs tcp dport 443 redirect to :22", tells: "Sends elsewhere"),
  ]

  static let foreign: [Edit] = [
    Edit(
      "a base chain that drops", "table inet other { chain in { type filter hook input priority 0; policy drop; }; }",
      tells: "80", isOurs: false),
    Edit(
      "a rule that drops",
      "table ip other { chain in { type filter hook input priority 5; tcp dport 443 drop; }; }", tells: "443/tcp",
      isOurs: false),
    Edit(
      "a translation of what is refused",
      "table ip other { chain pre { type nat hook prerouting priority -120; tcp dport 6000 redirect to :80; }; }",
      tells: nil, isOurs: false),
    Edit(
      "a translation of what is let in",
      "table ip other { chain pre { type nat hook prerouting priority -120; tcp dport 443 redirect to :8080; }; }",
      tells: "Sends elsewhere", isOurs: false),
    Edit(
      "not tracked",
      "table ip other { chain pre { type filter hook prerouting priority -300; udp dport 53 notrack; }; }",
      tells: "Not known here", isOurs: false),
    Edit(
      "a drop of some packets",
      "table ip other { chain in { type filter hook input priority 0; tcp dport 22 ip ttl < 5 drop; }; }",
      tells: "22/tcp", isOurs: false),
    Edit(
      "an accept that opens nothing",
      "table inet other { chain in { type filter hook input priority 0; tcp dport 6000 accept; }; }", tells: nil,
      isOurs: false),
  ]

  private func host() throws -> (Machine, String) {
    let machine = try Machine("drift")
    let path = try machine.policy(Self.policy)
    try machine.expect(0, "apply", on: path)
    try machine.expect(0, "verify", on: path)
    return (machine, path)
  }

  @Test(arguments: own) func editsOfOurTableAreFoundAndUndone(edit: Edit) throws {
    let (machine, path) = try host()
    let before = try machine.objects()
    try machine.nft("table ip theirs { chain x { tcp dport 1 accept; }; }")
    try machine.nft(edit.lines)
    for words in [["verify", "--own"], ["verify"]] {
      let result = try machine.namespace.run(machine.command(words, on: path))
      #expect(result.status == (edit.told == nil ? 0 : 1), "\(edit): \(words) \(result)")
      #expect(result.output.contains(edit.told ?? "proved"), "\(edit): \(words) \(result.output)")
    }
    try machine.expect(1, "plan", on: path, note: "\(edit)")
    try machine.expect(0, "apply", on: path, note: "\(edit)")
    try machine.expect(0, "verify", "--own", on: path, note: "\(edit) undone")
    try machine.expect(0, "plan", on: path, note: "\(edit) undone")
    #expect(try machine.listing("list", "table", "ip", "theirs").contains("tcp dport 1 accept"))
    try machine.nft("delete table ip theirs")
    #expect(try machine.objects() == before, "\(edit) undone")
  }

  /// Elements of every set, rules in every order.
  @Test func everySetAndRuleIsLookedAt() throws {
    let (machine, path) = try host()
    let before = try machine.objects()
    let document = try JSONSerialization.jsonObject(with: Data(try machine.listing("-j", "list", "ruleset").utf8))
    let objects = try #require((document as? [String: Any])?["nftables"] as? [[String: Any]])
    var edits: [(String, String)] = []
    for object in objects {
      for kind in ["set", "map"] {
        guard let set = object[kind] as? [String: Any], let name = set["name"] as? String, set["elem"] != nil else {
          continue
        }
        edits.append(("set \(name) emptied", "flush set inet portcullis \(name)"))
      }
      if let rule = object["rule"] as? [String: Any], let handle = rule["handle"] as? Int,
        let chain = rule["chain"] as? String
      {
        edits.append(("rule \(handle) of \(chain) deleted", "delete rule inet portcullis \(chain) handle \(handle)"))
      }
    }
    #expect(edits.count > 15 && edits.contains { $0.0.hasPrefix("set") }, "\(edits)")
    let policy = try Wanted(Self.policy)
    for (name, line) in edits {
      // A table that is made anew by the same steps has the same handles.
      try machine.nft("flush ruleset")
      let deployment = try machine.deployment()
      try deployment.change(by: { try $0?.plan(to: policy.table) ?? .creating(policy.table) }, proving: { _ in })
      try machine.nft(line)
      let changed = try deployment.change(
        by: { try $0?.plan(to: policy.table) ?? .creating(policy.table) }, proving: { _ in })
      #expect(changed, "\(name) is not noticed")
      #expect(try machine.objects() == before, "\(name)")
    }
    try machine.expect(0, "verify", "--own", on: path)
  }

  /// What a set of limits holds already keeps its own rate, or has none.
  @Test(arguments: [
    ("limit rate 1000/second burst 50 packets", "a rate of its own, 1000/second burst 50"), ("", "no rate"),
    ("limit rate 5/minute burst 7 packets", nil),
  ]) func elementsWithARateOfTheirOwnAreFound(limit: String, told: String?) throws {
    let isFound = told != nil
    let machine = try Machine("rates")
    let path = try machine.policy(
      samplePolicy(
        """
        service slow { owner ops; purpose "Seldom"; port 8000/tcp; expose to office limit 5/minute burst 7 per source }
        """, running: ["slow"]))
    try machine.expect(0, "apply", on: path)
    let before = try machine.objects()
    let listing = try machine.listing("list", "sets", "inet")
    let name = try #require(listing.split(separator: " ").first { $0.hasSuffix("_ip") })
    try machine.nft("add element inet portcullis \(name) { 203.0.113.7 . tcp . 8000 \(limit) timeout 1h }")
    // A rule that no packet meets makes no element.
    if limit.contains("1000/second") {
      try machine.nft(
        """
        add chain inet portcullis theirs
        add rule inet portcullis theirs update @\(name) { ip saddr . meta l4proto . th dport \(limit) }
        """)
    }
    for words in [["verify", "--own"], ["verify"]] {
      let result = try machine.namespace.run(machine.command(words, on: path))
      #expect(result.status == (isFound ? 1 : 0), "\(result)")
      let words = "the element 203.0.113.7 . tcp . 8000 has \(told ?? "")"
      #expect(result.output.contains(words) == isFound, "\(result)")
    }
    let plan = try machine.expect(isFound ? 1 : 0, "plan", on: path)
    #expect(plan.output.contains("\(told ?? "") (not ours)") == isFound, "\(plan)")
    try machine.expect(0, "apply", on: path)
    try machine.expect(0, "verify", on: path)
    if isFound { #expect(try machine.objects() == before) }
  }

  @Test(arguments: foreign) func whatStandsBesideIsToldAndLeftAlone(edit: Edit) throws {
    let (machine, path) = try host()
    try machine.nft(edit.lines)
    let family = edit.lines.contains("inet other") ? "inet" : "ip"
    let theirs = try machine.listing("-a", "list", "table", family, "other")
    let result = try machine.expect(edit.told == nil ? 0 : 1, "verify", on: path, note: "\(edit)")
    if let told = edit.told {
      let isNamed = result.output.contains("\(family) other") || edit.lines.contains("policy drop")
      #expect(result.output.contains(told) && isNamed, "\(edit): \(result.output)")
    }
    try machine.expect(0, "verify", "--own", on: path)
    try machine.expect(0, "plan", on: path)
    try machine.expect(0, "apply", on: path)
    try machine.nft("flush table inet portcullis")
    try machine.expect(0, "restore")
    try machine.expect(0, "verify", "--own", on: path)
    #expect(try machine.listing("-a", "list", "table", family, "other") == theirs)
    try machine.expect(0, "restore", "--remove")
    #expect(try machine.listing("-a", "list", "ruleset").contains(theirs))
  }
}
