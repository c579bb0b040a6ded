public import Packets

extension HookedChains {
  /// What a packet meets on its way.
  public struct Encounter {
    /// What is met.
    public enum What {
      /// A rule that matches.
      case rule(Rule)
      /// The policy of a chain, whose rules do not decide.
      case policy(Verdict)
    }

    /// What is met.
    public var what: What

    /// The name of its chain.
    public var chain: String

    /// The point on the way.
    public var hook: Hook

    /// `true` iff the kernel entered the chain, or the one that it was called from, to translate.
    public var translates: Bool

    /// `true` iff what lets the packet through here, lets it through a filter.
    public var lets: Bool {
      guard !translates, hook != .prerouting, hook != .postrouting else { return false }
      return switch what {
      case .rule(let rule): rule.action == .accept
      case .policy(let verdict): verdict == .accept
      }
    }
  }

  /// Returns the rules that `packet` meets and that match it, in order, as far as rules decide.
  ///
  /// The last one is the rule that decides, unless the policy of a chain does.
  public func trace(_ packet: PacketValues, in universe: Universe) throws(BudgetExceeded) -> [Rule] {
    try encounters(of: packet, in: universe).compactMap { if case .rule(let rule) = $0.what { rule } else { nil } }
  }

  /// Returns what `packet` meets, in order: the rules that match it, and the policies of chains with rules or that refuse.
  public func encounters(
    of packet: PacketValues, in universe: Universe
  ) throws(BudgetExceeded) -> [Encounter] {
    var tracer = Tracer(host: self, universe: universe, packet: packet)
    let isArriving = packet[.direction] == 0
    for hook in isArriving ? [Hook.prerouting] : [.output, .postrouting] where try tracer.pass(hook) != .accept {
      return tracer.encounters
    }
    guard isArriving else { return tracer.encounters }
    let isDelivered =
      switch universe.translation(labelled: tracer.state.translation) {
      case let translation?: translation.targets == nil
      case nil: packet[.destinationKind] != UInt128(AddressKind.elsewhere.rawValue)
      }
    for hook in isDelivered ? [Hook.input] : [.forward, .postrouting] where try tracer.pass(hook) != .accept {
      return tracer.encounters
    }
    return tracer.encounters
  }
}

/// The way of one packet.
private struct Tracer {
  let host: HookedChains
  let universe: Universe

  /// The packet as it is now.
  var packet: PacketValues

  /// What rules wrote on it.
  var state = PacketState()

  /// What it met.
  var encounters: [HookedChains.Encounter] = []

  init(host: HookedChains, universe: Universe, packet: PacketValues) {
    self.host = host
    self.universe = universe
    self.packet = packet
  }

  /// Lets the packet go through the chains at `hook`.
  mutating func pass(_ hook: HookedChains.Hook) throws(BudgetExceeded) -> Verdict {
    let lo = InterfaceName.value(of: "lo")
    for entrance in host.entrances(at: hook)
    where entrance.families.contains(packet[.family] == 0 ? .ipv4 : .ipv6) {
      let isFirst = packet[.state] == UInt128(ConnectionState.new.rawValue) && packet[.arrival] != lo
      if entrance.translates, !isFirst { continue }
      let before = state.translation
      let decision = try judge(entrance.chain, from: entrance)
      if before != 0 { state.translation = before }
      switch decision {
      case .accept: break
      case .drop: return .drop
      case .reject: return .reject
      case .fallThrough:
        let chain = host.chains[entrance.chain]
        if entrance.policy != .accept || !chain.rules.isEmpty, !entrance.translates {
          encounters.append(
            .init(what: .policy(entrance.policy), chain: chain.name, hook: hook, translates: entrance.translates))
        }
        if entrance.policy != .accept { return entrance.policy }
      }
      if before == 0 { try translate() }
    }
    return .accept
  }

  /// Returns the address to which the packet goes of `addresses`, of which it has one by chance: the last that is said to be
  /// chosen, or else the first, as in the meaning of the chains.
  private func target(of addresses: [Address]) throws(BudgetExceeded) -> Address {
    for address in addresses.dropFirst().reversed() {
      if packet[try universe.unknown("\(address) is chosen among targets")] == 1 { return address }
    }
    return addresses[0]
  }

  /// Changes the packet as its translation says.
  private mutating func translate() throws(BudgetExceeded) {
    switch universe.translation(labelled: state.translation) {
    case .redirect(let distance)?:
      packet[.destinationKind] = UInt128(AddressKind.local.rawValue)
      shift(by: distance)
    case .forward(let addresses, let distance)?:
      packet[.destination] = try target(of: addresses).value
      packet[.destinationKind] = UInt128(AddressKind.elsewhere.rawValue)
      shift(by: distance)
    case .redirectAll(let port)?:
      packet[.destinationKind] = UInt128(AddressKind.local.rawValue)
      packet[.destinationPort] = UInt128(port)
    case .forwardAll(let addresses, let port)?:
      packet[.destination] = try target(of: addresses).value
      packet[.destinationKind] = UInt128(AddressKind.elsewhere.rawValue)
      packet[.destinationPort] = UInt128(port)
    case nil: break
    }
  }

  private mutating func shift(by distance: Int) {
    packet[.destinationPort] = UInt128(max(0, min(65_535, Int(packet[.destinationPort]) + distance)))
  }

  /// Lets the chain at position `chain` judge the packet.
  private mutating func judge(
    _ chain: Int, from entrance: HookedChains.Entrance
  ) throws(BudgetExceeded) -> ChainExit.Decision {
    for rule in host.chains[chain].rules where try matches(rule) {
      encounters.append(
        .init(
          what: .rule(rule), chain: host.chains[chain].name, hook: entrance.hook, translates: entrance.translates))
      switch rule.action {
      case .accept: return .accept
      case .drop: return .drop
      case .reject: return .reject
      case .return: return .fallThrough
      case .goto(let target): return try judge(target, from: entrance)
      case .jump(let target):
        let decision = try judge(target, from: entrance)
        if decision != .fallThrough { return decision }
      case .translate, .masquerade:
        state = state.after(rule.action) ?? state
        return .accept
      case .mark, .copy: state = state.after(rule.action) ?? state
      }
    }
    return .fallThrough
  }

  /// Returns `true` iff `rule` matches the packet.
  private func matches(_ rule: HookedChains.Rule) throws(BudgetExceeded) -> Bool {
    guard state.passes(rule), rule.sets.allSatisfy({ $0.contains(packet) }) else { return false }
    return rule.boxes.contains { universe.space.contains(packet, in: $0) }
  }
}
