import Packets
import Policies
import Syntax

extension Check {
  /// A NodePort that two services want.
  static let nodePortConflict = Check(
    "nodeport-conflict", "Two services of a cluster want the same NodePort", .clusters, .error,
    page: Page(
      what: """
        Looks for NodePorts that are published twice on one cluster, in whatever namespaces and for whatever protocols. \
        One service may have a number for TCP and for UDP \
        of the same port.
        """,
      why: """
        A NodePort is a port of every node, and belongs to one Service: the API server refuses the second one, even if one \
        speaks TCP and the other UDP.
        """,
      example: """
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet as 443/tcp }
        service lobby { owner team; purpose "Lobby"; port 7000/udp; expose to internet }
        cluster prod {
          pods 10.42.0.0/16
          workload shop { namespace shop; pods app=shop; publish nodeport 30010 }
          workload lobby { namespace games; pods app=lobby; publish nodeport ↓30010 }
        }
        """,
      instead: """
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet as 443/tcp }
        service lobby { owner team; purpose "Lobby"; port 7000/udp; expose to internet }
        cluster prod {
          pods 10.42.0.0/16
          workload shop { namespace shop; pods app=shop; publish nodeport 30010 }
          workload lobby { namespace games; pods app=lobby; publish nodeport 30011 }
        }
        """),
    flagged: [
      """
      service a { owner team; purpose "A"; port x 80/tcp; port y 81/tcp; expose to internet }
      cluster prod {
        pods 10.42.0.0/16
        workload a { namespace a; pods app=a; publish x nodeport 30010; publish y nodeport ↓30010 }
      }
      """,
      """
      service a { owner team; purpose "A"; port x 80/tcp; port y 81/udp; expose to internet }
      cluster prod {
        pods 10.42.0.0/16
        workload a { namespace a; pods app=a; publish x nodeport 30010; publish y nodeport ↓30010 }
      }
      """,
      """
      service a { owner team; purpose "A"; port x 80/tcp; expose to internet }
      service b { owner team; purpose "B"; port x 80/tcp; expose to internet }
      cluster prod {
        pods 10.42.0.0/16
        workload a { namespace a; pods app=a; publish nodeport 30010 }
        workload b { namespace a; pods app=b; publish loadbalancer nodeport ↓30010 }
      }
      """,
    ],
    allowed: [
      """
      service a { owner team; purpose "A"; port x 443/tcp; port y 443/udp; expose to internet }
      cluster prod {
        pods 10.42.0.0/16
        workload a { namespace a; pods app=a; publish x nodeport 30010; publish y nodeport 30010 }
      }
      """,
      """
      service a { owner team; purpose "A"; port 443/tcp; expose to internet }
      service b { owner team; purpose "B"; port 443/tcp; expose to internet }
      cluster one { pods 10.42.0.0/16; workload a { namespace a; pods app=a; publish nodeport 30010 } }
      cluster two { pods 10.43.0.0/16; workload b { namespace b; pods app=b; publish nodeport 30010 } }
      """,
    ]
  ) { inspection in
    let policy = inspection.policy
    var earlier: [NodePortKey: [NodePortUse]] = [:]
    var findings: [Finding] = []
    for use in inspection.nodePorts.sorted(by: { $0.number.span < $1.number.span }) {
      let key = NodePortKey(cluster: use.cluster, number: use.number.value)
      let name = policy[use.service].name.value
      if let first = earlier[key, default: []].first(where: { $0.conflicts(with: use) }) {
        findings.append(
          Finding(
            "the NodePort \(use.number.value) of `\(policy[use.cluster].name.value)` is taken twice", about: name,
            at: .init(use.number.span, "wanted by `\(name)`"),
            also: [.init(first.number.span, "taken by `\(policy[first.service].name.value)`")],
            because: "A NodePort belongs to one Service, whatever the protocol.",
            help: "Give one of them another port."))
      }
      earlier[key, default: []].append(use)
    }
    return findings
  }

  /// A NodePort of a cluster.
  private struct NodePortKey: Hashable {
    var cluster: ID<Cluster>
    var number: UInt16
  }
}

extension NodePortUse {
  /// Returns `true` iff the API server refuses one of two uses of a number; one Service may have it for several
  /// protocols of one port.
  fileprivate func conflicts(with other: NodePortUse) -> Bool {
    service != other.service || !transports.isDisjoint(with: other.transports) || shown.isDisjoint(with: other.shown)
  }
}
