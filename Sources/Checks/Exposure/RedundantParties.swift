import Firewalls
import Packets
import Policies
import Syntax

extension Check {
  /// Returns the findings that zones and addresses of the audience of `view` are within other zones and addresses of it,
  /// wherever it opens something.
  ///
  /// Audiences that are written as addresses alone are left to their writers. Hosts and services are named for what they
  /// are, wherever they stand today, and say nothing of one another.
  static func redundantParties(of view: ExposureView, in inspection: Inspection) -> [Finding] {
    let audience = view.exposure.audience
    guard audience.parties.count > 1, audience.parties.contains(where: { $0.value.isZone }) else { return [] }
    var living = audience.parties.indices.filter { audience.parties[$0].value.isPlace }
    var dead: [Int] = []
    // Of two that are the same, the later one is redundant.
    for i in living.reversed() {
      let others = living.filter { $0 != i }.map { audience.parties[$0] }
      guard !others.isEmpty, isWithin(audience.parties[i], others, of: view, in: inspection) else { continue }
      living.removeAll { $0 == i }
      dead.insert(i, at: 0)
    }
    return dead.map { i in
      let (party, name) = (audience.parties[i], inspection.policy[view.service].name.value)
      let others = covers(of: party, among: living.map { audience.parties[$0] }, of: view, in: inspection)
      return Finding(
        "a part of the audience of `\(name)` adds nothing to it", about: name,
        at: .init(party.span, "is within the others"),
        also: others.map { .init($0.span, others.count == 1 ? "within this" : "within this in part") },
        because: "Removing it would close nothing, which is not what one expects.",
        help: "Remove it, or narrow the others.")
    }
  }

  /// Returns the parties among `others` that are needed for `party` to be within them.
  private static func covers(
    of party: Spelled<Party>, among others: [Spelled<Party>], of view: ExposureView, in inspection: Inspection
  ) -> [Spelled<Party>] {
    var needed = others
    for other in others.reversed() where needed.count > 1 {
      let rest = needed.filter { $0.span != other.span }
      if isWithin(party, rest, of: view, in: inspection) { needed = rest }
    }
    return needed
  }

  /// Returns `true` iff whoever is `party`, and no exception, is one of `others`: by addresses, as every host that opens
  /// `view` sees them, and as pods.
  private static func isWithin(
    _ party: Spelled<Party>, _ others: [Spelled<Party>], of view: ExposureView, in inspection: Inspection
  ) -> Bool {
    let policy = inspection.policy
    let exceptions = view.exposure.audience.exceptions
    // Whoever has no address is the business of other checks.
    let mine = inspection.book.addresses(of: [party]).subtracting(inspection.book.addresses(of: exceptions))
    guard party.value != .internet, !mine.isEmpty, mine.isSubset(of: inspection.book.addresses(of: others)) else {
      return false
    }
    let service = policy[view.service]
    let nodes = service.workloads.flatMap { policy[$0.cluster].nodes }
    for host in Set(service.placements.map(\.host) + nodes + (view.exposure.via.map { [$0.value] } ?? [])) {
      let vantage = inspection.lowering.view(from: host)
      func reach(_ party: Spelled<Party>) -> [Reach] {
        inspection.honest(vantage(party.value), of: Audience([party], except: []), on: host)
      }
      let rest = reach(party).subtracting(exceptions.flatMap { vantage($0.value) } + others.flatMap(reach))
      guard rest.allSatisfy(\.isEmpty) else { return false }
    }
    return service.workloads.allSatisfy { reference in
      let peers = { (parties: [Spelled<Party>]) in
        inspection.lowering.peers(parties.map(\.value), in: reference.cluster)
      }
      return (try? isWithin(peers([party]), peers(others), besides: peers(exceptions), in: policy[reference.cluster]))
        ?? false
    }
  }

  /// Returns `true` iff the peers of `cluster` that are in `mine`, and not in `exceptions`, are all in `others`.
  private static func isWithin(
    _ mine: [Peer], _ others: [Peer], besides exceptions: [Peer], in cluster: Cluster
  ) throws(BudgetExceeded) -> Bool {
    let universe = try ClusterUniverse(
      pods: cluster.pods, selectors: (mine + others + exceptions).compactMap(\.selector))
    func set(_ peers: [Peer]) throws(BudgetExceeded) -> PacketSet {
      try universe.space.set(of: universe.boxes(PacketBox(), from: peers))
    }
    return try set(mine).intersection(universe.possible).subtracting(set(exceptions)).isSubset(of: set(others))
  }
}

extension Party {
  /// `true` iff the party is a zone.
  fileprivate var isZone: Bool { if case .zone = self { true } else { false } }

  /// `true` iff the party is some addresses, named or not.
  fileprivate var isPlace: Bool {
    switch self {
    case .internet, .zone, .addresses: true
    default: false
    }
  }
}
