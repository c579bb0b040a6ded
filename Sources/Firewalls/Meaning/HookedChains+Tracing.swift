public import Packets

extension HookedChains {
  /// Returns the rules that `packet` meets and that match it, in order, as far as rules decide.
  ///
  /// The last one is the rule that decides, unless the policy of a chain does.
  public func trace(_ packet: PacketValues, in universe: Universe) throws(BudgetExceeded) -> [Rule] {
    var tracer = Tracer(host: self, universe: universe, packet: packet)
    let isArriving = packet[.direction] == 0
    for hook in isArriving ? [Hook.prerouting] : [.output, .postrouting] where try tracer.pass(hook) != .accept {
      return tracer.rules
    }
    guard isArriving else { return tracer.rules }
    let isDelivered =
      switch universe.translation(labelled: tracer.state.translation) {
      case let translation?: translation.targets == nil
      case nil: packet[.destinationKind] != UInt128(AddressKind.elsewhere.rawValue)
      }
    for hook in isDelivered ? [Hook.input] : [.forward, .postrouting] where try tracer.pass(hook) != .accept {
      return tracer.rules
    }
    return tracer.rules
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

  /// The rules that matched it.
  var rules: [HookedChains.Rule] = []

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
      let decision = try judge(entrance.chain)
      if before != 0 { state.translation = before }
      switch decision {
      case .accept: break
      case .drop: return .drop
      case .reject: return .reject
      case .fallThrough: if entrance.policy != .accept { return entrance.policy }
      }
      if before == 0 { translate() }
    }
    return .accept
  }

  /// Changes the packet as its translation says.
  private mutating func translate() {
    switch universe.translation(labelled: state.translation) {
    case .redirect(let distance)?:
      packet[.destinationKind] = UInt128(AddressKind.local.rawValue)
      shift(by: distance)
    case .forward(let addresses, let distance)?:
      packet[.destination] = addresses[0].value
      packet[.destinationKind] = UInt128(AddressKind.elsewhere.rawValue)
      shift(by: distance)
    case .redirectAll(let port)?:
      packet[.destinationKind] = UInt128(AddressKind.local.rawValue)
      packet[.destinationPort] = UInt128(port)
    case .forwardAll(let addresses, let port)?:
      packet[.destination] = addresses[0].value
      packet[.destinationKind] = UInt128(AddressKind.elsewhere.rawValue)
      packet[.destinationPort] = UInt128(port)
    case nil: break
    }
  }

  private mutating func shift(by distance: Int) {
    packet[.destinationPort] = UInt128(max(0, min(65_535, Int(packet[.destinationPort]) + distance)))
  }

  /// Lets the chain at position `chain` judge the packet.
  private mutating func judge(_ chain: Int) throws(BudgetExceeded) -> ChainExit.Decision {
    for rule in host.chains[chain].rules where try matches(rule) {
      rules.append(rule)
      switch rule.action {
      case .accept: return .accept
      case .drop: return .drop
      case .reject: return .reject
      case .return: return .fallThrough
      case .goto(let target): return try judge(target)
      case .jump(let target):
        let decision = try judge(target)
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
