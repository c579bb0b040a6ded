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

  /// The selection of the pods of the ingress controller, if there is one.
  public var controller: PodSelector? { ingress?.selector }

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
    let definition = ClusterDefinition(firewall: self, universe: universe, today: today, isTimed: false)
    return try ClusterMeaning(
      universe, admitted: definition.admitted(), departing: definition.departing(),
      entrances: universe.map(of: workloads.flatMap { ways(to: $0, on: today) }.map { ($0, nil) }))
  }

  /// Returns what the ends of connections let through from the day `today` on: the moments at which something holds are a
  /// field of connections.
  ///
  /// It is the firewall of the day, so that what a block refuses then it refuses for good.
  func ends(
    in universe: ClusterUniverse, from today: CalendarDate
  ) throws(BudgetExceeded) -> (admitted: PacketSet, departing: PacketSet) {
    let definition = ClusterDefinition(firewall: self, universe: universe, today: today, isTimed: true)
    return (try definition.admitted(), try definition.departing())
  }

  /// Returns the connections that `admission` lets in to the pods of `workload`, as boxes.
  public func boxes(
    of admission: Admission, to workload: PodFirewall, in universe: ClusterUniverse
  ) -> [PacketBox] {
    let definition = ClusterDefinition(
      firewall: self, universe: universe, today: CalendarDate(daysSinceEpoch: 0), isTimed: true)
    return definition.boxes(admission, to: workload)
  }

  /// Returns the connections to name servers that the pods of `workload` may open, as boxes.
  func lookups(of workload: PodFirewall, in universe: ClusterUniverse) -> [PacketBox] {
    let definition = ClusterDefinition(
      firewall: self, universe: universe, today: CalendarDate(daysSinceEpoch: 0), isTimed: true)
    return definition.lookups(workload)
  }

  /// Returns what the ingress controller passes on to pods by itself, as boxes.
  public func published(in universe: ClusterUniverse) -> [PacketBox] {
    let definition = ClusterDefinition(
      firewall: self, universe: universe, today: CalendarDate(daysSinceEpoch: 0), isTimed: true)
    return workloads.flatMap(definition.published)
  }

  /// Returns what the ingress controller passes on to the pods of `workload` on the day `today` by itself, as boxes, by the
  /// statements that publish it.
  func published(
    to workload: PodFirewall, on today: CalendarDate, in universe: ClusterUniverse
  ) -> [(cause: Cause, boxes: [PacketBox])] {
    let definition = ClusterDefinition(firewall: self, universe: universe, today: today, isTimed: true)
    return workload.publications.map { publication in
      var alone = workload
      alone.publications = [publication]
      return (publication.cause, definition.published(alone))
    }
  }

  /// Returns the connections that `departure` lets the pods of `workload` open, as boxes.
  public func boxes(
    of departure: PodDeparture, from workload: PodFirewall, in universe: ClusterUniverse
  ) -> [PacketBox] {
    let definition = ClusterDefinition(
      firewall: self, universe: universe, today: CalendarDate(daysSinceEpoch: 0), isTimed: true)
    return definition.boxes(departure, from: workload)
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
  public var selector: PodSelector {
    PodSelector(namespace: namespace, labels: Dictionary(labels.map { ($0.key, $0.value) }) { first, _ in first })
  }
}

extension Peer {
  /// The selection of the pods, if the peer is pods.
  public var selector: PodSelector? {
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
  /// `true` iff the moments at which something holds are told; else what holds today holds.
  let isTimed: Bool

  var space: PacketSpace { universe.space }

  /// Returns the connections that the receiving end lets in.
  ///
  /// In namespaces with a workload, pods accept what exposures say and nothing else; others accept everything.
  func admitted() throws(BudgetExceeded) -> PacketSet {
    var boxes = [ungoverned(.departure)]
    for workload in firewall.workloads {
      for admission in workload.admissions { boxes += self.boxes(admission, to: workload) }
      boxes += published(workload)
    }
    return try space.set(of: boxes)
  }

  /// Returns what `admission` lets in to the pods of `workload`.
  func boxes(_ admission: Admission, to workload: PodFirewall) -> [PacketBox] {
    guard var own = box(until: admission.until) else { return [] }
    own[.departure] = space.values(universe.kinds.numbers(of: workload.selector), of: .departure)
    let refused = universe.kinds(of: admission.refusedPods)
    return universe.ends(
      own, admission.peers, .source, .arrival, besides: admission.exceptions, refused,
      knowingPods: !firewall.pods.isEmpty
    )
    .flatMap { part in admission.traffic.compactMap { universe.packets.box(part, of: $0) } }
  }

  /// Returns what `departure` lets the pods of `workload` open.
  func boxes(_ departure: PodDeparture, from workload: PodFirewall) -> [PacketBox] {
    guard var own = box(until: departure.until) else { return [] }
    own[.arrival] = space.values(universe.kinds.numbers(of: workload.selector), of: .arrival)
    return universe.ends(
      own, departure.peers, .destination, .departure, besides: AddressSet(), IntervalSet(),
      knowingPods: !firewall.pods.isEmpty
    )
    .flatMap { part in departure.traffic.map { $0.compactMap { universe.packets.box(part, of: $0) } } ?? [part] }
  }

  /// Returns the box of the moments at which what ends on `until` holds, or nothing if it does not.
  private func box(until: CalendarDate?) -> PacketBox? {
    if let until, until < today { return nil }
    return isTimed ? universe.packets.box(until: until) : PacketBox()
  }

  /// Returns what the ingress controller passes on to the pods of `workload`.
  ///
  /// Where the policy exposes all of the ports of a publication to the controller, that says who may connect.
  func published(_ workload: PodFirewall) -> [PacketBox] {
    guard let controller = firewall.ingress else { return [] }
    var box = PacketBox()
    box[.departure] = space.values(universe.kinds.numbers(of: workload.selector), of: .departure)
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
      for departure in workload.departures { boxes += self.boxes(departure, from: workload) }
      boxes += lookups(workload)
    }
    return try space.set(of: boxes)
  }

  /// Returns the connections to name servers that the pods of `workload` may open, if they may open others.
  func lookups(_ workload: PodFirewall) -> [PacketBox] {
    // Whoever may only send what no policy can say, such as ICMP, looks nothing up.
    let speaking = workload.departures.filter { $0.traffic?.contains(where: \.isForPods) ?? true }
    let last = speaking.contains { $0.until == nil } ? nil : speaking.compactMap(\.until).max()
    guard !speaking.isEmpty, var own = box(until: last) else { return [] }
    own[.arrival] = space.values(universe.kinds.numbers(of: workload.selector), of: .arrival)
    own[.departure] = space.values(universe.kinds.numbers(of: .nameServers), of: .departure)
    return [Traffic.ports(.tcp, PortRange(53)), .ports(.udp, PortRange(53))].compactMap {
      universe.packets.box(own, of: $0)
    }
  }

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
}

extension ClusterUniverse {
  /// Returns the kinds of the pods that those of `peers` are which are pods.
  func kinds(of peers: [Peer]) -> IntervalSet<UInt128> {
    IntervalSet(peers.compactMap(\.selector).flatMap { kinds.numbers(of: $0).intervals })
  }

  /// Returns `box` with an end, told by the address in `field` and the kind in `kinds`, that is one of `peers` and neither
  /// in `exceptions` nor `refused`; `knowingPods` says whether it is known which addresses pods have.
  func ends(
    _ box: PacketBox, _ peers: [Peer], _ field: PacketField, _ kinds: PacketField, besides exceptions: AddressSet,
    _ refused: IntervalSet<UInt128>, knowingPods: Bool
  ) -> [PacketBox] {
    peers.flatMap { peer -> [PacketBox] in
      var who = refused.complement
      var addresses = AddressSet.all
      switch peer {
      case .everyone: break
      case .pods(let namespace, let labels):
        let selected = self.kinds.numbers(of: PodSelector(namespace: namespace, labels: labels))
        who = selected.intersection(who)
      case .addresses(let set):
        addresses = set
        // Where nothing is said of the addresses of pods, they are not among those that are.
        if !knowingPods, !set.isAll { who = who.intersection(IntervalSet(0...0)) }
      }
      var part = box
      part[kinds] = space.values(who, of: kinds)
      return packets.boxes(part, field, in: addresses.subtracting(exceptions))
    }
  }
}
