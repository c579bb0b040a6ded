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
        Looks for traffic that is open, today or on any later day, although a `never` forbids it, on every host, \
        router and cluster, and shows a packet that gets through. Every packet and every connection between \
        pods is decided, whatever blocks, ends and interfaces say; what IP needs is always open and does not count. A \
        connection of pods is open if both ends allow it, and somebody gets to pods by way of an ingress controller if \
        he gets to the controller and it passes him on. As the source of \
        an invariant `internet` means strangers: addresses that belong to no zone, host or cluster of the policy, on \
        interfaces that are bound to no other zone. What a router passes on to a host or workload of the policy is \
        open if that lets it in as well, by the router's address if it masquerades; machines without a firewall of \
        their own let everything in.
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
      """
      service proxy { owner team; purpose "Ingress"; port 443/tcp; expose to internet; uses shop }
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to proxy }
      cluster k {
        pods 10.42.0.0/16
        ingress namespace proxy pods app=proxy
        workload proxy { namespace proxy; pods app=proxy }
        workload shop { namespace x; pods app=shop; ↓publish ingress "shop.acme.example" }
      }
      never internet to shop
      """,
      """
      service shop { owner team; purpose "Shop"; port 8443/tcp; ↓expose to internet as 443/tcp }
      cluster k { pods 10.42.0.0/16; workload shop { namespace x; pods app=shop; publish nodeport 30010 } }
      never internet to 30010/tcp
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
    var breaches = Breaches(in: inspection)
    return claims.flatMap { claim -> [Finding] in
      do throws(BudgetExceeded) {
        return try breaches.findings(claim)
      } catch {
        return [.undecided(claim, error)]
      }
    }
  }
}

/// What breaks the `never` of a policy.
private struct Breaches {
  private let inspection: Inspection
  private let packets: HostPackets
  private let clusters: ClusterPackets
  private let strangers: AddressSet

  /// The addresses of machines that have no firewall from the policy.
  private let bare: AddressSet

  private let hasRouters: Bool

  // What is found of one claim.
  private var seen = Set<Span>()
  private var doors: [Door] = []
  private var podDoors: [PacketSet] = []
  private var result: [Finding] = []

  /// Creates the search in `inspection`.
  init(in inspection: Inspection) {
    self.inspection = inspection
    packets = HostPackets(inspection)
    clusters = ClusterPackets(inspection, packets)
    strangers = inspection.strangers
    bare = AddressSet.all.subtracting(inspection.guarded)
    hasRouters = inspection.firewalls.contains { !$0.passages.isEmpty }
  }

  private var space: PacketSpace { packets.universe.space }

  /// Returns what breaks `claim`.
  mutating func findings(_ claim: Claim) throws(BudgetExceeded) -> [Finding] {
    seen = []
    doors = []
    podDoors = []
    result = []
    for firewall in inspection.firewalls { try look(at: firewall, for: claim) }
    for cluster in inspection.policy.clusters.indices { try look(atCluster: ID(cluster), for: claim) }
    guard hasRouters else { return result }
    var behind: PacketSet?
    for firewall in inspection.firewalls where !firewall.passages.isEmpty {
      let sources = inspection.sources(of: claim.invariant.audience, seenBy: firewall, strangers: strangers)
      // What a node passes on to pods is judged by their own policies.
      for passage in firewall.passages where passage.cause.subject == "transit" && holds(passage.until) {
        guard !passage.sources.intersection(sources).isEmpty else { continue }
        let asked = try space.set(of: packets.boxes(packets.box, from: sources))
        let open = try space.set(of: firewall.boxes(of: passage, in: packets.universe))
          .intersection(asked).subtracting(packets.refused(by: firewall))
        guard !open.isEmpty else { continue }
        if behind == nil { behind = try behindRouters(claim) }
        let inner = behind ?? space.nothing
        let reached = try passage.masquerade ? seen(inner, from: firewall.addresses) : inner
        let meant = try open.intersection(reached.union(unguarded(by: passage, claim)))
        guard let witness = try packets.witness(of: meant, to: AddressSet()) else { continue }
        let words = "\(witness.words) gets through on router `\(firewall.name)`\(witness.moments)"
        report(claim, passage.cause, words)
      }
    }
    return result
  }

  /// Looks for what `firewall` lets in although `claim` forbids it.
  private mutating func look(at firewall: Firewall, for claim: Claim) throws(BudgetExceeded) {
    var sources: [Reach]?
    var asked: [Bool: PacketSet] = [:]
    for opening in firewall.openings where claim.concerns(opening, of: firewall) && holds(opening.until) {
      let isWhole = claim.concernsAllAddresses(of: opening)
      if hasRouters { doors.append(Door(opening, of: firewall)) }
      guard !seen.contains(opening.cause.span) else { continue }
      let audience =
        sources ?? inspection.sources(of: claim.invariant.audience, seenBy: firewall, strangers: strangers)
      sources = audience
      guard !opening.sources.intersection(audience).isEmpty else { continue }
      let forbidden: PacketSet
      if let known = asked[isWhole] {
        forbidden = known
      } else {
        let places = isWhole ? .all : firewall.addresses.intersection(claim.places ?? .all)
        forbidden = try space.set(of: packets.boxes(packets.box, from: audience, to: places, claim.traffic))
        asked[isWhole] = forbidden
      }
      let open = try packets.packets(of: opening, on: firewall).intersection(forbidden)
        .subtracting(packets.refused(by: firewall))
      guard let witness = try packets.witness(of: open, to: firewall.addresses) else { continue }
      let words = "\(witness.words) gets through on host `\(firewall.name)`\(witness.moments)"
      report(claim, opening.cause, words)
    }
  }

  /// Looks for what the pods of the cluster `id` let in although `claim` forbids it.
  private mutating func look(atCluster id: ID<Cluster>, for claim: Claim) throws(BudgetExceeded) {
    let policy = inspection.policy
    let cluster = policy[id]
    guard cluster.workloads.contains(where: { claim.concerns($0.service, in: cluster) }) else { return }
    let connections = try clusters.connections(of: id)
    guard let today = connections.periods.first?.firewall else { return }
    let name = today.name
    for workload in today.workloads where claim.concerns(workload.service, in: cluster) {
      let ports = connections.ports(claim.traffic, of: workload)
      let targets = connections.boxes(to: workload, ports)
      if hasRouters { podDoors.append(try space.set(of: targets).intersection(connections.admitted)) }
      let asked = connections.boxes(targets, from: claim.invariant.audience, strangers: strangers)
      let open = try space.set(of: asked).intersection(connections.accepted)
      let kinds = open.values(of: .departure)
      for period in connections.periods {
        for other in period.firewall.workloads
        where kinds.intersects(connections.universe.kinds.numbers(of: other.selector)) {
          for admission in other.admissions where !seen.contains(admission.cause.span) {
            let boxes = period.firewall.boxes(of: admission, to: other, in: connections.universe)
            let met = try open.intersection(space.set(of: boxes)).intersection(period.moments)
            guard let (witness, packet) = try connections.witness(of: met) else { continue }
            var words = "\(witness.words) gets through on cluster `\(name)`\(witness.moments)"
            if let way = connections.ways(of: packet, to: workload).first { words += ", also by \(way)" }
            let uses = connections.uses(of: packet).filter { $0.span != admission.cause.span }
            report(claim, admission.cause, words, also: uses.map { .init($0.span, "may be opened by this") })
          }
        }
      }
      // What the ingress controller may do by itself is let in by no exposure.
      let passed = try open.intersection(space.set(of: today.published(in: connections.universe)))
      for publication in workload.publications {
        guard case .ingress = publication.kind, let (witness, _) = try connections.witness(of: passed) else { continue }
        let words = "\(witness.words) gets through on cluster `\(name)`\(witness.moments)"
        report(claim, publication.cause, words)
      }
      try lookThroughIngress(to: workload, ports, connections, for: claim)
    }
  }

  /// Looks for who of the audience of `claim` gets to `ports` of `workload` by way of the ingress controller.
  private mutating func lookThroughIngress(
    to workload: PodFirewall, _ ports: [Traffic], _ connections: ClusterConnections, for claim: Claim
  ) throws(BudgetExceeded) {
    for period in connections.periods {
      guard let controller = period.firewall.controller else { return }
      let kinds = connections.universe.kinds.numbers(of: controller)
      for publication in workload.publications where !seen.contains(publication.cause.span) {
        guard case .ingress(let host, _) = publication.kind else { continue }
        var alone = workload
        alone.publications = [publication]
        for way in period.firewall.ways(to: alone, on: period.day) {
          guard case .web = way.door, case .pods(_, let port) = way.target,
            ports.isEmpty || ports.contains(where: { $0.contains(.ports(.tcp, PortRange(port))) })
          else { continue }
          var inner = packets.box
          inner[.arrival] = space.values(kinds, of: .arrival)
          let passed = try space.set(
            of: connections.boxes(to: workload, [.ports(.tcp, PortRange(port))]).map { box in
              var box = box
              box[.arrival] = inner[.arrival]
              return box
            }
          )
          .intersection(connections.accepted).intersection(period.moments)
          var outer = packets.box
          outer[.departure] = space.values(kinds, of: .departure)
          outer[.time] = space.values(passed.values(of: .time), of: .time)
          guard !passed.isEmpty else { continue }
          let clients = try space.set(
            of: connections.boxes(
              connections.universe.packets.boxes(outer, .source, in: way.sources), from: claim.invariant.audience,
              strangers: strangers)
          )
          .intersection(connections.accepted)
          guard let (witness, packet) = try connections.witness(of: clients) else { continue }
          let client = connections.universe.source(of: packet)
          report(
            claim, publication.cause,
            "\(client) gets through on cluster `\(period.firewall.name)` by \(host.value)\(witness.moments), since the ingress controller passes it on"
          )
        }
      }
    }
  }

  /// Returns `true` iff what ends on `date` holds today.
  private func holds(_ date: CalendarDate?) -> Bool { date.map { inspection.today <= $0 } ?? true }

  /// Returns what hosts and clusters let in to what `claim` is about, by any interface, as packets to be routed on.
  private func behindRouters(_ claim: Claim) throws(BudgetExceeded) -> PacketSet {
    var byHost: [ID<Host>: [Door]] = [:]
    for door in doors { byHost[door.firewall.host, default: []].append(door) }
    var result = space.nothing
    for pods in podDoors { result = try result.union(pods.forgetting(.arrival).forgetting(.departure)) }
    for (_, doors) in byHost.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      var boxes: [PacketBox] = []
      for door in doors {
        for box in door.firewall.boxes(of: door.opening, in: packets.universe) {
          let isAnywhere = door.opening.destinations == nil
          boxes += isAnywhere ? packets.universe.boxes(box, .destination, in: door.places) : [box]
        }
      }
      var open = try space.set(of: boxes)
      if !claim.traffic.isEmpty {
        open = try open.intersection(
          space.set(of: claim.traffic.compactMap { packets.universe.box(packets.box, of: $0) }))
      }
      if let firewall = doors.first?.firewall { open = try open.subtracting(packets.refused(by: firewall)) }
      result = try result.union(open.forgetting(.arrival).forgetting(.destinationKind))
    }
    return result
  }

  /// Returns what of `inner` still gets in when its source becomes one of `addresses`, from any source.
  private func seen(_ inner: PacketSet, from addresses: AddressSet) throws(BudgetExceeded) -> PacketSet {
    try inner.intersection(space.set(of: packets.boxes(packets.box, from: [Reach(addresses)])))
      .forgetting(.source).forgetting(.sourcePort)
  }

  /// Returns what `claim` is about and no firewall of the policy judges behind `passage`.
  private func unguarded(by passage: Passage, _ claim: Claim) throws(BudgetExceeded) -> PacketSet {
    let places: AddressSet
    if claim.invariant.targets.isEmpty {
      // Whatever is sent to the Internet at large is meant for nobody whom the policy protects.
      guard !AddressSet(unionOf: passage.destinations.map(\.addresses)).isAll else { return space.nothing }
      places = bare.subtracting(strangers)
    } else {
      places = (claim.places ?? AddressSet()).intersection(bare)
    }
    return try space.set(of: packets.boxes(packets.box, from: [.everywhere], to: places, claim.traffic))
  }

  /// Notes that `cause` breaks `claim`, as `words` show.
  private mutating func report(_ claim: Claim, _ cause: Cause, _ words: String, also labels: [Diagnostic.Label] = []) {
    guard seen.insert(cause.span).inserted else { return }
    result.append(
      Finding(
        "this opens what must never be open", about: cause.subject, at: .init(cause.span, words),
        also: labels + [.init(claim.invariant.provenance.span, "forbidden here")],
        because: claim.invariant.provenance.because ?? "The policy promises that this is never open.",
        help: "Narrow the audience, or change the invariant if the promise no longer stands."))
  }
}
