import Firewalls
import Packets
import Policies
import Syntax

extension Check {
  /// A `never` that does not hold.
  static let brokenNever = Check(
    "broken-never", "Something is open that must never be", .invariants, .error,
    page: Page(
      what: """
        Looks for traffic that is open although a `never` forbids it, on every host, router and cluster, and shows a \
        source that gets through. As the source of an invariant `internet` means strangers: addresses that belong to no \
        zone, host or cluster of the policy.
        """,
      why: "An invariant is what the organisation has promised itself; a change that breaks it should not be merged.",
      example: """
        service db { owner team; purpose "Ledger"; class database; port 5432/tcp; ↓expose to 198.51.100.7 until 2099-01-01 }
        host db1 { address 10.0.0.10; runs db }
        never internet to class database
        """,
      instead: """
        zone partner { 198.51.100.7 }
        service db { owner team; purpose "Ledger"; class database; port 5432/tcp; expose to partner }
        host db1 { address 10.0.0.10; runs db }
        never internet to class database
        """),
    flagged: [
      """
      zone office { 203.0.113.0/24 }
      zone lab { 203.0.113.128/25 }
      service ssh { owner team; purpose "Administration"; port 22/tcp; ↓expose to office }
      host h { address 10.0.0.10; runs ssh }
      never lab to 22/tcp
      """
    ],
    allowed: [
      """
      zone office { 203.0.113.0/24 }
      zone lab { 203.0.113.128/25 }
      service ssh { owner team; purpose "Administration"; port 22/tcp; expose to office except lab }
      host h { address 10.0.0.10; runs ssh }
      never lab to 22/tcp
      """,
      """
      zone office { 203.0.113.0/24 }
      service ssh { owner team; purpose "Administration"; port 22/tcp; expose to office }
      host h { address 10.0.0.10; runs ssh }
      never internet to 22/tcp except office
      """,
    ]
  ) { inspection in
    let claims = inspection.policy.invariants.filter { !$0.isAlways }.map { Claim($0, in: inspection) }
    guard !claims.isEmpty else { return [] }
    let strangers = inspection.strangers
    var findings: [Finding] = []
    for claim in claims {
      var seen = Set<Span>()
      func report(_ cause: Cause, _ reach: [Reach], _ traffic: Traffic?, on place: String) {
        guard let witness = reach.witness, seen.insert(cause.span).inserted else { return }
        findings.append(breach(of: claim, by: cause, from: witness, to: traffic, on: place))
      }
      for firewall in inspection.firewalls {
        let sources = inspection.sources(of: claim.invariant.audience, seenBy: firewall, strangers: strangers)
        for opening in firewall.openings where claim.concerns(opening, of: firewall) {
          guard opening.until.map({ inspection.today <= $0 }) ?? true else { continue }
          report(
            opening.cause, inspection.sources(of: opening, in: firewall).intersection(sources), opening.traffic,
            on: "host `\(firewall.name)`")
        }
        for passage in firewall.passages where passage.until.map({ inspection.today <= $0 }) ?? true {
          guard passage.cause.subject == "transit", let places = forwarded(claim, by: passage, in: inspection) else {
            continue
          }
          report(passage.cause, passage.sources.intersection(sources), places, on: "router `\(firewall.name)`")
        }
      }
      for view in inspection.activeExposures {
        clusterBreach(of: claim, by: view, strangers: strangers, in: inspection, report: report)
      }
    }
    return findings
  }

  /// Returns the traffic to what `claim` is about that `passage` lets through; `.some(nil)` means all traffic, nothing
  /// that there is none.
  private static func forwarded(_ claim: Claim, by passage: Passage, in inspection: Inspection) -> Traffic?? {
    guard !claim.invariant.targets.isEmpty else { return nil }
    var places = claim.places ?? AddressSet()
    var ports = claim.traffic
    for service in claim.services ?? [] {
      places = places.union(inspection.book.addresses(of: .service(service)))
      if claim.traffic.isEmpty { ports += inspection.policy[service].ports.flatMap(\.traffic) }
    }
    guard passage.destinations.contains(where: { $0.addresses.intersects(places) }) else { return nil }
    guard let open = passage.traffic, !ports.isEmpty else { return .some(ports.first ?? passage.traffic?.first) }
    return open.first { o in ports.contains { $0.overlaps(o) } }.map { .some($0) }
  }

  /// Reports how `view`, on the clusters that its service runs on, breaks `claim`.
  private static func clusterBreach(
    of claim: Claim, by view: ExposureView, strangers: AddressSet, in inspection: Inspection,
    report: (Cause, [Reach], Traffic?, String) -> Void
  ) {
    let service = inspection.policy[view.service]
    guard let workload = service.workloads.first else { return }
    let pods = inspection.policy[workload.cluster].pods
    guard
      claim.invariant.targets.isEmpty || claim.services?.contains(view.service) ?? false
        || claim.places?.intersects(pods) ?? false
    else { return }
    let open = view.traffic.first { pair in
      claim.traffic.isEmpty || claim.traffic.contains { $0.overlaps(pair.public) || $0.overlaps(pair.listening) }
    }
    guard let open else { return }
    var sources = AddressSet()
    for party in claim.invariant.audience.parties {
      sources = sources.union(party.value == .internet ? strangers : inspection.book.addresses(of: party.value))
    }
    for party in claim.invariant.audience.exceptions {
      sources = sources.subtracting(inspection.book.addresses(of: party.value))
    }
    report(
      Cause(service.name.value, service: view.service, at: view.span),
      [Reach(view.audience.intersection(sources))].normalized, open.public,
      "cluster `\(inspection.policy[workload.cluster].name.value)`")
  }

  /// Returns the finding that `cause` breaks `claim`: `witness` gets through.
  private static func breach(
    of claim: Claim, by cause: Cause, from witness: String, to traffic: Traffic?, on place: String
  ) -> Finding {
    Finding(
      "this opens what must never be open", about: cause.subject,
      at: .init(cause.span, "\(witness) gets through to \(traffic.map { "\($0)" } ?? "any port") of \(place)"),
      also: [.init(claim.invariant.provenance.span, "forbidden here")],
      because: claim.invariant.provenance.because ?? "The policy promises that this is never open.",
      help: "Narrow the audience, or change the invariant if the promise no longer stands.")
  }
}

extension Check {
  /// An `always` that does not hold.
  static let brokenAlways = Check(
    "broken-always", "Something is closed that must always be open", .invariants, .error,
    page: Page(
      what: """
        Looks for traffic that is closed although an `always` asks for it: for each place where the service runs, every \
        source of the audience has to be let in, without a limit and without an end.
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
        """)
  ) { inspection in
    let claims = inspection.policy.invariants.filter(\.isAlways).map { Claim($0, in: inspection) }
    return claims.flatMap { claim in
      (claim.services ?? []).sorted().flatMap { service in missing(service, of: claim, in: inspection) }
    }
  }

  /// Returns what is closed of `service` that `claim` asks for.
  private static func missing(_ service: ID<Service>, of claim: Claim, in inspection: Inspection) -> [Finding] {
    let policy = inspection.policy
    let exposures = inspection.exposures[inspection.exposuresOfService[service.rawValue]]
    let asked = claim.traffic.isEmpty ? Set(exposures.flatMap { $0.traffic.map(\.public) }).sorted() : claim.traffic
    if asked.isEmpty {
      return [shortfall(of: claim, service, from: nil, to: nil, on: "any place", in: policy)]
    }
    var findings: [Finding] = []
    for placement in policy[service].placements {
      let firewall = inspection.firewalls[placement.host.rawValue]
      let families = AddressFamily.allCases.filter { !firewall.addresses.isEmpty($0) }
      let present = families.map { AddressSet.all($0) }.reduce(AddressSet()) { $0.union($1) }
      let own = firewall.addresses
      let wanted = inspection.honest(
        inspection.sources(of: claim.invariant.audience, seenBy: firewall, strangers: .all),
        of: claim.invariant.audience, on: placement.host
      ).map { Reach($0.addresses.intersection(present).subtracting(own), on: $0.interfaces) }
      for traffic in asked {
        let open = firewall.openings.filter { opening in
          opening.cause.service == service && opening.limit == nil && opening.until == nil
            && opening.traffic.contains(traffic)
        }
        let rest = wanted.subtracting(open.flatMap { inspection.sources(of: $0, in: firewall) })
        if let witness = rest.witness {
          findings.append(
            shortfall(of: claim, service, from: witness, to: traffic, on: "host `\(firewall.name)`", in: policy))
          break
        }
      }
    }
    for workload in policy[service].workloads {
      let cluster = inspection.lowering.firewall(of: workload.cluster, on: inspection.today)
      let peers = inspection.lowering.peers(claim.invariant.audience.parties.map(\.value), in: workload.cluster)
      guard let pods = cluster.workloads.first(where: { $0.service == service }) else { continue }
      let admitted = pods.admissions.filter { admission in
        asked.contains { wanted in admission.traffic.contains { $0.overlaps(wanted) } }
      }
      let closed = peers.first { peer in !admitted.contains { $0.admits(peer) } }
      if let closed {
        findings.append(
          shortfall(
            of: claim, service, from: closed.words, to: asked.first, on: "cluster `\(cluster.name)`", in: policy))
      }
    }
    return findings
  }

  /// Returns the finding that `witness` does not get through to `service`.
  private static func shortfall(
    of claim: Claim, _ service: ID<Service>, from witness: String?, to traffic: Traffic?, on place: String,
    in policy: Policy
  ) -> Finding {
    let name = policy[service].name
    let what = traffic.map { "\($0)" } ?? "any port"
    return Finding(
      "`\(name.value)` is closed where it must always be open", about: name.value,
      at: .init(
        claim.invariant.provenance.span,
        witness.map { "\($0) does not get through to \(what) of \(place)" } ?? "nothing of it is exposed"),
      also: [.init(name.span, "this service")],
      because: claim.invariant.provenance.because ?? "The policy promises that this is always open.",
      help: "Add an exposure without a limit or an end to service `\(name.value)`, or narrow the invariant.")
  }
}

extension Admission {
  /// Returns `true` iff the admission lets all of `peer` in.
  fileprivate func admits(_ peer: Peer) -> Bool {
    peers.contains { mine in
      switch (mine, peer) {
      case (.everyone, .addresses(let addresses)): !addresses.intersects(exceptions)
      case (.everyone, _): exceptions.isEmpty
      case (.addresses(let mine), .addresses(let other)): other.isSubset(of: mine.subtracting(exceptions))
      default: mine == peer
      }
    }
  }
}

extension Peer {
  /// The peer in words.
  fileprivate var words: String {
    switch self {
    case .everyone: "everyone"
    case .addresses(let addresses): addresses.ranges.first.map { "\($0)" } ?? "nobody"
    case .pods(let namespace, _): "a pod of namespace \(namespace)"
    }
  }
}
