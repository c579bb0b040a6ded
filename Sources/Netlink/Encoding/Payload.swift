import CNetfilter

/// What follows the header of a message that is being built.
@safe struct Payload {
  /// The message.
  let header: UnsafeMutablePointer<nlmsghdr>

  /// The number of bytes so far, with the header.
  var count: Int { unsafe Int(header.pointee.nlmsg_len) }

  /// Appends a text.
  func put(_ type: UInt32, _ text: String) { unsafe mnl_attr_put_strz(header, UInt16(type), text) }

  /// Appends a number of 32 bits in the order of the network.
  func put(_ type: UInt32, _ number: UInt32) { unsafe mnl_attr_put_u32(header, UInt16(type), number.bigEndian) }

  /// Appends a number of 64 bits in the order of the network.
  func put(_ type: UInt32, long number: UInt64) { unsafe mnl_attr_put_u64(header, UInt16(type), number.bigEndian) }

  /// Appends a number of 16 bits in the order of the network.
  func put(_ type: UInt32, short number: UInt16) { unsafe mnl_attr_put_u16(header, UInt16(type), number.bigEndian) }

  /// Appends a number of 8 bits.
  func put(_ type: UInt32, byte number: UInt8) { unsafe mnl_attr_put_u8(header, UInt16(type), number) }

  /// Appends bytes.
  func put(_ type: UInt32, _ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe mnl_attr_put(header, UInt16(type), $0.count, $0.baseAddress) }
  }

  /// Appends an attribute that holds what `body` appends.
  func nest(_ type: UInt32, _ body: () -> Void) {
    let nest = unsafe mnl_attr_nest_start(header, UInt16(type))
    body()
    if let nest = unsafe nest { unsafe mnl_attr_nest_end(header, nest) }
  }
}
