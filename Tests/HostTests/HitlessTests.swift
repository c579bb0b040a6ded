import Deploy
import Foundation
import Netlink
import Nftables
import Support
import Testing

/// What packets find while the rules of a host are changed some hundred times.
@Suite(.serialized) struct HitlessTests {
  /// Sends the first packets of connections to an open and to a closed port, opens connections, and talks on one that
  /// stands; says what went wrong with those.
  private static let traffic = """
    import socket, sys, time, select, os
    host = "192.0.2.10"
    held = socket.create_connection((host, 7002)); held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print("ready", flush=True)
    opened = talked = slow = 0
    i = 0
    while os.path.exists(sys.argv[1]):
        i += 1
        for port in (7001, 7003):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"x", (host, port)); s.close()
        if i % 20 == 0:
            begin = time.monotonic()
            s = socket.create_connection((host, 7002), timeout=5)
            opened += 1
            # A first packet that was lost is sent anew after a second.
            if time.monotonic() - begin > 0.9: slow += 1
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0"); s.close()
        if i % 10 == 0:
            held.sendall(b"y")
            if not select.select([held], [], [], 5)[0] or held.recv(1) != b"y": print("the connection is dead"); break
            talked += 1
    print(i, opened, slow, talked, flush=True)
    """

  private static let server = """
    import socket, threading
    listener = socket.create_server(("192.0.2.10", 7002), backlog=1000)
    print("ready", flush=True)
    def serve(c):
        try:
            while True:
                d = c.recv(1)
                if not d: break
                c.sendall(d)
        except OSError: pass
        c.close()
    while True:
        c, _ = listener.accept(); threading.Thread(target=serve, args=(c,), daemon=True).start()
    """

  /// Counts what comes to our table and what passes it.
  private static let witness = """
    table inet witness {
      chain before { type filter hook prerouting priority -160; udp dport 7001 counter; udp dport 7003 counter; }
      chain behind { type filter hook prerouting priority -140; udp dport 7001 counter; udp dport 7003 counter; }
    }
    """

  /// Returns the policy number `number`: all let in what the tests send to 7001 and 7002, and none what goes to 7003.
  private static func policy(_ number: Int) -> String {
    // Some differ by a source in a set, some in their rules.
    let sources = (0..<(20 + number % 4)).map { "198.51.100.\(2 * $0)" }.joined(separator: ", ")
    let more = (0..<(number / 4 % 3)).map {
      "service more\($0) { owner ops; purpose \"More\"; port 71\($0)0-71\($0)9/tcp; expose to office }"
    }
    return """
      owner ops { contact "ops@acme.example" }
      zone office { 203.0.113.0/24 }
      zone near { 192.0.2.0/24\(number / 12 % 2 == 0 ? "" : ", 10.0.0.0/8") }
      service first { owner ops; purpose "Kept"; port 7001/udp; expose to near }
      service second { owner ops; purpose "Kept too"; port 7002/tcp; expose to near }
      service third { owner ops; purpose "For others"; port 7003/udp; expose to \(sources) }
      \(more.joined(separator: "\n"))
      host web1 { address 192.0.2.10; runs \((["first", "second", "third"] + (0..<more.count).map { "more\($0)" }).joined(separator: ", ")) }

      """
  }

  /// Returns the counts of the rules of the live table that let packets to `port` in.
  private func count(_ live: LiveTable?) -> UInt64 {
    // Nothing but the two kept services lets packets in, so that all that counts accepts counts them.
    (live?.chains ?? []).filter { $0.name.hasPrefix("host") }.flatMap(\.rules).flatMap(\.counts).map(\.packets)
      .reduce(0, +)
      + (live?.sets ?? []).flatMap(\.counts).map(\.packets).reduce(0, +)
  }

  @Test func noPacketIsJudgedWrongly() throws {
    let machine = try Machine("hitless")
    let client = try NetworkNamespace.make(["client"])
    defer { NetworkNamespace.remove(client) }
    for (inside, address) in [(machine.namespace, "192.0.2.10"), (client[0], "192.0.2.2")] {
      if address == "192.0.2.10" {
        _ = try inside.run([
          "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", client[0].name,
        ])
      }
      _ = try inside.run(["ip", "addr", "add", "\(address)/24", "dev", "eth0"])
      _ = try inside.run(["ip", "link", "set", "eth0", "up"])
      _ = try inside.run(["sysctl", "-qw", "net.ipv4.icmp_ratelimit=0"])
    }
    for (name, text) in [("traffic.py", Self.traffic), ("server.py", Self.server)] {
      _ = try machine.policy(text, name)
    }
    try machine.nft(Self.witness)
    let wanted = try (0..<24).map { try Wanted(Self.policy($0)) }
    let deployment = try machine.deployment()
    try deployment.change(by: { try $0?.plan(to: wanted[0].table) ?? .creating(wanted[0].table) }, proving: { _ in })

    let go = machine.folder.appending(path: "go")
    try Data().write(to: go)
    func start(_ namespace: NetworkNamespace, _ name: String) throws -> ChildProcess {
      let log = machine.folder.appending(path: "\(name).log").path
      let child = try ChildProcess([
        "ip", "netns", "exec", namespace.name, "sh", "-c",
        "exec python3 '\(machine.folder.appending(path: name).path)' '\(go.path)' >'\(log)' 2>&1",
      ])
      let deadline = ContinuousClock.now + .seconds(10)
      while (try? String(contentsOfFile: log, encoding: .utf8))?.hasPrefix("ready") != true {
        guard ContinuousClock.now < deadline else { throw Machine.Failure(description: "\(name) does not start") }
        usleep(20_000)
      }
      return child
    }
    let listening = try start(machine.namespace, "server.py")
    defer {
      kill(listening.id, SIGKILL)
      listening.finish()
    }
    let sending = try start(client[0], "traffic.py")
    var kinds: [String: Int] = [:]
    var last: UInt64 = 0
    var number = 0
    for update in 0..<504 {
      // A source more, a source less, other rules, a second prefix: by turns.
      number = (number + [1, 1, 1, 5][update % 4]) % 24
      let table = wanted[number].table
      let seconds = update % 25 == 24 ? 60 : nil
      var steps: [Plan.Purpose] = []
      try deployment.change(
        by: { live in
          if live?.pending != nil { return .nothing }
          let plan = try live?.plan(to: table, confirmingWithin: seconds) ?? .creating(table)
          if !plan.isEmpty { steps = plan.steps.map(\.purpose) }
          return plan
        }, proving: { _ in })
      kinds[seconds == nil ? steps == [.swap] ? "elements" : "staged" : "gated", default: 0] += steps.isEmpty ? 0 : 1
      if seconds != nil {
        try deployment.change(
          by: { live in
            guard let live, live.pending != nil else { return .nothing }
            return update % 50 == 24 ? try live.confirmation() : try live.withdrawal()
          }, proving: { _ in })
      }
      if update % 20 == 0 {
        let now = count(try deployment.live())
        #expect(now >= last, "update \(update): a counter went back from \(last) to \(now)")
        last = now
      }
    }
    try FileManager.default.removeItem(at: go)
    sending.finish()
    usleep(200_000)
    let said = try String(contentsOf: machine.folder.appending(path: "traffic.py.log"), encoding: .utf8)
    let numbers = said.split { $0 == " " || $0 == "\n" }.compactMap { Int($0) }
    try #require(numbers.count == 4, "\(said)")
    #expect(numbers[1] > 20 && numbers[2] == 0 && numbers[3] > 20, "connections: \(said)")
    let counters = try machine.listing("list", "table", "inet", "witness").matches(of: #/packets (\d+)/#)
      .compactMap { Int($0.1) }
    try #require(counters.count == 4)
    #expect(counters[0] > 2000, "\(counters)")
    #expect(counters[2] == counters[0], "lost \(counters[0] - counters[2]) of \(counters[0])")
    #expect(counters[3] == 0, "let in \(counters[3]) of \(counters[1])")
    #expect(["elements", "staged", "gated"].allSatisfy { kinds[$0, default: 0] >= 10 }, "\(kinds)")
    #expect(kinds.values.reduce(0, +) >= 500, "\(kinds)")
  }
}
