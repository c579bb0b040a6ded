public import Packets

/// A type of values, as nft(8) names it.
public enum DataType: String, Hashable, Sendable, CaseIterable {
  /// An IPv4 address.
  case ipv4 = "ipv4_addr"

  /// An IPv6 address.
  case ipv6 = "ipv6_addr"

  /// A protocol above IP.
  case transport = "inet_proto"

  /// A port.
  case port = "inet_service"

  /// An ICMP type.
  case icmpType = "icmp_type"

  /// An ICMP code.
  case icmpCode = "icmp_code"

  /// An ICMPv6 type.
  case icmpv6Type = "icmpv6_type"

  /// An ICMPv6 code.
  case icmpv6Code = "icmpv6_code"

  /// The name of an interface.
  case interface = "ifname"

  /// A family of addresses.
  case family = "nf_proto"

  /// What connection tracking thinks of a packet.
  case state = "ct_state"

  /// What became of a connection.
  case status = "ct_status"

  /// What the routing table says that an address is.
  case addressType = "fib_addrtype"

  /// A time, in seconds since 1970.
  case time

  /// A plain number.
  case number = "integer"
}

/// What connection tracking thinks of a packet.
public enum ConnectionState: String, Hashable, Sendable, CaseIterable {
  /// The states that rules of ours know.
  case established, related, invalid
}

/// What the routing table says that an address is.
public enum AddressType: String, Hashable, Sendable, CaseIterable {
  /// The kinds that reach sockets of the host.
  case local, broadcast, multicast, anycast
}

/// A constant that a field is compared with.
public enum Datum: Hashable, Sendable {
  /// An address.
  case address(Address)

  /// Several addresses; never one alone, so that equal sets have equal models.
  case addresses(AddressRange)

  /// A port.
  case port(UInt16)

  /// Several ports; never one alone.
  case ports(PortRange)

  /// A protocol above IP.
  case transport(TransportProtocol)

  /// A type, a code or a hop limit.
  case number(UInt8)

  /// The name of an interface.
  case interface(String)

  /// A family.
  case family(AddressFamily)

  /// A state.
  case state(ConnectionState)

  /// The status of a connection whose destination was translated.
  case destinationTranslated

  /// A kind of address.
  case addressType(AddressType)

  /// A time, in seconds since 1970; text in a calendar's notation would depend on the reader's time zone.
  case seconds(Int)

  /// Returns the addresses of `range`.
  public static func all(of range: AddressRange) -> Datum {
    range.lower == range.upper ? .address(range.lower) : .addresses(range)
  }

  /// Returns the ports of `range`.
  public static func all(of range: PortRange) -> Datum {
    range.isSingle ? .port(range.lower) : .ports(range)
  }
}
