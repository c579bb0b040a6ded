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
        zone, host or cluster of the policy, on interfaces that are bound to no other zone. What a router passes on to \
        a host or workload of the policy is open if that lets it in as well, by the router's address if it masquerades; \
        machines without a firewall of their own let everything in.
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
      """,
      """
      service front { owner team; purpose "Front"; port 80/tcp; expose to internet; uses db }
      service lab { owner team; purpose "Lab"; port 81/tcp; expose to 10.0.0.7 }
      service db { owner team; purpose "Ledger"; port 5432/tcp; ↓expose to front; ↓expose to lab }
      cluster one { pods 10.42.0.0/16; workload db { namespace x; pods app=db } }
      cluster two {
        pods 10.43.0.0/16
        workload db { namespace x; pods app=db }
        workload front { namespace x; pods app=front }
        workload lab { namespace x; pods app=lab }
      }
      never lab to db
      """,
      """
      zone lan { 10.0.0.0/16 }
      zone guests { 10.9.0.0/16 }
      service db { owner team; purpose "Ledger"; port 5432/tcp; expose to lan }
      host gw { address 10.0.0.1 }
      host db1 { address 10.0.0.10; runs db }
      ↓transit guests to lan via gw masquerade
      never guests to db
      """,
      """
      zone lan { 10.0.0.0/16 }
      host gw { address 10.0.0.1 }
      ↓transit internet to lan on 22/tcp via gw
      never internet to 22/tcp
      """,
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
      """
      zone lan { 10.0.0.0/16 }
      zone guests { 10.9.0.0/16 }
      service db { owner team; purpose "Ledger"; port 5432/tcp; expose to lan }
      host gw { address 198.51.100.1 }
      host db1 { address 10.0.0.10; runs db }
      transit guests to internet via gw masquerade
      never guests to db
      """,
      """
      service front { owner team; purpose "Front"; port 80/tcp; expose to internet; uses db }
      service lab { owner team; purpose "Lab"; port 81/tcp; expose to 10.0.0.7 }
      service db { owner team; purpose "Ledger"; port 5432/tcp; expose to front }
      cluster one {
        pods 10.42.0.0/16
        workload db { namespace x; pods app=db }
        workload front { namespace x; pods app=front }
        workload lab { namespace x; pods app=lab }
      }
      never lab to db
      """,
      """
      zone management { }
      service ssh { owner team; purpose "Administration"; port 22/tcp; expose to management }
      host h { address 192.0.2.10; interface eth0 in internet; interface eth1 in management; runs ssh }
      never internet to 22/tcp
      """,
      """
      zone lan { 10.0.0.0/16 }
      host gw { address 10.0.0.1 }
      transit internet to lan on 22/tcp via gw
      block 198.51.100.0/24
      never 198.51.100.7 to lan
      """,
    ]
  ) { inspection in
    let claims = inspection.policy.invariants.filter { !$0.isAlways }.map { Claim($0, in: inspection) }
    guard !claims.isEmpty else { return [] }
    let clusters = inspection.clusterFirewalls
    let strangers = inspection.strangers
    let bare = AddressSet.all.subtracting(inspection.guarded)
    var findings: [Finding] = []
    for claim in claims {
      var seen = Set<Span>()
      var doors: [Door] = []
      func report(_ cause: Cause, _ witness: String?, _ traffic: Traffic?, on place: String) {
        guard let witness, seen.insert(cause.span).inserted else { return }
        findings.append(breach(of: claim, by: cause, from: witness, to: traffic, on: place))
      }
      for firewall in inspection.firewalls {
        let sources = inspection.sources(of: claim.invariant.audience, seenBy: firewall, strangers: strangers)
        for opening in firewall.openings where claim.concerns(opening, of: firewall) {
          guard opening.until.map({ inspection.today <= $0 }) ?? true else { continue }
          doors.append(Door(opening, of: firewall))
          let meant = opening.sources.intersection(sources)
          guard !meant.isEmpty else { continue }
          let open = meant.subtracting(firewall.surelyRefused(opening.traffic, at: opening.destinations))
          report(opening.cause, open.witness, opening.traffic, on: "host `\(firewall.name)`")
        }
      }
      for cluster in clusters {
        let view = ClusterView(claim.invariant.audience, in: cluster, strangers: strangers, inspection)
        for pods in cluster.workloads where claim.concerns(pods.service, in: cluster) {
          for admission in pods.admissions {
            guard let traffic = claim.met(by: admission, of: pods.service, in: inspection) else { continue }
            doors.append(Door(admission, on: traffic, in: cluster))
            report(admission.cause, view.witness(letInBy: admission), traffic, on: "cluster `\(cluster.name)`")
          }
        }
      }
      for firewall in inspection.firewalls where !firewall.passages.isEmpty {
        let sources = inspection.sources(of: claim.invariant.audience, seenBy: firewall, strangers: strangers)
        for passage in firewall.passages where passage.until.map({ inspection.today <= $0 }) ?? true {
          // What a node passes on to pods is judged by their own policies.
          guard passage.cause.subject == "transit" else { continue }
          let open = passage.sources.intersection(sources).subtracting(firewall.surelyRefused)
          guard !open.isEmpty else { continue }
          let seenAs = passage.masquerade ? firewall.addresses : AddressSet(unionOf: open.map(\.addresses))
          guard let traffic = passage.traffic(through: doors, from: seenAs, to: claim, bare: bare, strangers: strangers)
          else { continue }
          report(passage.cause, open.witness, traffic.first, on: "router `\(firewall.name)`")
        }
      }
    }
    return findings
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
