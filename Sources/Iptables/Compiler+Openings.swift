import Firewalls
import Packets
import Syntax

extension Compiler {
  /// Writes what accepts packets to the host, behind the chain at `chain`.
  mutating func addOpenings(to chain: Int) {
    let concerned = firewall.openings.indices.filter { isExpressible(firewall.openings[$0]) }
    for i in concerned { report(firewall.openings[i]) }
    reportContestedLimits(concerned)

    // What is not limited comes first, so that it does not use up what others may: a second pass sees the rest.
    var passes: [TransportProtocol: (unlimited: [Int], limited: [Int])] = [:]
    for i in concerned {
      let opening = firewall.openings[i]
      if opening.limit == nil {
        passes[opening.traffic.transport, default: ([], [])].unlimited.append(i)
      } else {
        passes[opening.traffic.transport, default: ([], [])].limited.append(i)
      }
    }
    for (transport, pass) in passes.sorted(by: { $0.key < $1.key }) {
      let name = Self.stem(transport)
      mangle.append(Rule(transport: transport, target: .goto(name)), to: chain)
      let inner = mangle.add(name)
      guard !pass.limited.isEmpty else {
        add(pass.unlimited, of: transport, into: inner, end: refuse)
        continue
      }
      // The passes stand side by side and not one below the other, since the kernel nests no more than 15 chains.
      let (first, second) = (name + "-FIRST", name + "-LIMITED")
      mangle.append(Rule(target: .jump(first)), to: inner)
      mangle.append(Rule(matches: [Marks.has(Marks.admitted)], target: .return), to: inner)
      mangle.append(Rule(target: .goto(second)), to: inner)
      add(pass.unlimited, of: transport, into: mangle.add(first), end: nil)
      add(pass.limited, of: transport, into: mangle.add(second), end: refuse)
    }
  }

  /// Returns what the names of chains for `transport` begin with.
  static func stem(_ transport: TransportProtocol) -> String {
    "PORTCULLIS-" + transport.description.uppercased()
  }

  /// Writes what accepts the openings at `indices` into the chain at `chain`.
  private mutating func add(
    _ indices: [Int], of transport: TransportProtocol, into chain: Int, end: Target?
  ) {
    guard transport.hasPorts else {
      for i in indices {
        guard let base = Rule.matching(firewall.openings[i].traffic, family) else { continue }
        let decision = decision(for: firewall.openings[i])
        mangle.append(decision, for: base, to: chain)
      }
      if let end { mangle.append(Rule(target: end), to: chain) }
      return
    }
    let entries = indices.compactMap { i in
      firewall.openings[i].traffic.ports.map { PortTree.Entry(range: $0, index: i) }
    }
    let openings = firewall.openings
    let isOrdered = indices.contains { openings[$0].translation != nil }
    let precedes = { (a: Int, b: Int) in a < b && openings[a].translatesOtherwise(than: openings[b]) }
    let tree = PortTree(entries, precedes: isOrdered ? precedes : nil)
    write(tree, of: transport, to: \.mangle, into: chain, stem: Self.stem(transport), end: end) {
      compiler, chain, entries in
      for group in compiler.grouped(entries) {
        let opening = compiler.firewall.openings[group.first]
        for ports in Self.chunks(of: group.ranges) {
          let decision = compiler.decision(for: opening)
          compiler.mangle.append(decision, for: .matching(transport, ports), to: chain)
        }
      }
    }
  }

  /// Returns `entries` with those put together that stand side by side and differ in their ports alone.
  private func grouped(
    _ entries: [PortTree.Entry]
  ) -> [(first: Int, ranges: [PortRange])] {
    var result: [(first: Int, ranges: [PortRange])] = []
    // Order matters only where translations differ or limits count.
    let isFree = entries.allSatisfy {
      firewall.openings[$0.index].translation == nil && firewall.openings[$0.index].limit == nil
    }
    var known: [Span: Int] = [:]
    for entry in entries {
      let opening = firewall.openings[entry.index]
      let candidate = isFree ? known[opening.cause.span] : result.indices.last
      if let candidate, firewall.openings[result[candidate].first].differsInPortsAlone(from: opening) {
        result[candidate].ranges.append(entry.range)
        continue
      }
      known[opening.cause.span] = result.count
      result.append((entry.index, [entry.range]))
    }
    return result
  }

  /// Returns `ranges` in lists that one rule can match: a list has 15 slots, and a range takes two.
  static func chunks(of ranges: [PortRange]) -> [[PortRange]] {
    var result: [[PortRange]] = []
    var slots = 15
    for range in ranges {
      let size = range.isSingle ? 1 : 2
      if slots + size > 15 {
        result.append([])
        slots = 0
      }
      result[result.count - 1].append(range)
      slots += size
    }
    return result
  }

  /// Returns who is accepted by `opening`, and how.
  private mutating func decision(for opening: Opening) -> Decision {
    var matches: [Match] = []
    if let until = opening.until { matches.append(.until(until)) }
    if let limit = opening.limit,
      let match = counting(limit, key: "\(opening.cause.subject) \(opening.traffic)", at: opening.cause.span)
    {
      matches.append(match)
    }
    var target = Target.goto(opening.translation == nil ? Name.admit : Name.admitTranslated)
    if opening.logged { target = mangle.logging(logPrefix(opening.cause.subject), then: target) }
    return Decision(
      sources: opening.sources, destinations: opening.destinations.map { [Reach($0)] }, matches: matches,
      isCounted: opening.limit != nil, comment: comment(opening.cause), target: target)
  }
}

extension Opening {
  /// Returns `true` iff a packet that both accept may be sent to two places.
  func translatesOtherwise(than other: Opening) -> Bool {
    switch (translation, other.translation) {
    case (nil, nil): false
    case (.redirect(let port)?, .redirect(let otherPort)?):
      // The distance counts, and not where it begins.
      Int(port) - Int(traffic.ports?.lower ?? 0) != Int(otherPort) - Int(other.traffic.ports?.lower ?? 0)
    default: translation != other.translation || traffic != other.traffic
    }
  }

  /// Returns `true` iff `other` accepts the same as `self` on other ports, and no order among them matters.
  fileprivate func differsInPortsAlone(from other: Opening) -> Bool {
    limit == nil && other.limit == nil && translation == nil && other.translation == nil && cause == other.cause
      && until == other.until && logged == other.logged && destinations == other.destinations
      && sources == other.sources
  }
}
