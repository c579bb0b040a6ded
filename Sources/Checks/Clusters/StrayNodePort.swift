import Packets
import Policies
import Syntax

extension Check {
  /// A NodePort that the cluster does not have.
  static let strayNodePort = Check(
    "stray-nodeport", "A NodePort or an allotment lies outside the cluster's range", .clusters, .error,
    page: Page(
      what: """
        Compares each `publish nodeport` and each `allot` with the cluster's `nodeports` (30000-32767 unless the policy \
        says otherwise).
        """,
      why: """
        The API server refuses a NodePort outside `--service-node-port-range` when the manifest is applied, and \
        `kubectl --dry-run=server` does not tell before.
        """,
      example: """
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet as 443/tcp }
        cluster prod {
          pods 10.42.0.0/16
          workload shop { namespace shop; pods app=shop; publish nodeport ↓8443 }
        }
        """,
      instead: """
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet as 443/tcp }
        cluster prod {
          pods 10.42.0.0/16
          workload shop { namespace shop; pods app=shop; publish nodeport 30010 }
        }
        """),
    flagged: [
      """
      owner games { contact "games@example.org" }
      cluster prod { pods 10.42.0.0/16; nodeports 31000-31999; allot ↓30990-31009 to games }
      """
    ],
    allowed: [
      """
      service shop { owner team; purpose "Shop"; port 443/tcp; expose to internet }
      cluster prod {
        pods 10.42.0.0/16
        nodeports 8000-9000
        allot 8000-8009 to team
        workload shop { namespace shop; pods app=shop; publish nodeport 8009 }
      }
      """
    ]
  ) { inspection in
    let policy = inspection.policy
    let ports = inspection.nodePorts.map { use in
      (use.cluster, use.number.span, PortRange(use.number.value), policy[use.service].name.value)
    }
    let allotments = policy.clusters.indices.flatMap { c in
      policy.clusters[c].allotments.map { (ID<Cluster>(c), $0.ports.span, $0.ports.value, policy[$0.owner].name.value) }
    }
    return (ports + allotments).compactMap { id, span, ports, subject in
      let cluster = policy[id]
      guard !cluster.nodePorts.contains(ports) else { return nil }
      return Finding(
        "\(ports) is outside the NodePorts of `\(cluster.name.value)`", about: subject,
        at: .init(span, "not within \(cluster.nodePorts)"), also: [.init(cluster.name.span, "the cluster")],
        because: "The API server refuses a NodePort outside its range.",
        help:
          "Choose a port from \(cluster.staticBand ?? cluster.nodePorts), or correct the `nodeports` of the cluster.")
    }
  }
}
