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
        Looks for traffic that is closed although an `always` asks for it: for each place where the service runs, every \
        source of the audience has to be let in, without a limit and without an end, and no block may refuse it now or \
        later. A service behind a router (`via`) is open if the router lets everyone of the audience in.
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
      cluster k { pods 10.42.0.0/16; workload web { namespace x; pods app=web } }
      always 10.1.0.0/16 to web on 443/tcp
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
    let clusters = inspection.clusterFirewalls
    let openings = inspection.firewalls.map { firewall in
      Dictionary(grouping: firewall.openings.filter { $0.cause.service != nil }) { $0.cause.service }
    }
    return claims.flatMap { claim -> [Finding] in
      var promise = Promise(claim, openings: openings, clusters: clusters, in: inspection)
      return promise.shortfalls()
    }
  }
}

/// An `always`, and what is worked out for it once.
private struct Promise {
  /// The claim.
  let claim: Claim

  /// The openings of each host, by service.
  let openings: [[ID<Service>?: [Opening]]]

  /// The firewalls of the clusters.
  let clusters: [ClusterFirewall]

  /// What is inspected.
  let inspection: Inspection

  /// Where the audience comes from, as hosts see it.
  private var wanted: [ID<Host>: [Reach]] = [:]

  /// Creates what is to be worked out for `claim`.
  init(
    _ claim: Claim, openings: [[ID<Service>?: [Opening]]], clusters: [ClusterFirewall], in inspection: Inspection
  ) {
    self.claim = claim
    self.openings = openings
    self.clusters = clusters
    self.inspection = inspection
  }

  /// Returns what is closed that should be open.
  mutating func shortfalls() -> [Finding] {
    if claim.invariant.targets.isEmpty {
      let meant = inspection.policy.services.indices.filter { s in
        let listening = inspection.policy.services[s].ports.flatMap(\.traffic)
        return claim.traffic.contains { t in listening.contains { $0.overlaps(t) } || shows(ID(s), t) }
      }
      if meant.isEmpty { return [finding(about: "always", nil, nil, "any place")] }
      return meant.flatMap { shortfalls(of: ID($0)) }
    }
    var findings = (claim.services ?? []).sorted().flatMap { shortfalls(of: $0) }
    guard let places = claim.places else { return findings }
    let hosts = inspection.firewalls.filter { $0.addresses.intersects(places) }
    if hosts.isEmpty { findings.append(finding(about: "always", nil, nil, "any host of the policy")) }
    for firewall in hosts {
      let asked = claim.traffic.isEmpty ? Set(firewall.openings.map(\.traffic)).sorted() : claim.traffic
      let open = Dictionary(grouping: firewall.openings) { $0.traffic.transport }
      for traffic in asked {
        guard let witness = witness(to: traffic, among: open[traffic.transport] ?? [], of: firewall) else { continue }
        findings.append(finding(about: firewall.name, witness, traffic, "host `\(firewall.name)`"))
        break
      }
    }
    return findings
  }

  /// Returns `true` iff an exposure of `service` shows a port of `traffic`.
  private func shows(_ service: ID<Service>, _ traffic: Traffic) -> Bool {
    inspection.exposures[inspection.exposuresOfService[service.rawValue]].contains { view in
      view.traffic.contains { $0.public.overlaps(traffic) }
    }
  }

  /// Returns what is closed of `service`.
  private mutating func shortfalls(of service: ID<Service>) -> [Finding] {
    let policy = inspection.policy
    let views = inspection.exposures[inspection.exposuresOfService[service.rawValue]]
    let name = policy[service].name
    let asked = claim.traffic.isEmpty ? Set(views.flatMap { $0.traffic.map(\.public) }).sorted() : claim.traffic
    if asked.isEmpty { return [finding(about: name.value, at: name.span, nil, nil, "any place")] }
    let routers = Set(views.compactMap { $0.exposure.via?.value }).sorted()
    var needed: [Traffic] = []
    for traffic in asked {
      var isRouted = false
      for router in routers where !isRouted { isRouted = witness(to: traffic, of: service, on: router) == nil }
      if !isRouted { needed.append(traffic) }
    }
    var findings: [Finding] = []
    for placement in policy[service].placements {
      for traffic in needed {
        guard let witness = witness(to: traffic, of: service, on: placement.host) else { continue }
        let place = "host `\(policy[placement.host].name.value)`"
        findings.append(finding(about: name.value, at: name.span, witness, traffic, place))
        break
      }
    }
    for reference in policy[service].workloads {
      let cluster = clusters[reference.cluster.rawValue]
      guard let pods = cluster.workloads.first(where: { $0.service == service }) else { continue }
      let view = ClusterView(claim.invariant.audience, in: cluster, strangers: .all, inspection)
      for traffic in needed {
        let behind = views.flatMap { $0.traffic.filter { $0.public.contains(traffic) }.map(\.listening) }
        let admitting = pods.admissions.filter { admission in
          admission.until == nil && ([traffic] + behind).contains { t in admission.traffic.contains { $0.contains(t) } }
        }
        guard let witness = view.witness(keptOutBy: admitting) else { continue }
        findings.append(finding(about: name.value, at: name.span, witness, traffic, "cluster `\(cluster.name)`"))
        break
      }
    }
    return findings
  }

  /// Returns who of the audience does not get to `traffic` of `service` on the host `id`, if somebody does not.
  private mutating func witness(to traffic: Traffic, of service: ID<Service>, on id: ID<Host>) -> String? {
    witness(to: traffic, among: openings[id.rawValue][service] ?? [], of: inspection.firewalls[id.rawValue])
  }

  /// Returns who of the audience none of `openings` of `firewall` lets in to `traffic`, if there is somebody.
  private mutating func witness(to traffic: Traffic, among openings: [Opening], of firewall: Firewall) -> String? {
    let open = openings.filter { $0.limit == nil && $0.until == nil && $0.traffic.contains(traffic) }
    let refused = firewall.perhapsRefused(traffic, on: inspection.today)
    let rest = audience(seenBy: firewall).subtracting(open.flatMap(\.sources).subtracting(refused))
    return rest.witness
  }

  /// Returns where the audience comes from, as the host of `firewall` sees it: in its families, and not itself.
  private mutating func audience(seenBy firewall: Firewall) -> [Reach] {
    if let known = wanted[firewall.host] { return known }
    let audience = claim.invariant.audience
    let families = AddressFamily.allCases.filter { !firewall.addresses.isEmpty($0) }
    let present = AddressSet(unionOf: families.map { AddressSet.all($0) })
    let sources = inspection.sources(of: audience, seenBy: firewall, strangers: .all)
    let result = inspection.honest(sources, of: audience, on: firewall.host).map {
      Reach($0.addresses.intersection(present).subtracting(firewall.addresses), on: $0.interfaces)
    }
    .normalized
    wanted[firewall.host] = result
    return result
  }

  /// Returns the finding that `witness` does not get through to `traffic` of what is called `name`.
  private func finding(
    about name: String, at span: Span? = nil, _ witness: String?, _ traffic: Traffic?, _ place: String
  ) -> Finding {
    let promise = claim.invariant.provenance
    let what = traffic.map { "\($0)" } ?? "any port"
    return Finding(
      name == "always"
        ? "nothing is there that must always be open" : "`\(name)` is closed where it must always be open",
      about: name,
      at: .init(
        promise.span,
        witness.map { "\($0) does not get through to \(what) of \(place)" } ?? "nothing of it is exposed"),
      also: span.map { [.init($0, "this service")] } ?? [],
      because: promise.because ?? "The policy promises that this is always open.",
      help: "Add an exposure without a limit or an end, or narrow the invariant.")
  }
}
