import Firewalls
import Packets
import Policies
import Syntax

extension Check {
  /// An exposure whose audience cannot get there.
  static let unreachableExposure = Check(
    "unreachable-exposure", "Nobody of the audience can reach the service", .exposure, .warning,
    page: Page(
      what: """
        Looks for exposures whose audience has no address at all (a service that runs nowhere, a host without \
        addresses), or has addresses of one family only while every host of the service has addresses of the other, or \
        whose router (`via`) has nowhere to forward to.
        """,
      why: "The exposure opens nothing. Usually an address is missing, or the wrong zone is named.",
      example: """
        service db { owner team; purpose "Ledger"; port 5432/tcp; expose to ↓2001:db8:10::7 until 2099-01-01 }
        host db1 { address 10.0.0.10; runs db }
        """,
      instead: """
        service db { owner team; purpose "Ledger"; port 5432/tcp; expose to 10.0.0.7 }
        host db1 { address 10.0.0.10; runs db }
        """),
    flagged: [
      """
      service s { owner team; purpose "Shop"; port 8443/tcp; expose to internet via ↓gw }
      host gw { address 198.51.100.1; interface eth0 in internet }
      cluster k { pods 10.42.0.0/16; workload s { namespace x; pods app=s; publish cluster } }
      """
    ],
    allowed: [
      """
      service s { owner team; purpose "Shop"; port 8443/tcp; expose to internet via gw }
      host gw { address 198.51.100.1; interface eth0 in internet }
      host n { address 10.0.0.5 }
      cluster k { pods 10.42.0.0/16; nodes n; workload s { namespace x; pods app=s; publish nodeport 30010 } }
      """
    ]
  ) { inspection in
    let policy = inspection.policy
    // What routers do open, looked up once.
    var forwarded = Set<Span>()
    for firewall in inspection.firewalls {
      for opening in firewall.openings where opening.translation != nil { forwarded.insert(opening.cause.span) }
    }
    return inspection.activeExposures.compactMap { view in
      if let router = view.exposure.via, !forwarded.contains(view.span), isForwarded(view, in: policy) {
        return dead(view, from: router.span, in: policy)
      }
      guard !view.exposure.audience.parties.contains(where: { $0.value == .localhost }) else { return nil }
      let places = inspection.book.addresses(of: view.exposure.via.map { .host($0.value) } ?? .service(view.service))
      let shared = AddressFamily.allCases.contains { !view.audience.isEmpty($0) && !places.isEmpty($0) }
      // A service without a place is the business of `unplaced-service`.
      guard !shared, !places.isEmpty, policy[view.service].workloads.isEmpty else { return nil }
      let name = policy[view.service].name.value
      let why = view.audience.isEmpty ? "this audience has no addresses" : "has no address of this family"
      return Finding(
        "this exposure of `\(name)` opens nothing", about: name, at: .init(view.audienceSpan, why),
        because: "Nobody of the audience has an address from which the service could be reached.",
        help: "Give the hosts addresses of both families, or name another audience.")
    }
  }

  /// Returns `true` iff the router of `view` is none of the places where its service runs, so that it has to forward.
  private static func isForwarded(_ view: ExposureView, in policy: Policy) -> Bool {
    let service = policy[view.service]
    return !service.placements.contains { $0.host == view.exposure.via?.value }
      && !(service.placements.isEmpty && service.workloads.isEmpty) && !view.audience.isEmpty
  }

  /// Returns the finding that the router, named at `place`, has nowhere to forward what `view` exposes.
  private static func dead(_ view: ExposureView, from place: Span, in policy: Policy) -> Finding {
    let name = policy[view.service].name.value
    return Finding(
      "this exposure of `\(name)` opens nothing", about: name,
      at: .init(place, "has no address of this audience's family, and no NodePort, to forward to"),
      because: "A router forwards to the addresses of hosts, or to the NodePort of a cluster that runs the service.",
      help: "Give the hosts addresses of the audience's family, or `publish nodeport` the port on the cluster.")
  }
}
