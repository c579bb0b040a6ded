import Packets
import Policies
import Syntax

extension Check {
  /// A limit that a cluster does not enforce.
  static let unenforcedLimit = Check(
    "unenforced-limit", "A limit is put on a workload, where nothing enforces it", .clusters, .warning,
    page: Page(
      what: """
        Looks for exposures with `limit` to services that run as workloads, unless each of the cluster's nodes is a host \
        of the policy and the port is published on NodePorts alone: then the nodes' own firewalls count connections.
        """,
      why: """
        NetworkPolicy has no limits. The exposure is open without one, and whoever reads the policy believes otherwise.
        """,
      example: """
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet limit ↓100/second }
        cluster prod {
          pods 10.42.0.0/16
          workload shop { namespace shop; pods app=shop; publish loadbalancer }
        }
        """,
      instead: """
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet limit 100/second }
        host node1 { address 192.0.2.21 }
        cluster prod {
          pods 10.42.0.0/16
          nodes node1
          workload shop { namespace shop; pods app=shop; publish nodeport 30010 }
        }
        """),
    flagged: [
      """
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet limit ↓100/second }
      cluster prod {
        pods 10.42.0.0/16
        nodes 192.0.2.21
        workload shop { namespace shop; pods app=shop; publish nodeport 30010 }
      }
      """
    ],
    allowed: [
      """
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet limit 100/second }
      host web1 { address 192.0.2.10; runs shop }
      """
    ]
  ) { inspection in
    let policy = inspection.policy
    return policy.clusters.flatMap { cluster in
      cluster.workloads.flatMap { workload in
        policy[workload.service].exposures.compactMap { exposure -> Finding? in
          guard let limit = exposure.limit, exposure.via == nil, !exposure.provenance.hasLapsed(on: inspection.today),
            !isEnforced(on: exposure, of: workload, by: cluster, in: inspection)
          else { return nil }
          let name = policy[workload.service].name.value
          return Finding(
            "nothing enforces `limit \(limit.value)` on the pods of `\(name)`", about: name,
            at: .init(limit.span, "not enforced by `\(cluster.name.value)`"),
            also: [.init(workload.span, "runs here as a workload")],
            because: "NetworkPolicy does not count connections.",
            help:
              "Put the limit into the load balancer or the proxy in front, or publish the port on NodePorts of nodes "
              + "that are hosts of the policy.")
        }
      }
    }
  }

  /// Returns `true` iff the firewalls of the nodes of `cluster` enforce the limit of `exposure` of `workload`.
  private static func isEnforced(
    on exposure: Exposure, of workload: Workload, by cluster: Cluster, in inspection: Inspection
  ) -> Bool {
    let hosts = AddressSet(cluster.nodes.flatMap { inspection.book.addresses(of: .host($0)).ranges })
    guard !cluster.nodes.isEmpty, cluster.nodeAddresses.isSubset(of: hosts) else { return false }
    let publications = workload.publications.filter { $0.ports.contains(where: exposure.ports.contains) }
    return !publications.isEmpty
      && publications.allSatisfy { if case .nodePort = $0.kind { true } else { false } }
      && exposure.ports.allSatisfy { port in publications.contains { $0.ports.contains(port) } }
  }
}
