import Foundation
import Support
import Testing

/// Our rules beside Docker's: the fixture is what Docker itself wrote, and iptables-nft loads it.
@Suite struct DockerTests {
  /// What Docker publishes on 8080 from a container at 172.17.0.2, and who may come there.
  private static func policy(_ audience: String?) -> String {
    """
    owner ops { contact "ops@acme.example" }
    zone office { 203.0.113.0/24 }
    service ssh { owner ops; purpose "Administration"; port 22/tcp; expose to office }
    \(audience.map { "service site { owner ops; purpose \"In a container\"; port 8080/tcp; expose to \($0) }" } ?? "")
    host web1 { address 192.0.2.10; interface eth0 in internet; runs ssh\(audience == nil ? "" : ", site") }

    """
  }

  /// A host with a container, and somebody outside with two addresses.
  private struct Site {
    let machine: Machine
    let container: NetworkNamespace
    let world: NetworkNamespace
    let server: ChildProcess

    init() throws {
      machine = try Machine("docker")
      let others = try NetworkNamespace.make(["container", "world"])
      (container, world) = (others[0], others[1])
      try machine.namespace.shell(
        """
        ip link add eth0 type veth peer name eth0 netns \(world.name)
        ip link add docker0 type veth peer name eth0 netns \(container.name)
        ip addr add 192.0.2.10/24 dev eth0; ip addr add 172.17.0.1/16 dev docker0
        ip link set eth0 up; ip link set docker0 up
        ip route add 203.0.113.9 dev eth0; ip route add 198.51.100.7 dev eth0
        sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0
        """)
      try container.shell(
        "ip link set lo up; ip addr add 172.17.0.2/16 dev eth0; ip link set eth0 up; ip route add default via 172.17.0.1"
      )
      try world.shell(
        """
        ip link set lo up; ip addr add 203.0.113.9/32 dev eth0; ip addr add 198.51.100.7/32 dev eth0; ip link set eth0 up
        ip route add default via 192.0.2.10 dev eth0 onlink
        """)
      server = try ChildProcess([
        "ip", "netns", "exec", container.name, "python3", "-c",
        "import socket\nl=socket.create_server(('172.17.0.2',80))\nwhile True: l.accept()[0].close()",
      ])
      let fixture = URL(filePath: #filePath).appending(path: "../../IptablesTests/Golden/foreign/docker.v4.save")
        .standardizedFileURL.path
      let loaded = try machine.namespace.run(["iptables-nft-restore", fixture])
      guard loaded.status == 0 else { throw Machine.Failure(description: loaded.errors) }
      let deadline = ContinuousClock.now + .seconds(5)
      while try !connects(from: "198.51.100.7"), ContinuousClock.now < deadline {}
    }

    func tearDown() {
      kill(server.id, SIGKILL)
      server.finish()
      NetworkNamespace.remove([container, world])
    }

    /// Returns `true` iff a new connection from `source` comes to the port that Docker publishes.
    func connects(from source: String, to target: String = "192.0.2.10", _ port: Int = 8080) throws -> Bool {
      try world.run([
        "python3", "-c",
        "import socket; socket.create_connection(('\(target)', \(port)), timeout=0.4, source_address=('\(source)', 0))",
      ]).status == 0
    }

    /// Docker's rules, with handles and without counters.
    func theirs() throws -> String {
      try ["nat", "filter"].map { try machine.listing("-s", "-a", "list", "table", "ip", $0) }.joined()
    }
  }

  @Test func whatDockerPublishesIsOpenToWhomThePolicyLetsIn() throws {
    let site = try Site()
    defer { site.tearDown() }
    let machine = site.machine
    let theirs = try site.theirs()
    #expect(theirs.contains("DOCKER-ISOLATION-STAGE-1"))
    #expect(try site.connects(from: "198.51.100.7"), "Docker alone lets everybody in")
    let closed = try machine.policy(Self.policy(nil), "closed.port")
    let open = try machine.policy(Self.policy("office"), "open.port")

    func expect(office: Bool, world: Bool, _ comment: String) throws {
      #expect(try site.connects(from: "203.0.113.9") == office, "\(comment), from the office")
      #expect(try site.connects(from: "198.51.100.7") == world, "\(comment), from elsewhere")
      // Past the translation.
      if !world { #expect(try !site.connects(from: "198.51.100.7", to: "172.17.0.2", 80), "\(comment), past it") }
      #expect(try site.theirs() == theirs, "\(comment): Docker's rules were changed")
    }
    try machine.expect(0, "apply", on: closed)
    try expect(office: false, world: false, "not exposed")
    try machine.expect(0, "apply", on: open)
    try expect(office: true, world: false, "exposed to the office")
    try machine.expect(0, "rollback")
    try expect(office: false, world: false, "rolled back")
    try machine.expect(0, "apply", "--confirm", "100s", on: open)
    try expect(office: true, world: false, "to be confirmed")
    try machine.expect(0, "rollback")
    try expect(office: false, world: false, "taken back")
    try machine.expect(0, "apply", on: open)
    try machine.nft("delete table inet portcullis")
    try expect(office: true, world: true, "without our table")
    try machine.expect(1, "verify", "--own", on: open)
    try machine.expect(0, "restore")
    try expect(office: true, world: false, "restored")
    try machine.expect(0, "verify", "--own", on: open)
    let whole = try machine.portcullis("verify", on: open)
    #expect(whole.output.contains("ip nat DOCKER"), "\(whole)")
    try machine.expect(0, "restore", "--remove")
    try expect(office: true, world: true, "removed")
  }
}
