/// A place in bytes that the kernel sent; nothing is read beyond its end.
typealias Extent = Range<Int>

/// A netlink message inside a datagram.
struct Message {
  /// The datagram.
  let bytes: [UInt8]

  /// The type.
  let type: UInt16

  /// The flags.
  let flags: UInt16

  /// The number that the request had.
  let sequence: UInt32

  /// What follows the header.
  let body: Extent

  /// The number of bytes of a header.
  static let headerSize = 16

  /// Returns the messages of `datagram`.
  static func all(in datagram: [UInt8]) throws(NetlinkError) -> [Message] {
    var messages: [Message] = []
    var at = 0
    while at + headerSize <= datagram.count {
      let length = Int(datagram.host32(at))
      guard length >= headerSize, at + length <= datagram.count else {
        throw .malformed("a message of \(length) bytes")
      }
      messages.append(
        Message(
          bytes: datagram, type: datagram.host16(at + 4), flags: datagram.host16(at + 6),
          sequence: datagram.host32(at + 8), body: at + headerSize..<at + length))
      at += (length + 3) & ~3
    }
    return messages
  }

  /// Returns the attributes that follow `size` bytes of a header of the subsystem.
  func attributes(after size: Int) throws(NetlinkError) -> Attributes {
    guard body.count >= size else { throw .malformed("a message without its header") }
    return Attributes(bytes, body.lowerBound + size..<body.upperBound)
  }
}

/// An attribute: a type, and bytes that may hold attributes again.
struct Attribute {
  /// The type, without the bits that say that it is nested or in network order.
  let type: Int

  /// The bytes.
  let extent: Extent
}

/// Attributes behind one another (RFC 3549 section 2.3.3 and `linux/netlink.h`).
struct Attributes {
  /// The datagram.
  let bytes: [UInt8]

  /// Where the next one begins.
  private var at: Int

  /// Where the last one ends.
  private let end: Int

  /// Creates the attributes in `extent` of `bytes`.
  init(_ bytes: [UInt8], _ extent: Extent) {
    self.bytes = bytes
    at = extent.lowerBound
    end = extent.upperBound
  }

  /// Returns the next attribute, or nothing if there is none.
  mutating func next() throws(NetlinkError) -> Attribute? {
    guard at + 4 <= end else { return nil }
    let length = Int(bytes.host16(at))
    guard length >= 4, at + length <= end else { throw .malformed("an attribute of \(length) bytes") }
    let attribute = Attribute(type: Int(bytes.host16(at + 2) & 0x3fff), extent: at + 4..<at + length)
    at += (length + 3) & ~3
    return attribute
  }

  /// Returns the attributes by their types, the last one of each type; those of 64 and above are left out.
  consuming func table() throws(NetlinkError) -> AttributeTable {
    var table = AttributeTable(bytes: bytes)
    while let attribute = try next() {
      if attribute.type < 64 { table.set(attribute.type, attribute.extent) }
    }
    return table
  }
}

/// Attributes by their types.
struct AttributeTable {
  /// The datagram.
  let bytes: [UInt8]

  /// Where each is.
  private var extents: [Extent?] = []

  /// Creates an empty table.
  init(bytes: [UInt8]) { self.bytes = bytes }

  /// Notes that the attribute `type` is at `extent`.
  mutating func set(_ type: Int, _ extent: Extent) {
    while extents.count <= type { extents.append(nil) }
    extents[type] = extent
  }

  /// Where the attribute `type` is.
  subscript(_ type: Int) -> Extent? { type < extents.count ? extents[type] : nil }

  /// The types that are there.
  var types: [Int] { extents.indices.filter { extents[$0] != nil } }

  /// Returns the number in network order that the attribute `type` is, if it has 32 bits.
  func number(_ type: Int) -> UInt32? {
    guard let extent = self[type], extent.count == 4 else { return nil }
    return UInt32(bytes.network(extent))
  }

  /// Returns the number in network order that the attribute `type` is, if it has up to 64 bits.
  func long(_ type: Int) -> UInt64? {
    guard let extent = self[type], extent.count <= 8 else { return nil }
    return bytes.network(extent)
  }

  /// Returns the text that the attribute `type` is.
  func text(_ type: Int) -> String? { self[type].map { bytes.text($0) } }

  /// Returns the attributes that are in the attribute `type`.
  func nested(_ type: Int) throws(NetlinkError) -> AttributeTable? {
    guard let extent = self[type] else { return nil }
    return try Attributes(bytes, extent).table()
  }
}

extension Span<UInt8> {
  /// Returns the attribute at `at`, which ends before `end`, and goes behind it; nothing if there is none.
  func attribute(_ at: inout Int, before end: Int) throws(NetlinkError) -> Attribute? {
    guard at + 4 <= end else { return nil }
    let length = Int(host16(at))
    guard length >= 4, at + length <= end else { throw .malformed("an attribute of \(length) bytes") }
    let attribute = Attribute(type: Int(host16(at + 2) & 0x3fff), extent: at + 4..<at + length)
    at += (length + 3) & ~3
    return attribute
  }

  /// Returns where the first attribute `type` in `extent` is, if there is one.
  func find(_ type: Int, in extent: Extent) throws(NetlinkError) -> Extent? {
    var at = extent.lowerBound
    while let attribute = try attribute(&at, before: extent.upperBound) {
      if attribute.type == type { return attribute.extent }
    }
    return nil
  }

  /// Returns the number of 16 bits at `at`, in the order of this machine.
  func host16(_ at: Int) -> UInt16 {
    let number = UInt16(self[at]) | UInt16(self[at + 1]) << 8
    return number.littleEndian == number ? number : number.byteSwapped
  }

  /// Returns the number of 32 bits at `at`, in the order of this machine.
  func host32(_ at: Int) -> UInt32 {
    let number =
      UInt32(self[at]) | UInt32(self[at + 1]) << 8 | UInt32(self[at + 2]) << 16 | UInt32(self[at + 3]) << 24
    return number.littleEndian == number ? number : number.byteSwapped
  }

  /// Returns the number in network order that the last eight bytes of `extent` are.
  func network(_ extent: Extent) -> UInt64 {
    var number: UInt64 = 0
    for i in extent { number = number << 8 | UInt64(self[i]) }
    return number
  }

  /// Returns the number in network order that the last sixteen bytes of `extent` are.
  func wide(_ extent: Extent) -> UInt128 {
    guard extent.count > 8 else { return UInt128(network(extent)) }
    let middle = extent.upperBound - 8
    return UInt128(network(Swift.max(extent.lowerBound, middle - 8)..<middle)) << 64
      | UInt128(network(middle..<extent.upperBound))
  }

  /// Returns `true` iff the bytes in `extent` are `text`, up to the first zero.
  func spells(_ text: String, at extent: Extent) -> Bool {
    var at = extent.lowerBound
    for byte in text.utf8 {
      guard at < extent.upperBound, self[at] == byte else { return false }
      at += 1
    }
    return at == extent.upperBound || self[at] == 0
  }

  /// Returns `true` iff the bytes in `extent` are `others`.
  func equals(_ others: [UInt8], at extent: Extent) -> Bool {
    guard others.count == extent.count else { return false }
    for i in others.indices where self[extent.lowerBound + i] != others[i] { return false }
    return true
  }

  /// Returns the bytes in `extent`.
  func copy(_ extent: Extent) -> [UInt8] {
    var copy: [UInt8] = []
    copy.reserveCapacity(extent.count)
    for i in extent { copy.append(self[i]) }
    return copy
  }
}

extension [UInt8] {
  /// Returns the number of 16 bits at `at`, in the order of this machine.
  func host16(_ at: Int) -> UInt16 { span.host16(at) }

  /// Returns the number of 32 bits at `at`, in the order of this machine.
  func host32(_ at: Int) -> UInt32 { span.host32(at) }

  /// Returns the number in network order that the last eight bytes of `extent` are.
  func network(_ extent: Extent) -> UInt64 { span.network(extent) }

  /// Returns the number in network order that the last sixteen bytes of `extent` are.
  func wide(_ extent: Extent) -> UInt128 { span.wide(extent) }

  /// Returns the text in `extent`, up to its first zero; what is no UTF-8 is replaced.
  func text(_ extent: Extent) -> String {
    var end = extent.lowerBound
    while end < extent.upperBound, self[end] != 0 { end += 1 }
    return String(decoding: self[extent.lowerBound..<end], as: UTF8.self)
  }
}
