import Firewalls
import Packets

/// Something that rules of one chain decide: who it is about, and what happens to them.
struct Decision: Hashable {
  /// Where the connection comes from.
  var sources: [Reach]

  /// Where it goes, or nothing if anywhere.
  var destinations: [Reach]?

  /// What else is matched, behind the traffic.
  var matches: [Match] = []

  /// `true` iff a single rule must carry the decision, since it counts.
  var isCounted = false

  /// The comment.
  var comment: String?

  /// What happens.
  var target: Target
}

extension TableBuilder {
  /// How many rules a decision may take before a chain of its own tells an end of the connection.
  static var inlineLimit: Int { 4 }

  /// Returns `true` iff `decision` matches some packet of the family.
  func concerns(_ decision: Decision) -> Bool {
    func isReached(_ reaches: [Reach]) -> Bool {
      reaches.contains { !$0.addresses.isEmpty(family) && !$0.interfaces.isEmpty }
    }
    return isReached(decision.sources) && decision.destinations.map(isReached) ?? true
  }

  /// Appends the rules that carry out `decision` for what `base` matches to the chain at `chain`.
  mutating func append(_ decision: Decision, for base: Rule, to chain: Int) {
    guard concerns(decision) else { return }
    let limit = decision.isCounted ? 1 : Self.inlineLimit
    let from = select(Side(end: .source, reaches: decision.sources), atMost: limit)
    var room = limit
    if case .parts(let parts) = from { room = limit / max(1, parts.count) }
    let to =
      decision.destinations.map { select(Side(end: .destination, reaches: $0), atMost: max(1, room)) }
      ?? .parts([Part(end: .destination, addresses: .any)])

    var bits: UInt32 = 0
    if case .chain(let name) = from {
      var call = base
      call.target = .jump(name)
      append(call, to: chain)
      bits |= Marks.from
    }
    if case .chain(let name) = to {
      var call = base
      if bits != 0 { call.matches.append(Marks.has(bits)) }
      call.target = .jump(name)
      append(call, to: chain)
      bits |= Marks.to
    }
    let anywhere: (Side.End) -> [Part] = { [Part(end: $0, addresses: .any)] }
    let sources = if case .parts(let parts) = from { parts } else { anywhere(.source) }
    let destinations = if case .parts(let parts) = to { parts } else { anywhere(.destination) }
    for source in sources {
      for destination in destinations {
        var rule = base
        source.restrict(&rule)
        destination.restrict(&rule)
        if bits != 0 { rule.matches.append(Marks.has(bits)) }
        rule.matches += decision.matches
        rule.comment = decision.comment
        rule.target = decision.target
        append(rule, to: chain)
      }
    }
  }

  /// Returns the target that logs with `prefix` and then does `target`.
  mutating func logging(_ prefix: String, then target: Target) -> Target {
    let logger = Logger(prefix: prefix, target: target)
    if let known = loggers[logger] { return .goto(known) }
    let name = "PORTCULLIS-LOG-\(loggers.count + 1)"
    loggers[logger] = name
    _ = add(name, rules: [Rule(target: .log(prefix: prefix)), Rule(target: target)])
    return .goto(name)
  }
}

extension Rule {
  /// Returns the rule that matches `traffic`, or nothing if no packet of `family` is of it.
  static func matching(_ traffic: Traffic, _ family: AddressFamily) -> Rule? {
    switch traffic {
    case .ports(let transport, let range): matching(transport, [range])
    case .icmp(let type, let code):
      family == .ipv4 ? Rule(transport: .icmp, matches: [.icmp(.ipv4, type: type, code: code)]) : nil
    case .icmpv6(let type, let code):
      family == .ipv6 ? Rule(transport: .icmpv6, matches: [.icmp(.ipv6, type: type, code: code)]) : nil
    }
  }

  /// Returns the rule that matches what goes to one of `ranges`, of 15 slots at most.
  static func matching(_ transport: TransportProtocol, _ ranges: [PortRange]) -> Rule {
    guard ranges.count == 1, transport != .udplite else {
      return Rule(transport: transport, matches: [.destinationPorts(ranges)])
    }
    return ranges[0] == .all
      ? Rule(transport: transport) : Rule(transport: transport, matches: [.destinationPort(transport, ranges[0])])
  }
}
