import Firewalls
import Packets
import Support
import Syntax
import Testing

@testable import Iptables

@Suite struct MeaningTests {
  /// Every packet of a random firewall fares in the tables as the firewall says.
  @Test(arguments: 0..<100) func tablesJudgeAsTheFirewallDoes(seed: Int) throws {
    var maker = FirewallMaker(seed: seed)
    let firewall = maker.firewall()
    for family in AddressFamily.allCases {
      var compiler = Compiler(firewall, family, sources: testSources)
      let ruleset = compiler.ruleset()
      let errors = Set(compiler.diagnostics.filter { $0.severity == .error }.map(\.code))
      // Two limited openings that send one packet to two places.
      guard errors != ["iptables-translation"] else { continue }
      #expect(errors.isEmpty)
      for _ in 0..<100 {
        try compare(ruleset, firewall, maker.packet(family), departing: maker.interface())
      }
    }
  }

  private func compare(_ ruleset: Iptables.Ruleset, _ firewall: Firewall, _ packet: Packet, departing: String) throws {
    let known = firewall.addresses
    let isLocal: (Address) -> Bool = { known.contains($0) || firewall.isLocal($0) }
    let judgement = firewall.judge(packet, departing: departing, on: testDay)
    let kernel = Interpreter(ruleset: ruleset, isLocal: isLocal)
    let exhausted = Interpreter(ruleset: ruleset, isExhausted: true, isLocal: isLocal)
    // A mark that somebody else left must not matter.
    let stale: UInt32 = 0xffff_ffff
    let outcome = kernel.arrive(packet, departing: departing, mark: stale)
    let comment: Comment = "\(packet) \(judgement)"
    switch judgement.verdict {
    case .drop:
      #expect(outcome == .dropped, comment)
    case .reject:
      #expect(outcome == .rejected, comment)
    case .accept:
      guard case .accepted(let address, let port, let masqueraded) = outcome else {
        Issue.record(comment)
        return
      }
      var expected: [(Address, UInt16)] = [(packet.destination, packet.destinationPort)]
      if case .opened(let i) = judgement.reason, let lower = packet.traffic.ports?.lower {
        let start = firewall.openings[i].traffic.ports?.lower ?? 0
        let shift: (UInt16) -> UInt16 = { $0 + (lower - start) }
        // Which of several openings that overlap translates is a conflict that a check reports.
        let all = firewall.openings.filter { $0.covers(packet, on: testDay) }
        expected = all.flatMap { opening -> [(Address, UInt16)] in
          let start = opening.traffic.ports?.lower ?? 0
          switch opening.translation {
          case nil: return [(packet.destination, packet.destinationPort)]
          case .redirect(let to): return [(packet.destination, to + (lower - start))]
          case .forward(let to, let port):
            return to.filter { $0.family == packet.source.family }.map { ($0, port + (lower - start)) }
          }
        }
        if all.count == 1 { #expect(expected.count <= 2 && shift(0) == lower - start) }
      }
      #expect(expected.contains { $0 == (address, port) }, comment)
      let masks = firewall.passages.filter { $0.covers(packet, departing: departing, on: testDay) }.map(\.masquerade)
      // What is routed on is hidden if one of the passages that it may take hides it, whatever accepts it.
      let isRouted = !isLocal(packet.destination) && packet.interface != "lo"
      #expect(masqueraded == (isRouted && masks.contains(true)), comment)
    }
    let limited = exhausted.arrive(packet, departing: departing)
    if judgement.isLimited || judgement.verdict != .accept {
      // A ping beyond its limit is judged like everything else; on the way to the host an opening may accept it.
      if judgement.reason != .ping {
        #expect(limited == (firewall.rejects ? .rejected : .dropped), comment)
      }
    } else {
      #expect({ if case .accepted = limited { true } else { false } }(), comment)
    }
  }

  /// What the host itself sends fares as its departures say.
  @Test(arguments: 0..<100) func tablesJudgeDepartures(seed: Int) {
    var maker = FirewallMaker(seed: seed + 5000)
    var firewall = maker.firewall()
    if seed % 5 != 0 { firewall.departures = firewall.departures ?? [] }
    for family in AddressFamily.allCases {
      var compiler = Compiler(firewall, family, sources: testSources)
      let kernel = Interpreter(ruleset: compiler.ruleset(), isLocal: firewall.isLocal)
      for _ in 0..<100 {
        var packet = maker.packet(family)
        packet.interface = nil
        let type = UInt8(truncatingIfNeeded: packet.destinationPort)
        let isEssential =
          packet.transport == .icmp && Essentials.icmp.contains(type)
          || packet.transport == .icmpv6 && Essentials.icmpv6.contains(type)
        let isOpen =
          firewall.departures?.contains { departure in
            departure.destinations.contains(packet.destination) && (departure.until.map { testDay <= $0 } ?? true)
              && (departure.traffic?.contains { $0.contains(packet.traffic) } ?? true)
          } ?? true
        let outcome = kernel.depart(packet, on: "eth0")
        if isOpen || isEssential {
          #expect({ if case .accepted = outcome { true } else { false } }(), "\(packet)")
        } else {
          #expect(outcome == (firewall.rejects ? .rejected : .dropped), "\(packet)")
        }
        #expect({ if case .accepted = kernel.depart(packet, on: "lo") { true } else { false } }())
      }
    }
  }

  /// What the model prints is read back as the same model.
  @Test(arguments: 0..<100) func textComesBack(seed: Int) {
    var maker = FirewallMaker(seed: seed)
    let firewall = maker.firewall()
    for family in AddressFamily.allCases {
      var compiler = Compiler(firewall, family, sources: testSources)
      let ruleset = compiler.ruleset()
      for inserting in [false, true] {
        let (again, problems) = Iptables.Ruleset.parse(ruleset.text(header: ["x"], inserting: inserting), family)
        #expect(problems.isEmpty)
        #expect(again == ruleset)
      }
    }
  }
}
