import Glibc

/// An Internet address in a laboratory.
///
/// It is the C library's notion of an address and not the compiler's, which is what is being tested.
public struct LabAddress: Sendable, Hashable, CustomStringConvertible {
  /// The octets in the order of the wire.
  public let octets: [UInt8]

  /// Creates the address written as `text`, or nothing if it is none.
  public init?(_ text: some StringProtocol) {
    let family = text.contains(":") ? AF_INET6 : AF_INET
    var octets = [UInt8](repeating: 0, count: family == AF_INET ? 4 : 16)
    let understood = unsafe octets.withUnsafeMutableBytes {
      unsafe inet_pton(family, String(text), $0.baseAddress)
    }
    guard understood == 1 else { return nil }
    self.octets = octets
  }

  private init(octets: [UInt8]) { self.octets = octets }

  /// `true` iff it is an IPv6 address.
  public var isIPv6: Bool { octets.count == 16 }

  /// `true` iff it means something on one link only (RFC 4291 section 2.5.6).
  public var isLinkLocal: Bool { isIPv6 && octets[0] == 0xfe && octets[1] & 0xc0 == 0x80 }

  /// `true` iff it is a multicast group.
  public var isMulticast: Bool { isIPv6 ? octets[0] == 0xff : octets[0] & 0xf0 == 0xe0 }

  /// Returns the last address of the network of this one whose prefix is `length` bits long.
  public func lastAddress(prefixLength length: Int) -> LabAddress {
    LabAddress(
      octets: octets.enumerated().map { i, octet in
        octet | UInt8(truncatingIfNeeded: 0xff >> max(0, min(8, length - 8 * i)))
      })
  }

  /// The address as text.
  public var description: String {
    var buffer = [CChar](repeating: 0, count: 46)
    unsafe octets.withUnsafeBytes {
      _ = unsafe inet_ntop(isIPv6 ? AF_INET6 : AF_INET, $0.baseAddress, &buffer, 46)
    }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// A port of a transport protocol, or a kind of ICMP message.
public struct LabPort: Sendable, Hashable {
  /// `tcp`, `udp`, `sctp` or `icmp`.
  public var transport: String
  /// The port.
  public var number: UInt16
  /// The word for an ICMP message.
  public var message: String?

  /// Creates what `text` writes: `443/tcp`, `echo-request/icmp`, `13/icmp`; or nothing.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, ["tcp", "udp", "sctp", "icmp"].contains(parts[1]) else { return nil }
    transport = String(parts[1])
    if let number = UInt16(parts[0]), transport != "icmp" || number < 256 {
      self.number = number
    } else if transport == "icmp", LabPort.messages[String(parts[0])] != nil {
      (number, message) = (0, String(parts[0]))
    } else {
      return nil
    }
  }

  /// Returns the type and code of the ICMP message in a family, or nothing if the family has none of that name.
  public func message(isIPv6: Bool) -> (type: UInt16, code: UInt8)? {
    guard let message else { return (number, 0) }
    guard let both = LabPort.messages[message] else { return nil }
    return isIPv6 ? both.ipv6 : both.ipv4
  }

  /// The type and code of each message (IANA, ICMP and ICMPv6 parameters).
  static let messages: [String: (ipv4: (type: UInt16, code: UInt8)?, ipv6: (type: UInt16, code: UInt8)?)] = [
    "echo-request": ((8, 0), (128, 0)),
    "echo-reply": ((0, 0), (129, 0)),
    "too-big": ((3, 4), (2, 0)),
    "destination-unreachable": ((3, 1), (1, 0)),
    "time-exceeded": ((11, 0), (3, 0)),
    "parameter-problem": ((12, 0), (4, 0)),
    "redirect": ((5, 0), (137, 0)),
    "timestamp-request": ((13, 0), nil),
    "listener-query": (nil, (130, 0)),
    "router-solicitation": ((10, 0), (133, 0)),
    "router-advertisement": ((9, 0), (134, 0)),
    "neighbour-solicitation": (nil, (135, 0)),
    "neighbour-advertisement": (nil, (136, 0)),
  ]
}
