import Glibc

/// Bytes of packets that no ordinary socket sends, and what arrived ones say.
enum Wire {
  /// Returns `value` in the order of the wire.
  static func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }

  /// Returns the number of the two octets at `i` of `bytes`, or 0 beyond its end.
  static func word(_ bytes: [UInt8], _ i: Int) -> UInt16 {
    i + 1 < bytes.count ? UInt16(bytes[i]) << 8 | UInt16(bytes[i + 1]) : 0
  }

  /// Returns the Internet checksum of `bytes` (RFC 1071).
  static func checksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for i in stride(from: 0, to: bytes.count, by: 2) {
      sum += UInt32(bytes[i]) << 8 | (i + 1 < bytes.count ? UInt32(bytes[i + 1]) : 0)
    }
    while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
    return ~UInt16(truncatingIfNeeded: sum)
  }

  /// Returns the CRC-32C of `bytes`, which SCTP uses (RFC 9260 appendix A).
  static func crc32c(_ bytes: [UInt8]) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
    }
    return ~crc
  }

  /// Returns a TCP segment (RFC 9293) without data whose flags are the letters of `flags`.
  static func tcp(from source: Endpoint, to destination: Endpoint, flags: String) -> [UInt8] {
    let bits = flags.reduce(UInt8(0)) { $0 | (flagLetters[$1] ?? 0) }
    var segment = big(source.port) + big(destination.port)
    segment += [0, 0, 0, 1] + [0, 0, 0, 0] + [5 << 4, bits] + big(8192) + [0, 0] + [0, 0]
    let pseudo = source.address + destination.address + [0, UInt8(IPPROTO_TCP)] + big(UInt16(segment.count))
    segment.replaceSubrange(16..<18, with: big(checksum(pseudo + segment)))
    return segment
  }

  /// The flags of TCP by the letters they go by.
  static let flagLetters: [Character: UInt8] = ["F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32]

  /// Returns a UDP packet (RFC 768) without data.
  static func udp(from source: Endpoint, to destination: Endpoint) -> [UInt8] {
    let header = big(source.port) + big(destination.port) + big(8) + [0, 0]
    let pseudo = source.address + destination.address + [0, UInt8(IPPROTO_UDP)] + big(8)
    let sum = checksum(pseudo + header)
    return header.dropLast(2) + big(sum == 0 ? .max : sum)
  }

  /// Returns `payload` behind a header of IPv4 (RFC 791).
  static func ipv4(_ payload: [UInt8], protocolNumber: UInt8, from source: Endpoint, to destination: Endpoint)
    -> [UInt8]
  {
    var header: [UInt8] = [0x45, 0] + big(UInt16(20 + payload.count)) + [0, 0, 0, 0, 64, protocolNumber, 0, 0]
    header += source.address + destination.address
    header.replaceSubrange(10..<12, with: big(checksum(header)))
    return header + payload
  }

  /// Returns an SCTP packet that begins an association: one INIT chunk (RFC 9260 section 3.3.2).
  static func sctpInit(from source: Endpoint, to destination: Endpoint) -> [UInt8] {
    var packet = big(source.port) + big(destination.port) + [0, 0, 0, 0] + [0, 0, 0, 0]
    packet += [1, 0] + big(20)
    packet += [0, 0, 0, 7] + [0, 1, 0, 0] + big(1) + big(1) + [0, 0, 0, 1]
    let sum = crc32c(packet)
    packet.replaceSubrange(8..<12, with: (0..<4).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) })
    return packet
  }

  /// Returns an ICMP message of `type` and `code` with `identifier` in its fifth and sixth octet.
  ///
  /// The kernel fills in the checksum of ICMPv6 itself, and only there.
  static func icmp(family: Int32, type: UInt8, code: UInt8, identifier: UInt16, body: [UInt8]) -> [UInt8] {
    var message = [type, code, 0, 0] + big(identifier) + big(type == 3 ? 1280 : 1) + body
    if family == AF_INET { message.replaceSubrange(2..<4, with: big(checksum(message))) }
    return message
  }

  /// Returns the start of a packet that `source` sent to `destination`, as an ICMP error quotes it.
  static func quoted(tcpFrom source: Endpoint, to destination: Endpoint) -> [UInt8] {
    let payload =
      big(source.port) + big(destination.port) + [0, 0, 0, 1] + [0, 0, 0, 0] + [5 << 4, 16] + [32, 0, 0, 0, 0, 0]
    if source.family == AF_INET {
      var header: [UInt8] = [0x45, 0] + big(40) + [0, 1, 0x40, 0, 64, UInt8(IPPROTO_TCP), 0, 0]
      header += source.address + destination.address
      header.replaceSubrange(10..<12, with: big(checksum(header)))
      return header + payload
    }
    return [0x60, 0, 0, 0] + big(20) + [UInt8(IPPROTO_TCP), 64] + source.address + destination.address + payload
  }

  /// Returns what an ICMP error quotes: `inner PROTOCOL SOURCE PORT DESTINATION PORT`, or nothing.
  static func describeQuoted(_ bytes: [UInt8]) -> String? {
    guard let version = bytes.first.map({ $0 >> 4 }), version == 4 || version == 6 else { return nil }
    let v4 = version == 4
    let start = v4 ? Int(bytes[0] & 15) * 4 : 40
    guard bytes.count >= start + 8, start >= 20 else { return nil }
    let protocolNumber = bytes[v4 ? 9 : 6]
    let source = Endpoint(address: Array(v4 ? bytes[12..<16] : bytes[8..<24]), port: 0)
    let destination = Endpoint(address: Array(v4 ? bytes[16..<20] : bytes[24..<40]), port: 0)
    let isICMP = protocolNumber == UInt8(IPPROTO_ICMP) || protocolNumber == 58
    let first = word(bytes, start + (isICMP ? 4 : 0))
    let second = isICMP ? UInt16(bytes[start]) : word(bytes, start + 2)
    return "inner \(name(of: protocolNumber)) \(source.text) \(first) \(destination.text) \(second)"
  }

  /// Returns the word for the protocol `number`, one for both kinds of ICMP.
  static func name(of number: UInt8) -> String {
    switch Int(number) {
    case IPPROTO_TCP: "tcp"
    case IPPROTO_UDP: "udp"
    case IPPROTO_SCTP: "sctp"
    case IPPROTO_ICMP, 58: "icmp"
    default: "\(number)"
    }
  }
}
