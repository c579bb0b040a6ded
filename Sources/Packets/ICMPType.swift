/// The names of ICMP messages, as nftables and iptables spell them.
public enum ICMPType {
  /// A message type and its name.
  public typealias Entry = (name: String, type: UInt8)

  /// The messages of ICMP for IPv4 (IANA "ICMP Type Numbers").
  public static let ipv4: [Entry] = [
    ("echo-reply", 0), ("destination-unreachable", 3), ("source-quench", 4), ("redirect", 5), ("echo-request", 8),
    ("router-advertisement", 9), ("router-solicitation", 10), ("time-exceeded", 11), ("parameter-problem", 12),
    ("timestamp-request", 13), ("timestamp-reply", 14), ("info-request", 15), ("info-reply", 16),
    ("address-mask-request", 17), ("address-mask-reply", 18),
  ]

  /// The messages of ICMPv6 (IANA "ICMPv6 type Numbers").
  public static let ipv6: [Entry] = [
    ("destination-unreachable", 1), ("packet-too-big", 2), ("time-exceeded", 3), ("parameter-problem", 4),
    ("echo-request", 128), ("echo-reply", 129), ("mld-listener-query", 130), ("mld-listener-report", 131),
    ("mld-listener-done", 132), ("nd-router-solicit", 133), ("nd-router-advert", 134), ("nd-neighbor-solicit", 135),
    ("nd-neighbor-advert", 136), ("nd-redirect", 137), ("router-renumbering", 138), ("ind-neighbor-solicit", 141),
    ("ind-neighbor-advert", 142), ("mld2-listener-report", 143),
  ]

  /// Returns `type` by its name in `table`, or as a number, with `code` behind a colon if there is one.
  static func text(of type: UInt8, code: UInt8?, in table: [Entry]) -> String {
    let name = table.first { $0.type == type }?.name ?? String(type)
    return code.map { "\(name):\($0)" } ?? name
  }
}
