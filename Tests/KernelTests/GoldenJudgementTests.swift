import Firewalls
import Packets
import Policies
import Support
import Syntax
import Testing

/// What the model of a host's firewall says of each packet is what the laboratory says by hand.
@Suite struct GoldenJudgementTests {
  @Test(arguments: try GoldenLab.all())
  func `judges as the laboratory says`(golden: GoldenLab) throws {
    let lab = try golden.lab()
    var policy = try policy(golden.policy)
    var judged = 0
    for step in lab.steps {
      switch step {
      case .load(let name?, _): policy = try self.policy(try #require(golden.others[name]))
      case .question(let question):
        guard let packet = packet(question, in: lab), let accepted = question.expectation.isAccepted else { continue }
        let host = try #require(policy.host(named: lab.host), "the policy has no host \(lab.host)")
        let firewall = Lowering(policy).firewall(of: host)
        // The kernel knows all addresses of the host, the model those that the policy declares.
        let isOwn = lab.links.contains { $0.addresses.contains { $0.address == question.destination } }
        if isOwn && !firewall.isLocal(packet.destination) { continue }
        let verdict = firewall.judge(packet, departing: departing(question, lab), on: today)
        if verdict.isLimited && !accepted { continue }
        judged += 1
        #expect(
          (verdict.verdict == .accept) == accepted,
          "\(lab.file):\(question.line): \(question.text) (\(question.source) to \(question.destination)): \(verdict)")
      default: break
      }
    }
    #expect(judged > 1)
  }

  /// A day between the ends of what has lapsed and of what goes on, in the laboratories.
  private var today: CalendarDate { CalendarDate(year: 2026, month: 11, day: 22) ?? CalendarDate(daysSinceEpoch: 0) }

  private func policy(_ files: [(path: String, text: String)]) throws -> Policy {
    let reading = Reading(files)
    try #require(!reading.diagnostics.contains { $0.severity == .error }, Comment(rawValue: reading.findings))
    return reading.policy
  }

  /// Returns the packet of `question` where it is one that the model judges: the first of a connection that comes in.
  private func packet(_ question: Question, in lab: Lab) -> Packet? {
    guard question.flags == nil, question.quoted == nil,
      let source = Address("\(question.source)"), let destination = Address("\(question.destination)")
    else { return nil }
    let isBroadcast = lab.links.contains { link in
      link.addresses.contains { $0.address.lastAddress(prefixLength: $0.length) == question.destination }
    }
    let isLoopback = question.sender == lab.host && question.destination.octets.first == 127
    let link = lab.peers.first { $0.name == question.sender }?.link
    guard !isBroadcast, "\(question.destination)" != "255.255.255.255", isLoopback || link != nil else { return nil }
    let isIPv6 = question.source.isIPv6
    let (transport, port): (TransportProtocol, UInt16)
    var sourcePort = question.sourcePort ?? 40000
    switch question.port.transport {
    case "tcp": (transport, port) = (.tcp, question.port.number)
    case "udp": (transport, port) = (.udp, question.port.number)
    case "sctp": (transport, port) = (.sctp, question.port.number)
    default:
      guard let message = question.port.message(isIPv6: isIPv6) else { return nil }
      (transport, port, sourcePort) = (isIPv6 ? .icmpv6 : .icmp, message.type, UInt16(message.code))
    }
    return Packet(
      interface: isLoopback ? "lo" : link, source: source, destination: destination, transport: transport,
      sourcePort: sourcePort, destinationPort: port)
  }

  /// Returns the interface that the packet of `question` leaves on if it is routed on.
  private func departing(_ question: Question, _ lab: Lab) -> String? {
    lab.peers.first { $0.addresses.contains(question.destination) }?.link
  }
}

extension ExpectedOutcome {
  /// `true` or `false` if the packet is accepted or refused, nothing if that depends.
  fileprivate var isAccepted: Bool? {
    switch fate {
    case .open, .arrives: true
    case .closed, .silent, .refused: false
    case .counted(let range): range.upperBound == 0 ? false : range.lowerBound > 0 ? true : nil
    }
  }
}
