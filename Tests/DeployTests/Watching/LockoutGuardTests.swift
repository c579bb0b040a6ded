import Deploy
import Netlink
import Nftables
import Packets
import Syntax
import Testing

/// Whether a policy shuts out the one who puts it in force.
@Suite struct LockoutGuardTests {
  private func guardian(_ text: String = Watched.site, _ listeners: [Listener] = []) throws -> LockoutGuard {
    let host = try Watched(text)
    return try LockoutGuard(
      host.firewall, of: host.policy, sources: host.sources, listeners: listeners, on: Watched.today)
  }

  private static let sshd = [Listener(.tcp, ip("::"), port: 22, process: 7, processName: "sshd")]

  @Test(arguments: [
    ("203.0.113.7 50022 192.0.2.10 22", "203.0.113.7", nil as String?),
    ("::ffff:203.0.113.7 50022 ::ffff:192.0.2.10 22", "203.0.113.7", nil),
    ("fe80::1%eth1 50022 fe80::2%eth1 22", "fe80::1", "eth1"),
    ("fe80::1%3 50022 fe80::2%3 22", "fe80::1", nil),
    ("  2001:db8:10::7\t50022  2001:db8::10 22 ", "2001:db8:10::7", nil),
  ])
  func `sessions are read`(_ text: String, _ client: String, _ interface: String?) throws {
    guard case .session(let session) = RemoteSession.Origin(text) else {
      Issue.record("\(text) was not read")
      return
    }
    #expect(session.client == ip(client))
    #expect(session.interface == interface)
    #expect((session.clientPort, session.serverPort) == (50022, 22))
  }

  /// A kept ruleset is judged without its policy, on the interface that leads to the peer.
  @Test func `a ruleset that was kept is judged by itself`() throws {
    let host = try Watched(Watched.site)
    let table = NftablesBackend.table(for: host.firewall, sources: host.sources).0
    var facts = HostFacts()
    facts.addresses = AddressSet([ip("192.0.2.10"), ip("10.0.0.10"), ip("2001:db8::10")])
    facts.read(
      route: """
        Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
        eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
        eth1\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
        eth9\t0000000A\t00000000\t0001\t0\t0\t5\t00FFFFFF\t0\t0\t0
        eth8\t0700000A\t00000000\t0201\t0\t0\t0\tFFFFFFFF\t0\t0\t0

        """)
    facts.read(
      ipv6Route: """
        20010db8000000000000000000000000 40 \(String(repeating: "0", count: 32)) 00 \(String(repeating: "0", count: 32)) 00000100 00000001 00000000 00000001     eth1
        00000000000000000000000000000000 00 \(String(repeating: "0", count: 32)) 00 fd000000000000000000000000000001 00000400 00000003 00000000 00000003     eth0

        """)
    #expect(facts.interface(towards: ip("10.0.0.7")) == "eth1")
    #expect(facts.interface(towards: ip("203.0.113.7")) == "eth0")
    #expect(facts.interface(towards: ip("2001:db8::7")) == "eth1")
    #expect(facts.interface(towards: ip("2001:db9::7")) == "eth0")
    #expect(HostFacts().interface(towards: ip("10.0.0.7")) == nil)
    func outcome(_ session: String, _ table: Table) throws -> LockoutGuard.Finding {
      try LockoutGuard(table, of: "web1", facts: facts, listeners: [], on: Watched.today).finding(of: .init(session))
    }
    #expect(try outcome("203.0.113.7 50022 192.0.2.10 22", table).outcome == .letIn)
    #expect(try outcome("10.0.0.7 50022 10.0.0.10 22", table).outcome == .letIn)
    let refused = try outcome("198.51.100.7 50022 192.0.2.10 22", table)
    #expect(refused.outcome == .shutOut)
    #expect(refused.sentences == ["web1 would refuse 198.51.100.7 at 192.0.2.10, 22/tcp, arriving on eth0."])
    // Where no rule refuses anything, everybody is let in.
    #expect(try outcome("198.51.100.7 50022 192.0.2.10 22", Table("portcullis")).outcome == .letIn)
    // An address that is the host's own, as the session says.
    #expect(try outcome("203.0.113.7 50022 192.0.2.99 22", table).outcome == .letIn)
  }

  @Test func `what is no session is told apart from nothing`() {
    #expect(RemoteSession.Origin(nil) == .unsaid)
    #expect(RemoteSession.Origin("") == .unsaid)
    #expect(RemoteSession.Origin("  ") == .unsaid)
    for text in [
      "UNKNOWN 65535 UNKNOWN 65535", "203.0.113.7 50022 192.0.2.10", "203.0.113.7 0 192.0.2.10 22",
      "203.0.113.7 50022 192.0.2.10 65536", "203.0.113.7 50022 2001:db8::10 22", "203.0.113.7%eth0 1 192.0.2.10 22",
      "203.0.113.7 +5 192.0.2.10 22", "203.0.113.7 5 192.0.2.10 22 x", "fe80::1% 1 fe80::2 22",
    ] {
      #expect(RemoteSession.Origin(text) == .unreadable(text))
    }
  }

  @Test func `the office is let in, and others are told what is missing`() throws {
    let inside = try guardian().finding(of: .init("203.0.113.7 50022 192.0.2.10 22"))
    #expect(inside.outcome == .letIn && inside.sentences.isEmpty)
    let policy = Watched.site.replacing("expose to internet as 2222/tcp until 2026-12-31 because \"travel\"", with: "")
    let outside = try guardian(policy).finding(of: .init("198.51.100.7 50022 192.0.2.10 22"))
    #expect(outside.outcome == .shutOut)
    #expect(
      outside.sentences == [
        "web1 would refuse 198.51.100.7 at 192.0.2.10, 22/tcp, arriving on eth0: nothing exposes it; nearest: ssh "
          + "(site/policy.port:4) is exposed here, but not to 198.51.100.7; web (site/policy.port:3) is exposed here, "
          + "but on 443/tcp."
      ])
  }

  @Test func `a session of the LAN is judged on the interface of the LAN`() throws {
    #expect(try guardian().finding(of: .init("10.0.0.7 50022 10.0.0.10 22")).outcome == .letIn)
    #expect(try guardian().finding(of: .init("10.0.0.7 50022 10.0.0.10 22"), on: "eth0").outcome == .letIn)
    let policy = Watched.site.replacing("expose to internet as 2222/tcp until 2026-12-31 because \"travel\"", with: "")
    #expect(try guardian(policy).finding(of: .init("10.0.0.7 50022 10.0.0.10 22"), on: "eth0").outcome == .shutOut)
  }

  @Test func `what is redirected is judged on the port that was asked for`() throws {
    let text = "198.51.100.7 50022 192.0.2.10 22"
    let known = [connection("198.51.100.7", 50022, to: "192.0.2.10", 2222, inner: 22)]
    #expect(try guardian().finding(of: .init(text), tracked: known).outcome == .letIn)
    // Without connection tracking, a public port that leads there is enough, and it is said.
    let unknown = try guardian().finding(of: .init(text))
    #expect(unknown.outcome == .letIn)
    #expect(unknown.sentences == ["web1 lets 198.51.100.7 in on port 2222, which leads to 22."])
    // Who came in on the listening port itself is out.
    let direct = [connection("198.51.100.7", 50022, to: "192.0.2.10", 22)]
    #expect(try guardian().finding(of: .init(text), tracked: direct).outcome == .shutOut)
  }

  @Test func `an exposure that ended lets nobody in`() throws {
    let host = try Watched(Watched.site)
    let later = try LockoutGuard(
      host.firewall, of: host.policy, sources: host.sources, listeners: [], on: .init("2027-01-01") ?? Watched.today)
    let finding = try later.finding(of: .init("198.51.100.7 50022 192.0.2.10 22"))
    #expect(finding.outcome == .shutOut)
    #expect(finding.sentences.first?.contains("its public port is 2222/tcp and only until 2026-12-31") == true)
  }

  @Test func `a block refuses whatever is exposed`() throws {
    let finding = try guardian(Watched.site + "\nblock 203.0.113.7\n").finding(
      of: .init("203.0.113.7 50022 192.0.2.10 22"))
    #expect(finding.outcome == .shutOut)
    #expect(finding.sentences.first?.hasSuffix("the block at site/policy.port:13 refuses it.") == true, "\(finding)")
  }

  @Test func `without SSH_CONNECTION every session of sshd must be let in`() throws {
    let office = connection("203.0.113.7", 50022, to: "192.0.2.10", 22)
    let stranger = connection("198.51.100.7", 50022, to: "192.0.2.10", 22)
    let web = connection("198.51.100.7", 50023, to: "192.0.2.10", 443)
    let guardian = try guardian(Watched.site, LockoutGuardTests.sshd)
    #expect(guardian.ports == [22])
    #expect(try guardian.finding(of: .unsaid).outcome == .noSession)
    #expect(try guardian.finding(of: .unsaid, tracked: [office, web]).outcome == .letIn)
    let finding = try guardian.finding(of: .unsaid, tracked: [office, stranger, stranger])
    #expect(finding.outcome == .shutOut)
    #expect(finding.sentences.count == 2)
    #expect(try guardian.finding(of: .unreadable("UNKNOWN 1 UNKNOWN 1")).outcome == .unknown)
    #expect(try guardian.finding(of: .unreadable("UNKNOWN 1 UNKNOWN 1"), tracked: [stranger]).outcome == .shutOut)
  }

  @Test func `an address that the policy does not declare is the host's own all the same`() throws {
    #expect(try guardian().finding(of: .init("203.0.113.7 50022 198.18.0.1 22")).outcome == .letIn)
  }
}
