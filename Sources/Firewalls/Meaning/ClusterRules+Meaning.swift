public import Packets

extension ClusterRules {
  /// Every selection of pods that the rules speak of.
  public var selectors: Set<PodSelector> {
    var result = Set(isolations.map(\.pods))
    for grant in grants {
      result.insert(grant.pods)
      for case .pods(let pods) in grant.peers ?? [] { result.insert(pods) }
    }
    for entrance in entrances {
      if case .pods(let pods, _) = entrance.target { result.insert(pods) }
    }
    return result
  }

  /// Returns what the rules mean for every connection; `blocksHavePods` says whether a block of addresses has the pods
  /// with such addresses in it, which is up to the network plugin (Calico: yes; Cilium: no).
  ///
  /// - Requires: `universe` was made for `selectors`, among others.
  public func meaning(
    in universe: ClusterUniverse, blocksHavePods: Bool
  ) throws(BudgetExceeded) -> ClusterMeaning {
    let definition = RulesDefinition(rules: self, universe: universe, blocksHavePods: blocksHavePods)
    return try ClusterMeaning(
      universe, admitted: definition.allowed(.ingress), departing: definition.allowed(.egress),
      entrances: universe.map(of: entrances.map { ($0, nil) }))
  }

  /// Returns where the grants stand that let `packet` through at one end or the other, in order and each once.
  ///
  /// - Requires: as for `meaning`.
  public func origins(
    of packet: PacketValues, in universe: ClusterUniverse, blocksHavePods: Bool
  ) throws(BudgetExceeded) -> [Origin] {
    let definition = RulesDefinition(rules: self, universe: universe, blocksHavePods: blocksHavePods)
    var result: [Origin] = []
    for grant in grants where result.last != grant.origin {
      if try universe.space.set(of: definition.boxes(of: grant)).contains(packet) { result.append(grant.origin) }
    }
    return result
  }
}

extension ClusterRules {
  /// Returns what closes the end of `packet` that `direction` judges, but for what is granted.
  ///
  /// - Requires: as for `meaning`.
  public func isolations(
    of packet: PacketValues, _ direction: Direction, in universe: ClusterUniverse
  ) -> [Isolation] {
    let kind = packet[direction == .ingress ? .departure : .arrival]
    return isolations.filter {
      $0.direction == direction && universe.kinds.numbers(of: $0.pods).contains(kind)
    }
  }

  /// Returns `true` iff `grant` is for `packet`, where blocks of addresses have pods in them.
  ///
  /// - Requires: as for `meaning`.
  public func holds(
    _ grant: Grant, _ packet: PacketValues, in universe: ClusterUniverse
  ) throws(BudgetExceeded) -> Bool {
    let definition = RulesDefinition(rules: self, universe: universe, blocksHavePods: true)
    return try universe.space.set(of: definition.boxes(of: grant)).contains(packet)
  }

  /// Returns the connections that `grant` lets through, as boxes.
  ///
  /// - Requires: as for `meaning`.
  func boxes(
    of grant: Grant, in universe: ClusterUniverse, blocksHavePods: Bool
  ) throws(BudgetExceeded) -> [PacketBox] {
    try RulesDefinition(rules: self, universe: universe, blocksHavePods: blocksHavePods).boxes(of: grant)
  }

  /// Returns what lets `packet` through at the end that `direction` judges.
  ///
  /// - Requires: as for `meaning`.
  public func grants(
    of packet: PacketValues, _ direction: Direction, in universe: ClusterUniverse, blocksHavePods: Bool
  ) throws(BudgetExceeded) -> [Grant] {
    let definition = RulesDefinition(rules: self, universe: universe, blocksHavePods: blocksHavePods)
    var result: [Grant] = []
    for grant in grants where grant.direction == direction {
      if try universe.space.set(of: definition.boxes(of: grant)).contains(packet) { result.append(grant) }
    }
    return result
  }
}

/// The steps from rules to their meaning.
private struct RulesDefinition {
  let rules: ClusterRules
  let universe: ClusterUniverse
  let blocksHavePods: Bool

  var space: PacketSpace { universe.space }

  /// Returns the connections that the end judged in `direction` allows: a pod that nothing isolates allows all, and what
  /// any rule grants is allowed.
  func allowed(_ direction: ClusterRules.Direction) throws(BudgetExceeded) -> PacketSet {
    let own: PacketField = direction == .ingress ? .departure : .arrival
    let closed = IntervalSet(
      rules.isolations.filter { $0.direction == direction }.flatMap { universe.kinds.numbers(of: $0.pods).intervals })
    var open = PacketBox()
    open[own] = space.values(closed.complement, of: own)
    var boxes = [open]
    for grant in rules.grants where grant.direction == direction { boxes += try self.boxes(of: grant) }
    return try space.set(of: boxes)
  }

  /// Returns the connections that `grant` lets through.
  func boxes(of grant: ClusterRules.Grant) throws(BudgetExceeded) -> [PacketBox] {
    let isIngress = grant.direction == .ingress
    let (own, other): (PacketField, PacketField) = isIngress ? (.departure, .arrival) : (.arrival, .departure)
    var box = PacketBox()
    box[own] = space.values(universe.kinds.numbers(of: grant.pods), of: own)
    if let words = grant.condition { box = box.when(try universe.packets.unknown(words)) }
    return peers(of: grant, box, on: other, isIngress ? .source : .destination).flatMap { part -> [PacketBox] in
      guard let ports = grant.ports else { return [part] }
      return ports.compactMap { universe.packets.box(part, of: .ports($0.transport, $0.range)) }
    }
  }

  private func peers(
    of grant: ClusterRules.Grant, _ box: PacketBox, on kinds: PacketField, _ addresses: PacketField
  ) -> [PacketBox] {
    guard let peers = grant.peers else { return [box] }
    return peers.flatMap { peer -> [PacketBox] in
      var part = box
      switch peer {
      case .pods(let pods):
        part[kinds] = space.values(universe.kinds.numbers(of: pods), of: kinds)
        return [part]
      case .addresses(let set):
        if !blocksHavePods { part[kinds] = space.value(UInt8(0), of: kinds) }
        return universe.packets.boxes(part, addresses, in: set)
      }
    }
  }
}
