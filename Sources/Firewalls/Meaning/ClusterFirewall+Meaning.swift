public import Packets
import Policies
public import Syntax

extension ClusterFirewall {
  /// Every selection of pods that the firewall speaks of.
  public var selectors: Set<PodSelector> {
    var result = Set<PodSelector>()
    if let ingress { result.insert(ingress.selector) }
    for workload in workloads {
      result.insert(workload.selector)
      result.insert(PodSelector(namespace: workload.namespace))
      for peer in workload.admissions.flatMap({ $0.peers + $0.refusedPods }) + workload.departures.flatMap(\.peers) {
        if let selector = peer.selector { result.insert(selector) }
      }
      if !workload.departures.isEmpty { result.insert(.nameServers) }
    }
    return result
  }

  /// `true` iff some of the pods, but not all, are named by their addresses, of which network plugins differ.
  public var namesPodsByAddress: Bool {
    func names(_ peers: [Peer], _ exceptions: AddressSet) -> Bool {
      if peers.contains(.everyone) { return false }
      let addresses = AddressSet(
        unionOf: peers.compactMap { if case .addresses(let set) = $0 { set } else { nil } })
      return addresses.subtracting(exceptions).intersects(pods) && !pods.isSubset(of: addresses)
    }
    return workloads.contains { workload in
      workload.admissions.contains { names($0.peers, $0.exceptions) }
        || workload.departures.contains { names($0.peers, AddressSet()) }
    }
  }

  /// Returns what the firewall means on the day `today` for every connection of which an end is a pod, and for every way
  /// to pods.
  ///
  /// This is the definition that manifests are proved against; it shares nothing with the back ends.
  ///
  /// - Requires: `universe` was made for `selectors`, among others.
  public func meaning(
    in universe: ClusterUniverse, on today: CalendarDate
  ) throws(BudgetExceeded) -> ClusterMeaning {
    let definition = ClusterDefinition(firewall: self, universe: universe, today: today)
    return try ClusterMeaning(
      universe, admitted: definition.admitted(), departing: definition.departing(),
      entrances: universe.map(of: workloads.flatMap { ways(to: $0, on: today) }))
  }
}

extension PodSelection {
  /// The selection as a selector.
  var selector: PodSelector {
    PodSelector(
      namespace: namespace.value, labels: Dictionary(labels.map { ($0.key, $0.value) }) { first, _ in first })
  }
}

extension PodFirewall {
  /// The selection of the workload's pods.
  var selector: PodSelector {
    PodSelector(namespace: namespace, labels: Dictionary(labels.map { ($0.key, $0.value) }) { first, _ in first })
  }
}

extension Peer {
  /// The selection of the pods, if the peer is pods.
  fileprivate var selector: PodSelector? {
    if case .pods(let namespace, let labels) = self { PodSelector(namespace: namespace, labels: labels) } else { nil }
  }
}

extension Traffic {
  /// `true` iff a policy for pods can speak of it: of a protocol with ports that Kubernetes knows, and not of port 0.
  fileprivate var isForPods: Bool {
    [.tcp, .udp, .sctp].contains(transport) && ports.map { $0.upper > 0 } ?? false
  }
}

extension PodSelector {
  /// The pods that answer for names, wherever a cluster follows its own documentation.
  fileprivate static let nameServers = PodSelector(namespace: "kube-system", labels: ["k8s-app": "kube-dns"])
}

/// The steps from the firewall of a cluster to what becomes of connections.
private struct ClusterDefinition {
  let firewall: ClusterFirewall
  let universe: ClusterUniverse
  let today: CalendarDate

  var space: PacketSpace { universe.space }

  /// Returns the connections that the receiving end lets in.
  ///
  /// In namespaces with a workload, pods accept what exposures say and nothing else; others accept everything.
  func admitted() throws(BudgetExceeded) -> PacketSet {
    var boxes = [ungoverned(.departure)]
    for workload in firewall.workloads {
      var own = PacketBox()
      own[.departure] = space.values(universe.kinds.numbers(of: workload.selector), of: .departure)
      for admission in workload.admissions where holds(admission.until) {
        let refused = IntervalSet(
          admission.refusedPods.compactMap(\.selector).flatMap { universe.kinds.numbers(of: $0).intervals })
        for part in ends(own, admission.peers, .source, .arrival, besides: admission.exceptions, refused) {
          boxes += admission.traffic.compactMap { universe.packets.box(part, of: $0) }
        }
      }
      boxes += published(workload, own)
    }
    return try space.set(of: boxes)
  }

  /// Returns what the ingress controller passes on to the pods of `own`.
  ///
  /// Where the policy exposes all of the ports of a publication to the controller, that says who may connect.
  private func published(_ workload: PodFirewall, _ own: PacketBox) -> [PacketBox] {
    guard let controller = firewall.ingress else { return [] }
    var box = own
    box[.arrival] = space.values(universe.kinds.numbers(of: controller.selector), of: .arrival)
    return workload.publications.flatMap { publication -> [PacketBox] in
      guard case .ingress = publication.kind, !publication.audience.isEmpty,
        !firewall.isExposedToController(publication, of: workload, on: today)
      else { return [] }
      return publication.ports.compactMap { universe.packets.box(box, of: workload.ports[$0].traffic) }
    }
  }

  /// Returns the connections that the sending end may open: what uses say, and DNS if there is any.
  func departing() throws(BudgetExceeded) -> PacketSet {
    var boxes = [ungoverned(.arrival)]
    for workload in firewall.workloads {
      var own = PacketBox()
      own[.arrival] = space.values(universe.kinds.numbers(of: workload.selector), of: .arrival)
      let active = workload.departures.filter { holds($0.until) }
      for departure in active {
        for part in ends(own, departure.peers, .destination, .departure, besides: AddressSet(), IntervalSet()) {
          guard let traffic = departure.traffic else {
            boxes.append(part)
            continue
          }
          boxes += traffic.compactMap { universe.packets.box(part, of: $0) }
        }
      }
      // Whoever may only send what no policy can say, such as ICMP, looks nothing up.
      guard active.contains(where: { $0.traffic?.contains(where: \.isForPods) ?? true }) else { continue }
      own[.departure] = space.values(universe.kinds.numbers(of: .nameServers), of: .departure)
      boxes += [Traffic.ports(.tcp, PortRange(53)), .ports(.udp, PortRange(53))].compactMap {
        universe.packets.box(own, of: $0)
      }
    }
    return try space.set(of: boxes)
  }

  private func holds(_ until: CalendarDate?) -> Bool { until.map { today <= $0 } ?? true }

  /// Returns what has an end in no namespace with a workload, by the kind in `field`.
  private func ungoverned(_ field: PacketField) -> PacketBox {
    let governed = IntervalSet(
      Set(firewall.workloads.map(\.namespace)).flatMap { namespace in
        universe.kinds.numbers(of: PodSelector(namespace: namespace)).intervals
      })
    var box = PacketBox()
    box[field] = space.values(governed.complement, of: field)
    return box
  }

  /// Returns `box` with an end, told by the address in `field` and the kind in `kinds`, that is one of `peers` and neither
  /// in `exceptions` nor `refused`.
  private func ends(
    _ box: PacketBox, _ peers: [Peer], _ field: PacketField, _ kinds: PacketField, besides exceptions: AddressSet,
    _ refused: IntervalSet<UInt128>
  ) -> [PacketBox] {
    peers.flatMap { peer -> [PacketBox] in
      var who = refused.complement
      var addresses = AddressSet.all
      switch peer {
      case .everyone: break
      case .pods(let namespace, let labels):
        let selected = universe.kinds.numbers(of: PodSelector(namespace: namespace, labels: labels))
        who = selected.intersection(who)
      case .addresses(let set):
        addresses = set
        // Where nothing is said of the addresses of pods, they are not among those that are.
        if firewall.pods.isEmpty, !set.isAll { who = who.intersection(IntervalSet(0...0)) }
      }
      var part = box
      part[kinds] = space.values(who, of: kinds)
      return universe.packets.boxes(part, field, in: addresses.subtracting(exceptions))
    }
  }
}
