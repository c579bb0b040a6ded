// swift-format-ignore-file: NeverForceUnwrap

import Firewalls
import Foundation
import Iptables
import Nftables
import Packets
import Policies
import Support
import Syntax
import Testing

/// The kernel does with real packets what `Firewall.judge` says, for rulesets made of random firewalls.
@Suite struct RandomRulesetTests {
  /// How many packets are sent to each ruleset.
  private static let packets = 60

  @Test(arguments: Worlds.batches(of: 25, eachWorth: 60), Compiled.kinds)
  func `treats packets as the firewall says`(batch: Int, kind: RulesetKind) throws {
    var text = RandomWires.surroundings
    var rulesets: [String: Support.Ruleset] = [:]
    for seed in Worlds.seeds(of: batch) {
      var wires = RandomWires(seed: seed)
      let (name, firewall) = ("world\(seed)", wires.firewall())
      rulesets[name] = try Self.ruleset(of: firewall, kind)
      text += "load \(name)\n" + (0..<Self.packets).compactMap { _ in wires.question(to: firewall) }.joined()
    }
    let lab = try Lab(parsing: text, file: "worlds of batch \(batch)")
    let first = try #require(rulesets["world\(Worlds.seeds(of: batch).lowerBound)"])
    let report = try runLab(lab, ruleset: first, others: rulesets)
    #expect(report.probes > Worlds.batch * 30)
    guard let fault = report.discrepancies.first else { return }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let load = lines[..<(fault.line - 1)].last { $0.hasPrefix("load ") }?.dropFirst(5)
    let ruleset = load.flatMap { rulesets[String($0)]?.text } ?? ""
    Attachment.record(ruleset, named: "\(load ?? "")-\(kind.rawValue).txt")
    Issue.record("\(kind.rawValue), \(load ?? ""): \(report.discrepancies.count) of \(report.probes)\n\(fault)")
  }

  private static func ruleset(of firewall: Firewall, _ kind: RulesetKind) throws -> Support.Ruleset {
    let sources = Sources([SourceFile(path: "world.port", text: String(repeating: "a line...\n", count: 200))])
    func text(_ target: any HostBackend.Type) throws -> String {
      let compilation = target.compile(firewall, sources: sources)
      #expect(compilation.diagnostics.allSatisfy { $0.severity < .error })
      return try #require(compilation.artefacts.first).text
    }
    guard kind != .nftables else { return .nftables([try text(NftablesBackend.self)]) }
    return .iptables(
      ipv4: try text(IPv4Backend.self), ipv6: try text(IPv6Backend.self), legacy: kind == .iptablesLegacy)
  }
}

/// Firewalls of a random world, and packets that neighbours can really send.
struct RandomWires {
  private var world: RandomWorld

  init(seed: Int) { world = RandomWorld(seed: seed + 70_000) }

  /// The neighbours' addresses, by the interface that they are behind.
  private static let neighbours: [(link: String, addresses: [String])] = [
    ("eth0", ["10.0.0.3", "10.0.0.17", "10.0.0.33", "2001:db8:1::3", "2001:db8:1::11", "2001:db8:1::21"]),
    ("eth1", ["10.0.0.8", "10.0.0.40", "10.0.0.60", "2001:db8:1::8", "2001:db8:1::28", "2001:db8:1::3c"]),
    ("eth2", ["10.0.0.21", "10.0.0.50", "2001:db8:1::15", "2001:db8:1::32", "10.9.0.1", "fd09::1"]),
  ]

  /// What a packet that leaves on an interface has as its source if the router hides its own.
  private static let masks: [String: (ipv4: String, ipv6: String)] = [
    "eth0": ("192.0.2.10", "2001:db8::10"), "eth1": ("172.16.1.1", "fd01::1"), "eth2": ("172.16.2.1", "fd02::1"),
  ]

  /// The host and its neighbours, as laboratories are written.
  static let surroundings =
    """
    host web1
    forward
    link eth0 192.0.2.10/24 2001:db8::10/64
    link eth1 172.16.1.1/24 fd01::1/64
    link eth2 172.16.2.1/24 fd02::1/64
    link eth3 192.0.2.11/32 2001:db8::11/128

    """ + neighbours.map { "peer at-\($0.link) on \($0.link) \($0.addresses.joined(separator: " "))\n" }.joined()

  private static let today = CalendarDate(daysSinceEpoch: Int(Date().timeIntervalSince1970) / 86_400)

  /// Returns a firewall whose answers do not depend on how fast packets come, on chance, or on the hour.
  mutating func firewall() -> Firewall {
    var result = world.firewall(services: world.pick([3, 6, 12]))
    if world.chance(30) { result.departures = world.departures() }
    for i in result.openings.indices {
      result.openings[i].limit = nil
      result.openings[i].until = soon(result.openings[i].until)
      if case .forward(_, let port)? = result.openings[i].translation {
        result.openings[i].translation = .forward(to: [Address("10.9.0.1")!, Address("fd09::1")!], port: port)
      }
    }
    for i in result.passages.indices {
      result.passages[i].limit = nil
      result.passages[i].until = soon(result.passages[i].until)
    }
    for i in result.blocks.indices { result.blocks[i].until = soon(result.blocks[i].until) }
    for i in (result.departures ?? []).indices { result.departures?[i].until = nil }
    return result
  }

  /// Returns a day some days before or behind today, if there is a `date`.
  private mutating func soon(_ date: CalendarDate?) -> CalendarDate? {
    date.map { _ in CalendarDate(daysSinceEpoch: Self.today.daysSinceEpoch + world.pick([-3, 3])) }
  }

  /// Returns the line that sends a packet and says what `firewall` makes of it, or nothing if nobody could send it.
  mutating func question(to firewall: Firewall) -> String? {
    let from = world.pick(Self.neighbours)
    let to = world.pick(Self.neighbours)
    let family = world.pick(AddressFamily.allCases)
    let own = RandomWorld.own.ranges(family).map { "\($0.lower)" }
    func ofFamily(_ texts: [String]) -> [String] { texts.filter { $0.contains(":") == (family == .ipv6) } }
    let isSent = firewall.departures != nil && world.chance(20)
    let isRouted = isSent || world.chance(40)
    if !isSent && isRouted && from.link == to.link { return nil }
    let source = isSent ? own[0] : world.pick(ofFamily(from.addresses))
    let destination = world.pick(isRouted ? ofFamily(to.addresses) : own)
    var packet = Packet(
      interface: isSent ? nil : from.link, source: Address(source)!, destination: Address(destination)!,
      transport: world.pick([.tcp, .tcp, .udp, .udp, .sctp, family == .ipv4 ? .icmp : .icmpv6]), sourcePort: 40_000,
      destinationPort: UInt16.random(in: 1..<62, using: &world.random))
    if let opening = world.chance(60) ? world.pick(firewall.openings) : nil, let ports = opening.traffic.ports {
      packet.transport = opening.traffic.transport
      packet.destinationPort = max(1, world.pick([ports.lower, ports.upper, ports.lower &- 1, ports.upper &+ 1]))
    }
    if packet.transport.isICMP {
      (packet.sourcePort, packet.destinationPort) = (
        0, family == .ipv4 ? world.pick([8, 13]) : world.pick([128, 139])
      )
    }
    // Raw sockets are told at once what the host itself refuses, so that nothing is sent.
    if isSent && packet.transport != .tcp && packet.transport != .udp { return nil }
    let place = isSent ? "web1" : "at-\(from.link)"
    let answer = isSent ? sent(packet, firewall) : answer(to: packet, leaving: isRouted ? to.link : nil, firewall)
    let transport = packet.transport.isICMP ? "icmp" : "\(packet.transport)"
    return answer.map { "from \(place) \(source) to \(destination) \(packet.destinationPort)/\(transport) \($0)\n" }
  }

  private func sent(_ packet: Packet, _ firewall: Firewall) -> String {
    firewall.permits(departing: packet, on: Self.today) ? "arrives" : "closed"
  }

  /// Returns what becomes of `packet`, in the words of a laboratory.
  private func answer(to packet: Packet, leaving: String?, _ firewall: Firewall) -> String? {
    let judgement = firewall.judge(packet, departing: leaving, on: Self.today)
    let isHeard = packet.transport == .tcp || packet.transport == .udp
    switch judgement.verdict {
    case .drop: return isHeard ? "silent" : "closed"
    case .reject: return isHeard ? "refused" : "closed"
    case .accept: break
    }
    if let leaving, let mask = Self.masks[leaving] {
      let isHidden = firewall.passages.contains {
        $0.masquerade && $0.covers(packet, departing: leaving, on: Self.today)
      }
      return isHidden ? "arrives seen from \(packet.source.family == .ipv4 ? mask.ipv4 : mask.ipv6)" : "arrives"
    }
    guard case .opened(let index) = judgement.reason, let ports = firewall.openings[index].traffic.ports else {
      return "arrives"
    }
    let distance = packet.destinationPort - ports.lower
    switch firewall.openings[index].translation {
    case nil: return "arrives"
    case .redirect(let port)?: return "arrives at \(port + distance)"
    case .forward(let targets, let port)?:
      // What comes from the target's own machine would come back to it as its own.
      guard packet.interface != "eth2" else { return nil }
      let target = targets.first { $0.family == packet.source.family }
      return target.map { "arrives at \($0) \(port + distance)" }
    }
  }
}
