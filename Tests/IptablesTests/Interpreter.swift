import Firewalls
import Iptables
import Packets
import Syntax

/// A small kernel: what becomes of the first packet of a connection in a ruleset.
struct Interpreter {
  enum Outcome: Equatable {
    case accepted(to: Address, port: UInt16, masqueraded: Bool)
    case dropped
    case rejected
  }

  let ruleset: Ruleset
  var today = testDay
  /// `true` iff every limit is exhausted.
  var isExhausted = false
  /// Which of several targets chance picks.
  var chance = 0
  let isLocal: (Address) -> Bool

  private struct State {
    var packet: Packet
    var departing: String?
    var mark: UInt32 = 0
    var isTranslated = false
    var isMasqueraded = false
    var isNew = true
  }

  private enum Step { case accept, drop, reject, back, end }

  /// Returns what becomes of `packet`, which arrives.
  func arrive(_ packet: Packet, departing: String? = nil, mark: UInt32 = 0) -> Outcome {
    var state = State(packet: packet, departing: departing, mark: mark)
    for (table, hook) in [("mangle", "PREROUTING"), ("nat", "PREROUTING")] {
      if let refusal = pass(&state, table, hook) { return refusal }
    }
    let isDelivered = state.packet.interface == "lo" || isLocal(state.packet.destination)
    if !isDelivered { state.departing = departing ?? "eth9" } else { state.departing = nil }
    for table in ["mangle", "filter", "security"] {
      if let refusal = pass(&state, table, isDelivered ? "INPUT" : "FORWARD") { return refusal }
    }
    if !isDelivered {
      for table in ["mangle", "nat"] { if let refusal = pass(&state, table, "POSTROUTING") { return refusal } }
    }
    return .accepted(
      to: state.packet.destination, port: state.packet.destinationPort, masqueraded: state.isMasqueraded)
  }

  /// Returns what becomes of `packet`, which the host itself sends.
  func depart(_ packet: Packet, on interface: String) -> Outcome {
    var packet = packet
    packet.interface = nil
    var state = State(packet: packet, departing: interface)
    for (table, hook) in [
      ("mangle", "OUTPUT"), ("nat", "OUTPUT"), ("filter", "OUTPUT"), ("security", "OUTPUT"), ("mangle", "POSTROUTING"),
      ("nat", "POSTROUTING"),
    ] {
      if let refusal = pass(&state, table, hook) { return refusal }
    }
    return .accepted(
      to: state.packet.destination, port: state.packet.destinationPort, masqueraded: state.isMasqueraded)
  }

  private func pass(_ state: inout State, _ table: String, _ hook: String) -> Outcome? {
    guard let table = ruleset.table(table), table.chain(hook) != nil else { return nil }
    switch walk(&state, table, hook, depth: 0) {
    case .drop: return .dropped
    case .reject: return .rejected
    case .accept, .back, .end: return nil
    }
  }

  private func walk(_ state: inout State, _ table: Table, _ name: String, depth: Int) -> Step {
    precondition(depth <= 15, "the kernel nests 15 chains")
    for rule in table.chain(name)?.rules ?? [] where matches(rule, state) {
      switch rule.target {
      case nil, .log: break
      case .accept: return .accept
      case .drop: return .drop
      case .reject: return .reject
      case .return: return .back
      case .mark(let value, let mask): state.mark = (state.mark & ~mask) ^ value
      case .masquerade:
        state.isMasqueraded = true
        return .accept
      case .destination(let address, let ports, let base):
        if let address {
          state.packet.destination = address
        }
        if let ports {
          let offset = base.map { state.packet.destinationPort - $0 } ?? 0
          state.packet.destinationPort = ports.lower + offset
        }
        state.isTranslated = true
        return .accept
      case .jump(let chain):
        switch walk(&state, table, chain, depth: depth + 1) {
        case .end, .back: break
        case let step: return step
        }
      case .goto(let chain):
        let step = walk(&state, table, chain, depth: depth + 1)
        return step == .end ? .back : step
      case .unknown(let words): fatalError("\(words)")
      }
    }
    return .end
  }

  private func matches(_ rule: Rule, _ state: State) -> Bool {
    func holds<T>(_ selector: Selector<T>?, _ test: (T) -> Bool) -> Bool {
      selector.map { test($0.value) != $0.isNegated } ?? true
    }
    let packet = state.packet
    return holds(rule.source) { $0.range.contains(packet.source) }
      && holds(rule.destination) { $0.range.contains(packet.destination) }
      && holds(rule.arrival) { $0 == packet.interface } && holds(rule.departure) { $0 == state.departing }
      && holds(rule.transport) { $0 == packet.transport } && rule.matches.allSatisfy { isMet($0, state) }
  }

  private func isMet(_ match: Match, _ state: State) -> Bool {
    let packet = state.packet
    switch match {
    case .destinationPort(let transport, let range):
      return packet.transport == transport && range.contains(packet.destinationPort)
    case .ports(let transport, let source, let destination):
      return packet.transport == transport && source.contains(packet.sourcePort)
        && destination.contains(packet.destinationPort)
    case .destinationPorts(let ranges):
      precondition(ranges.reduce(0) { $0 + ($1.isSingle ? 1 : 2) } <= 15, "multiport has 15 slots")
      return packet.transport.hasPorts && ranges.contains { $0.contains(packet.destinationPort) }
    case .icmp(_, let type, let code):
      return packet.transport.isICMP && packet.destinationPort == UInt16(type)
        && (code.map { UInt16($0) == packet.sourcePort } ?? true)
    case .sourceRange(let range): return range.contains(packet.source)
    case .destinationRange(let range): return range.contains(packet.destination)
    case .state(let states):
      var mine: ConnectionStates = .new
      if state.isTranslated { mine.insert(.destinationTranslated) }
      return !states.value.isDisjoint(with: mine) != states.isNegated
    case .destinationType(let types):
      // The kernel's rule for IPv6 is a conjunction.
      let isMulticast = AddressSet.multicast.contains(packet.destination)
      let isOwn = isLocal(packet.destination) && !isMulticast
      return packet.source.family == .ipv4
        ? types.contains(.multicast) && isMulticast || types.contains(.local) && isOwn
        : (!types.contains(.multicast) || isMulticast)
          && (types.isDisjoint(with: [.local, .anycast]) || (types.contains(.local) && isOwn))
    case .mark(let value, let mask, let isNegated): return (state.mark & mask == value) != isNegated
    case .hopLimit: return true
    case .limit, .hashLimit: return !isExhausted
    case .until(let date): return today <= date
    case .probability: return chance == 0
    case .unknown(let words): fatalError("\(words)")
    }
  }
}
