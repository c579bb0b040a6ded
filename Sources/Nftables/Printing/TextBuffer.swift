import Packets

/// Text that grows at its end, as bytes.
struct TextBuffer {
  /// The text.
  private(set) var bytes: [UInt8] = []

  /// The text as a string.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Makes room for `count` bytes.
  mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

  /// Appends `text`.
  mutating func write(_ text: String) {
    let utf8 = text.utf8.span
    bytes.append(addingCapacity: utf8.count) { output in
      for i in utf8.indices { output.append(utf8[i]) }
    }
  }

  /// Appends `text`.
  mutating func write(_ text: [UInt8]) { bytes.append(contentsOf: text) }

  /// Appends the character `byte`.
  mutating func write(byte: UInt8) { bytes.append(byte) }

  /// Appends `number`, which is not negative, in decimal digits.
  mutating func write(_ number: Int) {
    bytes.append(addingCapacity: 20) { TextBuffer.append(number, to: &$0) }
  }

  /// Appends the decimal digits of `number`, which is not negative, to `output`.
  private static func append(_ number: Int, to output: inout OutputSpan<UInt8>) {
    if number >= 10 { append(number / 10, to: &output) }
    output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
  }

  /// Appends `number` in hexadecimal digits.
  private mutating func write(hex number: UInt16) {
    if number >= 16 { write(hex: number / 16) }
    let digit = UInt8(truncatingIfNeeded: number % 16)
    bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
  }

  /// Appends `address`.
  mutating func write(_ address: Address) {
    switch address.family {
    case .ipv4:
      let value = Int(truncatingIfNeeded: address.value)
      bytes.append(addingCapacity: 15) { output in
        TextBuffer.append(value >> 24, to: &output)
        for shift in 1...3 {
          output.append(UInt8(ascii: "."))
          TextBuffer.append(value >> (24 - 8 * shift) & 255, to: &output)
        }
      }
    case .ipv6: write(ipv6: address.value)
    }
  }

  /// Appends the IPv6 address `value` with its longest run of zero groups left out (RFC 5952 section 4.2).
  private mutating func write(ipv6 value: UInt128) {
    let high = UInt64(truncatingIfNeeded: value >> 64)
    let low = UInt64(truncatingIfNeeded: value)
    func group(_ i: Int) -> UInt16 {
      UInt16(truncatingIfNeeded: i < 4 ? high >> UInt64(48 - 16 * i) : low >> UInt64(112 - 16 * i))
    }
    var best = (start: 8, count: 1)
    var run = 0
    for i in 0..<8 {
      run = group(i) == 0 ? run + 1 : 0
      if run > best.count { best = (i - run + 1, run) }
    }
    var i = 0
    while i < 8 {
      if i == best.start {
        write("::")
        i += best.count
        continue
      }
      if i > 0, i != best.start + best.count { write(byte: UInt8(ascii: ":")) }
      write(hex: group(i))
      i += 1
    }
  }
}
