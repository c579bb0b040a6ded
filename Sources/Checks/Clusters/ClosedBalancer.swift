import Packets
import Policies
import Syntax

extension Check {
  /// A load balancer whose way to the nodes their own firewalls close.
  static let closedBalancer = Check(
    "closed-balancer", "A load balancer reaches ports of the nodes that their own firewalls close", .clusters, .warning,
    page: Page(
      what: """
        Looks for `publish loadbalancer` without a NodePort on clusters whose nodes are hosts of the policy.
        """,
      why: """
        Most load balancers of clouds connect to a NodePort, which Kubernetes picks by itself when none is said. The \
        nodes' firewalls are made from the policy, which does not know that port, and refuse what comes to it: the \
        balancer finds no node alive. A NodePort that is said is opened to the audience of the exposures.
        """,
      example: """
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet as 443/tcp }
        host node1 { address 192.0.2.21 }
        cluster prod {
          pods 10.42.0.0/16
          nodes node1
          workload shop { namespace shop; pods app=shop; ↓publish loadbalancer }
        }
        """,
      instead: """
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet as 443/tcp }
        host node1 { address 192.0.2.21 }
        cluster prod {
          pods 10.42.0.0/16
          nodes node1
          workload shop { namespace shop; pods app=shop; publish loadbalancer nodeport 30043 }
        }
        """),
    allowed: [
      """
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet as 443/tcp }
      cluster prod {
        pods 10.42.0.0/16
        nodes 192.0.2.21
        workload shop { namespace shop; pods app=shop; publish loadbalancer }
      }
      """
    ]
  ) { inspection in
    let policy = inspection.policy
    return policy.clusters.flatMap { cluster -> [Finding] in
      guard let node = cluster.nodes.first else { return [] }
      return cluster.workloads.flatMap { workload in
        workload.publications.compactMap { publication -> Finding? in
          guard case .loadBalancer(nodePort: nil) = publication.kind else { return nil }
          let name = policy[workload.service].name.value
          return Finding(
            "the nodes' own firewalls close the way from the load balancer to `\(name)`", about: name,
            at: .init(publication.span, "reaches a NodePort that Kubernetes picks"),
            also: [.init(policy[node].name.span, "a node whose firewall is made from this policy")],
            because: "A firewall opens what the policy names, and it does not name this port.",
            help: "Say the NodePort, one statement a port: `publish loadbalancer nodeport "
              + "\((cluster.staticBand ?? cluster.nodePorts).lower)`.")
        }
      }
    }
  }
}
