import Foundation
import Netlink
import Support
import Testing

/// Whoever works on the host from afar, over a real connection to a stand-in for sshd.
@Suite struct LockoutTests {
  /// A policy that lets whoever is in `audience` come to port 22.
  private static func policy(_ audience: String) -> String {
    """
    owner ops { contact "ops@acme.example" }
    zone office { 203.0.113.0/24 }
    zone elsewhere { 198.51.100.0/24 }
    service ssh { owner ops; purpose "Administration"; port 22/tcp; expose to \(audience) }
    host web1 { address 192.0.2.10; interface eth0 in internet; runs ssh }

    """
  }

  /// A host, and an operator at 203.0.113.9.
  private final class Site {
    let machine: Machine
    let world: NetworkNamespace
    let open: String
    let shut: String
    private let server: ChildProcess
    private var clients: [ChildProcess] = []

    init() throws {
      machine = try Machine("lockout")
      world = try NetworkNamespace.make(["operator"])[0]
      (open, shut) = (
        try machine.policy(LockoutTests.policy("office"), "open.port"),
        try machine.policy(LockoutTests.policy("elsewhere"), "shut.port")
      )
      try machine.namespace.shell(
        """
        ip link add eth0 type veth peer name eth0 netns \(world.name)
        ip addr add 192.0.2.10/24 dev eth0; ip link set eth0 up; ip route add 203.0.113.0/24 dev eth0
        """)
      try world.shell(
        "ip link set lo up; ip addr add 203.0.113.9/24 dev eth0; ip link set eth0 up; ip route add 192.0.2.0/24 dev eth0"
      )
      server = try ChildProcess([
        "ip", "netns", "exec", machine.namespace.name, "python3", "-c",
        """
        import socket, threading
        l = socket.create_server(('192.0.2.10', 22))
        def echo(c):
            while True:
                b = c.recv(100)
                if not b: break
                c.sendall(b)
        while True: threading.Thread(target=echo, args=(l.accept()[0],), daemon=True).start()
        """,
      ])
      let deadline = ContinuousClock.now + .seconds(10)
      while try !connects(), ContinuousClock.now < deadline {}
    }

    func tearDown() {
      for process in clients + [server] {
        kill(process.id, SIGKILL)
        process.finish()
      }
      NetworkNamespace.remove([world])
    }

    /// Returns `true` iff the operator can open a connection anew.
    func connects() throws -> Bool {
      try world.run([
        "python3", "-c",
        "import socket; socket.create_connection(('192.0.2.10', 22), timeout=0.4, source_address=('203.0.113.9', 0))",
      ]).status == 0
    }

    /// Opens a connection that stays, over which something is sent all the time; returns where its answers are counted.
    func session(from port: Int = 50_022) throws -> URL {
      let count = machine.folder.appending(path: "answers-\(port)")
      clients.append(
        try ChildProcess([
          "ip", "netns", "exec", world.name, "python3", "-c",
          """
          import socket, time, os
          c = socket.create_connection(('192.0.2.10', 22), source_address=('203.0.113.9', \(port)))
          n = 0
          while True:
              c.sendall(b'x')
              n += len(c.recv(100))
              with open('\(count.path).new', 'w') as f: f.write(str(n))
              os.rename('\(count.path).new', '\(count.path)')
              time.sleep(0.02)
          """,
        ]))
      let deadline = ContinuousClock.now + .seconds(10)
      while !FileManager.default.fileExists(atPath: count.path), ContinuousClock.now < deadline { usleep(20_000) }
      return count
    }

    /// Returns `true` iff answers come over the connection that `count` is about.
    func lives(_ count: URL) -> Bool {
      func number() -> Int { (try? String(contentsOf: count, encoding: .utf8)).flatMap { Int($0) } ?? 0 }
      let before = number()
      usleep(600_000)
      return number() > before
    }

    /// Runs the command `words` as the operator does over the session; without one, as through sudo.
    func run(_ words: [String], on policy: String? = nil, session port: Int? = nil) throws -> CommandResult {
      var line = machine.command(words, on: policy)
      if let port, let program = line.firstIndex(of: Machine.program) {
        line.insert("SSH_CONNECTION=203.0.113.9 \(port) 192.0.2.10 22", at: program)
      }
      return try machine.namespace.run(line)
    }
  }

  @Test(arguments: [50_022, nil]) func applyRefusesToShutTheOperatorOut(session: Int?) throws {
    let site = try Site()
    defer { site.tearDown() }
    try site.machine.expect(0, "apply", on: site.open)
    let answers = try site.session()
    let before = try site.machine.listing("-a", "list", "ruleset")
    let refused = try site.run(["apply"], on: site.shut, session: session)
    #expect(refused.status == 2, "\(refused)")
    for words in ["nothing was changed", "203.0.113.9 at 192.0.2.10, 22/tcp", "shut.port:4", "--allow-lockout"] {
      #expect(refused.errors.contains(words), "\(words): \(refused.errors)")
    }
    #expect(try site.machine.listing("-a", "list", "ruleset") == before)
    #expect(try site.connects())
    // What is confirmed later may be tried: it goes back by itself.
    let tried = try site.run(["apply", "--confirm", "2s"], on: site.shut, session: session)
    #expect(tried.status == 0 && tried.errors.contains("warning: you could not come in anew"), "\(tried)")
    #expect(try !site.connects())
    #expect(site.lives(answers), "what is established goes on")
    usleep(2_200_000)
    #expect(try site.connects())
    try site.machine.expect(0, "rollback", "--lapsed")
    // Whoever insists is obeyed.
    let insisted = try site.run(["apply", "--allow-lockout"], on: site.shut, session: session)
    #expect(insisted.status == 0, "\(insisted)")
    #expect(try !site.connects())
  }

  @Test(arguments: [50_022, nil]) func rollbackRefusesToShutTheOperatorOut(session: Int?) throws {
    let site = try Site()
    defer { site.tearDown() }
    try site.machine.expect(0, "apply", on: site.shut)
    try site.machine.expect(0, "apply", on: site.open)
    // The policy is gone.
    for path in [site.shut, site.open] { try FileManager.default.moveItem(atPath: path, toPath: path + "-away") }
    let answers = try site.session()
    let before = try site.machine.listing("-a", "list", "ruleset")
    for words in [["rollback"], ["rollback", "--to", "1"]] {
      let refused = try site.run(words, session: session)
      #expect(refused.status == 2, "\(words): \(refused)")
      for words in ["nothing was changed", "203.0.113.9 at 192.0.2.10, 22/tcp", "--allow-lockout"] {
        #expect(refused.errors.contains(words), "\(words): \(refused.errors)")
      }
    }
    #expect(try site.machine.listing("-a", "list", "ruleset") == before)
    let tried = try site.run(["rollback", "--to", "1", "--confirm", "2s"], session: session)
    #expect(tried.status == 0 && tried.errors.contains("warning: you could not come in anew"), "\(tried)")
    #expect(tried.output.contains("portcullis confirm"), "\(tried)")
    #expect(try !site.connects())
    #expect(site.lives(answers))
    usleep(2_200_000)
    #expect(try site.connects())
    try site.machine.expect(2, "confirm", note: "too late")
    try site.machine.expect(0, "rollback", "--lapsed")
    #expect(try site.connects())
    // A state that lets the operator in is no hindrance.
    try site.machine.expect(0, "rollback", "--to", "2")
    let insisted = try site.run(["rollback", "--to", "1", "--allow-lockout"], session: session)
    #expect(insisted.status == 0, "\(insisted)")
    #expect(try !site.connects())
  }

  @Test func aRollbackIsConfirmedLikeAnyChange() throws {
    let site = try Site()
    defer { site.tearDown() }
    try site.machine.expect(0, "apply", on: site.shut)
    try site.machine.expect(0, "apply", on: site.open)
    try site.machine.expect(0, "rollback", "--confirm", "100s")
    #expect(try !site.connects())
    try site.machine.expect(2, "rollback", "--to", "2", note: "while it waits")
    for option in [["--confirm", "60s"], ["--allow-lockout"]] {
      let refused = try site.run(["rollback"] + option)
      #expect(refused.status == 2 && refused.errors.contains("nothing was changed"), "\(option): \(refused)")
      #expect(try !site.connects(), "\(option)")
    }
    try site.machine.expect(0, "rollback", note: "takes it back")
    #expect(try site.connects())
    try site.machine.expect(0, "verify", "--own", on: site.open)
    try site.machine.expect(0, "rollback", "--confirm", "100s")
    try site.machine.expect(0, "confirm")
    #expect(try !site.connects())
    try site.machine.expect(0, "verify", "--own", on: site.shut)
    let list = try site.machine.portcullis("rollback", "--list").output.split(separator: "\n")
    #expect(list.count == 3 && list[2].contains("rollback to 1") && list[2].contains("(confirmed)"), "\(list)")
    for words in [["rollback", "--list", "--confirm", "5s"], ["rollback", "--lapsed", "--allow-lockout"]] {
      #expect(try site.run(words).status == 2, "\(words)")
    }
  }

  /// A connection that the policy refuses is listed, and ended for good when that is wanted.
  @Test func establishedConnectionsAreListedAndCut() throws {
    let site = try Site()
    defer { site.tearDown() }
    try site.machine.expect(0, "apply", on: site.open)
    let answers = try site.session()
    let told = "1 established connection that the policy would refuse if it began now"
    let plan = try site.machine.expect(1, "plan", on: site.shut)
    #expect(plan.output.contains(told) && plan.output.contains("203.0.113.9:50022 to 192.0.2.10, 22/tcp"), "\(plan)")
    let applied = try site.machine.expect(0, "apply", "--allow-lockout", on: site.shut)
    #expect(applied.output.contains(told), "\(applied)")
    #expect(try !site.connects())
    #expect(site.lives(answers), "what is established goes on")
    let cut = try site.machine.expect(0, "apply", "--allow-lockout", "--cut", on: site.shut)
    #expect(cut.output.contains("Cut 1 established connection."), "\(cut)")
    #expect(!site.lives(answers))
    #expect(!site.lives(answers), "for good")
    let after = try site.machine.expect(0, "plan", on: site.shut)
    #expect(!after.output.contains("established"), "\(after)")
    try site.machine.expect(0, "verify", on: site.shut)
  }
}
