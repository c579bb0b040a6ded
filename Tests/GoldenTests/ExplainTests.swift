import Driver
import Firewalls
import Packets
import Policies
import Support
import Syntax
import Testing

/// What `explain` says, by sets of packets, is what the naive evaluator says: two answers that share nothing but the
/// firewall.
@Suite struct ExplainTests {
  @Test(arguments: try GoldenTests.names())
  func explanationsAgreeWithTheEvaluator(name: String) async throws {
    let pipeline = try await GoldenTests.pipeline(of: name)
    guard !pipeline.firewalls.isEmpty else { return }
    var questions = Questions(pipeline, seed: name.utf8.reduce(0) { $0 &* 31 &+ Int($1) })
    var verdicts = Set<Verdict>()
    for _ in 0..<400 {
      let question = questions.next()
      let answer: Explanation
      do throws(UnanswerableQuestion) { answer = try pipeline.explain(question) } catch { continue }
      let host = try #require(pipeline.firewalls.firstIndex { answer.place == "host \($0.name)" })
      let firewall = pipeline.firewalls[host]
      let packet = try packet(of: question, answer, pipeline)
      verdicts.insert(answer.verdict)
      if answer.reason == .egress {
        #expect(!firewall.permits(departing: packet, on: GoldenTests.today), "\(question): \(answer)")
        #expect(answer.verdict != .accept, "\(question): \(answer)")
        continue
      }
      let departing =
        firewall.isLocal(packet.destination)
        ? nil : departure(to: packet.destination, from: pipeline.policy[firewall.host], pipeline.policy)
      let judgement = firewall.judge(packet, departing: departing, on: GoldenTests.today)
      #expect(judgement.verdict == answer.verdict, "\(question): \(answer)")
      #expect(judgement.isLimited == answer.isLimited, "\(question): \(answer)")
      #expect(reason(judgement) == answer.reason, "\(question): \(answer)")
    }
    #expect(!verdicts.isEmpty)
  }

  private func reason(_ judgement: Judgement) -> Explanation.Reason {
    switch judgement.reason {
    case .loopback, .essential, .ping: .essential
    case .blocked: .blocked
    case .opened, .passed: .exposed
    case .closed: .closed
    }
  }

  /// Returns the packet that `question` is about where `answer` was found.
  private func packet(
    of question: Driver.Question, _ answer: Explanation, _ pipeline: Pipeline
  ) throws -> Packet {
    let source = try #require(Address(question.source))
    let destination = try #require(
      Address(question.destination)
        ?? pipeline.policy.hosts.first { $0.name.value == question.destination }?.addresses.map(\.value).first {
          $0.family == source.family
        })
    let parts = question.port.split(separator: "/")
    let isMessage = parts[1] == "icmp"
    let transport =
      isMessage
      ? (source.family == .ipv4 ? TransportProtocol.icmp : .icmpv6)
      : try #require(TransportProtocol.withPorts.first { $0.name == parts[1] }).transport
    return Packet(
      interface: answer.interface, source: source, destination: destination, transport: transport,
      sourcePort: isMessage ? 0 : question.sourcePort, destinationPort: UInt16(parts[0]) ?? 0)
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
