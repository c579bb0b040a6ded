public import Firewalls
public import Packets

extension Universe {
  /// Returns `packet`, the first of a connection, as packet sets have it.
  ///
  /// - Parameters:
  ///   - packet: the packet as it arrives, or as it is sent if it has no interface.
  ///   - departing: the interface on which it leaves, if any.
  ///   - kind: what the routing table says that its destination is.
  ///   - seconds: the moment, since 1970, in UTC.
  ///   - holds: whether the conditions of the universe, such as to be within a rate, hold.
  /// - Returns: the packet.
  public func values(
    of packet: Packet, departing: String?, to kind: AddressKind, at seconds: Int, conditions holds: Bool
  ) -> PacketValues {
    var values = PacketValues()
    let isSent = packet.interface == nil
    values[.family] = UInt128(packet.source.family.number)
    values[.direction] = isSent ? 1 : 0
    values[.state] = UInt128(ConnectionState.new.rawValue)
    values[.arrival] = packet.interface.map { InterfaceName.value(of: $0) } ?? 0
    values[.departure] = departing.map { InterfaceName.value(of: $0) } ?? 0
    values[.sourceKind] = UInt128((isSent ? AddressKind.local : .elsewhere).rawValue)
    values[.destinationKind] = UInt128(kind.rawValue)
    values[.hopLimit] = 255
    values[.transport] = UInt128(packet.transport.rawValue)
    values[.destination] = packet.destination.value
    values[.destinationPort] = UInt128(packet.destinationPort)
    values[.source] = packet.source.value
    values[.sourcePort] = UInt128(packet.sourcePort)
    values[.time] = UInt128(seconds)
    for i in space.conditions.indices where holds {
      values[PacketField(rawValue: UInt8(PacketField.all.count + i))] = 1
    }
    return values
  }
}
