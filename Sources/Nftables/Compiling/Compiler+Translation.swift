import Firewalls
import Packets
import Policies
import Syntax

extension Compiler {
  /// An opening whose destination is translated, or that shares a port with one.
  private struct Candidate {
    /// The position of the opening.
    var index: Int

    /// Its protocol and ports.
    var transport: TransportProtocol
    var ports: PortRange
  }

  /// Makes the chains that translate what is accepted.
  ///
  /// A connection comes here only if an opening accepts it. So where all openings of a public port translate alike,
  /// a map from the port is enough; where they do not, rules in the order of the openings, those without a limit first,
  /// look at everything.
  mutating func translate() {
    let ordered =
      firewall.openings.indices.filter { firewall.openings[$0].limit == nil }
      + firewall.openings.indices.filter { firewall.openings[$0].limit != nil }
    let all = ordered.compactMap { index -> Candidate? in
      let opening = firewall.openings[index]
      guard case .ports(let transport, let ports) = opening.traffic else { return nil }
      return Candidate(index: index, transport: transport, ports: ports)
    }
    guard all.contains(where: { firewall.openings[$0.index].translation != nil }) else { return }
    let contested = contested(all)
    var linear: [Rule] = []
    var maps = TranslationMaps()
    for candidate in all {
      let opening = firewall.openings[candidate.index]
      let isContested = contested.touches(candidate.transport, candidate.ports)
      guard let translation = opening.translation else {
        if isContested { linear += linearRules(opening, .verdict(.accept)) }
        continue
      }
      if !checks(translation, opening) { continue }
      let isSimple = opening.destinations.map(Compiler.isFewHosts) ?? true
      if isContested || !isSimple {
        linear += linearRules(opening, .verdict(.goto(ownChain(translation, candidate))))
      } else if case .forward(let targets, _) = translation, Compiler.isSpread(targets) {
        maps.spread(candidate.transport, candidate.ports, opening.destinations, ownChain(translation, candidate))
      } else {
        maps.add(candidate.transport, candidate.ports, opening.destinations, translation)
      }
    }
    let rules = linear + maps.rules(into: &assembly)
    assembly.add(chain: "translate", rules)
    assembly.add(
      chain: "redirecting", hook: BaseHook(.nat, at: .prerouting, priority: Compiler.translating),
      [
        Rule([
          .match(Selector(.fibDestinationType), .equal, .anyOf(AddressType.allCases.map { .addressType($0) })),
          .verdict(.goto("translate")),
        ])
      ])
  }

  /// Returns the ports whose openings do not all translate alike.
  private func contested(_ all: [Candidate]) -> PortSet {
    var targets: [UInt32: [(Opening.Translation?, AddressSet?)]] = [:]
    var contested = PortSet()
    let translated = PortSet(
      all.filter { firewall.openings[$0.index].translation != nil }.map { ($0.transport, $0.ports) })
    for candidate in all {
      let opening = firewall.openings[candidate.index]
      translated.forEach(candidate.transport, candidate.ports) { port in
        let key = UInt32(candidate.transport.rawValue) << 16 | UInt32(port)
        let target = opening.translation.map { $0.target(of: port, lowest: candidate.ports.lower) }
        let others = targets[key] ?? []
        var isKnown = false
        for (other, destinations) in others {
          if other == target {
            isKnown = isKnown || destinations == opening.destinations
          } else if destinations.map({ opening.destinations?.intersects($0) ?? true }) ?? true {
            contested.insert(candidate.transport, port)
          }
        }
        if !isKnown { targets[key] = others + [(target, opening.destinations)] }
      }
    }
    return contested
  }

  /// Returns `true` iff `translation` can be expressed, and says so of `opening` if not.
  private mutating func checks(_ translation: Opening.Translation, _ opening: Opening) -> Bool {
    guard case .ports(_, let ports) = opening.traffic else { return true }
    func fail(_ message: String, _ reason: String) -> Bool {
      assembly.diagnostics.append(
        Diagnostic(
          .error, "nftables-translation", message, at: .init(opening.cause.span), because: reason,
          subject: opening.cause.subject))
      return false
    }
    let lowest =
      switch translation {
      case .redirect(let port), .forward(_, let port): port
      }
    guard Int(lowest) + ports.count - 1 <= 65_535 else {
      return fail("the ports behind \(opening.traffic) reach beyond 65535", "A port is a number up to 65535.")
    }
    guard case .forward(let targets, _) = translation, Compiler.isSpread(targets), ports.count > 1024 else {
      return true
    }
    return fail(
      "nftables cannot spread \(ports.count) ports over several hosts",
      "A range that is spread over several hosts takes a rule for each port; at most 1024 are made.")
  }

  /// Returns `true` iff connections of one family go to several of `targets`.
  private static func isSpread(_ targets: [Address]) -> Bool {
    AddressFamily.allCases.contains { family in targets.count { $0.family == family } > 1 }
  }

  /// Returns `true` iff `set` is a few single addresses.
  private static func isFewHosts(_ set: AddressSet) -> Bool {
    let ranges = set.ranges
    return ranges.count <= 64 && ranges.allSatisfy { $0.lower == $0.upper }
  }

  /// Returns the chain that carries out `translation` for the ports of `candidate` alone.
  private mutating func ownChain(_ translation: Opening.Translation, _ candidate: Candidate) -> String {
    let chain = assembly.fresh("translate\(candidate.index + 1)")
    var rules: [Rule] = []
    if case .forward(let targets, let lowest) = translation, Compiler.isSpread(targets) {
      for family in AddressFamily.allCases {
        let some = targets.filter { $0.family == family }
        guard !some.isEmpty else { continue }
        for port in candidate.ports.lower...candidate.ports.upper {
          rules.append(
            Rule([
              .match(Selector(.l4proto), .equal, .datum(.transport(candidate.transport))),
              .match(Selector(.dport), .equal, .datum(.port(port))),
              .dnat(.spread(family, over: some.map { .init($0, lowest + (port - candidate.ports.lower)) })),
            ]))
        }
      }
    } else {
      var maps = TranslationMaps(prefix: chain)
      maps.add(candidate.transport, candidate.ports, nil, translation)
      rules = maps.rules(into: &assembly)
    }
    assembly.add(chain: chain, rules)
    return chain
  }

  /// Returns rules that do `last` to the packets of `opening`.
  private func linearRules(_ opening: Opening, _ last: Statement) -> [Rule] {
    guard case .ports(let transport, let ports) = opening.traffic else { return [] }
    var rules: [Rule] = []
    for reach in opening.sources {
      for family in AddressFamily.allCases where !reach.addresses.isEmpty(family) {
        if let destinations = opening.destinations, destinations.isEmpty(family) { continue }
        if case .forward(let targets, _)? = opening.translation, !targets.contains(where: { $0.family == family }) {
          continue
        }
        var steps: [Statement] = [.match(Selector(.nfproto), .equal, .datum(.family(family)))]
        switch reach.interfaces {
        case .only(let names):
          steps.append(.match(Selector(.iifname), .equal, .among(names.map { .interface($0) })))
        case .except(let names) where !names.isEmpty:
          steps.append(.match(Selector(.iifname), .unequal, .among(names.map { .interface($0) })))
        case .except: break
        }
        if !reach.addresses.isAll(family) {
          let data = reach.addresses.ranges(family).map { Datum.all(of: $0) }
          steps.append(.match(Selector(.saddr(family)), .equal, .among(data)))
        }
        if let destinations = opening.destinations, !destinations.isAll(family) {
          let data = destinations.ranges(family).map { Datum.all(of: $0) }
          steps.append(.match(Selector(.daddr(family)), .equal, .among(data)))
        }
        steps.append(.match(Selector(.l4proto), .equal, .datum(.transport(transport))))
        steps.append(.match(Selector(.dport), .equal, .datum(.all(of: ports))))
        if let until = opening.until, let end = Compiler.end(of: until) {
          steps.append(.match(Selector(.time), .below, .datum(.seconds(end))))
        }
        rules.append(Rule(steps + [last], comment: assembly.comment(opening.cause)))
      }
    }
    return rules
  }
}

extension Opening.Translation {
  /// Returns the translation of `port` alone, in a range that begins at `lowest`.
  func target(of port: UInt16, lowest: UInt16) -> Self {
    switch self {
    case .redirect(let first): .redirect(to: first &+ (port - lowest))
    case .forward(let targets, let first): .forward(to: targets, port: first &+ (port - lowest))
    }
  }
}
