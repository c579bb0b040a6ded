public import Packets

/// A property of a packet that a rule looks at.
public enum Field: Hashable, Sendable {
  /// The family of the packet, in tables that see both.
  case nfproto

  /// The protocol above IP, behind any extension headers.
  case l4proto

  /// The index of the interface that the packet arrived on; only that of loopback is known to a text.
  case iif

  /// The name of the interface that the packet arrived on.
  case iifname

  /// The index of the interface that the packet leaves on.
  case oif

  /// The name of the interface that the packet leaves on.
  case oifname

  /// The present time, in whole seconds since 1970, in UTC.
  case time

  /// What connection tracking thinks of the packet.
  case ctState

  /// What became of the connection.
  case ctStatus

  /// What the routing table says that the destination is.
  case fibDestinationType

  /// The interface that the routing table sends the packet to.
  case fibDestinationInterface

  /// What the routing table says that the source is.
  case fibSourceType

  /// The source address of a packet of one family.
  case saddr(AddressFamily)

  /// The destination address of a packet of one family.
  case daddr(AddressFamily)

  /// The hop limit of an IPv6 packet.
  case hopLimit

  /// The source port of whatever protocol has ports.
  case sport

  /// The destination port of whatever protocol has ports.
  case dport

  /// The type of an ICMP message.
  case icmpType

  /// The code of an ICMP message.
  case icmpCode

  /// The type of an ICMPv6 message.
  case icmpv6Type

  /// The code of an ICMPv6 message.
  case icmpv6Code

  /// Every field, in the order in which a reader tries them.
  static let all: [Field] = [
    .nfproto, .l4proto, .iif, .iifname, .oif, .oifname, .time, .ctState, .ctStatus, .fibDestinationType,
    .fibDestinationInterface, .fibSourceType, .saddr(.ipv4), .saddr(.ipv6), .daddr(.ipv4), .daddr(.ipv6), .hopLimit,
    .sport, .dport, .icmpType, .icmpCode, .icmpv6Type, .icmpv6Code,
  ]

  /// The words that nft(8) has for the field.
  public var words: String {
    switch self {
    case .nfproto: "meta nfproto"
    case .l4proto: "meta l4proto"
    case .iif: "iif"
    case .iifname: "iifname"
    case .oif: "oif"
    case .oifname: "oifname"
    case .time: "meta time"
    case .ctState: "ct state"
    case .ctStatus: "ct status"
    case .fibDestinationType: "fib daddr type"
    case .fibDestinationInterface: "fib daddr oifname"
    case .fibSourceType: "fib saddr type"
    case .saddr(.ipv4): "ip saddr"
    case .saddr(.ipv6): "ip6 saddr"
    case .daddr(.ipv4): "ip daddr"
    case .daddr(.ipv6): "ip6 daddr"
    case .hopLimit: "ip6 hoplimit"
    case .sport: "th sport"
    case .dport: "th dport"
    case .icmpType: "icmp type"
    case .icmpCode: "icmp code"
    case .icmpv6Type: "icmpv6 type"
    case .icmpv6Code: "icmpv6 code"
    }
  }

  /// The type of the field's values.
  public var type: DataType {
    switch self {
    case .nfproto: .family
    case .l4proto: .transport
    case .iif, .iifname, .oif, .oifname, .fibDestinationInterface: .interface
    case .time: .time
    case .ctState: .state
    case .ctStatus: .status
    case .fibDestinationType, .fibSourceType: .addressType
    case .saddr(let family), .daddr(let family): family == .ipv4 ? .ipv4 : .ipv6
    case .hopLimit: .number
    case .sport, .dport: .port
    case .icmpType: .icmpType
    case .icmpCode: .icmpCode
    case .icmpv6Type: .icmpv6Type
    case .icmpv6Code: .icmpv6Code
    }
  }
}

/// A field of which only some bits are looked at.
public struct MaskedField: Hashable, Sendable {
  /// The field.
  public var field: Field

  /// The bits, or nothing if all.
  public var mask: UInt128?

  /// Creates the bits `mask` of `field`.
  public init(_ field: Field, mask: UInt128? = nil) {
    self.field = field
    self.mask = mask
  }
}

/// One or several fields behind one another, as a rule compares them or looks them up.
public struct Selector: Hashable, Sendable {
  /// The fields.
  public var parts: [MaskedField]

  /// Creates the concatenation of `parts`.
  public init(_ parts: [MaskedField]) { self.parts = parts }

  /// Creates the concatenation of whole `fields`.
  public init(_ fields: Field...) { parts = fields.map { MaskedField($0) } }

  /// The types of the values.
  public var types: [DataType] { parts.map(\.field.type) }
}
