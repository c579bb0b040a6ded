import Firewalls
import Packets
import Policies
import Syntax

/// Exact sets of the connections of pods that come about from today on.
///
/// They are in the space of the packets of hosts; those of a cluster are made when they are first asked for.
final class ClusterPackets {
  private let inspection: Inspection
  private let packets: HostPackets
  private var known: [ID<Cluster>: ClusterConnections] = [:]

  /// Creates the connections of the clusters in `inspection`, in the space of `packets`.
  init(_ inspection: Inspection, _ packets: HostPackets) {
    self.inspection = inspection
    self.packets = packets
  }

  /// Returns the connections of the cluster `id`.
  func connections(of id: ID<Cluster>) throws(BudgetExceeded) -> ClusterConnections {
    if let result = known[id] { return result }
    let result = try ClusterConnections(id, inspection, packets)
    known[id] = result
    return result
  }
}

/// The connections of the pods of one cluster from today on.
struct ClusterConnections {
  /// Days between which nothing changes but that single exposures and uses end.
  struct Period {
    /// The first day.
    let day: CalendarDate

    /// The firewall at that time.
    let firewall: ClusterFirewall

    /// The moments.
    let moments: PacketSet
  }

  /// What the sets are about.
  let universe: ClusterUniverse

  /// The periods from today on.
  private(set) var periods: [Period] = []

  /// What the receiving ends let in.
  let admitted: PacketSet

  /// What the sending ends may open.
  let departing: PacketSet

  /// What comes about.
  let accepted: PacketSet

  private let ways: [ID<Service>: [ClusterSide.Way]]
  private let pods: [ID<Service>: PodFirewall]
  private let id: ID<Cluster>
  private let inspection: Inspection
  private let packets: HostPackets

  /// Works out the connections of the cluster `id`.
  fileprivate init(_ id: ID<Cluster>, _ inspection: Inspection, _ packets: HostPackets) throws(BudgetExceeded) {
    let (lowering, today, space) = (inspection.lowering, inspection.today, packets.universe.space)
    let side = ClusterSide(lowering, id, from: today, tellingBlocks: false)
    let parties = inspection.policy.invariants.flatMap { $0.audience.parties + $0.audience.exceptions }.map(\.value)
    let peers =
      lowering.peers(parties.filter { $0 != .internet }, in: id)
      + lowering.refusals(in: id, on: today).flatMap(\.peers)
    let universe = try ClusterUniverse(
      pods: inspection.policy[id].pods, selectors: side.selectors.union(peers.compactMap(\.selector)), space: space)
    ways = Dictionary(grouping: side.ways, by: \.service)
    pods = Dictionary(side.firewall.workloads.map { ($0.service, $0) }) { first, _ in first }
    let asked = try space.set(of: packets.box)
    for (i, period) in side.periods.enumerated() {
      let moments = try side.moments(ofPeriod: i, in: space).intersection(asked)
      periods.append(Period(day: period.day, firewall: period.firewall, moments: moments))
    }
    let meaning = try side.meaning(in: universe).restricted(to: asked)
    (admitted, departing) = (meaning.admitted, meaning.departing)
    accepted = try admitted.intersection(departing)
    (self.id, self.inspection, self.packets, self.universe) = (id, inspection, packets, universe)
  }

  private var space: PacketSpace { universe.space }

  /// The pods of `service`.
  func pods(of service: ID<Service>) -> PodFirewall? { pods[service] }

  /// Returns the connections to `traffic`, of which none means all, of the pods of `workload`.
  func boxes(to workload: PodFirewall, _ traffic: [Traffic]) -> [PacketBox] {
    var box = packets.box
    box[.departure] = space.values(universe.kinds.numbers(of: workload.selector), of: .departure)
    return traffic.isEmpty ? [box] : traffic.compactMap { universe.packets.box(box, of: $0) }
  }

  /// Returns the parts of `boxes` that come from `audience`, in which `internet` means `strangers`; only from pods that it
  /// names if `areNamed`.
  func boxes(
    _ boxes: [PacketBox], from audience: Audience, strangers: AddressSet, areNamed: Bool = false
  ) -> [PacketBox] {
    let named = audience.parties.map(\.value).filter { $0 != .internet }
    var peers = inspection.lowering.peers(named, in: id)
    if areNamed {
      peers.removeAll { $0.selector == nil }
    } else if named.count < audience.parties.count {
      peers.append(strangers.isAll ? .everyone : .addresses(strangers))
    }
    let excepted = inspection.lowering.peers(audience.exceptions.map(\.value), in: id)
    let besides = AddressSet(
      unionOf: excepted.map { peer in
        switch peer {
        case .everyone: .all
        case .addresses(let set): set
        case .pods: AddressSet()
        }
      })
    return boxes.flatMap { universe.boxes($0, from: peers, besides: besides, exceptions: excepted) }
  }

  /// Returns the ports of the pods of `workload` that are meant by `traffic`, by their own numbers or by those that a
  /// Service, a node or a load balancer shows.
  func ports(_ traffic: [Traffic], of workload: PodFirewall) -> [Traffic] {
    var result = traffic
    for view in inspection.exposures[inspection.exposuresOfService[workload.service.rawValue]] {
      for pair in view.traffic {
        result += traffic.compactMap { $0.intersection(pair.public)?.moved(from: pair.public, to: pair.listening) }
      }
    }
    for way in periods.first.map({ $0.firewall.ways(to: workload, on: inspection.today) }) ?? [] {
      guard case .pods(_, let port) = way.target, let shown = way.traffic,
        traffic.contains(where: { $0.overlaps(shown) })
      else { continue }
      result.append(.ports(shown.transport, PortRange(port)))
    }
    return Set(result).sorted()
  }

  /// Returns `true` iff a Service, a node or a load balancer shows a port of `traffic` for `service` at some moment.
  func shows(_ traffic: [Traffic], of service: ID<Service>) -> Bool {
    (ways[service] ?? []).contains { way in
      way.entrance.traffic.map { shown in traffic.contains { $0.overlaps(shown) } } ?? false
    }
  }

  /// Returns by which ports of the pods of `workload` `traffic` gets to them, period by period: by its own, and for each
  /// Service, node or load balancer that shows all of it to everyone, by those behind.
  func choices(
    _ traffic: Traffic, of workload: PodFirewall
  ) throws(BudgetExceeded) -> [(moments: PacketSet, ports: [[Traffic]])] {
    let ways = ways[workload.service] ?? []
    let moments = Set(ways.map(\.moments)).sorted { $0.lowerBound < $1.lowerBound }
    guard let asked = traffic.ports else { return [(space.everything, [[traffic]])] }
    var result: [(moments: PacketSet, ports: [[Traffic]])] = []
    var rest = space.everything
    for part in moments {
      var doors: [Firewalls.Door: [UInt16: UInt16]] = [:]
      for way in ways.lazy.filter({ $0.moments == part }).map(\.entrance) where way.sources.isAll {
        guard case .pods(_, let port) = way.target, let shown = way.traffic, traffic.contains(shown) else { continue }
        for number in shown.ports.map({ $0.lower...$0.upper }) ?? 0...0 { doors[way.door, default: [:]][number] = port }
      }
      let whole = doors.values.filter { $0.count == Int(asked.upper - asked.lower) + 1 }
      let behind = Set(whole.map { Set($0.values).sorted() }).sorted { $0.lexicographicallyPrecedes($1) }
      let period = try space.set(.time, in: space.values(part, of: .time))
      result.append((period, behind.map { $0.map { .ports(traffic.transport, PortRange($0)) } } + [[traffic]]))
      rest = try rest.subtracting(period)
    }
    if !rest.isEmpty { result.append((rest, [[traffic]])) }
    return result
  }

  /// Returns a connection of `set`, the earliest that there is.
  func witness(of set: PacketSet) throws(BudgetExceeded) -> (Witness, PacketValues)? {
    let possible = try set.intersection(universe.possible)
    guard let packet = try universe.example(of: packets.earliest(of: possible)) else { return nil }
    return (try packets.witness(packet, universe.text(of: packet), in: set), packet)
  }

  /// Returns the statements by which the sending end of `packet` may open it.
  func uses(of packet: PacketValues) -> [Cause] {
    var result: [Cause] = []
    for period in periods where period.moments.contains(packet) {
      for workload in period.firewall.workloads
      where universe.kinds.numbers(of: workload.selector).contains(packet[.arrival]) {
        for departure in workload.departures where !result.contains(departure.cause) {
          let boxes = period.firewall.boxes(of: departure, from: workload, in: universe)
          if boxes.contains(where: { space.contains(packet, in: $0) }) { result.append(departure.cause) }
        }
      }
    }
    return result
  }

  /// Returns the ways from outside by which `packet` reaches the pods of `workload`, in words.
  func ways(of packet: PacketValues, to workload: PodFirewall) -> [String] {
    guard packet[.arrival] == 0, let firewall = periods.first?.firewall else { return [] }
    let family: AddressFamily = packet[.family] == 0 ? .ipv4 : .ipv6
    let source = Address(family, min(packet[.source], family.highest))
    let ways = firewall.ways(to: workload, on: inspection.today)
    // A port that nobody knows is named last.
    let known = ways.filter { if case .pickedNodePort = $0.door { false } else { true } }
    return (known + ways.filter { !known.contains($0) }).compactMap { way in
      guard case .pods(_, let port) = way.target, UInt128(port) == packet[.destinationPort],
        way.sources.contains(source)
      else { return nil }
      switch way.door {
      case .node, .pickedNodePort, .balancer: return way.traffic.map { "\($0) of \(way.door.words)" } ?? way.door.words
      case .service, .address, .web: return nil
      }
    }
  }

  /// Returns the blocks that refuse `packet`, which an exposure of `workload` would let in without them.
  func blocks(refusing packet: PacketValues, to service: ID<Service>) -> [Block] {
    guard let workload = inspection.policy[id].workloads.first(where: { $0.service == service }) else { return [] }
    let refusals = inspection.lowering.refusals(in: id, on: inspection.today)
    var result: [Int] = []
    for line in inspection.lowering.lines(to: workload, in: id, on: inspection.today, among: refusals)
    where universe.boxes(of: line).contains(where: { space.contains(packet, in: $0) }) {
      for refusal in refusals where line.blocks.contains(refusal.block) && !result.contains(refusal.block) {
        let until = inspection.policy.blocks[refusal.block].provenance.until?.value
        if universe.boxes(of: refusal, until: until, on: line).contains(where: { space.contains(packet, in: $0) }) {
          result.append(refusal.block)
        }
      }
    }
    return result.sorted().map { inspection.policy.blocks[$0] }
  }
}

extension Traffic {
  /// Returns what listens behind this part of `shown`, all of which leads to `listening`.
  func moved(from shown: Traffic, to listening: Traffic) -> Traffic? {
    guard let part = ports, let outer = shown.ports, let inner = listening.ports else { return nil }
    let distance = Int(inner.lower) - Int(outer.lower)
    guard let lower = UInt16(exactly: Int(part.lower) + distance),
      let upper = UInt16(exactly: Int(part.upper) + distance)
    else { return nil }
    return .ports(transport, PortRange(from: lower, through: upper))
  }
}
