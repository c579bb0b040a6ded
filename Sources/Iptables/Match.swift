public import Packets
public import Syntax

/// A match of one of the extensions.
public enum Match: Hashable, Sendable {
  /// The destination port, by the extension of the protocol itself (`-m tcp --dport`).
  case destinationPort(TransportProtocol, PortRange)

  /// The source and the destination port, by the extension of the protocol itself.
  case ports(TransportProtocol, source: PortRange, destination: PortRange)

  /// The destination port is one of these (`-m multiport --dports`); a range takes two of 15 slots.
  case destinationPorts([PortRange])

  /// The ICMP or ICMPv6 message, with any code if none is given.
  case icmp(AddressFamily, type: UInt8, code: UInt8?)

  /// The source is in the range (`-m iprange --src-range`).
  case sourceRange(AddressRange)

  /// The destination is in the range.
  case destinationRange(AddressRange)

  /// The state of the connection is one of these (`-m conntrack --ctstate`).
  case state(Selector<ConnectionStates>)

  /// What the routing table says of the destination (`-m addrtype --dst-type`): one of these in IPv4; in IPv6 all of
  /// them, but for `LOCAL` and `ANYCAST`, of which one is enough.
  case destinationType(AddressTypes)

  /// The mark of the packet under a mask.
  case mark(value: UInt32, mask: UInt32, isNegated: Bool)

  /// The hop limit of an IPv6 packet (`-m hl --hl-eq`).
  case hopLimit(UInt8)

  /// Within a rate counted for the rule alone (`-m limit`).
  case limit(Rate, burst: UInt32)

  /// Within a rate counted in the table `name`, for each source by itself iff `perSource` (`-m hashlimit`); what was
  /// counted for a source is forgotten when it sends nothing for `expiry` milliseconds.
  case hashLimit(Rate, burst: UInt32, perSource: Bool, name: String, expiry: UInt32)

  /// Until the end of a day in UTC (`-m time --datestop`).
  case until(CalendarDate)

  /// With the probability of so many in 2^31 (`-m statistic --mode random`).
  case probability(UInt32)

  /// A match that is not known here, as its words; nothing can be said of what it matches.
  case unknown([String])
}

/// Options that iptables-save writes by their names, with commas between them.
protocol NamedOptions: OptionSet where Element == Self {
  /// The options and their names, in the order in which iptables-save prints them.
  static var names: [(option: Self, name: String)] { get }
}

/// States of connections that a packet may belong to.
public struct ConnectionStates: NamedOptions, Hashable, Sendable {
  /// One bit for each state.
  public let rawValue: UInt8

  /// Creates the set with the bits of `rawValue`.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// It belongs to no connection that could be.
  public static let invalid = Self(rawValue: 1)
  /// It begins a connection.
  public static let new = Self(rawValue: 2)
  /// It begins a connection that another one announced, or it is an error about one.
  public static let related = Self(rawValue: 4)
  /// Packets were seen in both directions.
  public static let established = Self(rawValue: 8)
  /// It is exempt from tracking.
  public static let untracked = Self(rawValue: 16)
  /// The source of the connection is translated.
  public static let sourceTranslated = Self(rawValue: 32)
  /// The destination of the connection is translated.
  public static let destinationTranslated = Self(rawValue: 64)

  /// The states and their names, in the order in which iptables-save prints them.
  static let names: [(option: Self, name: String)] = [
    (.invalid, "INVALID"), (.new, "NEW"), (.related, "RELATED"), (.established, "ESTABLISHED"),
    (.untracked, "UNTRACKED"), (.sourceTranslated, "SNAT"), (.destinationTranslated, "DNAT"),
  ]
}

/// What the routing table says of an address.
public struct AddressTypes: NamedOptions, Hashable, Sendable {
  /// One bit for each type.
  public let rawValue: UInt8

  /// Creates the set with the bits of `rawValue`.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The address of another host.
  public static let unicast = Self(rawValue: 1)
  /// An address of this host.
  public static let local = Self(rawValue: 2)
  /// Everybody on a link (IPv4 only).
  public static let broadcast = Self(rawValue: 4)
  /// The nearest of several hosts.
  public static let anycast = Self(rawValue: 8)
  /// Whoever listens.
  public static let multicast = Self(rawValue: 16)

  /// The types and their names, in the order in which iptables-save prints them.
  static let names: [(option: Self, name: String)] = [
    (.unicast, "UNICAST"), (.local, "LOCAL"), (.broadcast, "BROADCAST"), (.anycast, "ANYCAST"),
    (.multicast, "MULTICAST"),
  ]
}
