import Foundation
import Netlink
import Nftables
import Packets
import Support
import Testing

/// What the kernel says of listeners, connections and other people's tables.
@Suite struct SurveyTests {
  @Test func `base chains of all tables`() throws {
    let host = try Host()
    try host.load(
      """
      table ip nat { chain PREROUTING { type nat hook prerouting priority -100; }; chain DOCKER { }; }
      table inet fw { chain in { type filter hook input priority 0; policy drop; }; }
      """)
    #expect(
      try host.kernel.baseChains() == [
        SurveyedChain(
          family: "inet", table: "fw", name: "in", type: "filter", hook: "input", priority: 0, dropsByDefault: true),
        SurveyedChain(
          family: "ip", table: "nat", name: "PREROUTING", type: "nat", hook: "prerouting", priority: -100,
          dropsByDefault: false),
      ])
  }

  @Test func `changes are told with the process that made them`() throws {
    let host = try Host()
    let events = try ChangeEvents(namespace: "/run/netns/\(host.namespace.name)")
    #expect(try events.next(within: 10) == nil)
    try host.load("add table inet other; add chain inet other c")
    let event = try #require(try events.next(within: 5000))
    #expect(event.tables == ["other"])
    #expect(event.generation.processName == "nft")
    #expect(event.generation.number == (try host.kernel.generation().number))
    #expect(try events.next(within: 10) == nil)
  }

  @Test func `listeners have their address, port and process`() throws {
    let host = try Host()
    try #require(try host.namespace.run(["ip", "link", "set", "lo", "up"]).status == 0)
    let script = """
      import socket, sys
      a = socket.socket(socket.AF_INET); a.bind(("127.0.0.1", 5432)); a.listen()
      b = socket.socket(socket.AF_INET6); b.setsockopt(41, 26, 1); b.bind(("::", 443)); b.listen()
      c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); c.bind(("0.0.0.0", 53))
      d = socket.create_connection(("127.0.0.1", 5432))
      e = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); e.connect(("127.0.0.1", 53))
      print("ready", flush=True); sys.stdin.read()
      """
    let child = try ChildProcess(["ip", "netns", "exec", host.namespace.name, "/usr/bin/python3", "-c", script])
    defer { child.finish() }
    var listeners: [Listener] = []
    for _ in 0..<100 where listeners.count < 3 {
      listeners = try Listeners(namespace: "/run/netns/\(host.namespace.name)").all()
      if listeners.count < 3 { Thread.sleep(forTimeInterval: 0.1) }
    }
    #expect(
      listeners.map { "\($0.transport.rawValue) \($0.address) \($0.port) \($0.isIPv6Only)" }
        == ["6 :: 443 true", "6 127.0.0.1 5432 false", "17 0.0.0.0 53 false"])
    #expect(listeners.allSatisfy { $0.process == UInt32(child.id) && $0.processName == "python3" && $0.user == 0 })
  }

  @Test func `connections are listed and forgotten`() throws {
    let host = try Host()
    try #require(try host.namespace.run(["ip", "link", "set", "lo", "up"]).status == 0)
    try host.load("table inet t { chain c { type filter hook input priority 0; ct state new accept; }; }")
    let script = """
      import socket
      for f, a in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        s = socket.socket(f, socket.SOCK_DGRAM); s.bind((a, 4000)); s.sendto(b"x", (a, 4001))
        t = socket.socket(f); t.bind((a, 4002)); t.listen(); c = socket.create_connection((a, 4002), source_address=(a, 4003))
        c.sendall(b"x"); t.accept()[0].recv(1)
      """
    let result = try host.namespace.run(["/usr/bin/python3", "-c", script])
    #expect(result.status == 0, "\(result.errors)")
    func connections() throws -> [TrackedConnection] {
      var all: [TrackedConnection] = []
      try host.kernel.forEachConnection { all.append($0) }
      return all
    }
    let all = try connections()
    for name in ["127.0.0.1", "::1"] {
      let address = try #require(Address(name))
      let tcp = try #require(
        all.first { $0.original == ConnectionTuple(.tcp, address, 4003, to: address, 4002) }, "\(all)")
      #expect(tcp.reply == ConnectionTuple(.tcp, address, 4002, to: address, 4003))
      #expect(tcp.isAnswered && !tcp.isDestinationTranslated && tcp.timeout > 0)
      var other = tcp
      other.id ^= 1
      #expect(try !host.kernel.forget(other))
      #expect(try host.kernel.forget(tcp))
      #expect(try !host.kernel.forget(tcp))
      let udp = try #require(all.first { $0.original.transport == .udp && $0.original.source == address })
      #expect(udp.original.destinationPort == 4001)
      #expect(try host.kernel.forget(udp))
    }
    #expect(try connections().allSatisfy { $0.original.transport != .tcp || $0.original.sourcePort != 4003 })
  }

  @Test func `drift is read, and never taken for a rule of ours`() throws {
    let strange = [
      "tcp flags syn accept", "ct mark 1 accept", "ip dscp 1 accept", "meta mark 1 accept", "tcp dport 22 accept",
      "ip saddr 10.0.0.1 counter log group 2 accept", "iif 7 accept", "ct state established,related accept",
      "limit rate over 5/second drop", "ip ttl 5 accept", "meta time 5 accept", "dnat ip to 10.0.0.1", "notrack",
      "ip saddr 10.0.0.1 meta mark set 5",
    ]
    let host = try Host()
    try host.load(
      """
      table inet portcullis {
        counter n { }
        set s { typeof ip dscp; }
        chain c { type nat hook prerouting priority 0; }
        chain d { }
      }
      """)
    for rule in strange {
      let chain = rule.hasPrefix("dnat") ? "c" : "d"
      try host.load("add rule inet portcullis \(chain) \(rule)")
    }
    let live = try #require(try host.kernel.table(named: "portcullis"))
    let rules = live.chains.flatMap(\.rules)
    #expect(rules.count == strange.count)
    // nft(8) has other words for the same: `tcp dport` is `meta l4proto tcp th dport`.
    let known = rules.compactMap(\.rule)
    #expect(known.map(\.statements.count) == [3])
    #expect(live.unknowns.count == strange.count - 1 + 2, "\(live.unknowns)")
    #expect(live.unknowns.contains("counter n"))
  }

  @Test func `answers that were lost, and tables that change meanwhile, are read anew`() throws {
    let host = try Host()
    try host.load(Samples.everything)
    let socket = RecordingSocket(try NetlinkSocket(inNamespace: "/run/netns/\(host.namespace.name)"))
    let wanted = try #require(try Kernel(socket).table(named: "portcullis"))
    let lost = "! lost\n"
    let twice = try #require(RecordedSocket(parsing: ">\n" + lost + socket.text, isExact: false))
    // The numbers of messages go on, so the answers are those of a kernel that was asked once before.
    #expect(throws: NetlinkError.timedOut) { try Kernel(twice).table(named: "portcullis") }
    #expect(wanted.unknowns.isEmpty)
    #expect(throws: NetlinkError.timedOut) { try Kernel(RecordedSocket(answers: [])).generation() }
  }
}
