public import Firewalls
public import Packets
public import Policies
import Syntax

/// What was refused, by source zone and port, as the kernel's log tells.
///
/// The table counts what it refuses, but not by whom and where: that stands in the log alone, and only as much of it as
/// `log denied` of the policy lets through.
public struct RefusedTraffic: Hashable, Sendable {
  /// Packets of one zone for one port.
  public struct Row: Hashable, Sendable {
    /// The zones that hold the source, on the interface that it arrived on; `internet` if none does.
    public var zones: [String]

    /// The port, or the message.
    public var traffic: String

    /// How many lines of the log are about it.
    public var packets: Int

    /// The source that most lines are about.
    public var source: Address
  }

  /// The rows, the most frequent first.
  public var rows: [Row]

  /// How many lines of the log are ours.
  public var lines: Int

  /// How many of those could not be read.
  public var unreadable: Int

  /// The most rows that are told apart, and sources of each.
  private static let most = 10_000

  /// Reads `log`, the text of the kernel's log, for the host of `firewall`.
  public init(log: String, of policy: Policy, on firewall: Firewall) {
    struct Key: Hashable {
      var zones: [String]
      var traffic: Traffic?
      var name: String
    }
    var counts: [Key: [Address: Int]] = [:]
    var lines = 0
    var unreadable = 0
    for line in log.utf8.split(separator: UInt8(ascii: "\n")) {
      guard let fields = LogLine(String(decoding: line, as: UTF8.self)) else { continue }
      lines += 1
      guard let source = fields.source else {
        unreadable += 1
        continue
      }
      let zones = policy.zoneNames(of: source, on: fields.interface, of: firewall.host)
      let key = Key(zones: zones, traffic: fields.traffic, name: fields.traffic?.description ?? fields.transport)
      if counts[key] == nil, counts.count >= RefusedTraffic.most { continue }
      if counts[key]?[source] == nil, counts[key]?.count ?? 0 >= RefusedTraffic.most {
        counts[key]?[source.family == .ipv4 ? Address(.ipv4, 0) : Address(.ipv6, 0), default: 0] += 1
      } else {
        counts[key, default: [:]][source, default: 0] += 1
      }
    }
    self.lines = lines
    self.unreadable = unreadable
    rows = counts.map { key, sources in
      let most = sources.max { a, b in a.value == b.value ? b.key < a.key : a.value < b.value }
      return Row(
        zones: key.zones, traffic: key.name, packets: sources.values.reduce(0, +),
        source: most?.key ?? Address(.ipv4, 0))
    }.sorted { a, b in
      if a.packets != b.packets { return a.packets > b.packets }
      return a.zones == b.zones ? a.traffic < b.traffic : a.zones.lexicographicallyPrecedes(b.zones)
    }
  }
}

/// A line of the kernel's log that our rules wrote (net/netfilter/nf_log_syslog.c).
private struct LogLine {
  var interface: String?
  var source: Address?
  var transport = "?"
  var traffic: Traffic?

  /// Reads `line`, unless it is none of ours.
  init?(_ line: String) {
    guard let range = line.firstRange(of: "portcullis "),
      line[range.upperBound...].hasPrefix("refused: ")
        || line[range.upperBound...].hasPrefix("blocked ")
    else { return nil }
    var fields: [Substring: Substring] = [:]
    for word in line[range.upperBound...].split(separator: " ") {
      guard let equals = word.firstIndex(of: "=") else { continue }
      // What a packet quotes in an ICMP error stands behind its own fields.
      if fields[word[..<equals]] == nil { fields[word[..<equals]] = word[word.index(after: equals)...] }
    }
    interface = fields["IN"].flatMap { $0.isEmpty ? nil : String($0) }
    source = fields["SRC"].flatMap { Address($0) }
    guard let name = fields["PROTO"] else { return }
    transport = name.lowercased()
    let known: [String: TransportProtocol] = [
      "TCP": .tcp, "UDP": .udp, "SCTP": .sctp, "DCCP": .dccp, "UDPLITE": .udplite, "ICMP": .icmp, "ICMPv6": .icmpv6,
    ]
    switch known[String(name)] {
    case .icmp?: traffic = fields["TYPE"].flatMap { UInt8($0) }.map { .icmp(type: $0, code: nil) }
    case .icmpv6?: traffic = fields["TYPE"].flatMap { UInt8($0) }.map { .icmpv6(type: $0, code: nil) }
    case let transport?: traffic = fields["DPT"].flatMap { UInt16($0) }.map { .ports(transport, PortRange($0)) }
    case nil: transport = "protocol \(name.lowercased())"
    }
  }
}

extension Policy {
  /// Returns the names of the zones that a packet from `source`, which arrived on `interface`, is in.
  func zoneNames(of source: Address, on interface: String?, of host: ID<Host>) -> [String] {
    let bound = self[host].interfaces
    let here = bound.first { $0.name.value == interface }
    let names = zones.indices.filter { i in
      guard zones[i].addresses.contains(source) else { return false }
      let id = ID<Zone>(i)
      let isBound = bound.contains { $0.zones.contains { $0.value == id } }
      return !isBound || here?.zones.contains { $0.value == id } ?? false
    }.map { zones[$0].name.value }
    return names.isEmpty ? ["internet"] : names
  }
}
