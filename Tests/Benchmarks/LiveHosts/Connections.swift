import Deploy
import Driver
import Firewalls
import Netlink
import Packets

/// The connections of a host, judged by its policy.
enum Connections {
  /// Measures the judging of `count` connections by the policy in `folder`, half of which it would refuse if they began now.
  static func measure(_ folder: String, _ count: Int, _ rounds: Int, _ watch: inout Stopwatch) async throws {
    let policy = try await HostPolicy(folder)
    let own = Address(.ipv4, 0xc000_0201)
    let accepted = policy.firewall.openings.compactMap { opening -> ConnectionTuple? in
      guard case .ports(let transport, let ports) = opening.traffic,
        let source = opening.sources.first?.addresses.ranges(.ipv4).first?.lower
      else { return nil }
      return ConnectionTuple(transport, source, 0, to: own, ports.lower)
    }
    let connections = (0..<count).map { i in
      var tuple = accepted[i / 2 % accepted.count]
      tuple.sourcePort = UInt16(truncatingIfNeeded: 1024 + i)
      // TEST-NET-2, which no service is open to.
      if i % 2 == 1 { tuple.source = Address(.ipv4, UInt128(0xc633_6400 + i % 256)) }
      let reply = ConnectionTuple(
        tuple.transport, tuple.destination, tuple.destinationPort, to: tuple.source, tuple.sourcePort)
      // IPS_SEEN_REPLY.
      return TrackedConnection(original: tuple, reply: reply, status: 2, id: UInt32(i))
    }
    for _ in 0..<rounds {
      var review = try watch.time("prepare") {
        try ConnectionReview(policy.firewall, of: policy.pipeline.policy, on: policy.pipeline.today)
      }
      try watch.time("review") { for connection in connections { try review.review(connection) } }
      guard review.refused == count / 2, review.accepted == count - count / 2 else {
        throw Failure(how: "\(review.refused) of \(count) are refused, and \(review.accepted) accepted")
      }
    }
  }
}
