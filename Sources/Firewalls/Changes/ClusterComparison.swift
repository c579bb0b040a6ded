public import Packets
import Policies
import Syntax

/// The difference between what two firewalls of a cluster mean.
public struct ClusterComparison {
  /// A way to pods that changes.
  public struct Way {
    /// The way with one connection that comes by it, in words.
    public var example: String

    /// The connections.
    public let packets: PacketSet

    fileprivate let packet: PacketValues

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

  /// The most ways that are told apart.
  private static let mostWays = 1000

  /// Compares `old` with `new` at the moments `window`, in seconds since 1970.
  public init(_ old: ClusterSide, _ new: ClusterSide, in window: IntervalSet<UInt128>) throws(BudgetExceeded) {
    // An address that is a pod's on one side alone is taken for one on both.
    universe = try ClusterUniverse(pods: old.pods.union(new.pods), selectors: old.selectors.union(new.selectors))
    self.old = (old, try universe.meaning(of: old, in: window))
    self.new = (new, try universe.meaning(of: new, in: window))
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
    for block in other.blocks.indices where !rest.isEmpty {
      var some = space.nothing
      for (i, period) in other.periods.enumerated() {
        for refusal in period.refusals where refusal.block == block {
          for line in period.lines where line.blocks.contains(block) {
            some = try space.set(of: universe.boxes(of: refusal, until: nil, on: line))
              .intersection(space.set(of: universe.boxes(of: line)))
              .intersection(universe.part(of: rest, inPeriod: i, of: other)).union(some)
          }
        }
      }
      guard !some.isEmpty else { continue }
      result.append(Change(kind, some, cause: other.blocks[block], in: refusing))
      rest = try rest.subtracting(some)
    }
    return try result
      + attributed(kind, rest, accepting) { firewall in
        firewall.workloads.flatMap { workload in
          workload.admissions.map { ($0.cause, firewall.boxes(of: $0, to: workload, in: universe)) }
        }
      }
  }

  /// Returns `packets`, which the sending ends let out on the side `accepting` alone, by their causes.
  private func sent(
    _ kind: Change.Kind, _ packets: PacketSet, _ accepting: Change.Side
  ) throws(BudgetExceeded) -> [Change] {
    try attributed(kind, packets, accepting) { firewall in
      firewall.workloads.flatMap { workload in
        // Whoever uses something may look up names.
        workload.departures.map { ($0.cause, firewall.boxes(of: $0, from: workload, in: universe)) }
          + workload.departures.prefix(1).map { ($0.cause, firewall.lookups(of: workload, in: universe)) }
      }
    }
  }

  /// Returns `packets` by the first of the lines of `side` that is about each: those that `lines` finds in a firewall.
  private func attributed(
    _ kind: Change.Kind, _ packets: PacketSet, _ side: Change.Side,
    _ lines: (ClusterFirewall) -> [(cause: Cause, boxes: [PacketBox])]
  ) throws(BudgetExceeded) -> [Change] {
    if packets.isEmpty { return [] }
    var result: [Change] = []
    var positions: [Cause?: Int] = [:]
    func add(_ some: PacketSet, _ cause: Cause?) throws(BudgetExceeded) {
      if some.isEmpty { return }
      if let known = positions[cause] {
        result[known].packets = try result[known].packets.union(some)
      } else {
        positions[cause] = result.count
        result.append(Change(kind, some, cause: cause, in: side))
      }
    }
    let whole = self.side(side).side
    for (i, period) in whole.periods.enumerated() {
      let packets = try universe.part(of: packets, inPeriod: i, of: whole)
      if packets.isEmpty { continue }
      var numbers: [Cause: UInt32] = [:]
      var causes: [Cause] = []
      var boxes: [PacketBox] = []
      for line in lines(period.firewall) {
        let number = numbers[line.cause] ?? UInt32(causes.count + 1)
        if numbers.updateValue(number, forKey: line.cause) == nil { causes.append(line.cause) }
        for var box in line.boxes {
          box.label = number
          boxes.append(box)
        }
      }
      let parts = try space.map(of: boxes).restricted(to: packets)
      for label in parts.labels { try add(parts.packets(labelled: label), causes[Int(label) - 1]) }
      try add(packets.subtracting(parts.domain), nil)
    }
    return result
  }

  /// Returns the ways to pods that change, by their doors, and the first one of those that are too many to be told.
  public func ways() throws(BudgetExceeded) -> (told: [Way], next: Way?) {
    let found = try universe.ways(
      changedFrom: old.meaning.entrances, to: new.meaning.entrances, atMost: ClusterComparison.mostWays)
    return (found.ways.map { way($0) }, found.next.map { way($0) })
  }

  /// Returns `changed` in words, with its cause.
  private func way(_ changed: ChangedWay) -> Way {
    var way = Way(
      example: universe.textOfWay(changed.example), packets: changed.packets, packet: changed.example,
      outcomes: (
        universe.text(ofOutcome: changed.labels.before), universe.text(ofOutcome: changed.labels.after)
      ), cause: nil, side: .new)
    for side in [Change.Side.new, .old] where way.cause == nil {
      way.cause = cause(of: changed.example, through: changed.door, side)
      way.side = side
    }
    return way
  }

  /// Returns `way` in words, with `sources` as those of its sources.
  public func text(of way: Way, from sources: String) -> String { universe.textOfWay(way.packet, from: sources) }

  /// Returns the statement that publishes `door` for the port of `packet` on `side`, if one does.
  private func cause(of packet: PacketValues, through door: Door?, _ side: Change.Side) -> Cause? {
    guard let period = self.side(side).side.period(at: packet[.time]) else { return nil }
    for workload in period.firewall.workloads {
      for (way, cause) in period.firewall.publishedWays(to: workload, on: period.day) where way.door == door {
        guard let traffic = way.traffic, let ports = traffic.ports else { return cause }
        let isOfPort = ports.contains(UInt16(truncatingIfNeeded: packet[.destinationPort]))
        if isOfPort, UInt128(traffic.transport.rawValue) == packet[.transport] { return cause }
      }
    }
    return nil
  }

  /// Returns what becomes of the connection `packet` on `side` in words, and the lines that decide.
  public func fate(of packet: PacketValues, _ side: Change.Side) -> (words: String, causes: [Cause]) {
    let (whole, meaning) = self.side(side)
    guard let side = whole.period(at: packet[.time]) else { return (meaning.fate(of: packet), []) }
    var causes: [Cause] = []
    func covers(_ boxes: [PacketBox]) -> Bool { boxes.contains { space.contains(packet, in: $0) } }
    for workload in side.firewall.workloads where meaning.admitted.contains(packet) {
      causes += workload.admissions.filter { covers(side.firewall.boxes(of: $0, to: workload, in: universe)) }.map(
        \.cause)
    }
    if !meaning.admitted.contains(packet) {
      for line in side.lines where covers(universe.boxes(of: line)) {
        for refusal in side.refusals where line.blocks.contains(refusal.block) {
          if covers(universe.boxes(of: refusal, until: nil, on: line)) { causes.append(whole.blocks[refusal.block]) }
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

extension ClusterUniverse {
  /// Returns what `side` means at the moments `window`, in seconds since 1970.
  fileprivate func meaning(
    of side: ClusterSide, in window: IntervalSet<UInt128>
  ) throws(BudgetExceeded) -> ClusterMeaning {
    var (admitted, departing) = (space.nothing, space.nothing)
    var entrances = try map(of: [])
    let compared = try space.set(.time, in: space.values(window, of: .time))
    for (i, period) in side.periods.enumerated() {
      let moments = try part(of: compared, inPeriod: i, of: side)
      let meaning = try period.firewall.meaning(in: self, from: period.day)
      admitted = try admitted.union(meaning.admitted.intersection(moments))
      departing = try departing.union(meaning.departing.intersection(moments))
      entrances = try entrances.overriding(meaning.entrances.restricted(to: moments))
    }
    return try ClusterMeaning(self, admitted: admitted, departing: departing, entrances: entrances)
  }

  /// Returns what of `set` lies in the period at `index` of `side`.
  fileprivate func part(
    of set: PacketSet, inPeriod index: Int, of side: ClusterSide
  ) throws(BudgetExceeded) -> PacketSet {
    try set.intersection(space.set(.time, in: space.values(side.moments(ofPeriod: index), of: .time)))
  }
}
