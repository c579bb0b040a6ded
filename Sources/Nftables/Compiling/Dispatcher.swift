import Firewalls
import Packets

/// The maker of rules that find the decisions for a packet in a number of steps that does not grow with their number.
///
/// Decisions are told apart by phase, by the sets of interfaces, by family, and then by the *shape* of their keys:
/// those that look at the same bits of the same fields share one set. So there are as many look-ups as there are
/// shapes, however many services there are.
struct Dispatcher {
  /// The decisions.
  let decisions: [Decision]

  /// What a plain decision is.
  let verdict: Verdict

  /// Where the interface that a packet leaves on is known from; before routing, from the routing table.
  var outboundField = Field.fibDestinationInterface

  /// Returns rules that decide `candidates`, with chains and sets whose names begin with `name` put into `assembly`.
  func rules(for candidates: [Candidate], named name: String, into assembly: inout Assembly) -> [Rule] {
    let positions = candidates.indices
    return Decision.Phase.allCases.flatMap { phase -> [Rule] in
      let part = positions.filter { decisions[Int(candidates[$0].decision)].phase == phase }
      if part.isEmpty { return [] }
      // Most have one phase alone, and need no list of their own.
      let some = part.count == candidates.count ? candidates : part.map { candidates[$0] }
      return byInbound(some, named: name + phase.suffix, phase, into: &assembly)
    }
  }

  /// Returns `candidates` by the set of interfaces that `interfaces` tells of each, in the order of output.
  private static func grouped(
    _ candidates: [Candidate], by interfaces: (Candidate) -> InterfaceSet
  ) -> [(interfaces: InterfaceSet, candidates: [Candidate])] {
    // Most hosts do not tell interfaces apart.
    if candidates.allSatisfy({ interfaces($0).isAny }) { return [(.any, candidates)] }
    return Dictionary(grouping: candidates, by: interfaces).sorted { $0.key < $1.key }
      .map { (interfaces: $0.key, candidates: $0.value) }
  }

  /// Returns rules for `candidates` of one phase, told apart by the interface that packets arrive on.
  private func byInbound(
    _ candidates: [Candidate], named name: String, _ phase: Decision.Phase, into assembly: inout Assembly
  ) -> [Rule] {
    var rules: [Rule] = []
    var classes: [(interfaces: InterfaceSet, chain: String)] = []
    for (interfaces, group) in Dispatcher.grouped(candidates, by: { $0.inbound }) where !interfaces.isEmpty {
      if interfaces.isAny {
        rules = byOutbound(group, named: name, phase, into: &assembly)
      } else {
        let chain = assembly.fresh("\(name)_in\(classes.count + 1)")
        let inner = byOutbound(group, named: chain, phase, into: &assembly)
        assembly.add(chain: chain, inner)
        classes.append((interfaces, chain))
      }
    }
    return rules + Dispatcher.dispatch(on: .iifname, classes, named: name, into: &assembly)
  }

  /// Returns rules for `candidates`, told apart by the interface that packets leave on.
  private func byOutbound(
    _ candidates: [Candidate], named name: String, _ phase: Decision.Phase, into assembly: inout Assembly
  ) -> [Rule] {
    var rules: [Rule] = []
    var classes: [(interfaces: InterfaceSet, chain: String)] = []
    for (interfaces, group) in Dispatcher.grouped(candidates, by: { $0.outbound }) where !interfaces.isEmpty {
      if interfaces.isAny {
        rules = byFamily(group, named: name, phase, into: &assembly)
      } else {
        let chain = assembly.fresh("\(name)_out\(classes.count + 1)")
        let inner = byFamily(group, named: chain, phase, into: &assembly)
        assembly.add(chain: chain, inner)
        classes.append((interfaces, chain))
      }
    }
    return rules + Dispatcher.dispatch(on: outboundField, classes, named: name, into: &assembly)
  }

  /// Returns rules that send a packet to the chains of the classes that hold its interface.
  private static func dispatch(
    on field: Field, _ classes: [(interfaces: InterfaceSet, chain: String)], named name: String,
    into assembly: inout Assembly
  ) -> [Rule] {
    var names: Set<String> = []
    for entry in classes {
      switch entry.interfaces {
      case .only(let some), .except(let some): names.formUnion(some)
      }
    }
    let known = names.sorted()
    var elements: [Statement.VerdictElement] = []
    var shared: [[String]: String] = [:]
    for interface in known {
      let chains = classes.filter { $0.interfaces.contains(interface) }.map(\.chain)
      guard let first = chains.first else { continue }
      var target = first
      if chains.count > 1 {
        if let existing = shared[chains] {
          target = existing
        } else {
          target = assembly.fresh("\(name)_via\(shared.count + 1)")
          shared[chains] = target
          assembly.add(chain: target, chains.map { Rule([.verdict(.jump($0))]) })
        }
      }
      elements.append(.init(.interface(interface), .jump(target)))
    }
    var rules: [Rule] = []
    if !elements.isEmpty { rules.append(Rule([.verdictMap(Selector(field), elements)])) }
    for entry in classes where entry.interfaces.contains(nil) {
      rules.append(
        Rule([
          .match(Selector(field), .unequal, .among(known.map { .interface($0) })), .verdict(.jump(entry.chain)),
        ]))
    }
    return rules
  }

  /// Returns rules for `candidates`, told apart by family unless the family does not matter.
  private func byFamily(
    _ candidates: [Candidate], named name: String, _ phase: Decision.Phase, into assembly: inout Assembly
  ) -> [Rule] {
    var both: [FamilyCandidate] = []
    var four: [FamilyCandidate] = []
    var six: [FamilyCandidate] = []
    for i in candidates.indices {
      let c = candidates[i]
      if c.sources.isAll, c.destinations?.isAll ?? true, c.traffic?.family == nil {
        both.append(FamilyCandidate(traffic: c.traffic, decision: c.decision))
        continue
      }
      for family in AddressFamily.allCases {
        if let only = c.traffic?.family, only != family { continue }
        if c.sources.isEmpty(family) || c.destinations?.isEmpty(family) ?? false { continue }
        let part = FamilyCandidate(
          sources: c.sources.isAll(family) ? nil : c.sources,
          destinations: c.destinations.flatMap { $0.isAll(family) ? nil : $0 }, traffic: c.traffic,
          decision: c.decision)
        if family == .ipv4 { four.append(part) } else { six.append(part) }
      }
    }
    let matcher = Matcher(dispatcher: self, phase: phase)
    var rules = both.isEmpty ? [] : matcher.rules(for: both, nil, named: name, into: &assembly)
    var elements: [Statement.VerdictElement] = []
    for (family, group) in [(AddressFamily.ipv4, four), (.ipv6, six)] where !group.isEmpty {
      let chain = assembly.fresh(name + (family == .ipv4 ? "_ip" : "_ip6"))
      let inner = matcher.rules(for: group, family, named: chain, into: &assembly)
      assembly.add(chain: chain, inner)
      elements.append(.init(.family(family), .jump(chain)))
    }
    if !elements.isEmpty { rules.append(Rule([.verdictMap(Selector(.nfproto), elements)])) }
    return rules
  }
}
