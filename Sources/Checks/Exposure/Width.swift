import Packets

/// How many addresses are too many for what deserves protection.
enum Width {
  /// Addresses that routers of the public Internet carry.
  static let publicNetworks = AddressSet.all.subtracting(
    .privateNetworks.union(.loopback).union(.multicast).union(.linkLocalIPv6))

  /// Addresses that no packet comes from but in error: 0.0.0.0/8 (RFC 1122) and `::`.
  static let thisNetwork = AddressSet([
    Prefix(containing: Address(.ipv4, 0), length: 8), Prefix(containing: Address(.ipv6, 0), length: 128),
  ])

  /// Returns `true` iff `audience` has so many public addresses that it is as good as the Internet: more than a
  /// 256th of all IPv4 addresses, or IPv6 blocks that hold more than a /16.
  static func isInternet(_ audience: AddressSet) -> Bool {
    if audience.isAll { return true }
    // Most are small.
    guard exceeds(audience, ipv4Bits: 24, ipv6Bits: 112) else { return false }
    return exceeds(audience.intersection(publicNetworks), ipv4Bits: 24, ipv6Bits: 112)
  }

  /// Returns `true` iff `audience` is wider than an organisation's own networks should be for what is sensitive:
  /// more public addresses than a /16 or an IPv6 /32, or more addresses in all than a /12 or an IPv6 /32.
  static func isWide(_ audience: AddressSet) -> Bool {
    // Most are small.
    guard exceeds(audience, ipv4Bits: 16, ipv6Bits: 96) else { return false }
    return exceeds(audience, ipv4Bits: 20, ipv6Bits: 96)
      || exceeds(audience.intersection(publicNetworks), ipv4Bits: 16, ipv6Bits: 96)
  }

  /// Returns `true` iff `set` has more than two to the power of the given number of bits of a family's addresses.
  private static func exceeds(_ set: AddressSet, ipv4Bits: UInt64, ipv6Bits: UInt128) -> Bool {
    var four: UInt64 = 0
    for interval in set.ipv4.intervals { four += UInt64(interval.upperBound - interval.lowerBound) + 1 }
    if four > 1 << ipv4Bits { return true }
    var six: UInt128 = 0
    for interval in set.ipv6.intervals {
      let (sum, overflow) = six.addingReportingOverflow(interval.upperBound - interval.lowerBound)
      if overflow { return true }
      six = sum
    }
    return six >= 1 << ipv6Bits
  }
}
