import Firewalls
import Packets
import Policies
import Support
import Syntax
import Testing

/// What the pods of clusters accept and connect to.
@Suite struct ClusterTests {
  /// 22 November 2026.
  private static let today = CalendarDate(daysSinceEpoch: 20779)

  /// Returns the firewall of the first cluster of `text`.
  private func cluster(_ text: String) throws -> ClusterFirewall {
    Lowering(try cleanPolicy(text)).firewall(of: ID<Cluster>(0), on: Self.today)
  }

  @Test func onePortWithANarrowAudienceKeepsTheClient() throws {
    let policies = [
      // The audience of one port of several.
      ("port api 443/tcp; port admin 9443/tcp; expose api to internet; expose admin to 203.0.113.0/24", ""),
      // A block of a single port, by either of its numbers.
      ("port 8443/tcp; expose to internet as 443/tcp", "block 203.0.113.66 to s on 443/tcp"),
      ("port 8443/tcp; expose to internet as 443/tcp", "block 203.0.113.66 on 8443/tcp"),
      ("port 8443/tcp; expose to internet as 443/tcp", "block 203.0.113.66"),
    ]
    for (service, block) in policies {
      let firewall = try cluster(
        """
        service s { \(service) }
        cluster k { pods 10.42.0.0/16; workload s { namespace x; pods app=s; publish loadbalancer } }
        \(block)
        """)
      #expect(firewall.workloads[0].publications.map(\.isNarrow) == [true], "\(service) \(block)")
    }
    let open = try cluster(
      """
      service s { port api 443/tcp; port spare 9443/tcp; expose api to internet; expose api to 203.0.113.0/24 }
      cluster k { pods 10.42.0.0/16; workload s { namespace x; pods app=s; publish loadbalancer } }
      block 203.0.113.66 on 444/tcp
      """)
    #expect(open.workloads[0].publications.map(\.isNarrow) == [false])
  }

  @Test func whatHasLapsedShowsNoPort() throws {
    let firewall = try cluster(
      """
      service s { port 8443/tcp; expose to internet as 443/tcp until 2026-11-21; expose to 203.0.113.0/24 }
      cluster k { pods 10.42.0.0/16; workload s { namespace x; pods app=s; publish cluster } }
      """)
    #expect(firewall.workloads[0].ports.map(\.publicPort) == [nil])
  }

  @Test func usesOpenThePortsThatAreMeantAndNoOthers() throws {
    let firewall = try cluster(
      """
      service db { port 8000-8010/tcp; expose to app as 9000-9010/tcp }
      service app { port 80/tcp; expose to internet; uses db on 9003-9004/tcp, 9010/tcp }
      host h { address 192.0.2.10; runs db }
      cluster k {
        pods 10.42.0.0/16
        workload db { namespace x; pods app=db }
        workload app { namespace x; pods app=app }
      }
      """)
    let ways = firewall.workloads[0].departures
    #expect(
      ways.map(\.peers) == [
        [.pods(namespace: "x", labels: ["app": "db"])],
        [.addresses(AddressSet([Prefix(containing: try #require(Address("192.0.2.10")), length: 32)]))],
      ])
    func ports(_ lower: UInt16, _ upper: UInt16) -> Traffic { .ports(.tcp, PortRange(from: lower, through: upper)) }
    #expect(ways.map(\.traffic) == [[ports(8003, 8004), ports(8010, 8010)], [ports(9003, 9004), ports(9010, 9010)]])
  }

  @Test func podsReachAnotherClusterByItsPodsAndNodePorts() throws {
    let firewall = try cluster(
      """
      service api { port 8443/tcp; expose to app as 443/tcp }
      service app { port 80/tcp; expose to internet; uses api }
      host node { address 192.0.2.20 }
      cluster a { pods 10.42.0.0/16; workload app { namespace x; pods app=app } }
      cluster b {
        pods 10.43.0.0/16; nodes node
        workload api { namespace x; pods app=api; publish nodeport 30110 }
      }
      """)
    func set(_ text: String, _ length: Int) throws -> [Peer] {
      [.addresses(AddressSet([Prefix(containing: try #require(Address(text)), length: length)]))]
    }
    let ways = firewall.workloads[0].departures
    #expect(ways.map(\.peers) == [try set("10.43.0.0", 16), try set("192.0.2.20", 32)])
    #expect(ways.map(\.traffic) == [[.ports(.tcp, PortRange(8443))], [.ports(.tcp, PortRange(30110))]])
  }
}
