public import Packets
import Syntax

/// The difference between what two sides mean for a cluster.
public struct ClusterComparison {
  /// What the sets are about.
  public let universe: ClusterUniverse

  /// What was before.
  let old: Side

  /// What is now.
  let new: Side

  /// `true` iff the blocks of addresses of files have the pods with such addresses in them.
  public let blocksHavePods: Bool

  /// One of both, with what it means.
  struct Side {
    var what: ComparedCluster
    var meaning: ClusterMeaning
  }

  /// Compares `old` with `new`, both in `universe`, at the moments `window`, in seconds since 1970.
  ///
  /// Whether blocks of addresses have pods in them is up to the network plugin; what a policy means does not depend on it.
  public init(
    _ old: ComparedCluster, _ new: ComparedCluster, in universe: ClusterUniverse, at window: IntervalSet<UInt128>,
    blocksHavePods: Bool = true
  ) throws(BudgetExceeded) {
    let moments = try universe.space.set(.time, in: universe.space.values(window, of: .time))
    func side(_ what: ComparedCluster) throws(BudgetExceeded) -> Side {
      let meaning = try what.meaning(in: universe, blocksHavePods: blocksHavePods)
      return Side(what: what, meaning: try meaning.restricted(to: moments))
    }
    (self.old, self.new) = (try side(old), try side(new))
    self.universe = universe
    self.blocksHavePods = blocksHavePods
  }

  var space: PacketSpace { universe.space }

  /// Returns the connections that change, each in one change alone, in a stable order.
  public func changes() throws(BudgetExceeded) -> [ClusterChange] {
    if old.meaning.isEqual(to: new.meaning) { return [] }
    let (before, after) = (try old.meaning.accepted, try new.meaning.accepted)
    let (admitted, admittedBefore) = (new.meaning.admitted, old.meaning.admitted)
    let (opened, closed) = (try after.subtracting(before), try before.subtracting(after))
    var result = try changes(.opens, opened.subtracting(admittedBefore), .ingress, by: .new)
    result += try changes(.opens, opened.intersection(admittedBefore), .egress, by: .new)
    result += try changes(.closes, closed.subtracting(admitted), .ingress, by: .old)
    result += try changes(.closes, closed.intersection(admitted), .egress, by: .old)
    let rest = try opened.union(closed).complement()
    result += try changes(.oneEnd, admitted.subtracting(admittedBefore).intersection(rest), .ingress, by: .new)
    result += try changes(.oneEnd, admittedBefore.subtracting(admitted).intersection(rest), .ingress, by: .old)
    let (departing, departingBefore) = (new.meaning.departing, old.meaning.departing)
    let same = try rest.subtracting(admitted.symmetricDifference(admittedBefore))
    result += try changes(.oneEnd, departing.subtracting(departingBefore).intersection(same), .egress, by: .new)
    result += try changes(.oneEnd, departingBefore.subtracting(departing).intersection(same), .egress, by: .old)
    return result
  }

  func side(_ side: Change.Side) -> Side { side == .old ? old : new }

  /// Returns `packets`, which only the side `accepting` lets through at the end that `direction` judges, by their causes.
  private func changes(
    _ kind: Change.Kind, _ packets: PacketSet, _ direction: ClusterRules.Direction, by accepting: Change.Side
  ) throws(BudgetExceeded) -> [ClusterChange] {
    if packets.isEmpty { return [] }
    let refusing: Change.Side = accepting == .old ? .new : .old
    var changes = Attribution(kind: kind, end: direction, rest: packets)
    // What both expose, and only one blocks, changes because of the block.
    if direction == .ingress, let policy = side(refusing).what.policy {
      for block in policy.blocks.indices where !changes.rest.isEmpty {
        try changes.add(refused(by: block, of: policy, among: changes.rest), .line(policy.blocks[block]), in: refusing)
      }
    }
    let allowing = try lines(direction, of: side(accepting).what)
    try changes.add(allowing, in: accepting, space)
    // What is open unless something closes it changes because of that.
    if let rules = side(refusing).what.rules {
      let closing = rules.isolations.filter { $0.direction == direction }.map { isolation in
        var box = PacketBox()
        let own: PacketField = direction == .ingress ? .departure : .arrival
        box[own] = space.values(universe.kinds.numbers(of: isolation.pods), of: own)
        return (cause: ClusterCause.object(isolation.origin.object), boxes: [box])
      }
      try changes.add([(space.everything, closing)], in: refusing, space)
    }
    return try changes.finished(in: accepting)
  }

  /// Returns what of `packets` the block at the position `block` of `policy` refuses and an exposure there would let in.
  private func refused(
    by block: Int, of policy: ClusterSide, among packets: PacketSet
  ) throws(BudgetExceeded) -> PacketSet {
    var result = space.nothing
    for (i, period) in policy.periods.enumerated() {
      for refusal in period.refusals where refusal.block == block {
        for line in period.lines where line.blocks.contains(block) {
          result = try space.set(of: universe.boxes(of: refusal, until: nil, on: line))
            .intersection(space.set(of: universe.boxes(of: line)))
            .intersection(policy.moments(ofPeriod: i, in: space)).intersection(packets).union(result)
        }
      }
    }
    return result
  }

  /// Lines with the connections that each lets through, and the moments at which that is so.
  private typealias Lines = (moments: PacketSet, lines: [(cause: ClusterCause, boxes: [PacketBox])])

  /// Returns what `side` lets through at the ends that `direction` judges, line by line.
  private func lines(
    _ direction: ClusterRules.Direction, of side: ComparedCluster
  ) throws(BudgetExceeded) -> [Lines] {
    switch side {
    case .rules(let rules):
      let lines = rules.grants.filter { $0.direction == direction }.map { grant in
        (cause: ClusterCause.object(grant.origin.object), grant: grant)
      }
      var result: [(cause: ClusterCause, boxes: [PacketBox])] = []
      for (cause, grant) in lines {
        result.append((cause, try rules.boxes(of: grant, in: universe, blocksHavePods: blocksHavePods)))
      }
      return [(space.everything, result)]
    case .policy(let policy):
      var result: [Lines] = []
      for (i, period) in policy.periods.enumerated() {
        let firewall = period.firewall
        let lines = firewall.workloads.flatMap { workload -> [(cause: ClusterCause, boxes: [PacketBox])] in
          if direction == .ingress {
            return workload.admissions.map { (.line($0.cause), firewall.boxes(of: $0, to: workload, in: universe)) }
              + firewall.published(to: workload, on: period.day, in: universe).map { (.line($0.cause), $0.boxes) }
          }
          // Whoever uses something may look up names.
          return workload.departures.map { (.line($0.cause), firewall.boxes(of: $0, from: workload, in: universe)) }
            + workload.departures.prefix(1).map { (.line($0.cause), firewall.lookups(of: workload, in: universe)) }
        }
        result.append((try policy.moments(ofPeriod: i, in: space), lines))
      }
      return result
    }
  }

  /// Connections that are given to causes one after the other.
  private struct Attribution {
    let kind: Change.Kind
    let end: ClusterRules.Direction
    /// What has no cause yet.
    var rest: PacketSet
    private var changes: [ClusterChange] = []
    private var positions: [ClusterCause?: Int] = [:]

    init(kind: Change.Kind, end: ClusterRules.Direction, rest: PacketSet) {
      self.kind = kind
      self.end = end
      self.rest = rest
    }

    /// Gives what of the rest is in `some` to `cause`.
    mutating func add(_ some: PacketSet, _ cause: ClusterCause?, in side: Change.Side) throws(BudgetExceeded) {
      if some.isEmpty { return }
      rest = try rest.subtracting(some)
      if let known = positions[cause] {
        changes[known].packets = try changes[known].packets.union(some)
      } else {
        positions[cause] = changes.count
        changes.append(ClusterChange(kind: kind, end: end, packets: some, cause: cause, side: side))
      }
    }

    /// Gives each connection of the rest to the first line that is about it.
    mutating func add(_ all: [Lines], in side: Change.Side, _ space: PacketSpace) throws(BudgetExceeded) {
      for (moments, lines) in all where !rest.isEmpty {
        var numbers: [ClusterCause: UInt32] = [:]
        var causes: [ClusterCause] = []
        var boxes: [PacketBox] = []
        for line in lines {
          let number = numbers[line.cause] ?? UInt32(causes.count + 1)
          if numbers.updateValue(number, forKey: line.cause) == nil { causes.append(line.cause) }
          for var box in line.boxes {
            box.label = number
            boxes.append(box)
          }
        }
        let parts = try space.map(of: boxes).restricted(to: rest.intersection(moments))
        for label in parts.labels { try add(parts.packets(labelled: label), causes[Int(label) - 1], in: side) }
      }
    }

    /// Returns the changes, and what has no cause as one of `side`.
    mutating func finished(in side: Change.Side) throws(BudgetExceeded) -> [ClusterChange] {
      try add(rest, nil, in: side)
      return changes
    }
  }
}
