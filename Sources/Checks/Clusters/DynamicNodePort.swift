import Packets
import Policies
import Syntax

extension Check {
  /// A chosen NodePort among those that the API server gives out.
  static let dynamicNodePort = Check(
    "dynamic-nodeport", "A chosen NodePort lies among those that Kubernetes gives out by itself", .clusters, .note,
    page: Page(
      what: """
        Compares each `publish nodeport` with the part of the cluster's range that is kept for chosen ports: the first \
        `min(max(16, size / 32), 128)`, which is 30000-30085 of the default range.
        """,
      why: """
        A Service without a chosen port gets one from the rest of the range, at random. If it gets yours first, your \
        manifest is refused, on the day when the cluster is built anew and the order of creation is another one \
        (KEP-3668; stable since Kubernetes 1.29).
        """,
      example: """
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet as 443/tcp }
        cluster prod {
          pods 10.42.0.0/16
          workload shop { namespace shop; pods app=shop; publish nodeport ↓30443 }
        }
        """,
      instead: """
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet as 443/tcp }
        cluster prod {
          pods 10.42.0.0/16
          workload shop { namespace shop; pods app=shop; publish nodeport 30043 }
        }
        """),
    flagged: [
      """
      service a { owner team; purpose "A"; port 443/tcp; expose to internet }
      cluster prod { pods 10.42.0.0/16; workload a { namespace a; pods app=a; publish nodeport ↓30086 } }
      """,
      """
      service a { owner team; purpose "A"; port 443/tcp; expose to internet }
      cluster prod {
        pods 10.42.0.0/16
        nodeports 20000-29999
        workload a { namespace a; pods app=a; publish nodeport ↓20128 }
      }
      """,
    ],
    allowed: [
      """
      service a { owner team; purpose "A"; port 443/tcp; expose to internet }
      cluster prod { pods 10.42.0.0/16; workload a { namespace a; pods app=a; publish nodeport 30085 } }
      """,
      """
      service a { owner team; purpose "A"; port 443/tcp; expose to internet }
      cluster prod {
        pods 10.42.0.0/16
        nodeports 20000-20015
        workload a { namespace a; pods app=a; publish nodeport 20015 }
      }
      """,
    ]
  ) { inspection in
    let policy = inspection.policy
    return inspection.nodePorts.compactMap { use in
      let cluster = policy[use.cluster]
      guard let band = cluster.staticBand, cluster.nodePorts.contains(use.number.value),
        !band.contains(use.number.value)
      else { return nil }
      let name = policy[use.service].name.value
      return Finding(
        "the NodePort \(use.number.value) of `\(name)` may be given to another Service", about: name,
        at: .init(use.number.span, "outside \(band)"),
        because: "Kubernetes gives out the ports above \(band.upper) by itself.", help: "Choose a port from \(band).")
    }
  }
}
