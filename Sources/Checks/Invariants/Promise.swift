import Firewalls
import Packets
import Policies
import Syntax

/// An `always`, and what is worked out for it once.
struct Promise {
  /// The claim.
  let claim: Claim

  /// The openings of each host, by service.
  let openings: [[ID<Service>?: [Opening]]]

  /// What the pods of clusters let in.
  let clusters: ClusterPackets

  /// What hosts let in.
  let packets: HostPackets

  /// What is inspected.
  let inspection: Inspection

  /// Where the audience comes from, as hosts see it.
  private var wanted: [ID<Host>: [Reach]] = [:]

  /// Somebody who does not get through.
  private struct Shortfall {
    /// Who, to what, and when, in words.
    let words: String

    /// When.
    var moments = ""

    /// What keeps them out, or nearly lets them in.
    var labels: [Diagnostic.Label] = []
  }

  /// Creates what is to be worked out for `claim`.
  init(
    _ claim: Claim, openings: [[ID<Service>?: [Opening]]], clusters: ClusterPackets, _ packets: HostPackets,
    in inspection: Inspection
  ) {
    self.claim = claim
    self.openings = openings
    self.clusters = clusters
    self.packets = packets
    self.inspection = inspection
  }

  /// Returns what is closed that should be open.
  mutating func shortfalls() throws(BudgetExceeded) -> [Finding] {
    var findings: [Finding] = []
    if claim.invariant.targets.isEmpty {
      var meant: [Int] = []
      for (s, service) in inspection.policy.services.enumerated() {
        let listening = service.ports.flatMap(\.traffic)
        var isMeant = claim.traffic.contains { t in listening.contains { $0.overlaps(t) } || shows(ID(s), t) }
        if !isMeant { isMeant = try clustersShow(ID(s)) }
        if isMeant { meant.append(s) }
      }
      if meant.isEmpty { return [finding(about: "always", nil, "any place")] }
      for s in meant { findings += try shortfalls(of: ID(s)) }
      return findings
    }
    for service in (claim.services ?? []).sorted() { findings += try shortfalls(of: service) }
    guard let places = claim.places else { return findings }
    let hosts = inspection.firewalls.filter { $0.addresses.intersects(places) }
    if hosts.isEmpty { findings.append(finding(about: "always", nil, "any host of the policy")) }
    for firewall in hosts {
      let asked = claim.traffic.isEmpty ? Set(firewall.openings.map(\.traffic)).sorted() : claim.traffic
      let open = Dictionary(grouping: firewall.openings) { $0.traffic.transport }
      let meant = firewall.addresses.intersection(places)
      for traffic in asked {
        let candidates = (open[traffic.transport] ?? []).filter { $0.traffic.overlaps(traffic) }
        // Where the port is bound to some addresses alone, these are where it is to be open.
        let bound = AddressSet(unionOf: candidates.map { $0.destinations ?? firewall.addresses }).intersection(meant)
        let destinations = bound.isEmpty ? meant : bound
        guard let shortfall = try shortfall(to: traffic, at: destinations, among: candidates, of: firewall) else {
          continue
        }
        findings.append(finding(about: firewall.name, shortfall, "host `\(firewall.name)`"))
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

  /// Returns `true` iff a node or a load balancer of a cluster shows a port of the claim for `service`.
  private func clustersShow(_ service: ID<Service>) throws(BudgetExceeded) -> Bool {
    for workload in inspection.policy[service].workloads {
      if try clusters.connections(of: workload.cluster).shows(claim.traffic, of: service) { return true }
    }
    return false
  }

  /// Returns what is closed of `service`.
  private mutating func shortfalls(of service: ID<Service>) throws(BudgetExceeded) -> [Finding] {
    let policy = inspection.policy
    let views = inspection.exposures[inspection.exposuresOfService[service.rawValue]]
    let name = policy[service].name
    let asked = claim.traffic.isEmpty ? Set(views.flatMap { $0.traffic.map(\.public) }).sorted() : claim.traffic
    if asked.isEmpty { return [finding(about: name.value, at: name.span, nil, "any place")] }
    let routers = Set(views.compactMap { $0.exposure.via?.value }).sorted()
    var needed: [Traffic] = []
    var findings: [Finding] = []
    for traffic in asked {
      var isRouted = false
      for router in routers where !isRouted {
        guard try shortfall(to: traffic, of: service, on: router) == nil else { continue }
        isRouted = true
        guard let inner = try shortfallBehind(router, to: traffic, of: service) else { continue }
        findings.append(finding(about: name.value, at: name.span, inner.0, inner.place))
      }
      if !isRouted { needed.append(traffic) }
    }
    for placement in policy[service].placements {
      let bound = AddressSet(placement.addresses.map(\.value))
      for traffic in needed {
        guard let shortfall = try shortfall(to: traffic, of: service, at: bound, on: placement.host) else { continue }
        let place = "host `\(policy[placement.host].name.value)`"
        findings.append(finding(about: name.value, at: name.span, shortfall, place))
        break
      }
    }
    if policy[service].placements.isEmpty, policy[service].workloads.isEmpty, !needed.isEmpty {
      findings.append(finding(about: name.value, at: name.span, nil, "any place", because: "it runs nowhere"))
    }
    let pairs = views.flatMap(\.traffic)
    for reference in policy[service].workloads {
      let connections = try clusters.connections(of: reference.cluster)
      guard let pods = connections.pods(of: service) else { continue }
      let place = "cluster `\(policy[reference.cluster].name.value)`"
      // Where no port is named, those are meant that the pods listen on, whether a Service shows them or not.
      let asked =
        claim.traffic.isEmpty
        ? Set(pairs.filter { needed.contains($0.public) }.map(\.listening)).sorted() : needed
      for traffic in asked {
        guard var shortfall = try shortfall(to: traffic, of: pods, connections) else { continue }
        let hidden = pairs.first { $0.public.contains(traffic) && $0.public != $0.listening }
        if let hidden, try connections.choices(traffic, of: pods).contains(where: { $0.ports.count == 1 }) {
          let inner = traffic.moved(from: hidden.public, to: hidden.listening) ?? hidden.listening
          shortfall.labels.append(
            .init(pods.cause.span, "no Service shows \(traffic) here (`publish`); the pods listen on \(inner)"))
        }
        findings.append(finding(about: name.value, at: name.span, shortfall, place))
        break
      }
    }
    return findings
  }

  /// Returns who of the audience does not get to `traffic` of the pods of `workload` at some moment, if somebody does not.
  private func shortfall(
    to traffic: Traffic, of workload: PodFirewall, _ connections: ClusterConnections
  ) throws(BudgetExceeded) -> Shortfall? {
    for (moments, choices) in try connections.choices(traffic, of: workload) {
      if let result = try shortfall(to: choices, of: workload, connections, at: moments) { return result }
    }
    return nil
  }

  /// Returns who of the audience does not get to any one of `choices` at one of `moments`, each of which is ports that the pods of
  /// `workload` listen on, if somebody does not.
  ///
  /// The pods must let in whoever is of the audience; of senders in the cluster only those that it names must be let out.
  private func shortfall(
    to choices: [[Traffic]], of workload: PodFirewall, _ connections: ClusterConnections,
    at moments: PacketSet
  ) throws(BudgetExceeded) -> Shortfall? {
    let space = packets.universe.space
    let audience = claim.invariant.audience
    var result: Shortfall?
    for traffic in choices {
      let boxes = connections.boxes(to: workload, traffic)
      let demanded = try space.set(of: connections.boxes(boxes, from: audience, strangers: .all))
      let named = try space.set(
        of: connections.boxes(boxes, from: audience, strangers: .all, areNamed: true))
      let closed = try demanded.subtracting(connections.admitted).union(named.subtracting(connections.departing))
        .intersection(moments)
      guard let (witness, packet) = try connections.witness(of: closed) else { return nil }
      guard result == nil else { continue }
      let blocks = connections.blocks(refusing: packet, to: workload.service)
      let isAdmitted = connections.admitted.contains(packet)
      result = Shortfall(
        words: "\(witness.words) does not get through on", moments: witness.moments,
        labels: isAdmitted
          ? [.init(workload.cause.span, "lets it in, but the sending end does not let it out")]
          : blocks.map { .init($0.provenance.span, "refused by this block") })
    }
    return result
  }

  /// Returns who of the audience does not get to `traffic` of `service` on the host `id`, at its addresses `bound` or all,
  /// if somebody does not.
  private mutating func shortfall(
    to traffic: Traffic, of service: ID<Service>, at bound: AddressSet = AddressSet(), on id: ID<Host>
  ) throws(BudgetExceeded) -> Shortfall? {
    let firewall = inspection.firewalls[id.rawValue]
    return try shortfall(
      to: traffic, at: bound.isEmpty ? firewall.addresses : bound, among: openings[id.rawValue][service] ?? [],
      of: firewall)
  }

  /// Returns who of the audience does not get to `traffic` at `destinations` through `openings` of `firewall`, if
  /// somebody does not.
  private mutating func shortfall(
    to traffic: Traffic, at destinations: AddressSet, among openings: [Opening], of firewall: Firewall
  ) throws(BudgetExceeded) -> Shortfall? {
    let audience = audience(seenBy: firewall)
    let unlimited = openings.filter { $0.limit == nil && $0.traffic.overlaps(traffic) }
    // Mostly one exposure opens all of it, and no set of packets is needed.
    let whole = unlimited.filter { opening in
      opening.until == nil && opening.traffic.contains(traffic)
        && (opening.destinations.map { destinations.isSubset(of: $0) } ?? true)
    }
    let refused = firewall.perhapsRefused(traffic, on: inspection.today)
    if audience.subtracting(whole.flatMap(\.sources).subtracting(refused)).isEmpty { return nil }

    var relevant = firewall
    relevant.openings = unlimited
    relevant.passages = []
    relevant.departures = nil
    relevant.blocks = firewall.blocks.filter { $0.traffic?.contains { $0.overlaps(traffic) } ?? true }
    let space = packets.universe.space
    let demanded = try space.set(of: packets.boxes(packets.first, from: audience, to: destinations, [traffic]))
    let rest = try demanded.subtracting(relevant.meaning(in: packets.universe).accepted)
    guard let witness = try packets.witness(of: rest, to: destinations) else { return nil }
    return Shortfall(
      words: "\(witness.words) does not get through on",
      moments: witness.moments, labels: try labels(for: witness, among: openings, of: firewall, packets.universe))
  }

  /// Returns who of the audience the router `id` sends on to `traffic` of `service`, and the host behind it refuses, if
  /// there is somebody, and where.
  private mutating func shortfallBehind(
    _ id: ID<Host>, to traffic: Traffic, of service: ID<Service>
  ) throws(BudgetExceeded) -> (Shortfall, place: String)? {
    let space = packets.universe.space
    let audience = AddressSet(unionOf: audience(seenBy: inspection.firewalls[id.rawValue]).map(\.addresses))
    for opening in openings[id.rawValue][service] ?? [] {
      guard case .forward(let targets, let first)? = opening.translation, let outer = opening.traffic.ports,
        let met = traffic.intersection(opening.traffic), let ports = met.ports
      else { continue }
      let distance = Int(first) - Int(outer.lower)
      guard let lower = UInt16(exactly: Int(ports.lower) + distance),
        let upper = UInt16(exactly: Int(ports.upper) + distance)
      else { continue }
      let inner = Traffic.ports(met.transport, PortRange(from: lower, through: upper))
      for firewall in inspection.firewalls where !firewall.blocks.isEmpty {
        let places = firewall.addresses.intersection(AddressSet(targets))
        guard !places.isEmpty else { continue }
        let mine = openings[firewall.host.rawValue][service] ?? []
        var relevant = firewall
        relevant.openings = mine.filter { $0.limit == nil && $0.traffic.overlaps(inner) }
        // A service of a cluster is behind the NodePort, whose opening is another one's.
        guard !relevant.openings.isEmpty else { continue }
        relevant.passages = []
        relevant.departures = nil
        relevant.blocks = firewall.blocks.filter { $0.traffic?.contains { $0.overlaps(inner) } ?? true }
        // The router sends it on from an interface that is not known.
        let inside = Reach(.all, on: .except((inspection.internetInterfaces(of: firewall.host) + ["lo"]).sorted()))
        let accepted = try relevant.meaning(in: packets.universe).accepted
          .intersection(space.set(of: packets.boxes(packets.first, from: [inside]))).forgetting(.arrival)
        let demanded = try space.set(of: packets.boxes(packets.first, from: [Reach(audience)], to: places, [inner]))
        guard let witness = try packets.witness(of: demanded.subtracting(accepted), to: places) else { continue }
        return (
          Shortfall(
            words: "\(witness.words) does not get through behind router `\(inspection.firewalls[id.rawValue].name)` on",
            moments: witness.moments, labels: try labels(for: witness, among: mine, of: firewall, packets.universe)),
          "host `\(firewall.name)`"
        )
      }
    }
    return nil
  }

  /// Returns what keeps `witness` out of `firewall`, or nearly lets it in through one of `openings`.
  private func labels(
    for witness: Witness, among openings: [Opening], of firewall: Firewall, _ universe: Universe
  ) throws(BudgetExceeded) -> [Diagnostic.Label] {
    var meant = firewall
    meant.openings = openings
    switch try meant.ruling(on: witness.values, in: universe, ignoringRates: true) {
    case .block(let i): return [.init(firewall.blocks[i].cause.span, "refused by this block")]
    case .opening(let i): return [.init(openings[i].cause.span, "let in within a limit alone")]
    case .nothing: break
    default: return []
    }
    guard let miss = meant.nearMisses(of: witness.packet, on: witness.day, count: 1).first else { return [] }
    let words = miss.lacks.map { lack in
      switch lack {
      case .source: "not to \(witness.packet.source)"
      case .interface: "not on this interface"
      case .destination: "not at \(witness.packet.destination)"
      case .publicPort(let traffic): "its public port is \(traffic)"
      case .port(let traffic): "on \(traffic)"
      case .lapsed(let date): "only until \(date)"
      }
    }
    return [.init(openings[miss.opening].cause.span, "the nearest exposure, but \(words.joined(separator: " and "))")]
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

  /// Returns the finding that there is `shortfall` of what is called `name`.
  private func finding(
    about name: String, at span: Span? = nil, _ shortfall: Shortfall?, _ place: String,
    because reason: String = "nothing of it is exposed"
  ) -> Finding {
    let promise = claim.invariant.provenance
    return Finding(
      name == "always"
        ? "nothing is there that must always be open" : "`\(name)` is closed where it must always be open",
      about: name,
      at: .init(
        promise.span, shortfall.map { "\($0.words) \(place)\($0.moments)" } ?? reason),
      also: (shortfall?.labels ?? []) + (span.map { [.init($0, "this service")] } ?? []),
      because: promise.because ?? "The policy promises that this is always open.",
      help: "Add an exposure without a limit or an end, or narrow the invariant.")
  }
}
