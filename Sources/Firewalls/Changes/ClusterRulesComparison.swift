public import Packets
import Syntax

/// The difference between what two sides mean for a cluster, of which one at least is manifests, so that no line of a policy
/// makes it.
public struct ClusterRulesComparison {
  private let name: String
  private let universe: ClusterUniverse
  private let old: ClusterMeaning
  private let new: ClusterMeaning

  /// How many flows of a row are told.
  private static let mostFlows = 12

  /// What says what the old side does with a connection, in words behind it; nothing by default.
  public var oldOrigin: (PacketValues) throws(BudgetExceeded) -> String = { _ in "" }

  /// The same for the new side.
  public var newOrigin: (PacketValues) throws(BudgetExceeded) -> String = { _ in "" }

  /// Compares what two sides mean for the cluster `name`, both in `universe`.
  public init(_ name: String, in universe: ClusterUniverse, _ old: ClusterMeaning, _ new: ClusterMeaning) {
    self.name = name
    self.universe = universe
    self.old = old
    self.new = new
  }

  /// Returns what changes, a row for each kind of pods that is reached.
  public func rows() throws(BudgetExceeded) -> [Difference.Row] {
    if old.isEqual(to: new) { return [] }
    let (before, after) = (try old.accepted, try new.accepted)
    var rows = try connections(.opens, after.subtracting(before))
    rows += try connections(.closes, before.subtracting(after))
    if old.entrances != new.entrances { rows.append(try ways()) }
    let ends = try old.admitted.symmetricDifference(new.admitted)
      .union(old.departing.symmetricDifference(new.departing)).subtracting(before.symmetricDifference(after))
    if let packet = try universe.example(of: ends) {
      var row = try row(.later, packet)
      row.reason = "one end alone changes; the other one closes it as before"
      rows.append(row)
    }
    return rows
  }

  /// Returns a row of which the packet and what becomes of it are known.
  private func row(_ kind: Change.Kind, _ packet: PacketValues) throws(BudgetExceeded) -> Difference.Row {
    var row = Difference.Row(kind, at: "cluster \(name)")
    row.witness = universe.text(of: packet)
    row.before = old.fate(of: packet) + (try oldOrigin(packet))
    row.after = new.fate(of: packet) + (try newOrigin(packet))
    return row
  }

  /// Returns rows of the connections of `set`.
  private func connections(_ kind: Change.Kind, _ set: PacketSet) throws(BudgetExceeded) -> [Difference.Row] {
    var rows: [Difference.Row] = []
    for target in values(of: .departure, in: set) {
      let reached = try part(of: set, .departure, target)
      guard let packet = try universe.example(of: reached) else { continue }
      var row = try row(kind, packet)
      row.reason = "what is exposed to or used by these pods changes"
      var count = 0
      for source in values(of: .arrival, in: reached) {
        count += 1
        guard row.flows.count < ClusterRulesComparison.mostFlows else {
          row.isCut = true
          break
        }
        let flow = try part(of: reached, .arrival, source)
        let (from, to) = (try end(source, .source, in: flow), try end(target, .destination, in: flow))
        row.flows.append("\(ports(of: flow)) from \(from) to \(to)")
      }
      row.extent = count == 1 ? "1 kind of sources" : "\(count) kinds of sources"
      rows.append(row)
    }
    return rows
  }

  /// Returns the row of the ways to pods that change.
  private func ways() throws(BudgetExceeded) -> Difference.Row {
    let changed = try old.entrances.differing(from: new.entrances)
    var row = Difference.Row(.translates, at: "cluster \(name)")
    row.reason = "how pods are reached changes"
    let doors = values(of: .departure, in: changed)
    row.extent = doors.count == 1 ? "1 way" : "\(doors.count) ways"
    row.isCut = doors.count > ClusterRulesComparison.mostFlows
    for door in doors.prefix(ClusterRulesComparison.mostFlows) {
      guard let packet = try universe.example(of: part(of: changed, .departure, door), throughDoors: true) else {
        continue
      }
      let outcomes = [old, new].map { universe.text(ofOutcome: $0.entrances.label(of: packet)) }
      row.flows.append("\(universe.textOfWay(packet)): \(outcomes[0]), then \(outcomes[1])")
      if row.witness.isEmpty {
        row.witness = universe.textOfWay(packet)
        (row.before, row.after) = (outcomes[0], outcomes[1])
      }
    }
    return row
  }

  private func part(of set: PacketSet, _ field: PacketField, _ value: UInt128) throws(BudgetExceeded) -> PacketSet {
    try set.intersection(universe.space.set(field, in: universe.space.value(value, of: field)))
  }

  /// Returns the numbers of the kinds of pods, or of the doors, in `set`.
  private func values(of field: PacketField, in set: PacketSet) -> [UInt128] {
    set.values(of: field).intersection(IntervalSet(0...UInt128(PodKinds.limit))).intervals.flatMap { Array($0) }
  }

  /// Returns the pods of a kind in words, or the addresses outside.
  private func end(_ kind: UInt128, _ field: PacketField, in set: PacketSet) throws(BudgetExceeded) -> String {
    if kind != 0 { return universe.kinds.text(of: kind) }
    let ranges = try universe.packets.addresses(of: field, in: set).ranges
    let words = ranges.prefix(4).map(\.description).joined(separator: ", ")
    return ranges.count > 4 ? "\(words), and more" : words
  }

  /// Returns the ports of `set`.
  private func ports(of set: PacketSet) -> String {
    var words: [String] = []
    for number in set.values(of: .transport).intervals.flatMap({ Array($0) }) {
      let transport = TransportProtocol(rawValue: UInt8(truncatingIfNeeded: number))
      guard let some = try? part(of: set, .transport, number) else { continue }
      let ranges = some.values(of: .destinationPort).intersection(IntervalSet(0...65_535)).intervals
      words += ranges.prefix(6).map { range in
        "\(PortRange(from: UInt16(range.lowerBound), through: UInt16(range.upperBound)))/\(transport)"
      }
      if ranges.count > 6 { words.append("more \(transport) ports") }
    }
    return words.joined(separator: ", ")
  }
}
