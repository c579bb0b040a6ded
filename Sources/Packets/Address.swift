/// A family of Internet addresses.
@frozen public enum AddressFamily: UInt8, Hashable, Sendable, CaseIterable, Comparable {
  /// Internet Protocol version 4 (RFC 791).
  case ipv4 = 4

  /// Internet Protocol version 6 (RFC 8200).
  case ipv6 = 6

  /// The number of bits in an address of this family.
  @inlinable public var width: Int { self == .ipv4 ? 32 : 128 }

  /// The value of the highest address of this family.
  @inlinable public var highest: UInt128 { self == .ipv4 ? UInt128(UInt32.max) : .max }

  /// Returns `true` iff `a` is the older family.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// An IPv4 or IPv6 address.
///
/// - Invariant: an IPv4 address occupies the low 32 bits of `value` alone.
@frozen public struct Address: Hashable, Sendable, Comparable {
  /// The two halves of `value`, which would align every list and union that holds an address to sixteen bytes.
  @usableFromInline let high, low: UInt64

  /// The family of the address.
  public let family: AddressFamily

  /// The bits of the address, the first octet on the wire highest.
  @inlinable public var value: UInt128 { UInt128(high) << 64 | UInt128(low) }

  /// Creates the address of `family` with the bits of `value`.
  ///
  /// - Requires: `value` fits the width of `family`.
  @inlinable public init(_ family: AddressFamily, _ value: UInt128) {
    precondition(value <= family.highest)
    self.family = family
    high = UInt64(truncatingIfNeeded: value >> 64)
    low = UInt64(truncatingIfNeeded: value)
  }

  /// Returns `true` iff `a` comes before `b`: IPv4 first, then by value.
  @inlinable public static func < (a: Self, b: Self) -> Bool {
    a.family == b.family ? a.value < b.value : a.family < b.family
  }
}

extension Address: CustomStringConvertible {
  /// The address as RFC 5952 writes it (IPv6) or in dotted quads (IPv4).
  public var description: String {
    switch family {
    case .ipv4:
      let v = UInt32(truncatingIfNeeded: value)
      return "\(v >> 24).\((v >> 16) & 255).\((v >> 8) & 255).\(v & 255)"
    case .ipv6:
      return ipv6Text
    }
  }

  /// The canonical text of an IPv6 address (RFC 5952 section 4).
  private var ipv6Text: String {
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: value >> (112 - 16 * $0)) }
    if value >> 32 == 0xffff {
      return "::ffff:" + Address(.ipv4, value & 0xffff_ffff).description
    }
    let zeros = longestZeroRun(in: groups)
    guard zeros.count > 1 else {
      return groups.map { String($0, radix: 16) }.joined(separator: ":")
    }
    let head = groups[..<zeros.lowerBound].map { String($0, radix: 16) }.joined(separator: ":")
    let tail = groups[zeros.upperBound...].map { String($0, radix: 16) }.joined(separator: ":")
    return head + "::" + tail
  }

  /// Returns the first of the longest runs of zeros in `groups`.
  private func longestZeroRun(in groups: [UInt16]) -> Range<Int> {
    var best = 0..<0
    var start = 0
    while start < groups.count {
      guard groups[start] == 0 else {
        start += 1
        continue
      }
      let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
      if end - start > best.count { best = start..<end }
      start = end
    }
    return best
  }
}
