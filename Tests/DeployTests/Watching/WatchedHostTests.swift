import Deploy
import Firewalls
import Foundation
import Netlink
import Nftables
import Packets
import Support
import Syntax
import Testing

/// A real host: listeners, traffic and counters in namespaces of their own.
@Suite struct WatchedHostTests {
  private static let site = """
    policy "watched" { log denied 5/second }
    owner team { contact "team@example.net" }
    zone lan { 10.77.0.0/24, fd77::/64 }
    service web { owner team; purpose "Shop"; port 443/tcp; expose to internet }
    service api { owner team; purpose "API"; port 8443/tcp
      expose to lan as 444/tcp limit 10/second per source }
    service ssh { owner team; purpose "Shell"; port 22/tcp; expose to 10.77.0.2 }
    service quiet { owner team; purpose "Nothing"; port 5000/tcp; expose to lan }
    service db { owner team; purpose "Data"; port 5432/tcp; expose to lan }
    block 10.77.0.9
    host web1 {
      address 10.77.0.1, fd77::1
      interface v0 in lan
      runs web; runs api; runs ssh; runs quiet; runs db on 127.0.0.1
    }
    """

  private static let listen = """
    import socket, sys
    kept = []
    def listen(family, address, port):
      s = socket.socket(family); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
      if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
      s.bind((address, port)); s.listen(); kept.append(s)
    listen(socket.AF_INET6, "::", 443); listen(socket.AF_INET, "0.0.0.0", 8443); listen(socket.AF_INET, "0.0.0.0", 22)
    listen(socket.AF_INET, "0.0.0.0", 5432); listen(socket.AF_INET, "0.0.0.0", 9999)
    print("ready", flush=True); sys.stdin.read()
    """

  /// Connects from each source, keeps what was accepted open, and waits.
  private static let connect = """
    import socket, sys
    kept = []
    def connect(source, target, port):
      s = socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET); s.settimeout(0.4); s.bind((source, 0))
      try: s.connect((target, port)); kept.append(s)
      except OSError: pass
    for i in range(3): connect("10.77.0.2", "10.77.0.1", 443)
    connect("fd77::2", "fd77::1", 443); connect("10.77.0.2", "10.77.0.1", 444); connect("10.77.0.2", "10.77.0.1", 22)
    connect("10.77.0.9", "10.77.0.1", 443); connect("10.77.0.3", "10.77.0.1", 22); connect("10.77.0.2", "10.77.0.1", 9999)
    print(len(kept), flush=True); sys.stdin.read()
    """

  @Test func `counters, listeners and connections of a real host`() throws {
    let namespaces = try NetworkNamespace.make(["host", "peer"])
    defer { NetworkNamespace.remove(namespaces) }
    let (host, peer) = (namespaces[0], namespaces[1])
    func ip(_ namespace: NetworkNamespace, _ line: String) throws {
      let result = try namespace.run(["ip"] + line.split(separator: " ").map(String.init))
      try #require(result.status == 0, "\(line): \(result.errors)")
    }
    try ip(host, "link add v0 type veth peer name v1 netns \(peer.name)")
    for line in [
      "addr add 10.77.0.1/24 dev v0", "addr add fd77::1/64 dev v0 nodad", "link set v0 up", "link set lo up",
    ] {
      try ip(host, line)
    }
    for n in [2, 3, 9] { try ip(peer, "addr add 10.77.0.\(n)/24 dev v1") }
    for line in ["addr add fd77::2/64 dev v1 nodad", "link set v1 up", "link set lo up"] { try ip(peer, line) }
    let watched = try Watched(WatchedHostTests.site)
    let ruleset = NftablesBackend.compile(watched.firewall, sources: watched.sources).artefacts[0].text
    let loaded = try host.run(["nft", "-f", "-"], input: ruleset)
    try #require(loaded.status == 0, "\(loaded.errors)")
    let file = "/run/netns/\(host.name)"

    let servers = try ChildProcess([
      "ip", "netns", "exec", host.name, "/usr/bin/python3", "-c", WatchedHostTests.listen,
    ])
    defer { servers.finish() }
    var listeners: [Listener] = []
    for _ in 0..<100 where listeners.count < 5 {
      listeners = try Listeners(namespace: file).all()
      if listeners.count < 5 { Thread.sleep(forTimeInterval: 0.1) }
    }
    let clients = try ChildProcess([
      "ip", "netns", "exec", peer.name, "/usr/bin/python3", "-c", WatchedHostTests.connect,
    ])
    defer { clients.finish() }
    let kernel = try Kernel(namespace: file)
    let (wanted, _) = NftablesBackend.table(for: watched.firewall, sources: watched.sources)
    func read() throws -> Status {
      Status(
        watched.firewall, of: watched.policy, sources: watched.sources, wanted: wanted,
        live: try kernel.table(named: Deployment.table), fingerprint: nil, on: Watched.today)
    }
    var status = try read()
    // The last that clients ask for is refused; it is sent again while they wait for an answer.
    for _ in 0..<100 where status.refused?.packets ?? 0 < 3 {
      Thread.sleep(forTimeInterval: 0.1)
      status = try read()
    }
    Thread.sleep(forTimeInterval: 0.5)
    status = try read()
    func line(_ number: Int) throws -> Status.Line { try #require(status.lines.first { $0.location.line == number }) }
    #expect(status.isLoaded && status.isCurrent)
    #expect(try line(4).decided?.packets == 4)
    #expect(try line(4).decided?.bytes ?? 0 >= 4 * 40)
    #expect(try line(6).decided?.packets == 1)
    #expect(try line(7).decided?.packets == 1)
    #expect(try line(10).decided?.packets ?? 0 >= 1)
    // The database listens everywhere, but is declared at loopback alone, where no rule is asked.
    #expect(status.unused.map(\.location.line).contains(8))
    #expect(status.refused?.packets ?? 0 >= 3)

    let audit = Audit(
      watched.firewall, of: watched.policy, sources: watched.sources, listeners: listeners, facts: HostFacts(),
      on: Watched.today)
    #expect(
      audit.findings.map { "\($0.kind.rawValue) \($0.traffic?.description ?? "")" } == [
        "silent-service 5000/tcp", "undeclared-listener 9999/tcp", "wide-listener 5432/tcp",
      ])
    #expect(audit.findings.last?.sockets?.processName == "python3")
    #expect(audit.findings.last?.sockets?.process == UInt32(servers.id))

    // By the policy itself all that stands may begin; by one without `ssh`, one connection may not.
    var same = try ConnectionReview(watched.firewall, of: watched.policy, on: Watched.today)
    var all: [TrackedConnection] = []
    try kernel.forEachConnection { all.append($0) }
    for connection in all { try same.review(connection) }
    #expect((same.accepted, same.refused, same.undecided) == (6, 0, 0))
    let closed = try Watched(WatchedHostTests.site.replacing("; expose to 10.77.0.2", with: ""))
    var review = try ConnectionReview(closed.firewall, of: closed.policy, on: Watched.today)
    for connection in all { try review.review(connection) }
    #expect((review.accepted, review.refused) == (5, 1))
    let refused = try #require(review.listed.first)
    #expect(refused.kind.service == "ssh" && refused.kind.traffic == .ports(.tcp, PortRange(22)))
    // Who gives the command came in that way.
    let origin = RemoteSession.Origin("10.77.0.2 \(refused.connection.original.sourcePort) 10.77.0.1 22")
    for (policy, outcome) in [(watched, LockoutGuard.Finding.Outcome.letIn), (closed, .shutOut)] {
      let guardian = try LockoutGuard(
        policy.firewall, of: policy.policy, sources: policy.sources, listeners: listeners, on: Watched.today)
      let tracked = all.filter { guardian.concerns($0, origin) }
      #expect(tracked.count == 1)
      #expect(try guardian.finding(of: origin, tracked: tracked).outcome == outcome)
    }
  }
}
