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
/// Maps of packets on the way have labels of two kinds: the number of the state in which a packet goes on, or, behind
/// `firstVerdict`, the verdict on one that went no further.
private struct PacketsOnTheWay {
  private let host: HookedChains
  private let universe: Universe
  private let traversal: ChainTraversal
  private var states: [PacketState] = []
  private var stateLabels: [PacketState: UInt32] = [:]
  /// The packets that chains which translate see: the first ones of connections that this host did not begin itself and
  /// that came back over loopback, which were looked at when they were sent.
  private let translatable: PacketSet

  private static let firstVerdict: UInt32 = 1 << 30

  init(_ host: HookedChains, in universe: Universe) throws(BudgetExceeded) {
    self.host = host
    self.universe = universe
    traversal = ChainTraversal(host.chains, in: universe)
    translatable = try universe.new.subtracting(universe.looped)
  }

  private mutating func label(of state: PacketState) -> UInt32 {
    if let label = stateLabels[state] { return label }
    states.append(state)
    stateLabels[state] = UInt32(states.count)
    return UInt32(states.count)
  }

  mutating func meaning() throws(BudgetExceeded) -> Meaning {
    let space = universe.space
    let arriving = try universe.arriving
    // Packets that cannot exist go along, since sets without them are larger; a meaning leaves them out.
    let all = try space.everything.labelled(label(of: PacketState()))

    var arrived = try all.restricted(to: arriving)
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
    var sent = try all.removing(arriving)
    try pass(.output, &sent)
    try pass(.postrouting, &sent)

    let accept = Verdict.accept.label
    let last = PacketsOnTheWay.firstVerdict
    let verdicts = try arrived.overriding(sent).relabelled { $0 < last ? accept : $0 - last }
    return try Meaning(
      universe, verdicts: verdicts, translations: translations(of: arrived.overriding(sent)),
      masqueraded: masqueraded(of: arrived))
  }

  /// Returns where packets are sent that came to the end in `packets`.
  private func translations(of packets: PacketMap) throws(BudgetExceeded) -> PacketMap {
    guard states.contains(where: { $0.translation != 0 }) else { return universe.space.unlabelled }
    let states = states
    return try universe.settled(
      packets.relabelled { $0 < PacketsOnTheWay.firstVerdict ? states[Int($0) - 1].translation : 0 })
  }

  /// Returns the packets that came to the end in `packets` with an address of this host as their source.
  private func masqueraded(of packets: PacketMap) throws(BudgetExceeded) -> PacketSet {
    guard states.contains(where: \.isMasqueraded) else { return universe.space.nothing }
    let states = states
    return try packets.relabelled {
      $0 < PacketsOnTheWay.firstVerdict && states[Int($0) - 1].isMasqueraded ? 1 : 0
    }.domain
  }

  /// Returns the packets of `packets` that go to processes of the host; the others are routed on.
  private func delivered(of packets: PacketMap) throws(BudgetExceeded) -> PacketSet {
    let local = try universe.delivered
    guard states.contains(where: { $0.translation != 0 }) else { return local }
    let states = states
    let universe = universe
    let translated = try packets.relabelled {
      $0 < PacketsOnTheWay.firstVerdict ? states[Int($0) - 1].translation : 0
    }
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
      let goingOn = packets.labels.filter { $0 < PacketsOnTheWay.firstVerdict }
      if goingOn.count < packets.labels.count {
        seen = try seen.intersection(packets.packets(labelled: Set(goingOn)))
      }
      let inside = try packets.restricted(to: seen)
      let changed: PacketMap
      if goingOn.count == 1 {
        // All come in one state, so that the exits alone tell what becomes of them.
        let exits = try exits(of: entrance, for: inside, at: hook)
        changed = try leave(entrance, exits) { (goingOn[0], $0) }
      } else {
        let pairs = try inside.paired(with: exits(of: entrance, for: inside, at: hook))
        let space = universe.space
        changed = try leave(entrance, pairs) { space.pair($0) }
      }
      packets = try changed.overriding(packets)
    }
  }

  /// Returns how packets go on that leave `entrance`; `parts` tells, for a label of `exits`, the state in which they came
  /// and the exit.
  private mutating func leave(
    _ entrance: HookedChains.Entrance, _ exits: PacketMap, parts: (UInt32) -> (UInt32, UInt32)
  ) throws(BudgetExceeded) -> PacketMap {
    var next: [UInt32: UInt32] = [:]
    for label in exits.labels {
      let (before, number) = parts(label)
      let exit = traversal.exit(labelled: number)
      let decision: Verdict =
        switch exit.decision {
        case .accept: .accept
        case .drop: .drop
        case .reject: .reject
        case .fallThrough: entrance.policy
        }
      guard decision == .accept else {
        next[label] = PacketsOnTheWay.firstVerdict + decision.label
        continue
      }
      var state = exit.state
      let old = states[Int(before) - 1]
      // The first translation of a connection stands.
      if old.translation != 0 { state.translation = old.translation }
      next[label] = self.label(of: state)
    }
    return try exits.relabelled { next[$0] ?? 0 }
  }

  /// Returns the exits of `entrance` for each of `inside`, as original packets.
  private func exits(
    of entrance: HookedChains.Entrance, for inside: PacketMap, at hook: HookedChains.Hook
  ) throws(BudgetExceeded) -> PacketMap {
    // What chains see of a translation is only that there was one, so that one evaluation does for all of them.
    var result = universe.space.unlabelled
    var groups: [PacketState: [UInt32]] = [:]
    for label in inside.labels {
      var seen = states[Int(label) - 1]
      if seen.translation != 0 { seen.translation = .max }
      groups[seen, default: []].append(label)
    }
    for (seen, labels) in groups.sorted(by: { $0.value.lexicographicallyPrecedes($1.value) }) {
      var exits = try traversal.exits(of: entrance.chain, in: seen)
      if !entrance.knowsDeparture { exits = try exits.fixing(.departure, to: 0) }
      let isTouched = seen.translation != 0 && exits.looks(at: [.destination, .destinationPort, .destinationKind])
      for group in isTouched ? labels.map({ [$0] }) : [labels] {
        let packets = try groups.count == 1 && !isTouched ? inside.domain : inside.packets(labelled: Set(group))
        let changed =
          isTouched ? try translated(exits, by: states[Int(group[0]) - 1].translation, in: seen) : exits
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
