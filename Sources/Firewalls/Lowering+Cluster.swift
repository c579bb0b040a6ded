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
    let blocks = blocks(in: id, on: today)
    var entrances = Entrances(on: today)
    result.workloads = cluster.workloads.map {
      podFirewall(of: $0, in: id, refusing: blocks, on: today, knowing: &entrances)
    }
    .sorted { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
    return result
  }

  /// Returns the firewall of `workload` of the cluster `id` on the day `today`, when `blocks` hold.
  func firewall(
    of workload: Workload, in id: ID<Cluster>, refusing blocks: ClusterBlocks, on today: CalendarDate
  ) -> PodFirewall {
    var entrances = Entrances(on: today)
    return podFirewall(of: workload, in: id, refusing: blocks, on: today, knowing: &entrances)
  }

  /// Returns the firewall of `workload` of the cluster `id`.
  private func podFirewall(
    of workload: Workload, in id: ID<Cluster>, refusing blocks: ClusterBlocks, on today: CalendarDate,
    knowing entrances: inout Entrances
  ) -> PodFirewall {
    let service = policy[workload.service]
    var result = PodFirewall(
      service: workload.service, name: service.name.value, namespace: workload.namespace.value,
      labels: workload.labels.sorted { ($0.key, $0.value) < ($1.key, $1.value) },
      cause: Cause(service.name.value, service: workload.service, at: workload.span))
    result.owner = service.owner.map { policy[$0].name.value }
    result.purpose = service.purpose
    let active = service.exposures.filter { !$0.provenance.hasLapsed(on: today) }
    let positions = podPorts(of: service, shownBy: active, into: &result)
    let refused = refusals(of: workload.service, in: id, among: blocks)
    result.admissions = active.flatMap { exposure in
      admissions(of: exposure, to: service, workload.service, in: id, refusing: refused)
    }
    for use in service.uses where !use.provenance.hasLapsed(on: today) {
      let cause = Cause(service.name.value, service: workload.service, at: use.provenance.span)
      for target in use.targets {
        result.departures += departures(to: target.value, by: use, in: id, knowing: &entrances).map {
          PodDeparture(peers: $0.0, traffic: $0.1, until: use.provenance.until?.value, cause: cause)
        }
      }
    }
    guard !workload.publications.isEmpty else { return result }
    let audiences = audiences(of: service, by: active, refusing: refused)
    result.publications = workload.publications.map { publication in
      let shown = publication.ports.flatMap { service.ports[$0].traffic }.compactMap { audiences[$0] }
      // One port with a narrow audience is enough: a Service keeps the client's address for all of its ports or for none.
      return PodPublication(
        ports: publication.ports.flatMap { positions[$0] }, kind: publication.kind,
        audience: AddressSet(unionOf: shown), isNarrow: shown.contains { !$0.isAll },
        cause: Cause(service.name.value, service: workload.service, at: publication.span))
    }
    return result
  }

  /// Returns whom `exposures` of `service` let in to each port that listens, as addresses, without those who are
  /// `refused` there.
  private func audiences(
    of service: Service, by exposures: [Exposure], refusing refused: PodRefusals
  ) -> [Traffic: AddressSet] {
    var shown: [Traffic: [Traffic: [AddressSet]]] = [:]
    for exposure in exposures {
      let audience = book.addresses(of: exposure.audience)
      for traffic in publicTraffic(of: exposure, in: service) {
        shown[traffic.listening, default: [:]][traffic.public, default: []].append(audience)
      }
    }
    var result: [Traffic: AddressSet] = [:]
    for (listening, audiences) in shown {
      result[listening] = AddressSet(
        unionOf: audiences.map { shown, audiences in
          AddressSet(unionOf: audiences).subtracting(refused.part(for: [listening, shown]).addresses)
        })
    }
    return result
  }

  /// Writes the ports of `service`, as `exposures` show them, into `firewall`, and returns the positions there of each
  /// port of the service.
  private func podPorts(
    of service: Service, shownBy exposures: [Exposure], into firewall: inout PodFirewall
  ) -> [[Int]] {
    service.ports.indices.map { i in
      service.ports[i].traffic.map { traffic in
        let shown = exposures.lazy.filter { $0.ports.contains(i) }.compactMap { exposure in
          exposure.publicPort?.value.first { $0.transport == traffic.transport }?.ports?.lower
        }
        firewall.ports.append(PodPort(name: service.ports[i].name?.value, traffic: traffic, publicPort: shown.min()))
        return firewall.ports.count - 1
      }
    }
  }

  /// Returns what `exposure` lets the pods of `service` accept in the cluster `id`.
  private func admissions(
    of exposure: Exposure, to service: Service, _ serviceID: ID<Service>, in id: ID<Cluster>,
    refusing refused: PodRefusals
  ) -> [Admission] {
    let excepted = PodRefusals.Part(peers(exposure.audience.exceptions.map(\.value), in: id))
    let peers = self.peers(exposure.audience.parties.map(\.value), in: id)
    let traffic = publicTraffic(of: exposure, in: service)
    let cause = Cause(service.name.value, service: serviceID, at: exposure.provenance.span)
    // Ports that a block treats alike go into one admission.
    var groups: [(refused: PodRefusals.Part, traffic: [Traffic])] = []
    for port in Set(traffic.map(\.listening)).sorted() {
      // A block may name the port by the number that a Service shows.
      let part = refused.part(for: [port] + traffic.filter { $0.listening == port }.map(\.public))
      if let i = groups.firstIndex(where: { $0.refused == part }) {
        groups[i].traffic.append(port)
      } else {
        groups.append((part, [port]))
      }
    }
    return groups.compactMap { group in
      var known = Set<Peer>()
      let refusedPods = (excepted.peers + group.refused.peers).filter { known.insert($0).inserted }
      let allowed = known.isEmpty ? peers : peers.filter { !known.contains($0) }
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
    var places: [AddressSet] = []
    var pods: [Peer] = []
    for party in parties {
      if party == .internet { return [.everyone] }
      if party == .localhost { continue }
      guard let services = services(standingFor: party) else {
        places.append(book.addresses(of: party))
        continue
      }
      for service in services.sorted() {
        for placement in policy[service].placements {
          places.append(book.addresses(of: .host(placement.host)))
        }
        for reference in policy[service].workloads {
          if reference.cluster == id {
            pods.append(self.pods(of: policy[id].workloads[reference.index]))
          } else {
            places.append(policy[reference.cluster].pods)
          }
        }
      }
    }
    let addresses = AddressSet(unionOf: places)
    var seen = Set<Peer>()
    let result = pods.filter { seen.insert($0).inserted }
    return addresses.isEmpty ? result : result + [.addresses(addresses)]
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

    /// Creates the union of `parts`.
    init(joining parts: [Part]) {
      peers = parts.flatMap(\.peers)
      addresses = AddressSet(unionOf: parts.map(\.addresses))
    }
  }

  /// The parts, each with the ports it is for; nothing means all.
  var parts: [(part: Part, traffic: [Traffic]?)] = []

  /// Returns who is refused on a port with these `names`: its own and those that it is shown as.
  func part(for names: [Traffic]) -> Part {
    let meant = parts.filter { part in part.traffic?.contains { t in names.contains { t.overlaps($0) } } ?? true }
    return meant.count == 1 ? meant[0].part : Part(joining: meant.map(\.part))
  }
}

/// The blocks as the pods of a cluster see them.
struct ClusterBlocks {
  /// Who is refused on every port of every pod.
  let everywhere: PodRefusals.Part

  /// The other blocks.
  let others: [(block: Block, part: PodRefusals.Part)]
}

extension Lowering {
  /// Returns the blocks that hold on the day `today` as the cluster `id` sees them.
  func blocks(in id: ID<Cluster>, on today: CalendarDate) -> ClusterBlocks {
    var everywhere: [PodRefusals.Part] = []
    var others: [(block: Block, part: PodRefusals.Part)] = []
    for block in policy.blocks where !block.provenance.hasLapsed(on: today) {
      let part = PodRefusals.Part(peers(block.sources.map(\.value), in: id))
      if block.targets.isEmpty && block.traffic.isEmpty {
        everywhere.append(part)
      } else {
        others.append((block, part))
      }
    }
    return ClusterBlocks(everywhere: PodRefusals.Part(joining: everywhere), others: others)
  }

  /// Returns which of `blocks` are for the pods of `service` in the cluster `id`.
  private func refusals(of service: ID<Service>, in id: ID<Cluster>, among blocks: ClusterBlocks) -> PodRefusals {
    var result = PodRefusals(parts: [(blocks.everywhere, nil)])
    for (block, part) in blocks.others
    where block.targets.isEmpty || block.targets.contains(where: { concerns($0.value, service, in: id) }) {
      result.parts.append((part, list(block.traffic)))
    }
    return result
  }

  /// Returns `true` iff `target` has the pods of `service` in the cluster `id` in it.
  func concerns(_ target: Party, _ service: ID<Service>, in id: ID<Cluster>) -> Bool {
    switch target {
    case .internet: true
    case .cluster(let cluster): cluster == id
    case .service, .owner, .serviceClass: services(standingFor: target)?.contains(service) ?? false
    case .zone, .addresses: book.addresses(of: target).intersects(policy[id].pods)
    case .localhost, .host, .group: false
    }
  }
}
