import Firewalls
import Packets
import Policies
import Syntax

/// The comparison of one cluster.
struct ClusterDifference {
  private let name: String
  private let old: ComparedPolicy
  private let new: ComparedPolicy
  private let comparison: ClusterComparison
  private let words: FlowWords

  /// The moments that are compared, in seconds since 1970.
  private let window: IntervalSet<UInt128>

  /// How many flows of a row are told.
  private static let mostFlows = 12

  /// Compares the cluster `name`, which is in `old` and in `new`; nothing if it is not.
  init?(_ name: String, _ old: ComparedPolicy, _ new: ComparedPolicy) throws(BudgetExceeded) {
    guard let before = old.cluster(name), let after = new.cluster(name) else { return nil }
    window = Universe.moments(from: new.pipeline.today)
    comparison = try ClusterComparison(before, after, in: window)
    words = FlowWords(old: old.pipeline.policy, new: new.pipeline.policy)
    (self.name, self.old, self.new) = (name, old, new)
  }

  private var universe: ClusterUniverse { comparison.universe }

  /// Returns what changes, a row for each line that makes a change.
  func rows() throws(BudgetExceeded) -> [Difference.Row] {
    var rows: [Difference.Row] = []
    for change in try comparison.changes() {
      guard let packet = try universe.example(of: change.packets) else { continue }
      rows.append(try row(change, packet))
    }
    return try rows + ways()
  }

  private func row(_ change: Change, _ packet: PacketValues) throws(BudgetExceeded) -> Difference.Row {
    var row = Difference.Row(change.kind, at: "cluster \(name)")
    row.witness = universe.text(of: packet)
    (row.before, row.after) = (fate(packet, .old), fate(packet, .new))
    for target in universe.values(of: .departure, in: change.packets) {
      try tell(change.packets, to: target, in: &row)
    }
    if let times = times(of: change.packets) { row.conditions.append(times) }
    row.extent = try extent(of: change.packets)
    if change.kind == .later {
      row.conditions.append("one end alone changes, and the other one closes it as before")
    }
    guard let cause = change.cause else {
      row.reason = "which pods are closed by default, or may look up names, changes"
      return row
    }
    let outside = try universe.part(of: change.packets, .arrival, 0)
    let inside = try universe.part(of: change.packets, .departure, 0)
    row.cause = NamedCauses(old, new).line(
      of: cause, in: change.side, at: .cluster(name),
      sources: try universe.packets.addresses(of: .source, in: outside.isEmpty ? change.packets : outside),
      destinations: try universe.packets.addresses(of: .destination, in: inside.isEmpty ? change.packets : inside))
    return row
  }

  /// Adds the connections of `set` to the pods of the kind `target` to `row`.
  private func tell(_ set: PacketSet, to target: UInt128, in row: inout Difference.Row) throws(BudgetExceeded) {
    let reached = try universe.part(of: set, .departure, target)
    let place = try end(target, .destination, in: reached)
    // What differs in the source alone is one flow.
    var sources: [String: [String]] = [:]
    var order: [String] = []
    for source in universe.values(of: .arrival, in: reached) {
      let flow = try universe.part(of: reached, .arrival, source)
      let ports = try universe.ports(of: flow)
      if sources[ports] == nil { order.append(ports) }
      sources[ports, default: []].append(try end(source, .source, in: flow))
    }
    for ports in order {
      guard row.flows.count < ClusterDifference.mostFlows else {
        row.isCut = true
        return
      }
      let all = sources[ports] ?? []
      let more = all.count > 4 ? " and \(all.count - 4) more kinds of pods" : ""
      row.flows.append("\(ports) from \(all.prefix(4).joined(separator: "; "))\(more) to \(place)")
    }
  }

  /// Returns what becomes of `packet` on `side`, with the lines that decide.
  private func fate(_ packet: PacketValues, _ side: Change.Side) -> String {
    let (words, causes) = comparison.fate(of: packet, side)
    let sources = (side == .old ? old : new).pipeline.sources
    let lines = causes.map { "\($0.subject), \(sources.location(of: $0.span))" }
    if lines.isEmpty { return words == "open" ? words : "\(words) (nothing exposes or uses it)" }
    return "\(words) (\(lines.joined(separator: "; ")))"
  }

  /// Returns the rows of the ways to pods that change, one for each publication.
  private func ways() throws(BudgetExceeded) -> [Difference.Row] {
    var rows: [Difference.Row] = []
    var positions: [String: Int] = [:]
    let (told, next) = try comparison.ways()
    for way in told {
      let side = way.side == .old ? old : new
      let line = way.cause.map { side.pipeline.line(of: $0, isNew: way.side == .new) }
      let key = line.map { "\($0.location) \($0.isNew)" } ?? ""
      let text = try text(of: way)
      if let known = positions[key] {
        rows[known].isCut = rows[known].isCut || rows[known].flows.count == ClusterDifference.mostFlows
        if !rows[known].isCut { rows[known].flows.append(text) }
        continue
      }
      var row = Difference.Row(.translates, at: "cluster \(name)")
      row.cause = line
      row.reason = line == nil ? "how pods are reached changes" : nil
      row.flows = [text]
      row.witness = way.example
      (row.before, row.after) = (way.outcomes.before, way.outcomes.after)
      positions[key] = rows.count
      rows.append(row)
    }
    for i in rows.indices {
      rows[i].extent = rows[i].isCut ? "" : rows[i].flows.count == 1 ? "1 way" : "\(rows[i].flows.count) ways"
    }
    if let next {
      var row = Difference.Row(.translates, at: "cluster \(name)")
      row.reason = "more ways to pods change than are told"
      (row.witness, row.before, row.after) = (next.example, next.outcomes.before, next.outcomes.after)
      (row.flows, row.isCut) = ([try text(of: next)], true)
      rows.append(row)
    }
    return rows
  }

  /// Returns `way` with what becomes of connections that come by it, in words.
  private func text(of way: ClusterComparison.Way) throws(BudgetExceeded) -> String {
    let sources = words.text(try universe.packets.addresses(of: .source, in: way.packets))
    let times = times(of: way.packets).map { ", \($0)" } ?? ""
    let (before, after) = way.outcomes
    return "\(comparison.text(of: way, from: sources)): \(before), then \(after)\(times)"
  }

  /// Returns the moments of `set` in words, unless those are all that are compared.
  private func times(of set: PacketSet) -> String? {
    let times = set.values(of: .time)
    guard times != window, let start = window.intervals.first?.lowerBound else { return nil }
    return words.text(moments: times, from: start)
  }

  /// Returns the pods of a kind in words, or the addresses outside.
  private func end(_ kind: UInt128, _ field: PacketField, in set: PacketSet) throws(BudgetExceeded) -> String {
    if kind != 0 { return universe.kinds.text(of: kind) }
    let addresses = try universe.packets.addresses(of: field, in: set)
    // Pods have names of their own.
    let outside = AddressSet.all.subtracting(universe.pods)
    return addresses == outside ? "anywhere outside" : words.text(addresses)
  }

  /// Returns how many addresses outside, kinds of pods and ports `set` has.
  private func extent(of set: PacketSet) throws(BudgetExceeded) -> String {
    let outside = try universe.part(of: set, .arrival, 0)
    var parts = outside.isEmpty ? [] : try words.sources(of: outside, universe.packets)
    let kinds = universe.values(of: .arrival, in: set).filter { $0 != 0 }.count
    if kinds > 0 { parts.append(kinds == 1 ? "1 kind of pods" : "\(kinds) kinds of pods") }
    return (parts + [words.ports(of: set)]).joined(separator: ", ")
  }
}

extension ComparedPolicy {
  /// Returns what the policy makes of the cluster `name`, if it is there.
  fileprivate func cluster(_ name: String) -> ClusterSide? {
    guard let index = pipeline.policy.clusters.firstIndex(where: { $0.name.value == name }),
      let lowering = pipeline.lowering
    else { return nil }
    return day.map { ClusterSide(lowering, ID(index), on: $0) }
      ?? ClusterSide(lowering, ID(index), from: pipeline.today)
  }
}
