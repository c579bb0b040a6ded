public import Policies
import Packets
import Syntax

extension Lowering {
  /// Returns the firewall of the host `id`.
  public func firewall(of id: ID<Host>) -> Firewall {
    let host = policy[id]
    let vantage = Vantage(host)
    var result = Firewall(
      host: id, name: host.name.value, addresses: book.addresses(of: .host(id)), rejects: policy.settings.rejects,
      logDenied: policy.settings.logDenied?.value, pingOpen: policy.settings.pingOpen,
      ephemeral: host.ephemeral?.value ?? policy.settings.ephemeral)
    result.logPlace = policy.settings.logDenied?.span
    result.openings = Opening.sorted(openings(on: id, from: vantage))
    result.passages = passages(through: id, from: vantage)
    result.blocks = refusals(on: id, from: vantage, openings: result.openings)
    result.departures = host.egressClosed ? departures(from: host) : nil
    result.listening = listening(on: host)
    return result
  }

  /// Returns what is accepted on the host `id`.
  private func openings(on id: ID<Host>, from vantage: Vantage) -> [Opening] {
    var result: [Opening] = []
    var known: [Party: [Reach]] = [:]
    func sources(_ reference: ExposureReference) -> [Reach] {
      let audience = policy.services[reference.service.rawValue].exposures[reference.index].audience
      // Many exposures are to one and the same zone, group or service.
      guard audience.parties.count == 1, audience.exceptions.isEmpty, let party = audience.parties.first?.value else {
        return self.sources(of: reference, from: vantage)
      }
      if case .addresses = party { return self.sources(of: reference, from: vantage) }
      if let reaches = known[party] { return reaches }
      let reaches = self.sources(of: reference, from: vantage)
      known[party] = reaches
      return reaches
    }
    // By position, since a service or an exposure that is taken out of its list costs a count of each of its parts.
    let runs = policy[id].runs
    result.reserveCapacity(runs.count)
    for r in runs.indices {
      let service = runs[r].service
      let bound = runs[r].addresses.isEmpty ? nil : AddressSet(runs[r].addresses.map(\.value))
      for e in policy.services[service.rawValue].exposures.indices {
        let reference = ExposureReference(service: service, index: e)
        if let router = policy.services[service.rawValue].exposures[e].via?.value, router != id {
          addInner(reference, from: vantage, to: bound, into: &result)
        } else {
          addOuter(reference, from: sources(reference), to: bound, into: &result)
        }
      }
    }
    for reference in forwarded[id.rawValue]
    where !policy[reference.service].placements.contains(where: { $0.host == id }) {
      result += forwards(reference, from: sources(reference))
    }
    for cluster in clustersOfNode[id.rawValue] {
      result += nodePorts(of: cluster, from: vantage)
    }
    return result
  }

  /// Adds what the exposure at `reference` opens on a host that runs its service to `openings`.
  private func addOuter(
    _ reference: ExposureReference, from sources: [Reach], to bound: AddressSet?, into openings: inout [Opening]
  ) {
    guard !sources.isEmpty else { return }
    for traffic in publicTraffic(of: reference) {
      openings.append(
        opening(
          reference, from: sources, to: bound, traffic: traffic.public,
          translation: redirection(from: traffic.public, to: traffic.listening), isLimited: true))
    }
  }

  /// Adds what the exposure at `reference` opens on a host behind the router that forwards it to `openings`.
  ///
  /// The router judges who may connect; the host lets the same addresses in, but on no interface of the Internet,
  /// where they would go past the router.
  private func addInner(
    _ reference: ExposureReference, from vantage: Vantage, to bound: AddressSet?, into openings: inout [Opening]
  ) {
    let audience = policy.services[reference.service.rawValue].exposures[reference.index].audience
    let sources = sourcesBehindRouter(of: audience, from: vantage)
    guard !sources.isEmpty else { return }
    for traffic in publicTraffic(of: reference) {
      openings.append(
        opening(
          reference, from: sources, to: bound, traffic: traffic.listening, translation: nil, isLimited: false))
    }
  }

  /// Returns where packets of `audience` come from on a host behind the router that judges them.
  private func sourcesBehindRouter(of audience: Audience, from vantage: Vantage) -> [Reach] {
    let parties = audience.parties.map { Reach(book.addresses(of: $0.value)) }
    let exceptions = audience.exceptions.map { Reach(book.addresses(of: $0.value)) }
    return parties.subtracting(exceptions + [Reach(.all, on: .only(vantage.internet))])
  }

  /// Returns what the exposure at `reference` opens on the router that forwards it to the places where its service runs.
  private func forwards(_ reference: ExposureReference, from sources: [Reach]) -> [Opening] {
    publicTraffic(of: reference).compactMap { traffic in
      guard let inner = traffic.listening.ports else { return nil }
      let targets = forwardTargets(of: reference.service, listening: traffic.listening)
      let reachable = AddressFamily.allCases.filter { family in targets.addresses.contains { $0.family == family } }
      let sources = sources.compactMap { source -> Reach? in
        let addresses = reachable.map { AddressSet.all($0) }.reduce(AddressSet()) { $0.union($1) }
        let part = Reach(source.addresses.intersection(addresses), on: source.interfaces)
        return part.isEmpty ? nil : part
      }
      guard !sources.isEmpty else { return nil }
      return opening(
        reference, from: sources, to: nil, traffic: traffic.public,
        translation: .forward(to: targets.addresses, port: targets.port ?? inner.lower), isLimited: true)
    }
  }

  /// Returns the addresses that a router forwards connections for `service` to.
  ///
  /// It is one of each family for each host: the one that it is bound to, else the first private one, else the first.
  /// A service that runs on a cluster alone is reached through its NodePort, on every node.
  private func forwardTargets(of service: ID<Service>, listening: Traffic) -> (addresses: [Address], port: UInt16?) {
    func choice(_ addresses: [Address]) -> [Address] {
      AddressFamily.allCases.compactMap { family in
        let candidates = addresses.filter { $0.family == family }
        return candidates.first { AddressSet.privateNetworks.contains($0) } ?? candidates.first
      }
    }
    let placements = policy[service].placements
    if !placements.isEmpty {
      let all = placements.flatMap { placement in
        choice((placement.addresses.isEmpty ? policy[placement.host].addresses : placement.addresses).map(\.value))
      }
      return (Set(all).sorted(), nil)
    }
    for reference in policy[service].workloads {
      let cluster = policy[reference.cluster]
      for publication in cluster.workloads[reference.index].publications {
        guard let port = publication.kind.nodePort,
          publication.ports.contains(where: { policy[service].ports[$0].traffic.contains(listening) })
        else { continue }
        return (Set(cluster.nodes.flatMap { choice(policy[$0].addresses.map(\.value)) }).sorted(), port.value)
      }
    }
    return ([], nil)
  }

  /// Returns what the NodePorts of `cluster` open on a node.
  private func nodePorts(of cluster: ID<Cluster>, from vantage: Vantage) -> [Opening] {
    policy[cluster].workloads.flatMap { workload in
      workload.publications.flatMap { publication -> [Opening] in
        guard let port = publication.kind.nodePort else { return [] }
        let service = policy[workload.service]
        return service.exposures.enumerated().flatMap { index, exposure -> [Opening] in
          let published = exposure.ports.filter(publication.ports.contains)
          let sources =
            exposure.via == nil
            ? sources(of: exposure.audience, from: vantage)
            : sourcesBehindRouter(of: exposure.audience, from: vantage)
          guard !published.isEmpty, !sources.isEmpty else { return [] }
          let transports = Set(published.flatMap { service.ports[$0].traffic.map(\.transport) }).filter(\.hasPorts)
          return transports.sorted().map { transport in
            opening(
              ExposureReference(service: workload.service, index: index), from: sources, to: nil,
              traffic: .ports(transport, PortRange(port.value)), translation: nil, isLimited: true)
          }
        }
      }
    }
  }

  /// Returns the change of port between `outer` and `inner`, if there is one.
  private func redirection(from outer: Traffic, to inner: Traffic) -> Opening.Translation? {
    guard let outerPorts = outer.ports, let innerPorts = inner.ports, outerPorts.lower != innerPorts.lower else {
      return nil
    }
    return .redirect(to: innerPorts.lower)
  }

  /// Returns the opening that the exposure at `reference` makes, within its limit iff `isLimited`.
  private func opening(
    _ reference: ExposureReference, from sources: [Reach], to destinations: AddressSet?, traffic: Traffic,
    translation: Opening.Translation?, isLimited: Bool
  ) -> Opening {
    let (s, e) = (reference.service.rawValue, reference.index)
    return Opening(
      sources: sources, destinations: destinations, traffic: traffic, translation: translation,
      limit: isLimited ? policy.services[s].exposures[e].limit?.value : nil,
      until: policy.services[s].exposures[e].provenance.until?.value,
      logged: policy.services[s].exposures[e].provenance.logged,
      cause: Cause(
        policy.services[s].name.value, service: reference.service,
        at: policy.services[s].exposures[e].provenance.span))
  }

  /// Returns what the processes of `host` listen on.
  private func listening(on host: Host) -> [Traffic] {
    var all: [Traffic] = []
    for r in host.runs.indices {
      let service = host.runs[r].service.rawValue
      for p in policy.services[service].ports.indices {
        for traffic in policy.services[service].ports[p].traffic { all.append(traffic) }
      }
    }
    all.sort()
    var result: [Traffic] = []
    for traffic in all where traffic != result.last { result.append(traffic) }
    return result
  }
}

extension Opening {
  /// Returns `openings` by traffic and then by service; those of one service, which are in the order of the resolved
  /// policy, stay so.
  fileprivate static func sorted(_ openings: [Opening]) -> [Opening] {
    // What is compared is taken out, since each opening that is taken out costs a count of each of its parts.
    struct Key {
      let traffic: Traffic
      let service: Int
      let index: Int
    }
    var keys = openings.indices.map { i in
      Key(traffic: openings[i].traffic, service: openings[i].cause.service?.rawValue ?? -1, index: i)
    }
    keys.sort { a, b in
      if a.traffic < b.traffic { return true }
      if b.traffic < a.traffic { return false }
      if a.service != b.service { return openings[a.index].cause.subject < openings[b.index].cause.subject }
      return a.index < b.index
    }
    return keys.map { openings[$0.index] }
  }
}
