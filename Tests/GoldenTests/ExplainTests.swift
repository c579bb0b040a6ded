import Driver
import Firewalls
import Packets
import Policies
import Support
import Syntax
import Testing

/// What `explain` says is what the engine says: two answers that share nothing but the firewall.
@Suite struct ExplainTests {
  @Test(arguments: try GoldenTests.names())
  func explanationsAgreeWithTheEngine(name: String) async throws {
    let pipeline = try await GoldenTests.pipeline(of: name)
    guard !pipeline.firewalls.isEmpty else { return }
    let universe = Universe()
    let meanings = try pipeline.firewalls.map { try $0.meaning(in: universe) }
    var questions = Questions(pipeline, seed: name.utf8.reduce(0) { $0 &* 31 &+ Int($1) })
    var verdicts = Set<Verdict>()
    for _ in 0..<400 {
      let question = questions.next()
      let answer: Explanation
      do throws(UnanswerableQuestion) { answer = try pipeline.explain(question) } catch { continue }
      let host = try #require(pipeline.firewalls.firstIndex { answer.place == "host \($0.name)" })
      let packet = try packet(of: question, answer, at: pipeline.firewalls[host], pipeline)
      let (label, condition) = label(of: packet, in: meanings[host])
      #expect(label == answer.verdict, "\(question): \(answer)")
      if answer.verdict == .accept, answer.reason != .egress {
        #expect(condition == answer.isLimited, "\(question): \(answer)")
      }
      verdicts.insert(answer.verdict)
    }
    #expect(!verdicts.isEmpty)
  }

  /// Returns what becomes of `packet` if every condition holds, and whether it is accepted only then.
  private func label(of packet: PacketValues, in meaning: Meaning) -> (Verdict?, isLimited: Bool) {
    let plain = Verdict(label: meaning.verdicts.label(of: packet))
    var within = packet
    for i in meaning.universe.space.conditions.indices {
      within[PacketField(rawValue: UInt8(PacketField.all.count + i))] = 1
    }
    return (Verdict(label: meaning.verdicts.label(of: within)), plain != .accept)
  }

  /// Returns the packet that `question` is about where `answer` was found.
  private func packet(
    of question: Driver.Question, _ answer: Explanation, at firewall: Firewall, _ pipeline: Pipeline
  ) throws -> PacketValues {
    let source = try #require(Address(question.source))
    let destination = try #require(
      Address(question.destination)
        ?? pipeline.policy.hosts.first { $0.name.value == question.destination }?.addresses.map(\.value).first {
          $0.family == source.family
        })
    let parts = question.port.split(separator: "/")
    var packet = PacketValues()
    packet[.family] = UInt128(source.family.number)
    packet[.source] = source.value
    packet[.destination] = destination.value
    packet[.hopLimit] = 255
    packet[.time] = UInt128(GoldenTests.today.daysSinceEpoch) * 86_400
    packet[.destinationPort] = UInt128(parts[0]) ?? 0
    if parts[1] == "icmp" {
      packet[.transport] = UInt128((source.family == .ipv4 ? TransportProtocol.icmp : .icmpv6).rawValue)
    } else {
      packet[.transport] = UInt128(
        try #require(TransportProtocol.withPorts.first { $0.name == parts[1] }).transport.rawValue)
      packet[.sourcePort] = UInt128(question.sourcePort)
    }
    if answer.reason == .egress {
      packet[.direction] = 1
      packet[.departure] = InterfaceName.value(of: "eth0")
      packet[.destinationKind] = UInt128(AddressKind.elsewhere.rawValue)
      return packet
    }
    packet[.arrival] = InterfaceName.value(of: answer.interface ?? "\u{1}")
    packet[.sourceKind] = UInt128((firewall.addresses.contains(source) ? AddressKind.local : .elsewhere).rawValue)
    let kind: AddressKind =
      if AddressSet.multicast.contains(destination) {
        .multicast
      } else if AddressSet.shared.contains(destination) {
        .broadcast
      } else if firewall.isLocal(destination) {
        .local
      } else {
        .elsewhere
      }
    packet[.destinationKind] = UInt128(kind.rawValue)
    let host = pipeline.policy[firewall.host]
    if kind == .elsewhere, let name = departure(to: destination, from: host, pipeline.policy) {
      packet[.departure] = InterfaceName.value(of: name)
    }
    return packet
  }

  /// Returns the interface of `host` that is bound to a zone with `destination`, or else to the Internet.
  private func departure(to destination: Address, from host: Policies.Host, _ policy: Policy) -> String? {
    for interface in host.interfaces {
      for zone in interface.zones where policy[zone.value].addresses.contains(destination) {
        return interface.name.value
      }
    }
    return host.interfaces.first { $0.isInternet }?.name.value
  }

  /// A source of questions near what a policy speaks of.
  private struct Questions {
    var numbers: SeededGenerator
    let sources: [Address]
    let destinations: [String]
    let ports: [String]
    let interfaces: [String?]

    init(_ pipeline: Pipeline, seed: Int) {
      numbers = SeededGenerator(seed: seed)
      let policy = pipeline.policy
      let firewalls = pipeline.firewalls
      let own = policy.hosts.flatMap { $0.addresses.map(\.value) }
      let reaches =
        firewalls.flatMap { $0.openings.flatMap(\.sources) + $0.blocks.flatMap(\.sources) }
        + firewalls.flatMap { $0.passages.flatMap { $0.sources + $0.destinations } }
      let edges = reaches.flatMap { $0.addresses.ranges.prefix(40) }.flatMap { [$0.lower, $0.upper] }
      let usual = ["198.51.100.7", "10.0.0.1", "192.168.7.7", "2001:db8::7", "fe80::1"].compactMap { Address($0) }
      sources = Array(Set(own + edges + usual)).sorted()
      let shared = ["255.255.255.255", "224.0.0.251", "ff02::fb", "127.0.0.1", "203.0.113.200", "2001:db8:9::9"]
      destinations = policy.hosts.map(\.name.value) + own.map(\.description) + edges.map(\.description) + shared
      let open = Set(firewalls.flatMap { $0.openings.map(\.traffic) + $0.passages.flatMap { $0.traffic ?? [] } })
        .sorted()
      ports =
        open.compactMap { traffic in traffic.ports.map { "\($0.lower)/\(traffic.transport)" } }
        + open.compactMap { traffic in traffic.ports.map { "\($0.upper)/\(traffic.transport)" } }
        + ["0/icmp", "3/icmp", "8/icmp", "128/icmp", "135/icmp", "22/tcp", "68/udp", "546/udp", "1/sctp", "65535/udp"]
      interfaces = [nil, nil, nil, "eth0", "eth1", "eth9", "lo"]
    }

    mutating func next() -> Driver.Question {
      Driver.Question(
        from: numbers.pick(sources).description, to: numbers.pick(destinations), port: numbers.pick(ports),
        on: numbers.pick(interfaces), sourcePort: numbers.pick([49152, 547, 67]))
    }
  }
}
