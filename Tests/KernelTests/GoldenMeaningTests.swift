import Firewalls
import Packets
import Policies
import Support
import Syntax
import Testing

/// What a firewall means, as sets of packets, is for each packet what the laboratory says by hand: for what arrives and
/// what the host sends, with what becomes of the destination and the source.
@Suite struct GoldenMeaningTests {
  @Test(arguments: try GoldenLab.all())
  func `means what the laboratory says`(golden: GoldenLab) throws {
    let lab = try golden.lab()
    var meaning = try meaning(golden.policy, lab.host)
    var judged = 0
    for step in lab.steps {
      switch step {
      case .load(let name?, _): meaning = try self.meaning(try #require(golden.others[name]), lab.host)
      case .question(let question):
        guard question.flags == nil, question.quoted == nil else { continue }
        for way in ways(of: question, in: lab) {
          judged += 1
          check(way, question, meaning, lab)
        }
      default: break
      }
    }
    #expect(judged > 1)
  }

  /// A packet as it comes to the host under test, or leaves it.
  private struct Way {
    var packet: Packet
    var departing: String?
    var kind: AddressKind
  }

  private func check(_ way: Way, _ question: Question, _ meaning: Meaning, _ lab: Lab) {
    let universe = meaning.universe
    func values(_ holds: Bool) -> PacketValues {
      // Between the ends of what has lapsed and of what goes on, in the laboratories.
      let day = CalendarDate(year: 2026, month: 11, day: 22)?.daysSinceEpoch ?? 0
      return universe.values(
        of: way.packet, departing: way.departing, to: way.kind, at: day * 86_400 + 43_200, conditions: holds)
    }
    func verdict(_ holds: Bool) -> Verdict? { Verdict(label: meaning.verdicts.label(of: values(holds))) }
    let place: Comment = "\(lab.file):\(question.line): \(question.text): \(universe.text(of: values(true)))"
    let (within, beyond) = (verdict(true), verdict(false))
    switch question.expectation.fate {
    case .open, .arrives: #expect(within == .accept, place)
    // Where there is a limit, questions before this one have used it up.
    case .closed: #expect(beyond != .accept, place)
    // A refusal of a broadcast is heard by nobody.
    case .silent: #expect(beyond == .drop || beyond == .reject && way.kind.isShared, place)
    case .refused: #expect(beyond == .reject, place)
    case .counted(let range):
      if range.lowerBound > 0 { #expect(within == .accept, place) }
      if range.upperBound < question.count { #expect(beyond != .accept, place) }
    }
    guard within == .accept, question.expectation.fate == .open || question.expectation.fate == .arrives else { return }
    let port = Int(way.packet.destinationPort)
    let target = question.expectation.address.flatMap { Address("\($0)") }
    let targetPort = question.expectation.port.map(Int.init) ?? port
    let isForeign = lab.translations.contains { $0.port.number == question.port.number }
    if way.packet.interface != nil, !isForeign {
      switch universe.translation(labelled: meaning.translations.label(of: values(true))) {
      case nil: #expect(target == nil && targetPort == port, place)
      case .redirect(let distance)?: #expect(target == nil && targetPort == port + distance, place)
      case .forward(let addresses, let distance)?:
        #expect(target.map(addresses.contains) ?? false, place)
        #expect(targetPort == port + distance, place)
      case let other?: Issue.record("\(other): \(place)")
      }
      #expect(meaning.masqueraded.contains(values(true)) == (question.expectation.source != nil), place)
    }
  }

  private func meaning(_ files: [(path: String, text: String)], _ host: String) throws -> Meaning {
    try Compiled.firewall(of: files, host: host).0.meaning(in: Universe())
  }

  /// Returns the packet of `question` as the host under test sees it: once, or twice if the host sends it to itself.
  private func ways(of question: Question, in lab: Lab) -> [Way] {
    guard let source = Address("\(question.source)"), let destination = Address("\(question.destination)") else {
      return []
    }
    let isIPv6 = question.source.isIPv6
    var packet = Packet(
      interface: nil, source: source, destination: destination, transport: .tcp,
      sourcePort: question.sourcePort ?? 40_000, destinationPort: question.port.number)
    switch question.port.transport {
    case "tcp": packet.transport = .tcp
    case "udp": packet.transport = .udp
    case "sctp": packet.transport = .sctp
    default:
      guard let message = question.port.message(isIPv6: isIPv6) else { return [] }
      packet.transport = isIPv6 ? .icmpv6 : .icmp
      (packet.destinationPort, packet.sourcePort) = (message.type, UInt16(message.code))
    }
    let isOwn =
      lab.links.contains { $0.addresses.contains { $0.address == question.destination } }
      || AddressSet.loopback.contains(destination)
    let isBroadcast =
      "\(destination)" == "255.255.255.255"
      || !isIPv6
        && lab.links.contains { link in
          link.addresses.contains { $0.address.lastAddress(prefixLength: $0.length) == question.destination }
        }
    let kind: AddressKind =
      isOwn ? .local : isBroadcast ? .broadcast : AddressSet.multicast.contains(destination) ? .multicast : .elsewhere
    let peer = lab.peers.first { $0.name == question.sender }
    guard peer == nil else {
      packet.interface = peer?.link
      let departing = lab.peers.first { $0.addresses.contains(question.destination) }?.link
      if kind == .elsewhere && departing == nil { return [] }
      return [Way(packet: packet, departing: departing, kind: kind)]
    }
    let departing = isOwn ? "lo" : lab.peers.first { $0.addresses.contains(question.destination) }?.link
    guard let departing else { return [] }
    var result = [Way(packet: packet, departing: departing, kind: kind)]
    if isOwn {
      packet.interface = "lo"
      result.append(Way(packet: packet, departing: nil, kind: kind))
    }
    return result
  }
}

extension AddressKind {
  /// `true` iff several hosts may have the address, so that none answers with a refusal (RFC 1122 section 3.2.2).
  fileprivate var isShared: Bool { self == .broadcast || self == .multicast }
}
