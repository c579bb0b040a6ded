import Deploy
import Firewalls
import Netlink
import Packets
import Policies
import Support
import Syntax
import Testing

/// Connections of random worlds, judged by sets of packets and one by one.
@Suite struct RandomConnectionTests {
  @Test(arguments: 0..<40)
  func `the review agrees with the naive evaluator`(seed: Int) throws {
    var world = RandomWorld(seed: seed + 90_000)
    var firewall = world.firewall(services: 12)
    if world.chance(50) { firewall.departures = world.departures() }
    var policy = Policy()
    let place = Span(file: 0, lower: 0, upper: 0)
    for i in 0...firewall.host.rawValue { policy.hosts.append(Host(name: Name("host\(i)", at: place), span: place)) }
    let today = world.pick(RandomWorld.days)
    var review = try ConnectionReview(firewall, of: policy, on: today)
    var counts = (accepted: 0, refused: 0)
    for _ in 0..<200 {
      var packet = world.packet()
      packet.interface = nil
      if world.chance(20), let own = firewall.addresses.ranges(packet.source.family).first?.lower {
        packet.source = own
      }
      guard !AddressSet.loopback.contains(packet.source),
        !firewall.isLocal(packet.source) || firewall.addresses.contains(packet.source)
      else { continue }
      let isFrom = firewall.addresses.contains(packet.source)
      if isFrom, firewall.addresses.contains(packet.destination) || AddressSet.loopback.contains(packet.destination) {
        continue
      }
      let port =
        packet.transport.isICMP ? packet.destinationPort << 8 | packet.sourcePort & 255 : packet.destinationPort
      let original = ConnectionTuple(packet.transport, packet.source, packet.sourcePort, to: packet.destination, port)
      let reply = ConnectionTuple(packet.transport, packet.destination, port, to: packet.source, packet.sourcePort)
      let tracked = TrackedConnection(original: original, reply: reply, status: 0x0e)
      let asked = tracked.original.packet
      let wanted =
        isFrom
        ? firewall.permits(departing: asked, on: today) : firewall.judge(asked, on: today).verdict == .accept
      let outcome = try review.review(tracked)
      if wanted { counts.accepted += 1 } else { counts.refused += 1 }
      #expect((outcome == .accepted) == wanted, "\(asked) is \(outcome), on \(today)")
    }
    #expect((review.accepted, review.refused) == counts)
    #expect(review.undecided == 0 && review.spared == 0)
    #expect(counts.refused > 0)
  }
}
