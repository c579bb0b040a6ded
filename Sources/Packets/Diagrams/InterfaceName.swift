/// Names of interfaces as values of a field: their octets, the first highest, with zeros behind.
///
/// So a set of names with one beginning, as `eth+` in iptables and `eth*` in nftables, is one interval.
public enum InterfaceName {
  /// The most octets that the kernel lets a name have (IFNAMSIZ, linux/if.h, without the zero).
  public static let longest = 15

  /// Returns the value of `name`, of which the first 16 octets count; that of no name is 0.
  public static func value(of name: String) -> UInt128 {
    var value: UInt128 = 0
    var count = 0
    for octet in name.utf8.prefix(16) {
      value = value << 8 | UInt128(octet)
      count += 1
    }
    return value << UInt128(8 * (16 - count))
  }

  /// Returns the values of all names that begin with `beginning`.
  public static func values(beginningWith beginning: String) -> ClosedRange<UInt128> {
    let count = min(beginning.utf8.count, 16)
    let lower = value(of: beginning)
    guard count < 16 else { return lower...lower }
    return lower...(lower | (UInt128.max >> UInt128(8 * count)))
  }

  /// Returns the name that has `value`, or nothing if no name does.
  public static func name(of value: UInt128) -> String? {
    var octets: [UInt8] = []
    for position in 0..<16 {
      let octet = UInt8(truncatingIfNeeded: value >> UInt128(8 * (15 - position)))
      if octet == 0 {
        guard value << UInt128(8 * position) == 0 else { return nil }
        break
      }
      guard octet > 0x20, octet < 0x7f, octet != UInt8(ascii: "/") else { return nil }
      octets.append(octet)
    }
    return octets.isEmpty || octets.count > longest ? nil : String(decoding: octets, as: UTF8.self)
  }
}
