import Deploy
import Netlink
import Packets
import Syntax
import Testing

/// What listens beside what is declared.
@Suite struct AuditTests {
  private static let site = """
    owner team { contact "team@example.net" }
    zone lan { 10.0.0.0/8 }
    service web { owner team; purpose "Shop"; port 443/tcp; expose to internet }
    service api { owner team; purpose "API"; port 8443/tcp; expose to lan as 444/tcp }
    service db { owner team; purpose "Data"; port 5432/tcp; expose to lan }
    service cache { owner team; purpose "Cache"; port 6379/tcp }
    service media { owner team; purpose "Calls"; port 40000-40010/udp; expose to lan }
    host web1 {
      address 192.0.2.10, 10.0.0.10
      runs web; runs api; runs db on 10.0.0.10; runs cache on 127.0.0.1; runs media
    }
    """

  private func audit(
    _ listeners: [Listener], _ text: String = AuditTests.site, _ change: (inout HostFacts) -> Void = { _ in }
  ) throws -> Audit {
    let host = try Watched(text)
    var facts = HostFacts()
    facts.reserved = [PortRange(from: 40000, through: 40010)]
    facts.ephemeral = PortRange(from: 32768, through: 60999)
    facts.users = [33: "www-data"]
    change(&facts)
    return Audit(
      host.firewall, of: host.policy, sources: host.sources, listeners: listeners, facts: facts, on: Watched.today)
  }

  /// What listens where it is declared.
  private static let declared = [
    Listener(.tcp, ip("::"), port: 443, user: 33, inode: 1, process: 10, processName: "nginx"),
    Listener(.tcp, ip("::"), port: 443, user: 33, inode: 2, process: 11, processName: "nginx"),
    Listener(.tcp, ip("0.0.0.0"), port: 8443, inode: 3, process: 12, processName: "api"),
    Listener(.tcp, ip("10.0.0.10"), port: 5432, inode: 4, process: 13, processName: "postgres"),
    Listener(.tcp, ip("127.0.0.1"), port: 6379, inode: 5, process: 14, processName: "redis"),
    Listener(.udp, ip("0.0.0.0"), port: 40003, inode: 6, process: 15, processName: "sip"),
  ]

  @Test func `what is declared and listens is no finding`() throws {
    let audit = try audit(AuditTests.declared)
    #expect(audit.findings.isEmpty, "\(audit.findings)")
    #expect(audit.listeners == 6 && !audit.fails && !audit.lacksProcesses)
  }

  private func findings(_ audit: Audit) -> [String] {
    audit.findings.map { "\($0.weight.rawValue) \($0.kind.rawValue) \($0.traffic?.description ?? "-")" }
  }

  @Test func `what nobody declared is told with its process and who reaches it`() throws {
    let strange = [
      Listener(.tcp, ip("0.0.0.0"), port: 9999, user: 33, process: 20, processName: "evil"),
      Listener(.tcp, ip("::"), port: 9999, isIPv6Only: true, user: 33, process: 20, processName: "evil"),
      Listener(.tcp, ip("127.0.0.53"), port: 53, process: 21, processName: "systemd-resolve"),
      Listener(.udp, ip("0.0.0.0"), port: 50000, process: 22, processName: "chronyd"),
      Listener(.udp, ip("0.0.0.0"), port: 161, user: 7),
    ]
    let audit = try audit(AuditTests.declared + strange)
    #expect(
      findings(audit) == [
        "warning undeclared-listener 9999/tcp", "warning undeclared-listener 161/udp",
        "note undeclared-listener 53/tcp", "note undeclared-listener 50000/udp",
      ])
    #expect(audit.lacksProcesses && audit.fails)
    #expect(
      audit.findings[0].message
        == "evil (pid 20, user www-data) listens on 0.0.0.0, [::], port 9999/tcp, which no service declares; the policy "
        + "lets nobody reach it.")
    #expect(audit.findings[1].message.hasPrefix("A process of 7 listens on 0.0.0.0, port 161/udp"))
  }

  @Test func `an undeclared listener behind an open port is an error`() throws {
    // The service is on the host behind the router, but something answers on the router itself.
    let text = """
      owner team { contact "team@example.net" }
      service web { owner team; purpose "Shop"; port 443/tcp; expose to internet }
      host web1 { address 192.0.2.10, 10.0.0.10; runs web on 192.0.2.10 }
      """
    let audit = try audit(
      [
        Listener(.tcp, ip("192.0.2.10"), port: 443, process: 1, processName: "nginx"),
        Listener(.tcp, ip("10.0.0.10"), port: 443, process: 2, processName: "other"),
      ], text)
    #expect(findings(audit) == ["warning undeclared-listener 443/tcp"])
    #expect(audit.findings[0].message.contains("where service web is not declared; the policy lets nobody reach it"))
    let nodes = """
      owner team { contact "team@example.net" }
      zone office { 203.0.113.0/24 }
      service web { owner team; purpose "Shop"; port 8080/tcp; expose to office }
      host web1 { address 192.0.2.10 }
      cluster prod { pods 10.42.0.0/16; nodes web1
        workload web { namespace shop; pods app=web; publish nodeport 30080 } }
      """
    let node = try self.audit([Listener(.tcp, ip("0.0.0.0"), port: 30080, process: 2, processName: "nc")], nodes)
    #expect(findings(node) == ["error undeclared-listener 30080/tcp"])
    #expect(node.findings[0].reachedBy == ["web at site/policy.port:3"])
    let blocked = try self.audit(
      [Listener(.tcp, ip("0.0.0.0"), port: 30080, process: 2, processName: "nc")], nodes + "\nblock 203.0.113.0/24")
    #expect(findings(blocked) == ["warning undeclared-listener 30080/tcp"])
  }

  @Test func `what is bound wider than declared is told`() throws {
    let wide =
      AuditTests.declared.filter { ![5432, 6379].contains($0.port) } + [
        Listener(.tcp, ip("::"), port: 5432, process: 13, processName: "postgres"),
        Listener(.tcp, ip("0.0.0.0"), port: 6379, process: 14, processName: "redis"),
      ]
    let audit = try audit(wide)
    #expect(findings(audit) == ["warning wide-listener 5432/tcp", "warning wide-listener 6379/tcp"])
    #expect(
      audit.findings[1].message
        == "redis (pid 14, user 0) listens on 0.0.0.0, port 6379/tcp; service cache is declared on 127.0.0.1 alone; the "
        + "firewall lets nobody reach it elsewhere.")
    // Who declares each address of the host by itself means all of them.
    let all = AuditTests.site.replacing("runs db on 10.0.0.10", with: "runs db on 10.0.0.10, 192.0.2.10")
    #expect(findings(try self.audit(wide, all)) == ["warning wide-listener 6379/tcp"])
    let docker = try self.audit(wide, all) { $0.addresses = AddressSet([ip("172.17.0.1")]) }
    #expect(findings(docker) == ["warning wide-listener 5432/tcp", "warning wide-listener 6379/tcp"])
  }

  @Test func `what is declared and silent is told`() throws {
    let audit = try audit([
      Listener(.tcp, ip("127.0.0.1"), port: 443, process: 10, processName: "nginx"),
      Listener(.tcp, ip("127.0.0.1"), port: 5432, process: 13, processName: "postgres"),
    ])
    let silent = audit.findings.filter { $0.kind == .silent }.map(\.message)
    #expect(
      silent == [
        "nginx (pid 10, user 0) listens on 443/tcp at loopback alone for service web.",
        "Nothing listens on 5432/tcp at 10.0.0.10 for service db.",
        "Nothing listens on 6379/tcp at 127.0.0.1 for service cache.",
        "Nothing listens on 8443/tcp for service api.",
        "Nothing listens on 40000-40010/udp for service media.",
      ])
  }

  @Test func `ports that clients may take are told`() throws {
    let high = Listener(.tcp, ip("0.0.0.0"), port: 45000, process: 9, processName: "rpc.statd")
    let audit = try audit(AuditTests.declared + [high]) { $0.reserved = [PortRange(from: 40000, through: 40004)] }
    #expect(
      findings(audit) == [
        "warning undeclared-listener 45000/tcp", "warning unreserved-port 40005-40010/udp",
        "note unreserved-port 45000/tcp",
      ])
    let other = try self.audit(AuditTests.declared) { $0.ephemeral = PortRange(from: 10000, through: 20000) }
    #expect(findings(other) == ["warning client-ports -"])
  }

  @Test func `facts are read from what the kernel says`() {
    var facts = HostFacts()
    facts.read(
      fibTrie: """
        Main:
          +-- 0.0.0.0/0 3 0 5
             |-- 0.0.0.0
                /0 universe UNICAST
             +-- 10.77.0.0/16 2 0 2
                |-- 10.77.0.0
                   /16 link UNICAST
                |-- 10.77.0.1
                   /32 host LOCAL
                |-- 10.77.255.255
                   /32 link BROADCAST
        """)
    facts.read(
      ifInet6: """
        fd770000000000000000000000000001 02 40 00 80       v0
        00000000000000000000000000000001 01 80 10 80       lo
        nonsense
        """)
    #expect(facts.addresses == AddressSet([ip("10.77.0.1"), ip("fd77::1"), ip("::1")]))
    #expect(facts.interfaces == [2: "v0", 1: "lo"])
    facts.read(portRange: "32768\t60999\n")
    #expect(facts.ephemeral == PortRange(from: 32768, through: 60999))
    facts.read(portRange: "60999 32768")
    #expect(facts.ephemeral == PortRange(from: 32768, through: 60999))
    facts.read(reservedPorts: "8080,9148-9150\n")
    facts.read(reservedPorts: "\n")
    #expect(facts.reserved == [PortRange(8080), PortRange(from: 9148, through: 9150)])
    facts.read(passwd: "root:x:0:0:root:/root:/bin/bash\nbroken\nwww-data:x:33:33::/:\n")
    #expect(facts.users == [0: "root", 33: "www-data"])
  }
}
