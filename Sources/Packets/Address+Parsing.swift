extension Address {
  /// Creates the address written as `text`, or nothing if it is none.
  ///
  /// IPv4 is four decimal octets without leading zeros, which some programs would read as octal. IPv6 is as
  /// RFC 4291 section 2.2 has it, without a scope.
  public init?(_ text: some StringProtocol) {
    self.init(utf8: Array(text.utf8)[...])
  }

  /// Creates the address written as the ASCII text `utf8`, or nothing if it is none.
  public init?(utf8: ArraySlice<UInt8>) {
    guard utf8.count <= 45 else { return nil }
    let parsed =
      utf8.contains(UInt8(ascii: ":"))
      ? Address.ipv6Value(of: utf8).map { Address(.ipv6, $0) }
      : Address.ipv4Value(of: utf8).map { Address(.ipv4, UInt128($0)) }
    guard let parsed else { return nil }
    self = parsed
  }

  /// Returns the value of the dotted quad `text`, or nothing if it is none.
  private static func ipv4Value(of text: ArraySlice<UInt8>) -> UInt32? {
    var value: UInt32 = 0
    var octet: UInt32 = 0
    var digits = 0
    var dots = 0
    for byte in text {
      if byte == UInt8(ascii: ".") {
        guard digits > 0, dots < 3 else { return nil }
        value = value << 8 | octet
        dots += 1
        (octet, digits) = (0, 0)
      } else {
        let digit = UInt32(byte &- UInt8(ascii: "0"))
        // A digit may not follow a leading zero.
        guard digit <= 9, digits == 0 || octet > 0 else { return nil }
        octet = octet * 10 + digit
        digits += 1
        guard octet <= 255 else { return nil }
      }
    }
    return digits > 0 && dots == 3 ? value << 8 | octet : nil
  }

  /// Returns the value of the IPv6 address `text`, or nothing if it is none.
  private static func ipv6Value(of text: ArraySlice<UInt8>) -> UInt128? {
    let colon = UInt8(ascii: ":")
    var value: UInt128 = 0
    var groups = 0
    /// The number of groups before `::`, if there is one.
    var head: Int?
    var i = text.startIndex
    if text.starts(with: [colon, colon]) {
      head = 0
      i += 2
    }
    while i < text.endIndex {
      let start = i
      var group: UInt128 = 0
      while i < text.endIndex, let digit = hexadecimalDigit(text[i]) {
        guard i - start < 4 else { return nil }
        group = group << 4 | UInt128(digit)
        i += 1
      }
      if i < text.endIndex, text[i] == UInt8(ascii: ".") {
        // A dotted quad may be the last two groups.
        guard let quad = ipv4Value(of: text[start...]) else { return nil }
        value = value << 32 | UInt128(quad)
        groups += 2
        break
      }
      guard i > start, groups < 8 else { return nil }
      value = value << 16 | group
      groups += 1
      if i == text.endIndex { break }
      guard text[i] == colon, i + 1 < text.endIndex else { return nil }
      i += 1
      if text[i] == colon {
        guard head == nil else { return nil }
        head = groups
        i += 1
      }
    }
    guard let head else { return groups == 8 ? value : nil }
    guard groups <= 7 else { return nil }
    let tailBits = UInt128(16 * (groups - head))
    let tail = value & ((1 << tailBits) - 1)
    return head == 0 ? tail : (value >> tailBits) << UInt128(128 - 16 * head) | tail
  }

  /// Returns the value of the hexadecimal digit `byte`, or nothing if it is none.
  private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

/// Returns the value of the decimal `digits` if there are some, none leads with a needless zero, and it is not
/// above `limit`.
func decimal(_ digits: ArraySlice<UInt8>, atMost limit: Int) -> Int? {
  guard let first = digits.first, digits.count <= 9, digits.count == 1 || first != UInt8(ascii: "0") else { return nil }
  var value = 0
  for d in digits {
    guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(d) else { return nil }
    value = value * 10 + Int(d - UInt8(ascii: "0"))
  }
  return value <= limit ? value : nil
}
