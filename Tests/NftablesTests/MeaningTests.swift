// swift-format-ignore-file: NeverForceUnwrap

import Firewalls
import Nftables
import Packets
import Policies
import Support
import Syntax
import Testing

/// What the rules say is what the firewall says.
@Suite struct MeaningTests {
  static let today = CalendarDate("2026-12-31")!

  /// Returns the packet as the base chains see it.
  static func probe(_ packet: Packet, departing: String?, _ firewall: Firewall) -> Probe {
    Probe(
      packet: packet, outbound: departing, destinationType: firewall.isLocal(packet.destination) ? .local : nil,
      hopLimit: 255, seconds: today.daysSinceEpoch * 86_400 + 86_399)
  }

  @Test(arguments: 0..<36 as Range<UInt64>) func rulesAgreeWithTheFirewall(seed: UInt64) throws {
    var world = RandomWorld(seed: seed)
    let firewall = world.firewall(services: [1, 3, 12, 40][Int(seed % 4)])
    let (table, diagnostics) = NftablesBackend.table(for: firewall, sources: sampleSources)
    #expect(diagnostics.isEmpty)
    for _ in 0..<250 {
      let packet = world.packet()
      let departing = world.chance(90) ? world.pick(RandomWorld.interfaces + ["eth9"]) : nil
      let probe = MeaningTests.probe(packet, departing: departing, firewall)
      var interpreter = Interpreter(table)
      let outcome = interpreter.judge(probe)
      let judgement = firewall.judge(packet, departing: departing ?? "", on: MeaningTests.today)
      let expected: Interpreter.Outcome =
        switch judgement.verdict {
        case .accept: .accept
        case .drop: .drop
        case .reject: .reject
        }
      try #require(outcome == expected, "\(packet) to \(departing ?? "-"): \(judgement)")
      if outcome == .accept { try checkTranslation(of: probe, firewall, table, judgement) }
    }
    if seed % 6 == 0 {
      let text = NftablesBackend.replacement(by: table, for: firewall).text
      let complaint = try Kernel.complaint(about: text)
      #expect(complaint == nil)
    }
  }

  /// Checks where an accepted packet is sent, and whether its source is hidden.
  private func checkTranslation(
    of probe: Probe, _ firewall: Firewall, _ table: Table, _ judgement: Judgement
  ) throws {
    let packet = probe.packet
    var interpreter = Interpreter(table)
    if table.chains.contains(where: { $0.name == "redirecting" }) { _ = interpreter.judge(probe, in: "redirecting") }
    var expected: Interpreter.Translated?
    if case .opened(let index) = judgement.reason {
      let opening = firewall.openings[index]
      if let ports = opening.traffic.ports {
        let offset = packet.destinationPort - ports.lower
        switch opening.translation {
        case nil: break
        case .redirect(let port)?: expected = .port(port + offset)
        case .forward(let targets, let port)?:
          expected = .targets(
            targets.filter { $0.family == packet.source.family }.map { .init($0, port + offset) })
        }
      }
      try #require(interpreter.translation == expected, "\(packet) \(judgement)")
    }
    var leaving = Interpreter(table)
    if table.chains.contains(where: { $0.name == "postrouting" }) { _ = leaving.judge(probe, in: "postrouting") }
    if case .passed = judgement.reason {
      let hidden = firewall.passages.contains {
        $0.masquerade && $0.covers(packet, departing: probe.outbound ?? "", on: MeaningTests.today)
      }
      try #require(leaving.masqueraded == hidden, "\(packet) \(judgement)")
    }
  }

  /// Returns what becomes of `packet`.
  private func outcome(_ packet: Packet, _ firewall: Firewall) -> Interpreter.Outcome {
    var interpreter = Interpreter(NftablesBackend.table(for: firewall, sources: sampleSources).0)
    return interpreter.judge(MeaningTests.probe(packet, departing: nil, firewall))
  }

  private func packet(_ source: String, _ destination: String, _ traffic: Traffic) -> Packet {
    Packet(
      interface: "eth0", source: Address(source)!, destination: Address(destination)!, transport: traffic.transport,
      sourcePort: 40_000, destinationPort: traffic.ports!.lower)
  }

  @Test func anAudienceOfOneFamilyOpensNothingOnTheOther() {
    let firewall = Firewall.with(opening(.tcp(22), to: [Reach(addresses("2001:db8:5::/48"))]))
    #expect(outcome(packet("2001:db8:5::1", "2001:db8::10", .tcp(22)), firewall) == .accept)
    #expect(outcome(packet("2001:db8:6::1", "2001:db8::10", .tcp(22)), firewall) == .drop)
    #expect(outcome(packet("203.0.113.9", "192.0.2.10", .tcp(22)), firewall) == .drop)
    let every = Firewall.with(opening(.tcp(22), to: [Reach(.all(.ipv6))]))
    #expect(outcome(packet("2001:db8:6::1", "2001:db8::10", .tcp(22)), every) == .accept)
    #expect(outcome(packet("203.0.113.9", "192.0.2.10", .tcp(22)), every) == .drop)
  }

  @Test func anExclusionThatCoversEverythingOpensNothing() {
    let nobody = [Reach(addresses("10.0.0.0/8"))].subtracting([Reach(addresses("10.0.0.0/7"))])
    let firewall = Firewall.with(opening(.tcp(22), to: nobody))
    #expect(outcome(packet("10.0.0.1", "192.0.2.10", .tcp(22)), firewall) == .drop)
    #expect(outcome(packet("203.0.113.9", "192.0.2.10", .tcp(22)), firewall) == .drop)
  }

  @Test func aSourceOfOneFamilyAndADestinationOfTheOtherOpenNothing() {
    let firewall = Firewall.with(
      opening(.tcp(22), to: [Reach(addresses("10.0.0.0/8"))], at: addresses("2001:db8::10")))
    #expect(outcome(packet("10.0.0.1", "192.0.2.10", .tcp(22)), firewall) == .drop)
    #expect(outcome(packet("2001:db8:6::1", "2001:db8::10", .tcp(22)), firewall) == .drop)
  }

  @Test func aBlockOfOneFamilyLeavesTheOtherAlone() {
    var firewall = Firewall.with(opening(.tcp(22)))
    firewall.blocks = [
      Refusal(
        sources: [Reach(.all(.ipv6))], destinations: nil, traffic: nil, until: nil, logged: false, cause: cause("block")
      )
    ]
    #expect(outcome(packet("2001:db8:6::1", "2001:db8::10", .tcp(22)), firewall) == .drop)
    #expect(outcome(packet("10.0.0.1", "192.0.2.10", .tcp(22)), firewall) == .accept)
  }

  @Test func portsKeepTheirProtocols() {
    let firewall = Firewall.with(opening(.tcp(53)), opening(.udp(53)), opening(.tcp(80)))
    #expect(outcome(packet("10.0.0.1", "192.0.2.10", .tcp(53)), firewall) == .accept)
    #expect(outcome(packet("10.0.0.1", "192.0.2.10", .udp(53)), firewall) == .accept)
    #expect(outcome(packet("10.0.0.1", "192.0.2.10", .udp(80)), firewall) == .drop)
    #expect(outcome(packet("10.0.0.1", "192.0.2.10", .ports(.sctp, PortRange(53))), firewall) == .drop)
  }

  @Test func aRedirectDoesNotOpenTheListeningPort() {
    let firewall = Firewall.with(opening(.tcp(443), .redirect(to: 8443)))
    #expect(outcome(packet("10.0.0.1", "192.0.2.10", .tcp(443)), firewall) == .accept)
    #expect(outcome(packet("10.0.0.1", "192.0.2.10", .tcp(8443)), firewall) == .drop)
  }
}
