import Packets

/// A text that grows at its end.
struct TextWriter {
  /// The bytes of the text.
  private(set) var bytes: [UInt8] = []

  /// The text.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Makes room for `count` bytes more.
  mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

  /// Appends `string`.
  mutating func write(_ string: String) { bytes.append(contentsOf: string.utf8) }

  /// Appends the decimal digits of `number`.
  mutating func write(_ number: some BinaryInteger) {
    var rest = UInt64(number)
    let start = bytes.count
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    bytes[start...].reverse()
  }

  /// Appends `address`.
  mutating func write(_ address: Address) {
    guard address.family == .ipv4 else { return write(address.description) }
    for shift in [24, 16, 8, 0] as [UInt128] {
      write((address.value >> shift) & 255)
      if shift > 0 { bytes.append(UInt8(ascii: ".")) }
    }
  }

  /// Appends `block` with its length.
  mutating func write(_ block: Prefix) {
    write(block.address)
    bytes.append(UInt8(ascii: "/"))
    write(block.length)
  }

  /// Appends `range` with a colon between its ends.
  mutating func write(_ range: PortRange, separator: String = ":") {
    write(range.lower)
    guard !range.isSingle else { return }
    write(separator)
    write(range.upper)
  }

  /// Appends the hexadecimal digits of `number` behind `0x`.
  mutating func writeHexadecimal(_ number: UInt32) {
    write("0x")
    write(String(number, radix: 16))
  }

  /// Appends `string` between double quotes, as iptables-restore reads it.
  mutating func writeQuoted(_ string: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "'") {
        bytes.append(UInt8(ascii: "\\"))
      }
      bytes.append(byte)
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
