/// A property of a packet, in the order in which diagrams look at it.
///
/// The order decides the size of a diagram: what policies rarely look at stands first or last, and the destination before
/// the source, for the other way round takes some sixty times the edges.
@frozen public struct PacketField: RawRepresentable, Hashable, Sendable, Comparable {
  /// The level of the field in a diagram.
  public let rawValue: UInt8

  /// Creates the field at the level `rawValue`.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The family of the addresses: 0 is IPv4, 1 is IPv6.
  public static let family = PacketField(rawValue: 0)

  /// Whose packet it is: 0 if it arrives, 1 if a process of the host sends it.
  public static let direction = PacketField(rawValue: 1)

  /// What connection tracking thinks of it: `ConnectionState`'s numbers.
  public static let state = PacketField(rawValue: 2)

  /// The interface that it arrives on (`InterfaceName`; 0 is none), or the kind of workload that sends it, by number.
  public static let arrival = PacketField(rawValue: 3)

  /// The interface that it leaves on, or the kind of workload that it is sent to, by number.
  public static let departure = PacketField(rawValue: 4)

  /// What the routing table says that the source is: `AddressKind`'s numbers.
  public static let sourceKind = PacketField(rawValue: 5)

  /// What the routing table says that the destination is: `AddressKind`'s numbers.
  public static let destinationKind = PacketField(rawValue: 6)

  /// The hop limit, or time to live.
  public static let hopLimit = PacketField(rawValue: 7)

  /// The protocol above IP, by its number.
  public static let transport = PacketField(rawValue: 8)

  /// The destination address; that of IPv4 occupies the low 32 bits.
  public static let destination = PacketField(rawValue: 9)

  /// The destination port, the ICMP type, or 0 if the protocol has neither.
  public static let destinationPort = PacketField(rawValue: 10)

  /// The source address.
  public static let source = PacketField(rawValue: 11)

  /// The source port, the ICMP code, or 0 if the protocol has neither.
  public static let sourcePort = PacketField(rawValue: 12)

  /// The moment, in seconds since 1970, UTC.
  public static let time = PacketField(rawValue: 13)

  /// The number of fields that every space has; behind them stand the conditions of a space, two values each.
  static let count = 14

  /// Every field that each space has, in order.
  public static let all = (0..<UInt8(count)).map { PacketField(rawValue: $0) }

  /// The highest value of each field.
  static let highest: [UInt128] = [
    1, 1, 4, .max, .max, 4, 4, 255, 255, .max, 0xffff, .max, 0xffff, UInt128(UInt64.max),
  ]

  /// The highest value of the field; conditions are 0 (false) or 1 (true).
  public var highest: UInt128 {
    Int(rawValue) < PacketField.count ? PacketField.highest[Int(rawValue)] : 1
  }

  /// Returns `true` iff diagrams look at `a` before `b`.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// What connection tracking thinks of a packet (linux/netfilter/nf_conntrack_common.h).
public enum ConnectionState: UInt8, Hashable, Sendable, CaseIterable {
  /// The first of a connection.
  case new
  /// Part of a connection.
  case established
  /// The first of a connection that belongs to another.
  case related
  /// None that there can be.
  case invalid
  /// Not looked at.
  case untracked
}

/// What the routing table says that an address is (linux/rtnetlink.h), as far as rules look at it.
public enum AddressKind: UInt8, Hashable, Sendable, CaseIterable {
  /// An address of the host.
  case local
  /// Everybody on a link.
  case broadcast
  /// Everybody who listens.
  case multicast
  /// The nearest of several.
  case anycast
  /// An address of another host, or one that nothing is routed to.
  case elsewhere

  /// The kinds that reach sockets of the host.
  public static let delivered: [AddressKind] = [.local, .broadcast, .multicast, .anycast]
}
