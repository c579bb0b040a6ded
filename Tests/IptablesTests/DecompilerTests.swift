import Firewalls
import Foundation
import Packets
import Syntax
import Testing

@testable import Iptables

/// The meaning of a ruleset against a walk through its rules, packet by packet.
@Suite struct DecompilerTests {
  @Test(arguments: 0..<40) func meaningIsThatOfTheWalk(seed: Int) throws {
    var maker = FirewallMaker(seed: seed + 20_000)
    let firewall = maker.firewall()
    for family in AddressFamily.allCases {
      var compiler = Compiler(firewall, family, sources: testSources)
      let ruleset = compiler.ruleset()
      let universe = Universe()
      let meaning = try ForeignRuleset(ruleset.text(inserting: true), family, in: universe).chains.meaning(in: universe)
      let known = firewall.addresses
      let isLocal: (Address) -> Bool = { known.contains($0) || firewall.isLocal($0) }
      for number in 0..<100 {
        let packet = maker.packet(family)
        // What comes back over loopback is always for this host.
        if packet.interface == "lo", !isLocal(packet.destination) { continue }
        let departing = maker.interface()
        let kernel = Interpreter(
          ruleset: ruleset, isExhausted: number % 3 == 0, chance: number % 2, isLocal: isLocal)
        let values = values(of: packet, departing, universe, within: number % 3 != 0, isLocal)
        let verdict = Verdict(label: meaning.verdicts.label(of: values))
        let comment: Comment = "\(packet) \(meaning.fate(of: values))"
        switch kernel.arrive(packet, departing: departing) {
        case .dropped: #expect(verdict == .drop, comment)
        case .rejected: #expect(verdict == .reject, comment)
        case .accepted(let address, let port, let masqueraded):
          #expect(verdict == .accept, comment)
          #expect(meaning.masqueraded.contains(values) == masqueraded, comment)
          switch universe.translation(labelled: meaning.translations.label(of: values)) {
          case nil: #expect(address == packet.destination && port == packet.destinationPort, comment)
          case .redirect(let distance)?:
            #expect(address == packet.destination && Int(port) == Int(packet.destinationPort) + distance, comment)
          case .forward(let addresses, let distance)?:
            #expect(addresses.contains(address) && Int(port) == Int(packet.destinationPort) + distance, comment)
          case .redirectAll(let target)?: #expect(address == packet.destination && port == target, comment)
          case .forwardAll(let addresses, let target)?: #expect(addresses.contains(address) && port == target, comment)
          }
        }
      }
    }
  }

  private func values(
    of packet: Packet, _ departing: String, _ universe: Universe, within: Bool, _ isLocal: (Address) -> Bool
  ) -> PacketValues {
    var values = PacketValues()
    values[.family] = UInt128(packet.source.family.number)
    values[.arrival] = InterfaceName.value(of: packet.interface ?? "")
    values[.departure] = InterfaceName.value(of: departing)
    values[.sourceKind] = UInt128(AddressKind.elsewhere.rawValue)
    let kind: AddressKind =
      AddressSet.multicast.contains(packet.destination)
      ? .multicast : isLocal(packet.destination) ? .local : .elsewhere
    values[.destinationKind] = UInt128(kind.rawValue)
    values[.hopLimit] = 255
    values[.transport] = UInt128(packet.transport.rawValue)
    values[.destination] = packet.destination.value
    values[.destinationPort] = UInt128(packet.destinationPort)
    values[.source] = packet.source.value
    values[.sourcePort] = UInt128(packet.sourcePort)
    values[.time] = UInt128(testDay.daysSinceEpoch) * 86_400 + 7
    for (i, condition) in universe.space.conditions.enumerated() where condition.hasPrefix("within") {
      values[PacketField(rawValue: UInt8(PacketField.all.count + i))] = within ? 1 : 0
    }
    return values
  }

  // MARK: - Rules of others

  /// Returns the meaning of the rules `lines` of the chain INPUT of `filter`, whose policy is to drop, and what is unknown.
  private func meaning(
    _ lines: String, _ family: AddressFamily = .ipv4
  ) throws -> (accepted: PacketSet, universe: Universe, unknown: [String]) {
    let universe = Universe()
    let rules = lines.split(separator: "\n").map { "-A INPUT \($0)\n" }.joined()
    let ruleset = try ForeignRuleset("*filter\n:INPUT DROP [0:0]\n:X - [0:0]\n\(rules)COMMIT\n", family, in: universe)
    #expect(ruleset.problems.isEmpty)
    let meaning = try ruleset.chains.meaning(in: universe)
    var box = PacketBox()
    box[.family] = universe.space.value(family.number, of: .family)
    box[.direction] = universe.space.value(UInt8(0), of: .direction)
    box[.destinationKind] = universe.space.value(AddressKind.local.rawValue, of: .destinationKind)
    return (try meaning.accepted.intersection(universe.space.set(of: box)), universe, ruleset.unknown.map(\.words))
  }

  /// Each line alone means the same as the other.
  @Test(arguments: [
    ("-s 10.0.0.0/255.0.0.0 -j ACCEPT", "-s 10.0.0.0/8 -j ACCEPT"),
    ("! -s 10.0.0.0/8 -j ACCEPT", "-s 10.0.0.0/8 -j DROP\n-j ACCEPT"),
    ("-p tcp -m tcp ! --dport 80 -j ACCEPT", "-p tcp -m tcp --dport 80 -j DROP\n-p tcp -j ACCEPT"),
    ("-p tcp -m tcp --dport :1023 -j ACCEPT", "-p tcp -m tcp --dport 0:1023 -j ACCEPT"),
    (
      "-p tcp -m multiport --ports 22,80 -j ACCEPT",
      "-p tcp -m tcp --sport 22 -j ACCEPT\n-p tcp -m tcp --sport 80 -j ACCEPT\n-p tcp -m multiport --dports 22,80 -j ACCEPT"
    ),
    ("-p icmp -m icmp --icmp-type echo-request -j ACCEPT", "-p icmp -m icmp --icmp-type 8 -j ACCEPT"),
    ("-p icmp -m icmp --icmp-type any -j ACCEPT", "-p icmp -j ACCEPT"),
    ("-p icmp -m icmp ! --icmp-type 3/1 -j ACCEPT", "-p icmp -m icmp --icmp-type 3/1 -j DROP\n-p icmp -j ACCEPT"),
    ("-m state --state NEW -j ACCEPT", "-m conntrack --ctstate NEW -j ACCEPT"),
    (
      "-m conntrack ! --ctstate NEW,RELATED -j ACCEPT",
      "-m conntrack --ctstate NEW,RELATED -j DROP\n-j ACCEPT"
    ),
    ("-m conntrack --ctstate NEW,DNAT -j ACCEPT", "-m conntrack --ctstate NEW -j ACCEPT"),
    ("-p esp -j ACCEPT", "-p 50 -j ACCEPT"), ("-p all -j ACCEPT", "-j ACCEPT"), ("-i + -j ACCEPT", "-j ACCEPT"),
    ("-i eth+ -i eth+ -j ACCEPT", "-i eth+ -i eth+ -j ACCEPT"),
    ("-m iprange ! --src-range 10.0.0.0-10.255.255.255 -j ACCEPT", "! -s 10.0.0.0/8 -j ACCEPT"),
    ("-m addrtype ! --dst-type LOCAL -j DROP\n-j ACCEPT", "-m addrtype --dst-type LOCAL -j ACCEPT"),
    ("-m ttl --ttl-gt 5 -j ACCEPT", "-m ttl --ttl-lt 6 -j DROP\n-j ACCEPT"),
    ("-o eth0 -j ACCEPT", "-j DROP"), ("! -o eth0 -j ACCEPT", "-j ACCEPT"),
    ("-j LOG --log-prefix x\n-j ACCEPT", "-j ACCEPT"), ("-j X\n-j ACCEPT", "-j ACCEPT"),
    ("-g X\n-j ACCEPT", "-j DROP"),
    ("-j MARK --set-mark 0x5\n-m mark --mark 0x1/0x3 -j ACCEPT", "-j ACCEPT"),
    ("-j CONNMARK --set-mark 0x5\n-j CONNMARK --restore-mark\n-m mark --mark 0x5 -j ACCEPT", "-j ACCEPT"),
    (
      "-j MARK --set-xmark 0x6\n-j CONNMARK --save-mark --nfmask 0x2 --ctmask 0xff\n-m connmark --mark 0x2 -j ACCEPT",
      "-j ACCEPT"
    ),
    (
      "-m time --datestart 2026-01-01T00:00:01 --datestop 2026-01-02 -j ACCEPT",
      "-m time --datestart 2026-01-01T00:00:01 -m time --datestop 2026-01-02T00:00:00 -j ACCEPT"
    ),
    (
      "-m time --datestart 2026-01-01 -j ACCEPT",
      "-m time --datestart 2026-01-01 --datestop 2038-01-19T03:14:07 -j ACCEPT"
    ),
  ])
  func twoWaysToSayIt(a: String, b: String) throws {
    let text = { (lines: String) in
      "*filter\n:INPUT DROP [0:0]\n:X - [0:0]\n"
        + lines.split(separator: "\n").map { "-A INPUT \($0)\n" }.joined() + "COMMIT\n"
    }
    let universe = Universe()
    let first = try ForeignRuleset(text(a), .ipv4, in: universe).chains.meaning(in: universe)
    let second = try ForeignRuleset(text(b), .ipv4, in: universe).chains.meaning(in: universe)
    let difference = try first.differing(from: second)
    let example = try universe.example(of: difference).map(universe.text)
    #expect(example == nil)
  }

  @Test(arguments: [
    "-m owner --uid-owner 0", "-m recent --update --seconds 30 --name x --rsource", "-m set --match-set bad src",
    "-p tcp -m tcp --tcp-flags FIN,SYN SYN", "-m physdev --physdev-in eth0", "-f", "-m string --string x --algo bm",
    "-m rpfilter --invert", "-m socket --transparent", "-m helper --helper ftp", "-m pkttype --pkt-type broadcast",
    "-m time --timestart 08:00 --timestop 18:00", "-m conntrack --ctdir REPLY", "-m nosuch --x y",
    "-m limit --limit 0/sec", "-s example.com", "-p nosuch",
  ])
  func whatIsUnknownBoundsFromBothSides(match: String) throws {
    for negated in [false, true] {
      var line = match
      if negated {
        // The sign stands before the last option.
        guard let place = line.range(of: " --", options: .backwards)?.lowerBound else { continue }
        line.insert(contentsOf: " !", at: place)
      }
      let (accepted, universe, unknown) = try meaning("\(line) -j ACCEPT")
      #expect(unknown.count == 1, "\(unknown)")
      let condition = PacketField(rawValue: UInt8(PacketField.all.count))
      #expect(universe.space.conditions.count == 1)
      // There is a packet that may be accepted or not.
      let sometimes = try accepted.forgetting(condition)
      let always = try accepted.complement().forgetting(condition).complement()
      #expect(!sometimes.isEmpty && always.isEmpty)
    }
  }

  @Test func equalWordsAreOneCondition() throws {
    let (accepted, universe, unknown) = try meaning(
      "-m set --match-set bad src -j ACCEPT\n-m set ! --match-set bad src -j ACCEPT")
    #expect(unknown.count == 2)
    let whatever = try accepted.forgetting(PacketField(rawValue: UInt8(PacketField.all.count)))
    #expect(accepted == whatever)
    #expect(universe.space.conditions.count == 1 && !accepted.isEmpty)
  }

  @Test func unknownTargetMayDoAnything() throws {
    let (accepted, universe, unknown) = try meaning("-p tcp -j NFQUEUE --queue-num 0\n-p udp -j ACCEPT")
    #expect(unknown == ["-j NFQUEUE --queue-num 0"] && universe.space.conditions.count == 2)
    #expect(accepted.values(of: .transport) == IntervalSet([6...6, 17...17]))
  }

  @Test func loopIsNamed() throws {
    let text = "*filter\n:INPUT DROP [0:0]\n:A - [0:0]\n:B - [0:0]\n-A INPUT -j A\n-A A -j B\n-A B -g A\nCOMMIT\n"
    let universe = Universe()
    let chains = try ForeignRuleset(text, .ipv4, in: universe).chains
    #expect(throws: EvaluationError.loop("filter A")) { try chains.meaning(in: universe) }
  }
}
