public import Packets
import Syntax

extension Firewall {
  /// Returns the line that decides what becomes of `packet`, or nothing if none does: nothing lets it through, or
  /// everything of its kind goes through.
  public func cause(of packet: PacketValues, in universe: Universe) throws(BudgetExceeded) -> Cause? {
    let day = CalendarDate(daysSinceEpoch: Int(min(packet[.time] / 86_400, 1 << 40)))
    let state = ConnectionState(rawValue: UInt8(truncatingIfNeeded: packet[.state]))
    guard state == .new || state == .untracked else { return nil }
    let family: AddressFamily = packet[.family] == 0 ? .ipv4 : .ipv6
    guard packet[.source] <= family.highest, packet[.destination] <= family.highest else { return nil }
    // A name that no interface can have stands for one that the policy does not name.
    func name(_ field: PacketField) -> String { InterfaceName.name(of: packet[field]) ?? "\u{1}" }
    let first = Packet(
      interface: name(.arrival), source: Address(family, packet[.source]),
      destination: Address(family, packet[.destination]),
      transport: TransportProtocol(rawValue: UInt8(truncatingIfNeeded: packet[.transport])),
      sourcePort: UInt16(truncatingIfNeeded: packet[.sourcePort]),
      destinationPort: UInt16(truncatingIfNeeded: packet[.destinationPort]))
    if packet[.direction] == 1 {
      return departures?.first { departure in
        departure.destinations.contains(first.destination) && (departure.until.map { day <= $0 } ?? true)
          && (departure.traffic?.contains { $0.contains(first.traffic) } ?? true)
      }?.cause
    }
    let isDelivered = packet[.destinationKind] != UInt128(AddressKind.elsewhere.rawValue)
    if let block = blocks.first(where: { (isDelivered || !$0.sparesTransit) && $0.covers(first, on: day) }) {
      return block.cause
    }
    func isWithin(_ limit: Limit?) throws(BudgetExceeded) -> Bool {
      guard let limit else { return true }
      return packet[try universe.within(limit)] == 1
    }
    if isDelivered {
      for opening in openings where opening.covers(first, on: day) {
        if try isWithin(opening.limit) { return opening.cause }
      }
      return nil
    }
    for passage in passages where passage.covers(first, departing: name(.departure), on: day) {
      if try isWithin(passage.limit) { return passage.cause }
    }
    return nil
  }
}
