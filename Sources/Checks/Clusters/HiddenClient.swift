import Firewalls
import Packets
import Policies
import Syntax

extension Check {
  /// An audience that the cluster cannot tell by the addresses that it sees.
  static let hiddenClient = Check(
    "hidden-client", "A workload is published where its audience cannot be told by source addresses", .clusters,
    .warning,
    page: Page(
      what: """
        Looks at workloads that are published on NodePorts, a load balancer or an Ingress. Who connects from outside is \
        told by its address alone. Reported are audiences that are nobody outside: a zone without addresses, which hosts \
        tell by their interfaces; pods of the same cluster, when nobody else may connect; and an audience narrower than \
        everyone behind an Ingress, where every client has the address of the controller.
        """,
      why: """
        A NetworkPolicy compares addresses after the nodes and the ingress controller have passed a connection on. \
        Portcullis writes `externalTrafficPolicy: Local`, so that NodePorts and load balancers keep the client's address, but an \
        address that says nothing of the client keeps nobody out.
        """,
      example: """
        zone dmz {}
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to ↓dmz }
        cluster prod {
          pods 10.42.0.0/16
          workload shop { namespace shop; pods app=shop; publish nodeport 30010 }
        }
        """,
      instead: """
        zone dmz { 198.51.100.0/24 }
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to dmz }
        cluster prod {
          pods 10.42.0.0/16
          workload shop { namespace shop; pods app=shop; publish nodeport 30010 }
        }
        """),
    flagged: [
      """
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to 198.51.100.0/24 }
      cluster prod {
        pods 10.42.0.0/16
        ingress namespace ingress-nginx pods app.kubernetes.io/name=ingress-nginx
        workload shop { namespace shop; pods app=shop; ↓publish ingress "shop.example" }
      }
      """,
      """
      service front { owner team; purpose "Front"; port 80/tcp; expose to internet; uses shop }
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to front }
      cluster prod {
        pods 10.42.0.0/16
        workload front { namespace shop; pods app=front; publish cluster }
        workload shop { namespace shop; pods app=shop; ↓publish loadbalancer }
      }
      """,
    ],
    allowed: [
      """
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet }
      cluster prod {
        pods 10.42.0.0/16
        ingress namespace ingress-nginx pods app.kubernetes.io/name=ingress-nginx
        workload shop { namespace shop; pods app=shop; publish ingress "shop.example" }
      }
      """,
      """
      service front { owner team; purpose "Controller"; port 8443/tcp; expose to internet as 443/tcp; uses shop }
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to front }
      cluster prod {
        pods 10.42.0.0/16
        ingress namespace ingress-nginx pods app.kubernetes.io/name=ingress-nginx
        workload front {
          namespace ingress-nginx
          pods app.kubernetes.io/name=ingress-nginx
          publish loadbalancer
        }
        workload shop { namespace shop; pods app=shop; publish ingress "shop.example" }
      }
      """,
    ]
  ) { inspection in
    let policy = inspection.policy
    return policy.clusters.flatMap { cluster in
      cluster.workloads.flatMap { workload in
        workload.publications.flatMap { findings(for: $0, of: workload, on: cluster, in: inspection) }
      }
    }
  }

  /// Returns the findings for `publication` of `workload` on `cluster`.
  private static func findings(
    for publication: Publication, of workload: Workload, on cluster: Cluster, in inspection: Inspection
  ) -> [Finding] {
    if case .cluster = publication.kind { return [] }
    let name = inspection.policy[workload.service].name.value
    let views = inspection.exposures[inspection.exposuresOfService[workload.service.rawValue]].filter { view in
      !view.exposure.provenance.hasLapsed(on: inspection.today) && view.exposure.via == nil
        && view.exposure.ports.contains(where: publication.ports.contains)
    }
    guard !views.isEmpty else { return [] }
    if case .ingress = publication.kind {
      guard !views.contains(where: { $0.audience.isAll || admitsController($0, of: cluster, in: inspection) }) else {
        return []
      }
      return [
        Finding(
          "behind the ingress controller, `\(name)` cannot tell its audience", about: name,
          at: .init(publication.span, "every client has the controller's address"),
          also: views.prefix(4).map { .init($0.audienceSpan, "the audience") },
          because: "A NetworkPolicy sees the controller connect, whoever asked it.",
          help:
            "Expose the port to the ingress controller's service, and that to whoever may connect; or publish it on "
            + "a NodePort or a load balancer.")
      ]
    }
    if views.allSatisfy({ $0.audience.isSubset(of: cluster.pods) }) {
      return [
        Finding(
          "`\(name)` is published to the outside, and exposed to pods alone", about: name,
          at: .init(publication.span, "reachable from outside the cluster"),
          also: views.prefix(4).map { .init($0.audienceSpan, "pods of the cluster") },
          because: "Nobody outside may connect, and pods need no way around through the nodes, where their labels are "
            + "not seen.",
          help: "Write `publish cluster`, or expose it to those who connect from outside.")
      ]
    }
    return views.flatMap { view in
      view.exposure.audience.parties.compactMap { party in
        guard case .zone(let id) = party.value, !inspection.policy[id].hasAddresses else { return nil }
        return Finding(
          "`\(inspection.policy[id].name.value)` is everyone to the pods of `\(name)`", about: name,
          at: .init(party.span, "has no addresses"), also: [.init(publication.span, "published to the outside here")],
          because: "Hosts tell such a zone by their interfaces; pods see addresses alone.",
          help: "Write the addresses of the zone, or `internet` if everyone is meant.")
      }
    }
  }

  /// Returns `true` iff the exposure of `view` names a service that is the ingress controller of `cluster`.
  private static func admitsController(_ view: ExposureView, of cluster: Cluster, in inspection: Inspection) -> Bool {
    guard let controller = cluster.ingress else { return false }
    let wanted = Set(controller.labels.map { "\($0.key)=\($0.value)" })
    return view.exposure.audience.parties.contains { party in
      inspection.lowering.services(standingFor: party.value)?.contains { service in
        cluster.workloads.contains { workload in
          workload.service == service && workload.namespace.value == controller.namespace.value
            && workload.labels.allSatisfy { wanted.contains("\($0.key)=\($0.value)") }
        }
      } ?? false
    }
  }
}
