public import Packets
public import Syntax

/// The parts of all packets that definitions, chains and comparisons speak of alike.
extension Universe {
  /// What arrives; the rest is what processes of the host send.
  public var arriving: PacketSet {
    get throws(BudgetExceeded) { try space.set(.direction, in: space.value(UInt8(0), of: .direction)) }
  }

  /// What is addressed to the host.
  public var delivered: PacketSet {
    get throws(BudgetExceeded) { try space.set(.destinationKind, in: kinds(AddressKind.delivered)) }
  }

  /// What comes back over loopback.
  public var looped: PacketSet {
    get throws(BudgetExceeded) {
      try space.set(.arrival, in: space.value(InterfaceName.value(of: "lo"), of: .arrival))
    }
  }

  /// The first packets of connections.
  public var new: PacketSet {
    get throws(BudgetExceeded) { try space.set(.state, in: space.value(ConnectionState.new.rawValue, of: .state)) }
  }

  /// Returns the packets of `families`.
  public func packets(of families: some Sequence<AddressFamily>) throws(BudgetExceeded) -> PacketSet {
    let numbers = IntervalSet(families.map { UInt128($0.number)...UInt128($0.number) })
    return try space.set(.family, in: space.values(numbers, of: .family))
  }

  /// Returns `kinds` as the values of a field.
  func kinds(_ kinds: [AddressKind]) -> ValueSet {
    space.values(IntervalSet(kinds.map { UInt128($0.rawValue)...UInt128($0.rawValue) }), of: .destinationKind)
  }

  /// Returns the moments from the beginning of `day` on, in seconds since 1970, UTC.
  public static func moments(from day: CalendarDate) -> IntervalSet<UInt128> {
    let last = UInt128(lastMoment)
    return IntervalSet(min(UInt128(max(0, day.daysSinceEpoch)) * 86_400, last)...last)
  }
}

extension Universe {
  /// Returns `packet`, the first of a connection, as packet sets have it.
  ///
  /// - Parameters:
  ///   - packet: the packet as it arrives, or as it is sent if it has no interface.
  ///   - departing: the interface on which it leaves, if any.
  ///   - kind: what the routing table says that its destination is.
  ///   - isOwn: whether its source is an address of the host; what the host sends has one.
  ///   - seconds: the moment, since 1970, in UTC.
  ///   - holds: whether the conditions of the universe, such as to be within a rate, hold.
  /// - Returns: the packet.
  public func values(
    of packet: Packet, departing: String?, to kind: AddressKind, isOwn: Bool = false, at seconds: Int,
    conditions holds: Bool
  ) -> PacketValues {
    var values = PacketValues()
    let isSent = packet.interface == nil
    values[.family] = UInt128(packet.source.family.number)
    values[.direction] = isSent ? 1 : 0
    values[.state] = UInt128(ConnectionState.new.rawValue)
    values[.arrival] = packet.interface.map { InterfaceName.value(of: $0) } ?? 0
    values[.departure] = departing.map { InterfaceName.value(of: $0) } ?? 0
    values[.sourceKind] = UInt128((isSent || isOwn ? AddressKind.local : .elsewhere).rawValue)
    values[.destinationKind] = UInt128(kind.rawValue)
    // Neighbours do not take what a router passed on (RFC 4861 section 6.1).
    values[.hopLimit] = 255
    values[.transport] = UInt128(packet.transport.rawValue)
    values[.destination] = packet.destination.value
    values[.destinationPort] = UInt128(packet.destinationPort)
    values[.source] = packet.source.value
    values[.sourcePort] = UInt128(packet.sourcePort)
    values[.time] = UInt128(seconds)
    for field in space.conditionFields where holds { values[field] = 1 }
    return values
  }
}
