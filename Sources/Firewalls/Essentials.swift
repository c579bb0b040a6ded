/// What every firewall accepts so that IP works.
public enum Essentials {
  /// The ICMP messages that are accepted: errors that paths depend on (RFC 1191, RFC 1812); most arrive as related.
  public static let icmp: [UInt8] = [3, 11, 12]

  /// The ICMPv6 messages that are accepted: errors (RFC 4890 section 4.4.1), multicast listeners, router and
  /// neighbour discovery.
  ///
  /// Inverse neighbour discovery (141, 142) is not among them: Linux has none, and its connection tracking calls such
  /// messages `invalid` (net/netfilter/nf_conntrack_proto_icmpv6.c).
  public static let icmpv6: [UInt8] = [1, 2, 3, 4, 130, 131, 132, 133, 134, 135, 136, 143]

  /// The ICMPv6 messages that are accepted only with a hop limit of 255, hence from the same link (RFC 4861).
  public static let icmpv6OnLink: ClosedRange<UInt8> = 133...136

  /// The ICMP type of an echo request.
  public static let echoRequest: UInt8 = 8

  /// The ICMPv6 type of an echo request.
  public static let echoRequestV6: UInt8 = 128

  /// How many echo requests a second are accepted in total, of each family.
  public static let echoRate: UInt32 = 50

  /// How many echo requests are accepted at once.
  public static let echoBurst: UInt32 = 100

  /// The port that DHCPv6 clients listen on (RFC 8415 section 7.2).
  public static let dhcpv6Client: UInt16 = 546

  /// The port that DHCPv6 servers answer from.
  public static let dhcpv6Server: UInt16 = 547
}
