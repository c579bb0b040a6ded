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
    for target in universe.values(of: .departure, in: set) {
      let reached = try universe.part(of: set, .departure, target)
      guard let packet = try universe.example(of: reached) else { continue }
      var row = try row(kind, packet)
      row.reason = "what is exposed to or used by these pods changes"
      var count = 0
      for source in universe.values(of: .arrival, in: reached) {
        count += 1
        guard row.flows.count < ClusterRulesComparison.mostFlows else {
          row.isCut = true
          break
        }
        let flow = try universe.part(of: reached, .arrival, source)
        let (from, to) = (try end(source, .source, in: flow), try end(target, .destination, in: flow))
        row.flows.append("\(try universe.ports(of: flow)) from \(from) to \(to)")
      }
      row.extent = count == 1 ? "1 kind of sources" : "\(count) kinds of sources"
      rows.append(row)
    }
    return rows
  }

  /// Returns the row of the ways to pods that change.
  private func ways() throws(BudgetExceeded) -> Difference.Row {
    let most = ClusterRulesComparison.mostFlows
    let found = try universe.ways(changedFrom: old.entrances, to: new.entrances, atMost: most)
    var row = Difference.Row(.translates, at: "cluster \(name)")
    row.reason = "how pods are reached changes"
    row.isCut = found.next != nil
    row.extent = row.isCut ? "more than \(most) ways" : found.ways.count == 1 ? "1 way" : "\(found.ways.count) ways"
    for way in found.ways {
      let (before, after) = (
        universe.text(ofOutcome: way.labels.before), universe.text(ofOutcome: way.labels.after)
      )
      let sources = try universe.packets.addresses(of: .source, in: way.packets)
      let words = sources.isAll ? "anywhere" : list(sources)
      row.flows.append("\(universe.textOfWay(way.example, from: words)): \(before), then \(after)")
      if row.witness.isEmpty {
        row.witness = universe.textOfWay(way.example)
        (row.before, row.after) = (before, after)
      }
    }
    return row
  }

  /// Returns the pods of a kind in words, or the addresses outside.
  private func end(_ kind: UInt128, _ field: PacketField, in set: PacketSet) throws(BudgetExceeded) -> String {
    if kind != 0 { return universe.kinds.text(of: kind) }
    return list(try universe.packets.addresses(of: field, in: set))
  }

  /// Returns the first ranges of `set`.
  private func list(_ set: AddressSet) -> String {
    let words = set.ranges.prefix(4).map(\.description).joined(separator: ", ")
    return set.ranges.count > 4 ? "\(words), and more" : words
  }
}
