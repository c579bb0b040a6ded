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
    guard let gap = firstDoubleColon(in: text) else {
      guard let groups = ipv6Groups(text), groups.count == 8 else { return nil }
      return groups.reduce(0) { $0 << 16 | UInt128($1) }
    }
    let tailText = text[(gap + 2)...]
    guard tailText.first != colon,
      let head = ipv6Groups(text[..<gap], last: false), let tail = ipv6Groups(tailText),
      head.count + tail.count <= 7
    else { return nil }
    let high = head.reduce(UInt128(0)) { $0 << 16 | UInt128($1) } << (128 - 16 * UInt128(head.count))
    return (head.isEmpty ? 0 : high) | tail.reduce(UInt128(0)) { $0 << 16 | UInt128($1) }
  }

  /// Returns where the first `::` in `text` begins, if there is one.
  private static func firstDoubleColon(in text: ArraySlice<UInt8>) -> Int? {
    let colon = UInt8(ascii: ":")
    return text.indices.dropLast().first { text[$0] == colon && text[$0 + 1] == colon }
  }

  /// Returns the groups of 16 bits in `text`; a dotted quad may be the last two iff `last`.
  private static func ipv6Groups(_ text: ArraySlice<UInt8>, last: Bool = true) -> [UInt16]? {
    if text.isEmpty { return [] }
    var groups: [UInt16] = []
    groups.reserveCapacity(8)
    var start = text.startIndex
    while true {
      let end = text[start...].firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
      let part = text[start..<end]
      if last, end == text.endIndex, part.contains(UInt8(ascii: ".")) {
        guard let quad = ipv4Value(of: part) else { return nil }
        groups += [UInt16(quad >> 16), UInt16(quad & 0xffff)]
      } else {
        guard let group = hexadecimal(part) else { return nil }
        groups.append(group)
      }
      if groups.count > 8 { return nil }
      if end == text.endIndex { return groups }
      start = end + 1
    }
  }

  /// Returns the value of one to four hexadecimal digits.
  private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt16? {
    guard (1...4).contains(digits.count) else { return nil }
    var value: UInt16 = 0
    for d in digits {
      switch d {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt16(d - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt16(d - UInt8(ascii: "a") + 10)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt16(d - UInt8(ascii: "A") + 10)
      default: return nil
      }
    }
    return value
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
