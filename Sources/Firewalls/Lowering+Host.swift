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
      logDenied: policy.settings.logDenied, pingOpen: policy.settings.pingOpen,
      ephemeral: host.ephemeral?.value ?? policy.settings.ephemeral)
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
    func sources(_ exposure: Exposure) -> [Reach] {
      let audience = exposure.audience
      // Many exposures are to one and the same zone, group or service.
      guard audience.parties.count == 1, audience.exceptions.isEmpty, let party = audience.parties.first?.value else {
        return self.sources(of: audience, from: vantage)
      }
      if case .addresses = party { return self.sources(of: audience, from: vantage) }
      if let reaches = known[party] { return reaches }
      let reaches = self.sources(of: audience, from: vantage)
      known[party] = reaches
      return reaches
    }
    for run in policy[id].runs {
      let service = policy[run.service]
      let bound = run.addresses.isEmpty ? nil : AddressSet(run.addresses.map(\.value))
      for exposure in service.exposures {
        if let router = exposure.via?.value, router != id {
          result += inner(exposure, of: run.service, from: vantage, to: bound)
        } else {
          result += outer(exposure, of: run.service, from: sources(exposure), to: bound)
        }
      }
    }
    for reference in forwarded[id.rawValue]
    where !policy[reference.service].placements.contains(where: { $0.host == id }) {
      let exposure = policy[reference.service].exposures[reference.index]
      result += forwards(exposure, of: reference.service, from: sources(exposure))
    }
    for cluster in clustersOfNode[id.rawValue] {
      result += nodePorts(of: cluster, from: vantage)
    }
    return result
  }

  /// Returns what `exposure` opens on a host that runs `service`.
  private func outer(
    _ exposure: Exposure, of service: ID<Service>, from sources: [Reach], to bound: AddressSet?
  ) -> [Opening] {
    guard !sources.isEmpty else { return [] }
    return publicTraffic(of: exposure, in: policy[service]).map { traffic in
      opening(
        exposure, of: service, from: sources, to: bound, traffic: traffic.public,
        translation: redirection(from: traffic.public, to: traffic.listening), limit: exposure.limit?.value)
    }
  }

  /// Returns what `exposure` opens on a host behind the router that forwards it.
  ///
  /// The router judges who may connect; the host lets the same addresses in, but on no interface of the Internet,
  /// where they would go past the router.
  private func inner(
    _ exposure: Exposure, of service: ID<Service>, from vantage: Vantage, to bound: AddressSet?
  ) -> [Opening] {
    let sources = sourcesBehindRouter(of: exposure.audience, from: vantage)
    guard !sources.isEmpty else { return [] }
    return publicTraffic(of: exposure, in: policy[service]).map { traffic in
      opening(
        exposure, of: service, from: sources, to: bound, traffic: traffic.listening, translation: nil, limit: nil)
    }
  }

  /// Returns where packets of `audience` come from on a host behind the router that judges them.
  private func sourcesBehindRouter(of audience: Audience, from vantage: Vantage) -> [Reach] {
    let parties = audience.parties.map { Reach(book.addresses(of: $0.value)) }
    let exceptions = audience.exceptions.map { Reach(book.addresses(of: $0.value)) }
    return parties.subtracting(exceptions + [Reach(.all, on: .only(vantage.internet))])
  }

  /// Returns what `exposure` opens on the router that forwards it to the places where `service` runs.
  private func forwards(_ exposure: Exposure, of service: ID<Service>, from sources: [Reach]) -> [Opening] {
    publicTraffic(of: exposure, in: policy[service]).compactMap { traffic in
      guard let inner = traffic.listening.ports else { return nil }
      let targets = forwardTargets(of: service, listening: traffic.listening)
      let reachable = AddressFamily.allCases.filter { family in targets.addresses.contains { $0.family == family } }
      let sources = sources.compactMap { source -> Reach? in
        let addresses = reachable.map { AddressSet.all($0) }.reduce(AddressSet()) { $0.union($1) }
        let part = Reach(source.addresses.intersection(addresses), on: source.interfaces)
        return part.isEmpty ? nil : part
      }
      guard !sources.isEmpty else { return nil }
      return opening(
        exposure, of: service, from: sources, to: nil, traffic: traffic.public,
        translation: .forward(to: targets.addresses, port: targets.port ?? inner.lower),
        limit: exposure.limit?.value)
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
        return service.exposures.flatMap { exposure -> [Opening] in
          let published = exposure.ports.filter(publication.ports.contains)
          let sources =
            exposure.via == nil
            ? sources(of: exposure.audience, from: vantage)
            : sourcesBehindRouter(of: exposure.audience, from: vantage)
          guard !published.isEmpty, !sources.isEmpty else { return [] }
          let transports = Set(published.flatMap { service.ports[$0].traffic.map(\.transport) }).filter(\.hasPorts)
          return transports.sorted().map { transport in
            opening(
              exposure, of: workload.service, from: sources, to: nil,
              traffic: .ports(transport, PortRange(port.value)), translation: nil, limit: exposure.limit?.value)
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

  /// Returns the opening that `exposure` of `service` makes.
  private func opening(
    _ exposure: Exposure, of service: ID<Service>, from sources: [Reach], to destinations: AddressSet?,
    traffic: Traffic, translation: Opening.Translation?, limit: Limit?
  ) -> Opening {
    Opening(
      sources: sources, destinations: destinations, traffic: traffic, translation: translation, limit: limit,
      until: exposure.provenance.until?.value, logged: exposure.provenance.logged,
      cause: Cause(policy[service].name.value, service: service, at: exposure.provenance.span))
  }

  /// Returns what the processes of `host` listen on.
  private func listening(on host: Host) -> [Traffic] {
    var all: [Traffic] = []
    for run in host.runs {
      for port in policy[run.service].ports { all += port.traffic }
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
    openings.indices.sorted { i, j in
      let (a, b) = (openings[i], openings[j])
      if a.traffic != b.traffic { return a.traffic < b.traffic }
      if a.cause.service != b.cause.service { return a.cause.subject < b.cause.subject }
      return i < j
    }
    .map { openings[$0] }
  }
}
