import Firewalls
import Packets
import Syntax

extension Decompiler {
  /// Leaves of each of `selections` what `match`, of a rule of the table `table`, matches.
  mutating func narrow(
    _ selections: inout [Selection], to match: Match, in table: String
  ) throws(BudgetExceeded) {
    switch match {
    case .state(let states):
      try narrow(&selections, to: states.value, isNegated: states.isNegated, in: table)
    case .unknown(let words):
      try narrow(&selections, toWords: words, in: table)
    default:
      for i in selections.indices { try narrow(&selections[i], to: match) }
    }
  }

  private mutating func narrow(_ selection: inout Selection, to match: Match) throws(BudgetExceeded) {
    switch match {
    case .destinationPort(_, let range):
      try selection.narrow(.destinationPort, to: values(range, .destinationPort), in: universe)
    case .ports(_, let source, let destination):
      try selection.narrow(.sourcePort, to: values(source, .sourcePort), in: universe)
      try selection.narrow(.destinationPort, to: values(destination, .destinationPort), in: universe)
    case .destinationPorts(let ranges):
      try selection.narrow(.destinationPort, to: values(ranges, isNegated: false, .destinationPort), in: universe)
    case .icmp(_, let type, let code): try narrow(&selection, toMessage: type, code, isNegated: false)
    case .sourceRange(let range):
      try selection.narrow(
        .source, to: universe.addresses([range], family, isNegated: false, in: .source), in: universe)
    case .destinationRange(let range):
      try selection.narrow(
        .destination, to: universe.addresses([range], family, isNegated: false, in: .destination), in: universe)
    case .destinationType(let types):
      try narrow(&selection, to: types, isNegated: false, in: .destinationKind)
    case .mark(let value, let mask, let isNegated):
      selection.marks.append(.init(.packet, value: value, mask: mask, isNegated: isNegated))
    case .hopLimit(let limit):
      try selection.narrow(.hopLimit, to: universe.space.value(limit, of: .hopLimit), in: universe)
    case .limit(let rate, let burst):
      try selection.narrow(when: universe.within(rate, burst: burst, perSource: false), in: universe)
    case .hashLimit(let rate, let burst, let perSource, _, _):
      try selection.narrow(when: universe.within(rate, burst: burst, perSource: perSource), in: universe)
    case .until(let date):
      let end = (date.daysSinceEpoch + 1) * 86_400 - 1
      guard end >= 0 else { return selection.empty() }
      try selection.narrow(.time, to: universe.space.values(0...UInt64(end), of: .time), in: universe)
    case .probability(let share):
      if share == 0 { return selection.empty() }
      if share < 1 << 31 { try selection.narrow(when: chance("statistic"), in: universe) }
    case .state, .unknown: break
    }
  }

  // MARK: - Values

  private func values(_ range: PortRange, _ field: PacketField) -> ValueSet {
    universe.space.values(range.lower...range.upper, of: field)
  }

  /// Returns the ports of `ranges`, or all others if `isNegated`.
  func values(_ ranges: [PortRange], isNegated: Bool, _ field: PacketField) -> ValueSet {
    universe.values(
      IntervalSet(ranges.map { UInt128($0.lower)...UInt128($0.upper) }), isNegated: isNegated, of: field)
  }

  /// Leaves the ICMP messages of `type` and `code`, or all others if `isNegated`; those of type 255 are all in IPv4
  /// (`icmp_type_code_match`, net/ipv4/netfilter/ip_tables.c).
  mutating func narrow(
    _ selection: inout Selection, toMessage type: UInt8, _ code: UInt8?, isNegated: Bool
  ) throws(BudgetExceeded) {
    if family == .ipv4, type == 255 {
      if isNegated { selection.empty() }
      return
    }
    let types = universe.values(type...type, isNegated: isNegated, of: .destinationPort)
    guard let code else { return try selection.narrow(.destinationPort, to: types, in: universe) }
    let codes = universe.values(code...code, isNegated: isNegated, of: .sourcePort)
    guard isNegated else {
      try selection.narrow(.destinationPort, to: types, in: universe)
      return try selection.narrow(.sourcePort, to: codes, in: universe)
    }
    try selection.narrow(toOneOf: [[.destinationPort: types], [.sourcePort: codes]], in: universe)
  }

  /// Leaves what the routing table gives one of `types` in IPv4, or in IPv6 what it gives all of them, but for `LOCAL` and
  /// `ANYCAST`, of which one is enough (`match_type6`, net/netfilter/xt_addrtype.c).
  mutating func narrow(
    _ selection: inout Selection, to types: AddressTypes, isNegated: Bool, in field: PacketField
  ) throws(BudgetExceeded) {
    var kinds = Set(AddressKind.allCases)
    switch family {
    case .ipv4:
      kinds = []
      if types.contains(.unicast) { kinds.insert(.elsewhere) }
      if types.contains(.local) { kinds.insert(.local) }
      if types.contains(.broadcast) { kinds.insert(.broadcast) }
      if types.contains(.anycast) { kinds.insert(.anycast) }
      if types.contains(.multicast) { kinds.insert(.multicast) }
    case .ipv6:
      if types.contains(.multicast) { kinds.formIntersection([.multicast]) }
      if types.contains(.unicast) { kinds.subtract([.multicast]) }
      var routed: Set<AddressKind> = []
      if types.contains(.local) { routed.insert(.local) }
      if types.contains(.anycast) { routed.insert(.anycast) }
      if !routed.isEmpty { kinds.formIntersection(routed) }
    }
    if isNegated { kinds = Set(AddressKind.allCases).subtracting(kinds) }
    let values = universe.space.values(
      IntervalSet(kinds.map { UInt128($0.rawValue)...UInt128($0.rawValue) }), of: field)
    try selection.narrow(field, to: values, in: universe)
  }

  /// Leaves of each of `selections` what is in one of `states`, or in none if `isNegated`.
  mutating func narrow(
    _ selections: inout [Selection], to states: ConnectionStates, isNegated: Bool, in table: String
  ) throws(BudgetExceeded) {
    // Before connection tracking there is no state.
    if table == "raw" {
      let condition = try condition(unknown: "a connection state before it is known")
      for i in selections.indices { try selections[i].narrow(when: condition, in: universe) }
      return
    }
    let numbers: [(ConnectionStates, ConnectionState)] = [
      (.new, .new), (.established, .established), (.related, .related), (.invalid, .invalid), (.untracked, .untracked),
    ]
    let plain = IntervalSet(
      numbers.filter { states.contains($0.0) }.map { UInt128($0.1.rawValue)...UInt128($0.1.rawValue) })
    let listed = universe.values(plain, isNegated: isNegated, of: .state)
    var source: PacketField?
    if states.contains(.sourceTranslated) {
      source = try condition(unknown: "conntrack --ctstate SNAT")
    }
    let looksAtDestination = states.contains(.destinationTranslated)
    guard looksAtDestination || source != nil else {
      for i in selections.indices { try selections[i].narrow(.state, to: listed, in: universe) }
      return
    }
    var result: [Selection] = []
    for selection in selections {
      // One that is negated demands that nothing of the list holds.
      if isNegated {
        var all = selection
        try all.narrow(.state, to: listed, in: universe)
        if looksAtDestination { all.demand(translated: false) }
        if let source { try all.narrow(when: source, isNegated: true, in: universe) }
        result.append(all)
        continue
      }
      // The parts have nothing in common, so that no packet meets the rule twice.
      var first = selection
      try first.narrow(.state, to: listed, in: universe)
      if !plain.isEmpty { result.append(first) }
      var rest = selection
      try rest.narrow(.state, to: universe.values(plain, isNegated: true, of: .state), in: universe)
      if looksAtDestination {
        var second = rest
        second.demand(translated: true)
        result.append(second)
        rest.demand(translated: false)
      }
      if let source {
        try rest.narrow(when: source, in: universe)
        result.append(rest)
      }
    }
    selections = result
  }
}

extension Selection {
  /// Leaves that whose destination was translated, or was not.
  mutating func demand(translated: Bool) {
    if let demanded = isTranslated, demanded != translated { return empty() }
    isTranslated = translated
  }
}
