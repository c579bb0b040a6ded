/// A protocol above IP, by its number (IANA "Assigned Internet Protocol Numbers").
@frozen public struct TransportProtocol: RawRepresentable, Hashable, Sendable, Comparable {
  /// The protocol's number.
  public let rawValue: UInt8

  /// Creates the protocol with the number `rawValue`.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Internet Control Message Protocol (RFC 792).
  @inlinable public static var icmp: Self { Self(rawValue: 1) }

  /// Transmission Control Protocol (RFC 9293).
  @inlinable public static var tcp: Self { Self(rawValue: 6) }

  /// User Datagram Protocol (RFC 768).
  @inlinable public static var udp: Self { Self(rawValue: 17) }

  /// Datagram Congestion Control Protocol (RFC 4340).
  @inlinable public static var dccp: Self { Self(rawValue: 33) }

  /// ICMP for IPv6 (RFC 4443).
  @inlinable public static var icmpv6: Self { Self(rawValue: 58) }

  /// Stream Control Transmission Protocol (RFC 9260).
  @inlinable public static var sctp: Self { Self(rawValue: 132) }

  /// Lightweight User Datagram Protocol (RFC 3828).
  @inlinable public static var udplite: Self { Self(rawValue: 136) }

  /// The protocols whose packets carry ports, with the names that policies and rulesets give them.
  public static let withPorts: [(name: String, transport: TransportProtocol)] = [
    ("tcp", .tcp), ("udp", .udp), ("sctp", .sctp), ("dccp", .dccp), ("udplite", .udplite),
  ]

  /// `true` iff packets of this protocol carry ports.
  @inlinable public var hasPorts: Bool {
    self == .tcp || self == .udp || self == .sctp || self == .dccp || self == .udplite
  }

  /// `true` iff this is ICMP of either family.
  @inlinable public var isICMP: Bool { self == .icmp || self == .icmpv6 }

  /// Returns `true` iff the number of `a` is lower than that of `b`.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

extension TransportProtocol: CustomStringConvertible {
  /// The protocol's lower-case name, or its number if it has none here.
  public var description: String {
    switch self {
    case .icmp: "icmp"
    case .icmpv6: "icmpv6"
    default: TransportProtocol.withPorts.first { $0.transport == self }?.name ?? String(rawValue)
    }
  }
}

/// Port numbers from one to another, both included.
@frozen public struct PortRange: Hashable, Sendable, Comparable {
  /// The first port.
  public let lower: UInt16

  /// The last port.
  public let upper: UInt16

  /// Creates the range from `lower` through `upper`.
  ///
  /// - Requires: `lower` is not above `upper`.
  @inlinable public init(from lower: UInt16, through upper: UInt16) {
    precondition(lower <= upper)
    self.lower = lower
    self.upper = upper
  }

  /// Creates the range of `port` alone.
  @inlinable public init(_ port: UInt16) {
    lower = port
    upper = port
  }

  /// The number of ports.
  @inlinable public var count: Int { Int(upper) - Int(lower) + 1 }

  /// `true` iff there is one port alone.
  @inlinable public var isSingle: Bool { lower == upper }

  /// Returns `true` iff `port` is in the range.
  @inlinable public func contains(_ port: UInt16) -> Bool { lower <= port && port <= upper }

  /// Returns `true` iff every port of `other` is in `self`.
  @inlinable public func contains(_ other: Self) -> Bool { lower <= other.lower && other.upper <= upper }

  /// Returns `true` iff `self` and `other` have a port in common.
  @inlinable public func overlaps(_ other: Self) -> Bool { lower <= other.upper && other.lower <= upper }

  /// Returns `true` iff `a` begins before `b`, or together with it and ends before it.
  @inlinable public static func < (a: Self, b: Self) -> Bool {
    a.lower == b.lower ? a.upper < b.upper : a.lower < b.lower
  }

  /// Every port.
  @inlinable public static var all: Self { Self(from: 0, through: .max) }
}

extension PortRange: CustomStringConvertible {
  /// The range as `80` or `8000-8010`.
  public var description: String { isSingle ? "\(lower)" : "\(lower)-\(upper)" }
}

/// What a listener answers to: ports of one protocol, or one ICMP message.
@frozen public enum Traffic: Hashable, Sendable, Comparable {
  /// The ports of `PortRange` of a protocol that has ports.
  case ports(TransportProtocol, PortRange)

  /// The ICMP (IPv4) message of a type, with any code if none is given.
  case icmp(type: UInt8, code: UInt8?)

  /// The ICMPv6 message of a type, with any code if none is given.
  case icmpv6(type: UInt8, code: UInt8?)

  /// The protocol of the traffic.
  @inlinable public var transport: TransportProtocol {
    switch self {
    case .ports(let p, _): p
    case .icmp: .icmp
    case .icmpv6: .icmpv6
    }
  }

  /// The family that the traffic is confined to, if it is to one.
  @inlinable public var family: AddressFamily? {
    switch self {
    case .ports: nil
    case .icmp: .ipv4
    case .icmpv6: .ipv6
    }
  }

  /// The ports of the traffic, or nothing if it is ICMP.
  @inlinable public var ports: PortRange? {
    if case .ports(_, let r) = self { r } else { nil }
  }

  /// Returns `true` iff every packet of `other` is one of `self`.
  @inlinable public func contains(_ other: Traffic) -> Bool {
    switch (self, other) {
    case (.ports(let p, let r), .ports(let q, let s)): p == q && r.contains(s)
    case (.icmp(let t, let c), .icmp(let u, let d)), (.icmpv6(let t, let c), .icmpv6(let u, let d)):
      t == u && (c == nil || c == d)
    default: false
    }
  }

  /// Returns `true` iff some packet is of both `self` and `other`.
  @inlinable public func overlaps(_ other: Traffic) -> Bool {
    switch (self, other) {
    case (.ports(let p, let r), .ports(let q, let s)): p == q && r.overlaps(s)
    case (.icmp(let t, let c), .icmp(let u, let d)), (.icmpv6(let t, let c), .icmpv6(let u, let d)):
      t == u && (c == nil || d == nil || c == d)
    default: false
    }
  }

  /// Returns what is in both `self` and `other`, if anything.
  @inlinable public func intersection(_ other: Traffic) -> Traffic? {
    guard overlaps(other) else { return nil }
    return switch (self, other) {
    case (.ports(let p, let r), .ports(_, let s)):
      .ports(p, PortRange(from: max(r.lower, s.lower), through: min(r.upper, s.upper)))
    case (.icmp(_, nil), _), (.icmpv6(_, nil), _): other
    default: self
    }
  }

  /// Returns `true` iff `a` stands before `b` in output: by protocol, then by port or type.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }

  /// The place in that order: the protocol, the first port or the type, and the last port or the code.
  @inlinable var rank: UInt64 {
    switch self {
    case .ports(let p, let r): UInt64(p.rawValue) << 32 | UInt64(r.lower) << 16 | UInt64(r.upper)
    case .icmp(let t, let c): UInt64(TransportProtocol.icmp.rawValue) << 32 | Traffic.rank(t, c)
    case .icmpv6(let t, let c): UInt64(TransportProtocol.icmpv6.rawValue) << 32 | Traffic.rank(t, c)
    }
  }

  /// Returns the place of the message `type` among those of its protocol, that with any code first.
  @inlinable static func rank(_ type: UInt8, _ code: UInt8?) -> UInt64 {
    UInt64(type) << 16 | (code.map { UInt64($0) + 1 } ?? 0)
  }
}

extension Traffic: CustomStringConvertible {
  /// The traffic as `443/tcp`, `8000-8010/udp` or `echo-request/icmp`.
  public var description: String {
    switch self {
    case .ports(let p, let r): "\(r)/\(p)"
    case .icmp(let t, let c): ICMPType.text(of: t, code: c, in: ICMPType.ipv4) + "/icmp"
    case .icmpv6(let t, let c): ICMPType.text(of: t, code: c, in: ICMPType.ipv6) + "/icmpv6"
    }
  }
}
