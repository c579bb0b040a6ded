import Firewalls
import Packets
import Policies
import Syntax

extension Check {
  /// An `always` that does not hold.
  static let brokenAlways = Check(
    "broken-always", "Something is closed that must always be open", .invariants, .error,
    page: Page(
      what: """
        Looks for traffic that is closed, today or on any later day, although an `always` asks for it: for each \
        place where the service runs, every packet of the audience has to be let in, by one exposure or by several \
        together, without a limit, and no block may refuse it. A service behind a router (`via`) is open if the \
        router lets everyone of the audience in, and no block behind it refuses them. Pods that the audience names \
        must be let out at their own end, too; a port of pods is one that they listen on, or one that a Service, a \
        node or a load balancer shows (`publish`). A packet that is kept out is \
        shown with the line that does it, or with the nearest exposure and what it lacks.
        """,
      why: "Monitoring, backups and remote administration that are cut off are missed when it is too late.",
      example: """
        service prometheus { owner team; purpose "Metrics"; port 9090/tcp; expose to 10.0.0.7; uses node-exporter }
        service node-exporter { owner team; purpose "Metrics"; port 9100/tcp; expose to 10.0.0.7 }
        host mon1 { address 10.0.0.10; runs prometheus }
        host web1 { address 10.0.0.11; runs node-exporter }
        ↓always prometheus to node-exporter on 9100/tcp
        """,
      instead: """
        service prometheus { owner team; purpose "Metrics"; port 9090/tcp; expose to 10.0.0.7; uses node-exporter }
        service node-exporter { owner team; purpose "Metrics"; port 9100/tcp; expose to prometheus }
        host mon1 { address 10.0.0.10; runs prometheus }
        host web1 { address 10.0.0.11; runs node-exporter }
        always prometheus to node-exporter on 9100/tcp
        """),
    flagged: [
      """
      service web { owner team; purpose "Site"; port 8443/tcp; expose to 10.0.0.0/8 }
      host web1 { address 10.0.0.11; runs web }
      ↓always 10.1.0.0/16 to host web1 on 443/tcp
      """,
      """
      service web { owner team; purpose "Site"; port 8443-8445/tcp; expose to 10.0.0.0/8 }
      host web1 { address 10.0.0.11; runs web }
      block 10.1.2.3 to web on 8444/tcp until 2099-01-01
      ↓always 10.1.0.0/16 to web
      """,
      """
      service web { owner team; purpose "Site"; port a 8443/tcp; port b 8444/tcp; expose a to 10.0.0.0/8 }
      cluster k { pods 10.42.0.0/16; workload web { namespace x; pods app=web } }
      ↓always 10.1.0.0/16 to web on 8443/tcp, 8444/tcp
      """,
      """
      service web { owner team; purpose "Site"; port 8443/tcp; expose to internet as 443/tcp }
      cluster k { pods 10.42.0.0/16; workload web { namespace x; pods app=web } }
      ↓always 10.1.0.0/16 to web on 443/tcp
      """,
      """
      service web { owner team; purpose "Site"; port 8443/tcp; expose to internet }
      ↓always 10.1.0.0/16 to web on 8443/tcp
      """,
      "↓always 10.1.0.0/16 to 443/tcp",
    ],
    allowed: [
      """
      service web { owner team; purpose "Site"; port 8443/tcp; expose to internet via gw as 443/tcp }
      host gw { address 198.51.100.1; interface eth0 in internet }
      host web1 { address 10.0.0.11; interface eth0 in internet; interface eth1 in lan; runs web }
      zone lan { 10.0.0.0/8 }
      always 203.0.113.0/24 to web on 443/tcp
      """,
      """
      service web { owner team; purpose "Site"; port 8443/tcp; expose to internet as 443/tcp }
      cluster k { pods 10.42.0.0/16; workload web { namespace x; pods app=web; publish cluster } }
      always 10.1.0.0/16 to web on 443/tcp
      """,
      """
      service web { owner team; purpose "Site"; port 8443/tcp; expose to internet as 443/tcp }
      cluster k { pods 10.42.0.0/16; workload web { namespace x; pods app=web } }
      always 10.1.0.0/16 to web
      always 10.1.0.0/16 to web on 8443/tcp
      """,
      """
      service web { owner team; purpose "Site"; port 8443/tcp; expose to internet as 443/tcp }
      cluster k { pods 10.42.0.0/16; workload web { namespace x; pods app=web; publish nodeport 30110 } }
      always 10.1.0.0/16 to web on 443/tcp, 30110/tcp
      """,
      """
      service web { owner team; purpose "Site"; port 443/tcp; expose to 10.0.0.0/8 except 10.1.0.0/16 }
      host web1 { address 10.0.0.11; runs web }
      cluster k { pods 10.42.0.0/16; workload web { namespace x; pods app=web } }
      always 10.0.0.0/8 to 443/tcp except 10.1.0.0/16
      """,
    ]
  ) { inspection in
    let claims = inspection.policy.invariants.filter(\.isAlways).map { Claim($0, in: inspection) }
    guard !claims.isEmpty else { return [] }
    let openings = inspection.firewalls.map { firewall in
      Dictionary(grouping: firewall.openings.filter { $0.cause.service != nil }) { $0.cause.service }
    }
    let packets = HostPackets(inspection)
    let clusters = ClusterPackets(inspection, packets)
    return claims.flatMap { claim -> [Finding] in
      var promise = Promise(claim, openings: openings, clusters: clusters, packets, in: inspection)
      do throws(BudgetExceeded) {
        return try promise.shortfalls()
      } catch {
        return [.undecided(claim, error)]
      }
    }
  }
}
