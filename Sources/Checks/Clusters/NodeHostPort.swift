import Packets
import Policies
import Syntax

extension Check {
  /// A port of a node that Kubernetes takes for its own.
  static let nodeHostPort = Check(
    "node-host-port", "A service on a node of a cluster listens among the NodePorts", .clusters, .warning,
    page: Page(
      what: """
        Looks at the hosts that are nodes of a cluster, for services that listen on a port of the cluster's NodePorts.
        """,
      why: """
        Kubernetes gives out these ports on every node, without looking whether a process listens there. What comes to the \
        port then goes to a pod instead of the process, and the firewall, which opened the port for the process, lets \
        it through.
        """,
      example: """
        service agent { owner team; purpose "Agent"; port ↓31000/tcp; expose to 192.0.2.7 }
        host node1 { address 192.0.2.21; runs agent }
        cluster prod { pods 10.42.0.0/16; nodes node1 }
        """,
      instead: """
        service agent { owner team; purpose "Agent"; port 9100/tcp; expose to 192.0.2.7 }
        host node1 { address 192.0.2.21; runs agent }
        cluster prod { pods 10.42.0.0/16; nodes node1 }
        """),
    allowed: [
      """
      service agent { owner team; purpose "Agent"; port 31000/tcp; expose to 192.0.2.7 }
      host web1 { address 192.0.2.10; runs agent }
      host node1 { address 192.0.2.21 }
      cluster prod { pods 10.42.0.0/16; nodes node1 }
      """
    ]
  ) { inspection in
    let policy = inspection.policy
    var findings: [Finding] = []
    var seen: Set<Span> = []
    for cluster in policy.clusters {
      for node in cluster.nodes {
        for run in policy[node].runs {
          let service = policy[run.service]
          for port in service.ports {
            guard port.traffic.contains(where: { $0.ports?.overlaps(cluster.nodePorts) ?? false }),
              seen.insert(port.trafficSpan).inserted
            else { continue }
            findings.append(
              Finding(
                "`\(service.name.value)` listens among the NodePorts of `\(cluster.name.value)`",
                about: service.name.value, at: .init(port.trafficSpan, "within \(cluster.nodePorts)"),
                also: [.init(run.span, "runs on a node"), .init(cluster.name.span, "the cluster")],
                because: "What comes to this port of the node may go to a pod instead of the process.",
                help: "Let it listen elsewhere, or run it on a host that is no node."))
          }
        }
      }
    }
    return findings
  }
}
