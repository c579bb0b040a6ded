import Glibc

/// An Internet address with a port, as sockets take and give them.
struct Endpoint: Equatable {
  /// The 4 or 16 octets of the address, in the order of the wire.
  var address: [UInt8]

  /// The port, in the order of the host; 0 for raw sockets.
  var port: UInt16

  /// The interface that a link-local or multicast IPv6 address is meant on, or 0.
  var scope: UInt32 = 0

  /// `AF_INET` or `AF_INET6`.
  var family: Int32 { address.count == 4 ? AF_INET : AF_INET6 }

  /// Creates the endpoint of the octets `address`.
  init(address: [UInt8], port: UInt16, scope: UInt32 = 0) {
    self.address = address
    self.port = port
    self.scope = scope
  }

  /// Creates the endpoint of the address written as `text`, or nothing if it is none.
  init?(_ text: some StringProtocol, port: UInt16, scope: UInt32 = 0) {
    let family = text.contains(":") ? AF_INET6 : AF_INET
    var octets = [UInt8](repeating: 0, count: family == AF_INET ? 4 : 16)
    let understood = unsafe octets.withUnsafeMutableBytes { buffer in
      unsafe inet_pton(family, String(text), buffer.baseAddress)
    }
    guard understood == 1 else { return nil }
    self.init(address: octets, port: port, scope: scope)
  }

  /// Creates the endpoint in the bytes of a `struct sockaddr_in` or `sockaddr_in6`.
  init?(socketAddress bytes: ArraySlice<UInt8>) {
    let bytes = Array(bytes)
    guard bytes.count >= 16 else { return nil }
    let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
    switch Int32(bytes[0]) {
    case AF_INET: self.init(address: Array(bytes[4..<8]), port: port)
    case AF_INET6 where bytes.count >= 28: self.init(address: Array(bytes[8..<24]), port: port)
    default: return nil
    }
  }

  /// The bytes of the `struct sockaddr_in` or `sockaddr_in6` for this endpoint.
  var socketAddress: [UInt8] {
    let start = [UInt8(family), 0, UInt8(port >> 8), UInt8(port & 255)]
    if family == AF_INET {
      return start + address + [UInt8](repeating: 0, count: 8)
    }
    let scopeBytes = (0..<4).map { UInt8(truncatingIfNeeded: scope >> (8 * $0)) }
    return start + [0, 0, 0, 0] + address + scopeBytes
  }

  /// The address as text.
  var text: String {
    var buffer = [CChar](repeating: 0, count: 46)
    unsafe address.withUnsafeBytes { octets in
      _ = unsafe inet_ntop(family, octets.baseAddress, &buffer, 46)
    }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// `true` iff the address is a multicast group.
  var isMulticast: Bool { family == AF_INET ? address[0] & 0xf0 == 0xe0 : address[0] == 0xff }
}
