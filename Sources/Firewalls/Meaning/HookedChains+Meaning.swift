public import Packets

/// Why a ruleset has no meaning.
public enum EvaluationError: Error, Hashable, Sendable {
  /// The chain of this name leads to itself.
  case loop(String)

  /// Chains lead to chains deeper than the kernel allows.
  case tooDeep

  /// The sets of packets are too complex.
  case budget(BudgetExceeded)
}

extension EvaluationError: CustomStringConvertible {
  /// Why, in words.
  public var description: String {
    switch self {
    case .loop(let chain): "the chain `\(chain)` leads to itself"
    case .tooDeep: "chains lead to chains too deep"
    case .budget(let error): UnreadableRuleset(error).message
    }
  }
}

extension HookedChains {
  /// The most chains that the kernel lets lead to one another (NFT_JUMP_STACK_SIZE is 16; iptables allows more).
  static let deepest = 200

  /// Returns what becomes of every packet of a host with these chains.
  public func meaning(in universe: Universe) throws(EvaluationError) -> Meaning {
    let raw = try rawMeaning(in: universe)
    do throws(BudgetExceeded) {
      return try Meaning(raw)
    } catch {
      throw .budget(error)
    }
  }

  /// Returns what becomes of every packet of a host with these chains, whether it can exist or not.
  public func rawMeaning(in universe: Universe) throws(EvaluationError) -> RawMeaning {
    try checkNesting()
    do throws(BudgetExceeded) {
      var way = try PacketsOnTheWay(self, in: universe)
      return try way.meaning()
    } catch {
      throw .budget(error)
    }
  }

  /// Throws if a chain leads to itself, or chains nest too deep.
  private func checkNesting() throws(EvaluationError) {
    var depth = [Int](repeating: 0, count: chains.count)
    var isOpen = [Bool](repeating: false, count: chains.count)
    func measure(_ chain: Int, level: Int) throws(EvaluationError) -> Int {
      if isOpen[chain] { throw .loop(chains[chain].name) }
      if depth[chain] > 0 { return depth[chain] }
      guard level < HookedChains.deepest else { throw .tooDeep }
      isOpen[chain] = true
      var deepest = 0
      for rule in chains[chain].rules {
        switch rule.action {
        case .jump(let target), .goto(let target): deepest = max(deepest, try measure(target, level: level + 1))
        default: continue
        }
      }
      isOpen[chain] = false
      depth[chain] = deepest + 1
      return depth[chain]
    }
    for chain in chains.indices { _ = try measure(chain, level: 0) }
  }
}

/// The way of all packets through the hooks of a host.
///
/// Maps of packets on the way have labels of two kinds: that of the verdict on a packet that went no further, or that of
/// the state in which it goes on. The state in which all begin has that of the verdict that lets them through, and others
/// that of chains that end in them, so that what leaves a chain mostly has its label already.
private struct PacketsOnTheWay {
  private let host: HookedChains
  private let universe: Universe
  private let traversal: ChainTraversal
  private var states: [UInt32: PacketState] = [Verdict.accept.label: PacketState()]
  private var stateLabels: [PacketState: UInt32] = [PacketState(): Verdict.accept.label]
  /// The packets that chains which translate see: the first ones of connections that this host did not begin itself and
  /// that came back over loopback, which were looked at when they were sent.
  private let translatable: PacketSet

  init(_ host: HookedChains, in universe: Universe) throws(BudgetExceeded) {
    self.host = host
    self.universe = universe
    traversal = ChainTraversal(host.chains, in: universe)
    translatable = try universe.new.subtracting(universe.looped)
  }

  private mutating func label(of state: PacketState) -> UInt32 {
    if let label = stateLabels[state] { return label }
    let label = traversal.label(of: ChainExit(decision: .fallThrough, state: state))
    states[label] = state
    stateLabels[state] = label
    return label
  }

  mutating func meaning() throws(BudgetExceeded) -> RawMeaning {
    let space = universe.space
    let arriving = try universe.arriving
    let beginning = try space.everything.labelled(label(of: PacketState()))

    var arrived = try beginning.restricted(to: arriving)
    try pass(.prerouting, &arrived)
    if [.input, .forward, .postrouting].contains(where: { !host.entrances(at: $0).isEmpty }) {
      let delivered = try delivered(of: arrived)
      var received = try arrived.restricted(to: delivered)
      try pass(.input, &received)
      var sentOn = try arrived.removing(delivered)
      try pass(.forward, &sentOn)
      try pass(.postrouting, &sentOn)
      arrived = try received.overriding(sentOn)
    }
    var sent = try beginning.removing(arriving)
    try pass(.output, &sent)
    try pass(.postrouting, &sent)

    let all = try arrived.overriding(sent)
    let states = states
    return try RawMeaning(
      universe: universe, verdicts: all.relabelled { states[$0] == nil ? $0 : Verdict.accept.label },
      translations: translations(of: all), masqueraded: masqueraded(of: arrived))
  }

  /// Returns where packets are sent that came to the end in `packets`.
  private func translations(of packets: PacketMap) throws(BudgetExceeded) -> PacketMap {
    guard states.values.contains(where: { $0.translation != 0 }) else { return universe.space.unlabelled }
    let states = states
    return try universe.settled(
      packets.relabelled { states[$0]?.translation ?? 0 })
  }

  /// Returns the packets that came to the end in `packets` with an address of this host as their source.
  private func masqueraded(of packets: PacketMap) throws(BudgetExceeded) -> PacketSet {
    guard states.values.contains(where: \.isMasqueraded) else { return universe.space.nothing }
    let states = states
    return try packets.relabelled { states[$0]?.isMasqueraded == true ? 1 : 0 }.domain
  }

  /// Returns the packets of `packets` that go to processes of the host; the others are routed on.
  private func delivered(of packets: PacketMap) throws(BudgetExceeded) -> PacketSet {
    let local = try universe.delivered
    guard states.values.contains(where: { $0.translation != 0 }) else { return local }
    let states = states
    let universe = universe
    let translated = try packets.relabelled { states[$0]?.translation ?? 0 }
    let here = try translated.relabelled { label in
      if let translation = universe.translation(labelled: label), translation.targets == nil { 1 } else { 0 }
    }.domain
    return try local.subtracting(translated.domain.subtracting(here)).union(here)
  }

  /// Lets `packets` go through the chains at `hook`.
  private mutating func pass(_ hook: HookedChains.Hook, _ packets: inout PacketMap) throws(BudgetExceeded) {
    for entrance in host.entrances(at: hook) {
      var seen = try universe.packets(of: entrance.families)
      if entrance.translates { seen = try seen.intersection(translatable) }
      let goingOn = packets.labels.filter { states[$0] != nil }
      let exits = try exits(of: entrance, forStates: goingOn)
      // Where all that come in a state leave by one exit, nothing else has to be known of them.
      var next: [UInt32: UInt32] = [:]
      for label in goingOn {
        if let only = exits[label]?.onlyLabel { next[label] = follower(of: only, cameIn: label, through: entrance) }
      }
      let waiting = Set(goingOn.filter { next[$0] == nil })
      var changed = try packets.relabelled { next[$0] ?? $0 }.restricted(to: seen)
      if !waiting.isEmpty {
        let inside = try packets.relabelled { waiting.contains($0) ? $0 : 0 }.restricted(to: seen)
        changed = try leave(entrance, inside, exits).overriding(changed)
      }
      packets = try changed.overriding(packets)
    }
  }

  /// Returns how packets leave `entrance`, by the labels of the `states` in which they come there.
  ///
  /// What chains see of a translation is only that there was one, so that one evaluation does for all of them.
  private func exits(
    of entrance: HookedChains.Entrance, forStates labels: [UInt32]
  ) throws(BudgetExceeded) -> [UInt32: PacketMap] {
    var known: [PacketState: PacketMap] = [:]
    var result: [UInt32: PacketMap] = [:]
    for label in labels {
      let state = seenState(label)
      if known[state] == nil {
        let exits = try traversal.exits(of: entrance.chain, in: state)
        known[state] = entrance.knowsDeparture ? exits : try exits.fixing(.departure, to: 0)
      }
      result[label] = known[state]
    }
    return result
  }

  /// Returns what chains see of the state that has `label`.
  private func seenState(_ label: UInt32) -> PacketState {
    var state = states[label, default: PacketState()]
    if state.translation != 0 { state.translation = .max }
    return state
  }

  /// Returns how the packets of `inside` go on that come to `entrance` in several states or leave by several of `exits`.
  private mutating func leave(
    _ entrance: HookedChains.Entrance, _ inside: PacketMap, _ exits: [UInt32: PacketMap]
  ) throws(BudgetExceeded) -> PacketMap {
    let labels = inside.labels
    let space = universe.space
    let left = try original(exits, for: inside)
    var next: [UInt32: UInt32] = [:]
    if labels.count == 1 {
      // All come in one state, so that the exits alone tell what becomes of them.
      for exit in left.labels { next[exit] = follower(of: exit, cameIn: labels[0], through: entrance) }
      return try left.relabelled { next[$0] ?? 0 }
    }
    let pairs = try inside.paired(with: left)
    for label in pairs.labels {
      let (before, exit) = space.pair(label)
      next[label] = follower(of: exit, cameIn: before, through: entrance)
    }
    return try pairs.relabelled { next[$0] ?? 0 }
  }

  /// Returns the label of how packets go on that came to `entrance` in the state `before` and left by the exit `number`.
  private mutating func follower(
    of number: UInt32, cameIn before: UInt32, through entrance: HookedChains.Entrance
  ) -> UInt32 {
    let exit = traversal.exit(labelled: number)
    let decision: Verdict =
      switch exit.decision {
      case .accept: .accept
      case .drop: .drop
      case .reject: .reject
      case .fallThrough: entrance.policy
      }
    guard decision == .accept else { return decision.label }
    var state = exit.state
    // The first translation of a connection stands.
    if let old = states[before], old.translation != 0 { state.translation = old.translation }
    return label(of: state)
  }

  /// Returns the exit of each of `inside`, as original packets; `exits` tells it for packets as they are by now.
  private func original(
    _ exits: [UInt32: PacketMap], for inside: PacketMap
  ) throws(BudgetExceeded) -> PacketMap {
    var result = universe.space.unlabelled
    var groups: [PacketState: [UInt32]] = [:]
    for label in inside.labels { groups[seenState(label), default: []].append(label) }
    for (state, labels) in groups.sorted(by: { $0.value.lexicographicallyPrecedes($1.value) }) {
      guard let exits = exits[labels[0]] else { continue }
      let isTouched =
        state.translation != 0 && exits.looks(at: [.destination, .destinationPort, .destinationKind])
      for group in isTouched ? labels.map({ [$0] }) : [labels] {
        let packets = try groups.count == 1 && !isTouched ? inside.domain : inside.packets(labelled: Set(group))
        let changed =
          isTouched ? try translated(exits, by: states[group[0], default: PacketState()].translation, in: state) : exits
        result = try result.overriding(changed.restricted(to: packets))
      }
    }
    return result
  }

  /// Returns `exits`, which are of packets as they are after the translation `label`, for those before it.
  ///
  /// Where rules tell several targets apart, it is unknown which one a packet has.
  private func translated(
    _ exits: PacketMap, by label: UInt32, in state: PacketState
  ) throws(BudgetExceeded) -> PacketMap {
    let result = try translated(exits, by: label)
    guard try !result.domain.isAll else { return result }
    // Nobody knows what becomes of a port beyond the last one.
    let beyond = try universe.space.set(when: universe.unknown("a port is translated beyond the last one"))
    return try result.overriding(
      beyond.labelled(traversal.label(of: ChainExit(decision: .accept, state: state)))
    ).overriding(universe.space.everything.labelled(traversal.label(of: ChainExit(decision: .drop, state: state))))
  }

  private func translated(_ exits: PacketMap, by label: UInt32) throws(BudgetExceeded) -> PacketMap {
    let shifted: PacketMap
    let targets: [Address]
    switch universe.translation(labelled: label) {
    case .redirect(let distance):
      return try exits.fixing(.destinationKind, to: UInt128(AddressKind.local.rawValue))
        .shifting(.destinationPort, by: distance)
    case .redirectAll(let port):
      return try exits.fixing(.destinationKind, to: UInt128(AddressKind.local.rawValue))
        .fixing(.destinationPort, to: UInt128(port))
    case .forward(let addresses, let distance):
      targets = addresses
      shifted = try exits.shifting(.destinationPort, by: distance)
    case .forwardAll(let addresses, let port):
      targets = addresses
      shifted = try exits.fixing(.destinationPort, to: UInt128(port))
    case nil: return exits
    }
    let routed = try shifted.fixing(.destinationKind, to: UInt128(AddressKind.elsewhere.rawValue))
    var result = try routed.fixing(.destination, to: targets[0].value)
    for address in targets.dropFirst() {
      let other = try routed.fixing(.destination, to: address.value)
      guard other != result else { continue }
      let chosen = try universe.space.set(when: universe.unknown("\(address) is chosen among targets"))
      result = try other.restricted(to: chosen).overriding(result)
    }
    return result
  }
}
