import Packets
public import Policies
public import Syntax

extension Lowering {
  /// Returns the firewall of the cluster `id` on the day `today`, when what has lapsed is closed.
  public func firewall(of id: ID<Cluster>, on today: CalendarDate) -> ClusterFirewall {
    let cluster = policy[id]
    var result = ClusterFirewall(
      cluster: id, name: cluster.name.value, ingress: cluster.ingress, pods: cluster.pods,
      nodes: cluster.nodeAddresses)
    let hosts = AddressSet(cluster.nodes.flatMap { book.addresses(of: .host($0)).ranges })
    result.nodesAreHosts = !cluster.nodes.isEmpty && cluster.nodeAddresses.isSubset(of: hosts)
    result.workloads = cluster.workloads.map { workload in podFirewall(of: workload, in: id, on: today) }
      .sorted { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
    return result
  }

  /// Returns the firewall of `workload` of the cluster `id`.
  private func podFirewall(of workload: Workload, in id: ID<Cluster>, on today: CalendarDate) -> PodFirewall {
    let service = policy[workload.service]
    var result = PodFirewall(
      service: workload.service, name: service.name.value, namespace: workload.namespace.value,
      labels: workload.labels.sorted { ($0.key, $0.value) < ($1.key, $1.value) },
      cause: Cause(service.name.value, service: workload.service, at: workload.span))
    result.owner = service.owner.map { policy[$0].name.value }
    result.purpose = service.purpose
    let positions = podPorts(of: service, into: &result)
    let active = service.exposures.filter { !$0.provenance.hasLapsed(on: today) }
    let refused = refusals(of: workload.service, in: id, on: today)
    result.admissions = active.flatMap { exposure in
      admissions(of: exposure, to: service, workload.service, in: id, refusing: refused)
    }
    result.departures = service.uses.filter { !$0.provenance.hasLapsed(on: today) }.flatMap { use in
      use.targets.flatMap { target in
        departures(to: target.value, by: use, of: service, workload.service, in: id)
      }
    }
    result.publications = workload.publications.map { publication in
      let audience = active.filter { $0.ports.contains(where: publication.ports.contains) }.map { exposure in
        addresses(of: exposure.audience).subtracting(refused.everywhere)
      }
      .reduce(AddressSet()) { $0.union($1) }
      return PodPublication(
        ports: publication.ports.flatMap { positions[$0] }, kind: publication.kind, audience: audience,
        isNarrow: !audience.isAll, cause: Cause(service.name.value, service: workload.service, at: publication.span))
    }
    return result
  }

  /// Writes the ports of `service` into `firewall`, and returns the positions there of each port of the service.
  private func podPorts(of service: Service, into firewall: inout PodFirewall) -> [[Int]] {
    service.ports.indices.map { i in
      service.ports[i].traffic.map { traffic in
        let shown = service.exposures.lazy.filter { $0.ports.contains(i) }.compactMap { exposure in
          exposure.publicPort?.value.first { $0.transport == traffic.transport }?.ports?.lower
        }
        firewall.ports.append(PodPort(name: service.ports[i].name?.value, traffic: traffic, publicPort: shown.min()))
        return firewall.ports.count - 1
      }
    }
  }

  /// Returns every address of `audience`, wherever it is.
  private func addresses(of audience: Audience) -> AddressSet {
    let all = audience.parties.map { book.addresses(of: $0.value) }.reduce(AddressSet()) { $0.union($1) }
    return audience.exceptions.reduce(all) { $0.subtracting(book.addresses(of: $1.value)) }
  }

  /// Returns what `exposure` lets the pods of `service` accept in the cluster `id`.
  private func admissions(
    of exposure: Exposure, to service: Service, _ serviceID: ID<Service>, in id: ID<Cluster>,
    refusing refused: PodRefusals
  ) -> [Admission] {
    let excepted = PodRefusals.Part(peers(exposure.audience.exceptions.map(\.value), in: id))
    let peers = self.peers(exposure.audience.parties.map(\.value), in: id)
    let traffic = publicTraffic(of: exposure, in: service).map(\.listening)
    let cause = Cause(service.name.value, service: serviceID, at: exposure.provenance.span)
    // Ports that a block treats alike go into one admission.
    var groups: [(refused: PodRefusals.Part, traffic: [Traffic])] = []
    for port in Set(traffic).sorted() {
      let part = refused.part(for: port)
      if let i = groups.firstIndex(where: { $0.refused == part }) {
        groups[i].traffic.append(port)
      } else {
        groups.append((part, [port]))
      }
    }
    return groups.compactMap { group in
      let refusedPods = excepted.peers + group.refused.peers.filter { !excepted.peers.contains($0) }
      let allowed = peers.filter { !refusedPods.contains($0) }
      guard !allowed.isEmpty else { return nil }
      var admission = Admission(
        peers: allowed, exceptions: excepted.addresses.union(group.refused.addresses), traffic: group.traffic,
        limit: exposure.limit?.value, until: exposure.provenance.until?.value, cause: cause)
      admission.refusedPods = refusedPods
      admission.logged = exposure.provenance.logged
      admission.because = exposure.provenance.because
      admission.ticket = exposure.provenance.ticket
      return admission
    }
  }

  /// Returns `parties` as the pods of the cluster `id` see them, sorted and without repetition.
  public func peers(_ parties: [Party], in id: ID<Cluster>) -> [Peer] {
    var addresses = AddressSet()
    var pods: [Peer] = []
    for party in parties {
      if party == .internet { return [.everyone] }
      if party == .localhost { continue }
      guard let services = services(standingFor: party) else {
        addresses = addresses.union(book.addresses(of: party))
        continue
      }
      for service in services.sorted() {
        for placement in policy[service].placements {
          addresses = addresses.union(book.addresses(of: .host(placement.host)))
        }
        for reference in policy[service].workloads {
          if reference.cluster == id {
            let workload = policy[id].workloads[reference.index]
            let labels = Dictionary(workload.labels.map { ($0.key, $0.value) }) { first, _ in first }
            pods.append(.pods(namespace: workload.namespace.value, labels: labels))
          } else {
            addresses = addresses.union(policy[reference.cluster].pods)
          }
        }
      }
    }
    var result: [Peer] = []
    for peer in pods where !result.contains(peer) { result.append(peer) }
    return addresses.isEmpty ? result : result + [.addresses(addresses)]
  }

  /// Returns what `use` lets the pods of `service` connect to at `target`.
  private func departures(
    to target: Party, by use: Use, of service: Service, _ serviceID: ID<Service>, in id: ID<Cluster>
  ) -> [PodDeparture] {
    let cause = Cause(service.name.value, service: serviceID, at: use.provenance.span)
    let until = use.provenance.until?.value
    let wanted = list(use.traffic)
    guard let services = services(standingFor: target) else {
      let peers = peers([target], in: id)
      return peers.isEmpty ? [] : [PodDeparture(peers: peers, traffic: wanted, until: until, cause: cause)]
    }
    return services.sorted().flatMap { target -> [PodDeparture] in
      let open = policy[target].exposures.flatMap { publicTraffic(of: $0, in: policy[target]) }
        .filter { pair in wanted.map { list in list.contains { $0.overlaps(pair.public) } } ?? true }
      let (inside, outside) = split(target, in: id)
      let routers = AddressSet(
        policy[target].exposures.compactMap(\.via).flatMap { book.addresses(of: .host($0.value)).ranges })
      return [
        (inside, Set(open.map(\.listening))),
        (outside.union(routers).isEmpty ? [] : [.addresses(outside.union(routers))], Set(open.map(\.public))),
      ]
      .filter { !$0.0.isEmpty && !$0.1.isEmpty }
      .map { PodDeparture(peers: $0.0, traffic: $0.1.sorted(), until: until, cause: cause) }
    }
  }

  /// Returns where `service` is inside the cluster `id`, and at which addresses outside.
  private func split(_ service: ID<Service>, in id: ID<Cluster>) -> (inside: [Peer], outside: AddressSet) {
    var inside: [Peer] = []
    var outside = AddressSet()
    for peer in peers([.service(service)], in: id) {
      if case .addresses(let addresses) = peer { outside = outside.union(addresses) } else { inside.append(peer) }
    }
    return (inside, outside)
  }
}

/// Who is refused by the pods of a workload.
struct PodRefusals {
  /// Peers and addresses.
  struct Part: Equatable {
    /// Pods of the same cluster.
    var peers: [Peer] = []
    /// Addresses.
    var addresses = AddressSet()

    /// Creates what `refused` says; everyone is every address, which has the pods in it.
    init(_ refused: [Peer] = []) {
      for peer in refused {
        switch peer {
        case .everyone: addresses = .all
        case .addresses(let set): addresses = addresses.union(set)
        case .pods: peers.append(peer)
        }
      }
    }
  }

  /// The parts, each with the ports it is for; nothing means all.
  var parts: [(part: Part, traffic: [Traffic]?)] = []

  /// The addresses that are refused on every port.
  var everywhere: AddressSet {
    parts.filter { $0.traffic == nil }.reduce(AddressSet()) { $0.union($1.part.addresses) }
  }

  /// Returns who is refused on `port`.
  func part(for port: Traffic) -> Part {
    parts.filter { $0.traffic?.contains { $0.overlaps(port) } ?? true }.reduce(into: Part()) { result, element in
      result.peers += element.part.peers
      result.addresses = result.addresses.union(element.part.addresses)
    }
  }
}

extension Lowering {
  /// Returns who is refused by the pods of `service` in the cluster `id` on the day `today`.
  private func refusals(of service: ID<Service>, in id: ID<Cluster>, on today: CalendarDate) -> PodRefusals {
    var result = PodRefusals()
    for block in policy.blocks where !block.provenance.hasLapsed(on: today) {
      guard block.targets.isEmpty || block.targets.contains(where: { concerns($0.value, service, in: id) }) else {
        continue
      }
      let peers = peers(block.sources.map(\.value), in: id)
      result.parts.append((PodRefusals.Part(peers), list(block.traffic)))
    }
    return result
  }

  /// Returns `true` iff `target` has the pods of `service` in the cluster `id` in it.
  private func concerns(_ target: Party, _ service: ID<Service>, in id: ID<Cluster>) -> Bool {
    switch target {
    case .internet: true
    case .cluster(let cluster): cluster == id
    case .service, .owner, .serviceClass: services(standingFor: target)?.contains(service) ?? false
    case .zone, .addresses: book.addresses(of: target).intersects(policy[id].pods)
    case .localhost, .host, .group: false
    }
  }
}
