import Deploy
import Netlink
import Packets
import Testing

/// What a policy makes of connections that stand.
@Suite struct ConnectionReviewTests {
  private func review(_ text: String = Watched.site, _ limit: Int = 20) throws -> ConnectionReview {
    let host = try Watched(text)
    return try ConnectionReview(host.firewall, of: host.policy, on: Watched.today, listing: limit)
  }

  @Test func `each connection is judged as it began`() throws {
    var review = try review()
    #expect(try review.review(connection("198.51.100.7", 5000, to: "192.0.2.10", 443)) == .accepted)
    // Through the public port; then at the listening port, which is the office's.
    #expect(try review.review(connection("198.51.100.7", 5001, to: "192.0.2.10", 2222, inner: 22)) == .accepted)
    guard case .refused(let one) = try review.review(connection("198.51.100.7", 5002, to: "192.0.2.10", 22)) else {
      Issue.record("it was not refused")
      return
    }
    #expect("\(one)" == "ssh: 198.51.100.7:5002 to 192.0.2.10, 22/tcp, arriving")
    #expect(try review.review(connection("203.0.113.9", 5003, to: "192.0.2.10", 22)) == .accepted)
    // The LAN is told by its interface, which its addresses tell.
    #expect(try review.review(connection("10.1.2.3", 5004, to: "10.0.0.10", 8443)) == .accepted)
    #expect((review.seen, review.accepted, review.refused, review.undecided) == (5, 4, 1, 0))
  }

  @Test func `what rules judge anyhow, and what they never judge, is spared`() throws {
    var review = try review()
    #expect(try review.review(connection("127.0.0.1", 5000, to: "127.0.0.1", 9999)) == .spared)
    #expect(try review.review(connection("192.0.2.10", 5000, to: "10.0.0.10", 9999)) == .spared)
    #expect(try review.review(connection("198.51.100.7", 5000, to: "192.0.2.10", 9999, status: 0)) == .spared)
    #expect(try review.review(connection("198.51.100.7", 5000, to: "192.0.2.10", 9999, status: 0x0f)) == .spared)
    #expect(try review.review(connection("192.0.2.10", 5000, to: "198.51.100.7", 9999)) == .accepted)
    #expect(
      try review.review(connection("198.51.100.7", 1, to: "192.0.2.10", 8 << 8, status: 0x0e, transport: .icmp))
        == .accepted)
    #expect((review.spared, review.accepted) == (4, 2))
  }

  @Test func `what the host opened is judged by its egress`() throws {
    let policy = Watched.site.replacing(
      "runs web; runs ssh; runs api", with: "runs web; runs ssh; runs api; egress closed"
    )
    .replacing("service api {", with: "service api { uses 198.51.100.0/24 on 5432/tcp;")
    var review = try review(policy)
    #expect(try review.review(connection("192.0.2.10", 5000, to: "198.51.100.7", 5432)) == .accepted)
    guard case .refused(let one) = try review.review(connection("192.0.2.10", 5000, to: "198.51.100.7", 80)) else {
      Issue.record("it was not refused")
      return
    }
    #expect(one.kind.way == .departing)
  }

  @Test func `what depends on an unknown interface is not called refused`() throws {
    let policy = """
      zone a { 10.0.0.0/8 }
      zone b { 10.1.0.0/16 }
      owner team { contact "team@example.net" }
      service web { owner team; purpose "Shop"; port 443/tcp; expose to a }
      host web1 { address 192.0.2.10; interface eth0 in a; interface eth1 in b; runs web }
      """
    var review = try review(policy)
    #expect(try review.review(connection("10.1.0.1", 5000, to: "192.0.2.10", 443)) == .undecided)
    #expect(try review.review(connection("10.2.0.1", 5000, to: "192.0.2.10", 443)) == .accepted)
  }

  @Test func `many refusals are counted, and few are listed`() throws {
    var review = try review(Watched.site, 3)
    for i in 0..<1000 { try review.review(connection("198.51.100.7", UInt16(9000 - i), to: "192.0.2.10", 22)) }
    for i in 0..<10 { try review.review(connection("198.51.100.7", UInt16(9000 + i), to: "192.0.2.10", 3306)) }
    #expect(review.refused == 1010)
    #expect(review.listed.map(\.connection.original.sourcePort) == [8998, 8999, 9000])
    #expect(review.kinds.map(\.count) == [1000, 10])
    #expect(review.kinds.map { $0.kind.service } == ["ssh", nil])
  }

  @Test func `own addresses that the policy does not declare are own`() throws {
    let host = try Watched(Watched.site)
    let tracked = connection("198.18.0.1", 5000, to: "198.51.100.7", 9999)
    var ignorant = try ConnectionReview(host.firewall, of: host.policy, on: Watched.today)
    guard case .refused(let one) = try ignorant.review(tracked) else {
      Issue.record("it was not refused")
      return
    }
    #expect(one.kind.way == .passing)
    var knowing = try ConnectionReview(
      host.firewall, of: host.policy, own: AddressSet([ip("198.18.0.1")]), on: Watched.today)
    #expect(try knowing.review(tracked) == .accepted)
  }
}
