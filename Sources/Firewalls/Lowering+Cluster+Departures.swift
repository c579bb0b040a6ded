import Packets
import Policies
import Syntax

/// Where services are entered, each found out once: one server may have thousands of clients.
struct Entrances {
  /// The ways into one service.
  struct Ways {
    /// The public traffic that is open, each with what listens behind it, in order and without repetition.
    var open: [(public: Traffic, listening: Traffic)] = []

    /// The routers that forward to it.
    var routers = AddressSet()
  }

  /// The date, in UTC.
  let today: CalendarDate

  /// Those that are known.
  private var known: [ID<Service>: Ways] = [:]

  /// Creates the collection for the day `today`.
  init(on today: CalendarDate) { self.today = today }

  /// Returns the ways into `service`, as `lowering` derives them.
  mutating func ways(into service: ID<Service>, _ lowering: Lowering) -> Ways {
    if let ways = known[service] { return ways }
    let policy = lowering.policy
    var listening: [Traffic: Set<Traffic>] = [:]
    var routers: [AddressSet] = []
    for exposure in policy[service].exposures where !exposure.provenance.hasLapsed(on: today) {
      for traffic in lowering.publicTraffic(of: exposure, in: policy[service]) {
        listening[traffic.public, default: []].insert(traffic.listening)
      }
      if let router = exposure.via?.value { routers.append(lowering.book.addresses(of: .host(router))) }
    }
    let open = listening.sorted { $0.key < $1.key }.flatMap { shown, inner in inner.sorted().map { (shown, $0) } }
    let ways = Ways(open: open, routers: AddressSet(unionOf: routers))
    known[service] = ways
    return ways
  }
}

extension Lowering {
  /// Returns to whom, and on what ports, `use` lets pods of the cluster `id` connect at `target`.
  func departures(
    to target: Party, by use: Use, in id: ID<Cluster>, knowing entrances: inout Entrances
  ) -> [([Peer], [Traffic]?)] {
    let wanted = list(use.traffic)
    guard let services = services(standingFor: target) else {
      let peers = peers([target], in: id)
      return peers.isEmpty ? [] : [(peers, wanted)]
    }
    var result: [([Peer], [Traffic]?)] = []
    for service in services.sorted() {
      let ways = entrances.ways(into: service, self)
      var shown = Set<Traffic>()
      var listening = Set<Traffic>()
      for pair in ways.open {
        for part in wanted.map({ $0.compactMap { $0.intersection(pair.public) } }) ?? [pair.public] {
          shown.insert(part)
          listening.insert(part.behind(pair.public, pair.listening))
        }
      }
      let places = places(of: service, in: id)
      let outside = places.hosts.union(ways.routers)
      // A policy judges what a Service has translated; the pods of other clusters are reached without one.
      let pods = places.pods + (places.podsElsewhere.isEmpty ? [] : [.addresses(places.podsElsewhere)])
      if !pods.isEmpty, !listening.isEmpty { result.append((pods, listening.sorted())) }
      if !outside.isEmpty, !shown.isEmpty { result.append(([.addresses(outside)], shown.sorted())) }
      for (nodes, traffic) in nodePorts(of: policy[service], only: wanted, outside: id)
      where !nodes.isEmpty && traffic?.isEmpty != true {
        result.append(([.addresses(nodes)], traffic))
      }
    }
    return result
  }

  /// Returns where `service` is: as pods of the cluster `id`, on hosts, and as pods of other clusters.
  private func places(
    of service: ID<Service>, in id: ID<Cluster>
  ) -> (pods: [Peer], hosts: AddressSet, podsElsewhere: AddressSet) {
    let hosts = policy[service].placements.map { book.addresses(of: .host($0.host)) }
    let others = policy[service].workloads.filter { $0.cluster != id }.map { policy[$0.cluster].pods }
    let pods = policy[service].workloads.filter { $0.cluster == id }.map {
      self.pods(of: policy[id].workloads[$0.index])
    }
    return (pods, AddressSet(unionOf: hosts), AddressSet(unionOf: others))
  }

  /// Returns the pods of `workload`, as its own cluster tells them.
  func pods(of workload: Workload) -> Peer {
    let labels = Dictionary(workload.labels.map { ($0.key, $0.value) }) { first, _ in first }
    return .pods(namespace: workload.namespace.value, labels: labels)
  }
}

extension Traffic {
  /// Returns what listens behind this part of `shown`, all of which leads to `listening`.
  fileprivate func behind(_ shown: Traffic, _ listening: Traffic) -> Traffic {
    guard shown != listening else { return self }
    guard let part = ports, let outer = shown.ports, let inner = listening.ports, outer.count == inner.count else {
      return listening
    }
    let lower = inner.lower + (part.lower - outer.lower)
    return .ports(transport, PortRange(from: lower, through: lower + (part.upper - part.lower)))
  }
}
