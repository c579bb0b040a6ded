import Packets
import Policies
import Syntax

extension Lowering {
  /// Returns what the host `id` routes on.
  func passages(through id: ID<Host>, from vantage: Vantage) -> [Passage] {
    var result: [Passage] = []
    for transit in policy.transits where transit.via.value == id {
      let sources = sources(of: transit.audience, from: vantage)
      let destinations = reach(of: transit.destinations, from: vantage)
      guard !sources.isEmpty, !destinations.isEmpty else { continue }
      result.append(
        Passage(
          sources: sources, destinations: destinations, traffic: list(transit.traffic),
          masquerade: transit.masquerade, limit: transit.limit?.value, until: transit.provenance.until?.value,
          logged: transit.provenance.logged, cause: Cause("transit", at: transit.provenance.span)))
    }
    for cluster in clustersOfNode[id.rawValue] {
      result += podPassages(of: cluster)
    }
    return result
  }

  /// Returns what a node routes on for the pods of `cluster`: all of their traffic, since it is their NetworkPolicies
  /// that judge it.
  private func podPassages(of cluster: ID<Cluster>) -> [Passage] {
    let pods = policy[cluster].pods
    guard !pods.isEmpty else { return [] }
    let cause = Cause(
      "pods of \(policy[cluster].name.value)", at: policy[cluster].podSpans.first ?? policy[cluster].span)
    return [
      Passage(sources: [Reach(pods)], destinations: [.everywhere], traffic: nil, cause: cause),
      Passage(sources: [.everywhere], destinations: [Reach(pods)], traffic: nil, cause: cause),
    ]
  }

  /// Returns who is refused on the host `id`, whose `openings` tell where its services are.
  func refusals(on id: ID<Host>, from vantage: Vantage, openings: [Opening]) -> [Refusal] {
    let open = openingsOfServices(openings)
    return policy.blocks.flatMap { block -> [Refusal] in
      let sources = reach(of: block.sources, from: vantage)
      guard !sources.isEmpty else { return [] }
      func refusal(to destinations: AddressSet?, _ traffic: [Traffic]?, sparesTransit: Bool = false) -> Refusal {
        Refusal(
          sources: sources, destinations: destinations, sparesTransit: sparesTransit, traffic: traffic,
          until: block.provenance.until?.value, logged: block.provenance.logged,
          cause: Cause("block", at: block.provenance.span))
      }
      let traffic = list(block.traffic)
      if block.targets.isEmpty { return [refusal(to: nil, traffic)] }
      return block.targets.flatMap { target -> [Refusal] in
        switch target.value {
        case .internet: return [refusal(to: nil, traffic)]
        case .localhost: return [refusal(to: nil, traffic, sparesTransit: true)]
        default: break
        }
        if let services = services(standingFor: target.value) {
          return here(services, among: open, only: traffic).map { refusal(to: $0.0, $0.1, sparesTransit: true) }
            + beyond(services, than: id, only: traffic).map { refusal(to: $0.0, $0.1) }
        }
        let addresses = book.addresses(of: target.value)
        guard isOne(id, of: target.value) else { return addresses.isEmpty ? [] : [refusal(to: addresses, traffic)] }
        // The host listens to more than its declared addresses; the others of its group may lie beyond it.
        let others = routesTransits(id) ? addresses.subtracting(book.addresses(of: .host(id))) : AddressSet()
        return [refusal(to: nil, traffic, sparesTransit: true)]
          + (others.isEmpty ? [] : [refusal(to: others, traffic)])
      }
    }
  }

  /// Returns `true` iff a transit leads through the host `id`.
  private func routesTransits(_ id: ID<Host>) -> Bool { policy.transits.contains { $0.via.value == id } }

  /// Returns `true` iff `party` is the host `id`, or a group with it.
  private func isOne(_ id: ID<Host>, of party: Party) -> Bool {
    switch party {
    case .host(let host): host == id
    case .group(let group): policy[group].hosts.contains(id)
    default: false
    }
  }

  /// Returns those of `openings` that are of a service, by the service, if some block is for services.
  private func openingsOfServices(_ openings: [Opening]) -> [ID<Service>: [Opening]] {
    guard policy.blocks.contains(where: { $0.targets.contains { services(standingFor: $0.value) != nil } }) else {
      return [:]
    }
    var result: [ID<Service>: [Opening]] = [:]
    for opening in openings {
      if let service = opening.cause.service { result[service, default: []].append(opening) }
    }
    return result
  }

  /// Returns where the `services` are open on the host itself, and with what traffic.
  private func here(
    _ services: Set<ID<Service>>, among open: [ID<Service>: [Opening]], only traffic: [Traffic]?
  ) -> [(AddressSet?, [Traffic])] {
    var byDestination: [AddressSet?: Set<Traffic>] = [:]
    for service in services {
      for opening in open[service] ?? [] {
        let wanted = traffic.map { list in list.compactMap { $0.intersection(opening.traffic) } } ?? [opening.traffic]
        byDestination[opening.destinations, default: []].formUnion(wanted)
      }
    }
    return byDestination.filter { !$0.value.isEmpty }.map { ($0.key, $0.value.sorted()) }
      .sorted { ($0.0?.description ?? "") < ($1.0?.description ?? "") }
  }

  /// Returns where the `services` are behind the router `id`, and with what traffic.
  private func beyond(
    _ services: Set<ID<Service>>, than id: ID<Host>, only traffic: [Traffic]?
  ) -> [(AddressSet, [Traffic])] {
    guard routesTransits(id) else { return [] }
    return services.sorted().compactMap { service in
      let addresses = book.addresses(of: .service(service)).subtracting(book.addresses(of: .host(id)))
      // What passes goes to the public port, which the host behind the router redirects itself.
      let open = policy[service].exposures.flatMap { publicTraffic(of: $0, in: policy[service]).map(\.public) }
      let ports = Set(policy[service].ports.flatMap(\.traffic) + open).sorted()
      return addresses.isEmpty || ports.isEmpty ? nil : (addresses, traffic ?? ports)
    }
  }

  /// Returns what the processes of `host` may connect to.
  func departures(from host: Host) -> [Departure] {
    var result: [Departure] = []
    for run in host.runs {
      let service = policy[run.service]
      for use in service.uses {
        let cause = Cause(service.name.value, service: run.service, at: use.provenance.span)
        for target in use.targets {
          for (destinations, traffic) in destinations(of: target.value, only: list(use.traffic))
          where !destinations.isEmpty {
            result.append(
              Departure(
                destinations: destinations, traffic: traffic, until: use.provenance.until?.value, cause: cause))
          }
        }
      }
    }
    return result
  }

  /// Returns where `target` is, and with what traffic: of a service, its public ports, on its router if it has one.
  private func destinations(of target: Party, only traffic: [Traffic]?) -> [(AddressSet, [Traffic]?)] {
    guard let services = services(standingFor: target) else { return [(book.addresses(of: target), traffic)] }
    return services.sorted().flatMap { id -> [(AddressSet, [Traffic]?)] in
      let service = policy[id]
      let exposed = service.exposures.map { exposure -> (AddressSet, [Traffic]?) in
        let open = publicTraffic(of: exposure, in: service).map(\.public)
        let wanted = traffic.map { list in open.flatMap { o in list.compactMap { $0.intersection(o) } } } ?? open
        return (book.addresses(of: exposure.via.map { .host($0.value) } ?? .service(id)), wanted)
      }
      return (exposed + nodePorts(of: service, only: traffic)).filter { $0.1.map { !$0.isEmpty } ?? true }
    }
  }

  /// Returns where the NodePorts of `service` are, and with what traffic; with `traffic`, those that it names, by their
  /// numbers or by the ports behind them.
  ///
  /// Those of the cluster `home` are left out, where pods need no way around through the nodes.
  func nodePorts(
    of service: Service, only traffic: [Traffic]?, outside home: ID<Cluster>? = nil
  ) -> [(AddressSet, [Traffic]?)] {
    service.workloads.filter { $0.cluster != home }.flatMap { reference -> [(AddressSet, [Traffic]?)] in
      let cluster = policy[reference.cluster]
      return cluster.workloads[reference.index].publications.compactMap { publication in
        guard let number = publication.kind.nodePort else { return nil }
        let behind = publication.ports.flatMap { service.ports[$0].traffic }
        let open = behind.compactMap { inner -> Traffic? in
          guard inner.transport.hasPorts else { return nil }
          let outer = Traffic.ports(inner.transport, PortRange(number.value))
          let isWanted = traffic?.contains { $0.overlaps(outer) || $0.overlaps(inner) } ?? true
          return isWanted ? outer : nil
        }
        return (cluster.nodeAddresses, Set(open).sorted())
      }
    }
  }

  /// Returns the values of `traffic`, sorted, or nothing if there are none, which means all traffic.
  func list(_ traffic: [Spelled<Traffic>]) -> [Traffic]? {
    traffic.isEmpty ? nil : Set(traffic.map(\.value)).sorted()
  }
}
