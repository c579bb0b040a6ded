public import Packets
public import Syntax

/// An opening that does not let a packet in, but nearly.
public struct NearMiss: Hashable, Sendable {
  /// What is missing for the opening to let the packet in.
  public enum Lack: Hashable, Sendable {
    /// The source is not in the audience.
    case source
    /// The source is in the audience, but arrives on another interface.
    case interface
    /// The service is not bound to the address that the packet is sent to.
    case destination
    /// The packet is sent to the listening port; this is the public one.
    case publicPort(Traffic)
    /// The service answers on this port.
    case port(Traffic)
    /// The opening ended on this day.
    case lapsed(CalendarDate)
  }

  /// The position of the opening in the firewall.
  public var opening: Int

  /// What is missing.
  public var lacks: [Lack]

  /// Creates a near miss.
  public init(opening: Int, lacks: [Lack]) {
    self.opening = opening
    self.lacks = lacks
  }
}

extension Firewall {
  /// Returns the openings that come nearest to letting `packet` in on the day `today`, at most `count`.
  ///
  /// Those on the packet's port come first, then those of services that listen there and answer on another port, then
  /// those that have the source in their audience and answer on another port; each with fewest things missing first.
  public func nearMisses(of packet: Packet, on today: CalendarDate, count: Int = 3) -> [NearMiss] {
    let ranked = openings.indices.compactMap { i -> (rank: Int, miss: NearMiss)? in
      let opening = openings[i]
      let onPort = opening.traffic.contains(packet.traffic)
      let listening = !onPort && opening.listens(to: packet)
      let covered = opening.sources.contains(packet.source, on: packet.interface)
      guard onPort || listening || covered && opening.traffic.transport == packet.transport else { return nil }
      var lacks: [NearMiss.Lack] = []
      if listening { lacks.append(.publicPort(opening.traffic)) }
      if !onPort && !listening { lacks.append(.port(opening.traffic)) }
      if !covered {
        lacks.append(opening.sources.contains { $0.addresses.contains(packet.source) } ? .interface : .source)
      }
      if !(opening.destinations?.contains(packet.destination) ?? true) { lacks.append(.destination) }
      if let until = opening.until, until < today { lacks.append(.lapsed(until)) }
      return (onPort ? 0 : listening ? 1 : 2, NearMiss(opening: i, lacks: lacks))
    }
    return ranked.sorted { a, b in
      (a.rank, a.miss.lacks.count, a.miss.opening) < (b.rank, b.miss.lacks.count, b.miss.opening)
    }
    .prefix(count).map(\.miss)
  }
}

extension Opening {
  /// Returns `true` iff `packet` is sent to a port that listens behind the opening and is not the public one.
  fileprivate func listens(to packet: Packet) -> Bool {
    guard case .redirect(let first) = translation, case .ports(let transport, let range) = traffic,
      transport == packet.transport
    else { return false }
    let last = Int(first) + range.count - 1
    return first <= packet.destinationPort && Int(packet.destinationPort) <= last
  }
}
