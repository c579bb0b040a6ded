public import Packets
public import Policies
public import Syntax

/// One side of a comparison of clusters: what a policy makes of one on a day.
public struct ClusterSide: Sendable {
  /// The firewall on that day.
  public let firewall: ClusterFirewall

  /// The day.
  public let day: CalendarDate

  /// What exposures let in, blocks apart.
  let lines: [PodLine]

  /// The blocks.
  let refusals: [PodRefusal]

  /// The statements of the blocks, by their positions in the policy.
  let blocks: [Cause]

  /// Creates what `lowering` makes of the cluster `id` on `day`.
  public init(_ lowering: Lowering, _ id: ID<Cluster>, on day: CalendarDate) {
    self.day = day
    firewall = lowering.firewall(of: id, on: day)
    let refusals = lowering.refusals(in: id, on: day)
    self.refusals = refusals
    lines =
      refusals.isEmpty
      ? [] : lowering.policy[id].workloads.flatMap { lowering.lines(to: $0, in: id, on: day, among: refusals) }
    blocks = lowering.policy.blocks.map { Cause("block", at: $0.provenance.span) }
  }

  /// Every selection of pods that the side speaks of.
  fileprivate var selectors: Set<PodSelector> {
    firewall.selectors.union(lines.flatMap(\.selectors)).union(refusals.flatMap(\.selectors))
  }
}

/// The difference between what two firewalls of a cluster mean, each on a day.
public struct ClusterComparison {
  /// A way to pods that changes.
  public struct Way: Sendable {
    /// The way, in words.
    public var words: String

    /// What becomes of a connection that comes by it, before and after.
    public var outcomes: (before: String, after: String)

    /// The statement that publishes it, if one does.
    public var cause: Cause?

    /// Where that stands.
    public var side: Change.Side
  }

  /// What the sets are about.
  public let universe: ClusterUniverse

  private let old: (side: ClusterSide, meaning: ClusterMeaning)
  private let new: (side: ClusterSide, meaning: ClusterMeaning)

  /// Compares `old` with `new`.
  public init(_ old: ClusterSide, _ new: ClusterSide) throws(BudgetExceeded) {
    // An address that is a pod's on one side alone is taken for one on both.
    universe = try ClusterUniverse(
      pods: old.firewall.pods.union(new.firewall.pods), selectors: old.selectors.union(new.selectors))
    self.old = (old, try old.firewall.meaning(in: universe, on: old.day))
    self.new = (new, try new.firewall.meaning(in: universe, on: new.day))
  }

  private var space: PacketSpace { universe.space }

  /// Returns the connections that change, each in one change alone, in a stable order.
  ///
  /// Those of kind `later` are let through by one end as they were not before, and closed by the other one.
  public func changes() throws(BudgetExceeded) -> [Change] {
    let (before, after) = (try old.meaning.accepted, try new.meaning.accepted)
    let (admitted, admittedBefore) = (new.meaning.admitted, old.meaning.admitted)
    let (opened, closed) = (try after.subtracting(before), try before.subtracting(after))
    var result = try received(.opens, opened.subtracting(admittedBefore), .old, .new)
    result += try sent(.opens, opened.intersection(admittedBefore), .new)
    result += try received(.closes, closed.subtracting(admitted), .new, .old)
    result += try sent(.closes, closed.intersection(admitted), .old)
    let rest = try opened.union(closed).complement()
    result += try received(.later, admitted.subtracting(admittedBefore).intersection(rest), .old, .new)
    result += try received(.later, admittedBefore.subtracting(admitted).intersection(rest), .new, .old)
    let (departing, departingBefore) = (new.meaning.departing, old.meaning.departing)
    let same = try rest.subtracting(admitted.symmetricDifference(admittedBefore))
    result += try sent(.later, departing.subtracting(departingBefore).intersection(same), .new)
    result += try sent(.later, departingBefore.subtracting(departing).intersection(same), .old)
    return result
  }

  private func side(_ side: Change.Side) -> (side: ClusterSide, meaning: ClusterMeaning) { side == .old ? old : new }

  /// Returns `packets`, which the receiving ends let in on the side `accepting` and not on `refusing`, by their causes.
  private func received(
    _ kind: Change.Kind, _ packets: PacketSet, _ refusing: Change.Side, _ accepting: Change.Side
  ) throws(BudgetExceeded) -> [Change] {
    var rest = packets
    var result: [Change] = []
    // What both expose, and only one blocks, changes because of the block.
    let other = side(refusing).side
    for refusal in other.refusals where !rest.isEmpty {
      var some = space.nothing
      for line in other.lines where line.blocks.contains(refusal.block) {
        some = try space.set(of: universe.boxes(of: refusal, until: nil, on: line))
          .intersection(space.set(of: universe.boxes(of: line))).intersection(rest).union(some)
      }
      guard !some.isEmpty else { continue }
      result.append(Change(kind, some, cause: other.blocks[refusal.block], in: refusing))
      rest = try rest.subtracting(some)
    }
    let firewall = side(accepting).side.firewall
    let lines = firewall.workloads.flatMap { workload in
      workload.admissions.map { ($0.cause, firewall.boxes(of: $0, to: workload, in: universe)) }
    }
    return try result + attributed(kind, rest, lines, accepting)
  }

  /// Returns `packets`, which the sending ends let out on the side `accepting` alone, by their causes.
  private func sent(
    _ kind: Change.Kind, _ packets: PacketSet, _ accepting: Change.Side
  ) throws(BudgetExceeded) -> [Change] {
    let firewall = side(accepting).side.firewall
    let lines = firewall.workloads.flatMap { workload in
      // Whoever uses something may look up names.
      workload.departures.map { ($0.cause, firewall.boxes(of: $0, from: workload, in: universe)) }
        + workload.departures.prefix(1).map { ($0.cause, firewall.lookups(of: workload, in: universe)) }
    }
    return try attributed(kind, packets, lines, accepting)
  }

  /// Returns `packets` by the first of `lines` that is about each.
  private func attributed(
    _ kind: Change.Kind, _ packets: PacketSet, _ lines: [(cause: Cause, boxes: [PacketBox])], _ side: Change.Side
  ) throws(BudgetExceeded) -> [Change] {
    if packets.isEmpty { return [] }
    var numbers: [Cause: UInt32] = [:]
    var causes: [Cause] = []
    var boxes: [PacketBox] = []
    for line in lines {
      let number = numbers[line.cause] ?? UInt32(causes.count + 1)
      if numbers.updateValue(number, forKey: line.cause) == nil { causes.append(line.cause) }
      for var box in line.boxes {
        box.label = number
        boxes.append(box)
      }
    }
    let parts = try space.map(of: boxes).restricted(to: packets)
    var result: [Change] = []
    for label in parts.labels {
      result.append(Change(kind, try parts.packets(labelled: label), cause: causes[Int(label) - 1], in: side))
    }
    let rest = try packets.subtracting(parts.domain)
    if !rest.isEmpty { result.append(Change(kind, rest, cause: nil, in: side)) }
    return result
  }

  /// Returns the ways to pods that change, by their doors.
  public func ways() throws(BudgetExceeded) -> [Way] {
    if old.meaning.entrances == new.meaning.entrances { return [] }
    let changed = try old.meaning.entrances.differing(from: new.meaning.entrances)
    var result: [Way] = []
    for number in universe.values(of: .departure, in: changed) {
      let door = space.value(number, of: .departure)
      var rest = try changed.intersection(space.set(.departure, in: door))
      // The ports of a door are ways of their own.
      while let packet = try universe.example(of: rest, throughDoors: true) {
        let ports = space.value(packet[.destinationPort], of: .destinationPort)
        rest = try rest.subtracting(space.set(.destinationPort, in: ports))
        let words = [old, new].map { universe.text(ofOutcome: $0.meaning.entrances.label(of: packet)) }
        var way = Way(
          words: universe.textOfWay(packet), outcomes: (words[0], words[1]), cause: nil, side: .new)
        for side in [Change.Side.new, .old] where way.cause == nil {
          way.cause = cause(of: packet, through: universe.door(numbered: number), side)
          way.side = side
        }
        result.append(way)
        guard result.count < 1000, universe.door(numbered: number).map(\.hasPorts) ?? false else { break }
      }
    }
    return result
  }

  /// Returns the statement that publishes `door` for the port of `packet` on `side`, if one does.
  private func cause(of packet: PacketValues, through door: Door?, _ side: Change.Side) -> Cause? {
    let (side, _) = self.side(side)
    for workload in side.firewall.workloads {
      for (way, cause) in side.firewall.publishedWays(to: workload, on: side.day) where way.door == door {
        guard let ports = way.traffic?.ports else { return cause }
        if ports.contains(UInt16(truncatingIfNeeded: packet[.destinationPort])) { return cause }
      }
    }
    return nil
  }

  /// Returns what becomes of the connection `packet` on `side` in words, and the lines that decide.
  public func fate(of packet: PacketValues, _ side: Change.Side) -> (words: String, causes: [Cause]) {
    let (side, meaning) = self.side(side)
    var causes: [Cause] = []
    func covers(_ boxes: [PacketBox]) -> Bool { boxes.contains { space.contains(packet, in: $0) } }
    for workload in side.firewall.workloads where meaning.admitted.contains(packet) {
      causes += workload.admissions.filter { covers(side.firewall.boxes(of: $0, to: workload, in: universe)) }.map(
        \.cause)
    }
    if !meaning.admitted.contains(packet) {
      for line in side.lines where covers(universe.boxes(of: line)) {
        for refusal in side.refusals where line.blocks.contains(refusal.block) {
          if covers(universe.boxes(of: refusal, until: nil, on: line)) { causes.append(side.blocks[refusal.block]) }
        }
      }
    }
    let receiving = causes.first
    let sending = side.firewall.workloads.lazy.flatMap { workload in
      workload.departures.lazy.filter { covers(side.firewall.boxes(of: $0, from: workload, in: universe)) }
    }.first?.cause
    return (meaning.fate(of: packet), [receiving, sending].compactMap(\.self))
  }
}

extension Door {
  /// `true` iff ports tell where it leads.
  fileprivate var hasPorts: Bool { if case .web = self { false } else { true } }
}

extension ClusterUniverse {
  /// Returns the numbers of the kinds of pods, or of the doors, in `set`.
  public func values(of field: PacketField, in set: PacketSet) -> [UInt128] {
    set.values(of: field).intersection(IntervalSet(0...UInt128(PodKinds.limit))).intervals.flatMap { Array($0) }
  }
}
