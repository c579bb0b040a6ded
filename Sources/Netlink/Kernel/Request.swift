/// A message that asks the kernel for something.
struct Request {
  /// The message, whose length is filled in by `datagram`.
  private var bytes: [UInt8] = []

  /// The number that the answers will have.
  let sequence: UInt32

  /// Creates a request of `type` with `flags` and the `header` of its subsystem.
  init(_ type: UInt16, flags: UInt16, sequence: UInt32, header: [UInt8]) {
    self.sequence = sequence
    bytes.append(host: 0)
    bytes.append(host16: type)
    bytes.append(host16: flags | 1)
    bytes.append(host: sequence)
    bytes.append(host: 0)
    bytes += header
  }

  /// Appends an attribute.
  mutating func put(_ type: UInt32, _ value: [UInt8]) {
    bytes.append(host16: UInt16(value.count + 4))
    bytes.append(host16: UInt16(type))
    bytes += value
    while bytes.count & 3 != 0 { bytes.append(0) }
  }

  /// Appends an attribute that is a text.
  mutating func put(_ type: UInt32, _ text: String) { put(type, Array(text.utf8) + [0]) }

  /// Appends an attribute that holds the attributes that `body` appends.
  mutating func nest(_ type: UInt32, _ body: (inout Request) -> Void) {
    let start = bytes.count
    bytes.append(host16: 0)
    bytes.append(host16: UInt16(type) | 0x8000)
    body(&self)
    var length: [UInt8] = []
    length.append(host16: UInt16(bytes.count - start))
    bytes.replaceSubrange(start..<start + 2, with: length)
  }

  /// The datagram.
  var datagram: [UInt8] {
    var length: [UInt8] = []
    length.append(host: UInt32(bytes.count))
    return length + bytes[4...]
  }
}

extension [UInt8] {
  /// Appends `number` in the order of this machine.
  mutating func append(host16 number: UInt16) {
    let bytes = number.littleEndian == number ? number : number.byteSwapped
    append(UInt8(truncatingIfNeeded: bytes))
    append(UInt8(truncatingIfNeeded: bytes >> 8))
  }
}
