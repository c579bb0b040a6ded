/// A set of IPv4 and IPv6 addresses.
@frozen public struct AddressSet: Hashable, Sendable {
  /// The IPv4 addresses of the set.
  public var ipv4: IntervalSet<UInt32>

  /// The IPv6 addresses of the set.
  public var ipv6: IntervalSet<UInt128>

  /// Creates the set of `ipv4` and `ipv6`.
  @inlinable public init(ipv4: IntervalSet<UInt32>, ipv6: IntervalSet<UInt128>) {
    self.ipv4 = ipv4
    self.ipv6 = ipv6
  }

  /// Creates the empty set.
  @inlinable public init() { self.init(ipv4: .init(), ipv6: .init()) }

  /// Creates the set of the addresses of `range`.
  @inlinable public init(_ range: AddressRange) {
    switch range.family {
    case .ipv4:
      self.init(ipv4: IntervalSet(UInt32(range.lower.value)...UInt32(range.upper.value)), ipv6: IntervalSet())
    case .ipv6: self.init(ipv4: IntervalSet(), ipv6: IntervalSet(range.lower.value...range.upper.value))
    }
  }

  /// Creates the union of `ranges`.
  @inlinable public init(_ ranges: some Sequence<AddressRange>) {
    var four: [ClosedRange<UInt32>] = []
    var six: [ClosedRange<UInt128>] = []
    for r in ranges {
      switch r.family {
      case .ipv4:
        if four.isEmpty { four.reserveCapacity(ranges.underestimatedCount) }
        four.append(UInt32(r.lower.value)...UInt32(r.upper.value))
      case .ipv6:
        if six.isEmpty { six.reserveCapacity(ranges.underestimatedCount) }
        six.append(r.lower.value...r.upper.value)
      }
    }
    self.init(ipv4: IntervalSet(four), ipv6: IntervalSet(six))
  }

  /// Creates the union of `prefixes`.
  public init(_ prefixes: some Sequence<Prefix>) { self.init(prefixes.map(\.range)) }

  /// Creates the set of `addresses`.
  public init(_ addresses: some Sequence<Address>) { self.init(addresses.map { AddressRange($0) }) }

  /// Creates the union of `sets`, in time that grows with the number of their ranges.
  public init(unionOf sets: some Sequence<AddressSet>) {
    var four: [ClosedRange<UInt32>] = []
    var six: [ClosedRange<UInt128>] = []
    for set in sets {
      four += set.ipv4.intervals
      six += set.ipv6.intervals
    }
    self.init(ipv4: IntervalSet(four), ipv6: IntervalSet(six))
  }

  /// Every address of both families.
  @inlinable public static var all: Self { Self(ipv4: .all, ipv6: .all) }

  /// Returns every address of `family`.
  @inlinable public static func all(_ family: AddressFamily) -> Self {
    family == .ipv4 ? Self(ipv4: .all, ipv6: .init()) : Self(ipv4: .init(), ipv6: .all)
  }

  /// `true` iff the set has no address.
  @inlinable public var isEmpty: Bool { ipv4.isEmpty && ipv6.isEmpty }

  /// `true` iff the set has every address of both families.
  @inlinable public var isAll: Bool { ipv4.isAll && ipv6.isAll }

  /// Returns `true` iff the set has no address of `family`.
  @inlinable public func isEmpty(_ family: AddressFamily) -> Bool { family == .ipv4 ? ipv4.isEmpty : ipv6.isEmpty }

  /// Returns `true` iff `address` is in the set.
  @inlinable public func contains(_ address: Address) -> Bool {
    address.family == .ipv4 ? ipv4.contains(UInt32(address.value)) : ipv6.contains(address.value)
  }

  /// Returns what is in `self`, in `other`, or in both.
  @inlinable public func union(_ other: Self) -> Self {
    Self(ipv4: ipv4.union(other.ipv4), ipv6: ipv6.union(other.ipv6))
  }

  /// Returns what is in both `self` and `other`.
  @inlinable public func intersection(_ other: Self) -> Self {
    Self(ipv4: ipv4.intersection(other.ipv4), ipv6: ipv6.intersection(other.ipv6))
  }

  /// Returns what is in `self` and not in `other`.
  @inlinable public func subtracting(_ other: Self) -> Self {
    Self(ipv4: ipv4.subtracting(other.ipv4), ipv6: ipv6.subtracting(other.ipv6))
  }

  /// Returns `true` iff `self` and `other` have an address in common.
  @inlinable public func intersects(_ other: Self) -> Bool {
    ipv4.intersects(other.ipv4) || ipv6.intersects(other.ipv6)
  }

  /// Returns `true` iff an address of `range` is in the set.
  @inlinable public func intersects(_ range: AddressRange) -> Bool {
    switch range.family {
    case .ipv4: ipv4.intersects(UInt32(range.lower.value)...UInt32(range.upper.value))
    case .ipv6: ipv6.intersects(range.lower.value...range.upper.value)
    }
  }

  /// Returns `true` iff every address of `self` is in `other`.
  @inlinable public func isSubset(of other: Self) -> Bool {
    ipv4.isSubset(of: other.ipv4) && ipv6.isSubset(of: other.ipv6)
  }

  /// The addresses of one family of the set as the fewest ranges, in order.
  public func ranges(_ family: AddressFamily) -> [AddressRange] {
    switch family {
    case .ipv4:
      ipv4.intervals.map {
        AddressRange(
          from: Address(.ipv4, UInt128($0.lowerBound)), through: Address(.ipv4, UInt128($0.upperBound)))
      }
    case .ipv6:
      ipv6.intervals.map {
        AddressRange(from: Address(.ipv6, $0.lowerBound), through: Address(.ipv6, $0.upperBound))
      }
    }
  }

  /// The set as the fewest ranges, IPv4 first.
  public var ranges: [AddressRange] { ranges(.ipv4) + ranges(.ipv6) }

  /// The addresses of one family of the set as the fewest blocks, in order.
  public func prefixes(_ family: AddressFamily) -> [Prefix] { ranges(family).flatMap(\.prefixes) }

  /// The addresses of the host itself: 127.0.0.0/8 (RFC 1122) and ::1 (RFC 4291).
  public static let loopback = AddressSet([
    Prefix(containing: Address(.ipv4, 0x7f00_0000), length: 8), Prefix(containing: Address(.ipv6, 1), length: 128),
  ])

  /// The addresses that several hosts listen to: 224.0.0.0/4 (RFC 5771), the limited broadcast (RFC 919) and ff00::/8
  /// (RFC 4291).
  public static let multicast = AddressSet([
    Prefix(containing: Address(.ipv4, 0xe000_0000), length: 4),
    Prefix(containing: Address(.ipv4, 0xffff_ffff), length: 32),
    Prefix(containing: Address(.ipv6, UInt128(0xff) << 120), length: 8),
  ])

  /// Addresses that several hosts listen to: multicast, and everybody on a link (RFC 919).
  public static let shared = AddressSet.multicast.union(AddressSet([Address(.ipv4, 0xffff_ffff)]))

  /// The addresses that are valid on one link alone: fe80::/10 (RFC 4291).
  public static let linkLocalIPv6 = AddressSet([
    Prefix(containing: Address(.ipv6, UInt128(0xfe80) << 112), length: 10)
  ])

  /// Sources that no router of the public Internet carries: RFC 1918, RFC 6598 and RFC 4193.
  public static let privateNetworks = AddressSet([
    Prefix(containing: Address(.ipv4, 0x0a00_0000), length: 8),
    Prefix(containing: Address(.ipv4, 0xac10_0000), length: 12),
    Prefix(containing: Address(.ipv4, 0xc0a8_0000), length: 16),
    Prefix(containing: Address(.ipv4, 0x6440_0000), length: 10),
    Prefix(containing: Address(.ipv6, UInt128(0xfc) << 120), length: 7),
  ])
}

extension AddressSet: CustomStringConvertible {
  /// The ranges of the set, separated by commas.
  public var description: String { ranges.map(\.description).joined(separator: ", ") }
}
