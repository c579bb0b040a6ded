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

  /// How many flows of a row are told.
  private static let mostFlows = 12

  /// Compares the cluster `name`, which is in `old` and in `new`; nothing if it is not.
  init?(_ name: String, _ old: ComparedPolicy, _ new: ComparedPolicy) throws(BudgetExceeded) {
    guard let before = old.cluster(name), let after = new.cluster(name) else { return nil }
    comparison = try ClusterComparison(before, after)
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
    row.extent = try extent(of: change.packets)
    if change.kind == .later {
      row.conditions.append("one end alone changes, and the other one closes it as before")
    }
    guard let cause = change.cause else {
      row.reason = "which pods are closed by default, or may look up names, changes"
      return row
    }
    let outside = try part(of: change.packets, .arrival, 0)
    let inside = try part(of: change.packets, .departure, 0)
    row.cause = NamedCauses(old, new).line(
      of: cause, in: change.side, at: .cluster(name),
      sources: try universe.packets.addresses(of: .source, in: outside.isEmpty ? change.packets : outside),
      destinations: try universe.packets.addresses(of: .destination, in: inside.isEmpty ? change.packets : inside))
    return row
  }

  /// Adds the connections of `set` to the pods of the kind `target` to `row`.
  private func tell(_ set: PacketSet, to target: UInt128, in row: inout Difference.Row) throws(BudgetExceeded) {
    let reached = try part(of: set, .departure, target)
    let place = try end(target, .destination, in: reached)
    // What differs in the source alone is one flow.
    var sources: [String: [String]] = [:]
    var order: [String] = []
    for source in universe.values(of: .arrival, in: reached) {
      let flow = try part(of: reached, .arrival, source)
      let ports = try ports(of: flow)
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
    for way in try comparison.ways() {
      let side = way.side == .old ? old : new
      let line = way.cause.map { side.pipeline.line(of: $0, isNew: way.side == .new) }
      let key = line.map { "\($0.location) \($0.isNew)" } ?? ""
      let text = "\(way.words): \(way.outcomes.before), then \(way.outcomes.after)"
      if let known = positions[key] {
        rows[known].isCut = rows[known].isCut || rows[known].flows.count == ClusterDifference.mostFlows
        if !rows[known].isCut { rows[known].flows.append(text) }
        continue
      }
      var row = Difference.Row(.translates, at: "cluster \(name)")
      row.cause = line
      row.reason = line == nil ? "how pods are reached changes" : nil
      row.flows = [text]
      row.witness = way.words
      (row.before, row.after) = (way.outcomes.before, way.outcomes.after)
      positions[key] = rows.count
      rows.append(row)
    }
    for i in rows.indices {
      rows[i].extent = rows[i].isCut ? "" : rows[i].flows.count == 1 ? "1 way" : "\(rows[i].flows.count) ways"
    }
    return rows
  }

  private func part(of set: PacketSet, _ field: PacketField, _ value: UInt128) throws(BudgetExceeded) -> PacketSet {
    try set.intersection(universe.space.set(field, in: universe.space.value(value, of: field)))
  }

  /// Returns the pods of a kind in words, or the addresses outside.
  private func end(_ kind: UInt128, _ field: PacketField, in set: PacketSet) throws(BudgetExceeded) -> String {
    if kind != 0 { return universe.kinds.text(of: kind) }
    let addresses = try universe.packets.addresses(of: field, in: set)
    // Pods have names of their own.
    let outside = AddressSet.all.subtracting(universe.pods)
    return addresses == outside ? "anywhere outside" : words.text(addresses)
  }

  /// Returns the ports of `set`.
  private func ports(of set: PacketSet) throws(BudgetExceeded) -> String {
    var words: [String] = []
    for number in set.values(of: .transport).intervals.flatMap({ Array($0) }) {
      let transport = TransportProtocol(rawValue: UInt8(truncatingIfNeeded: number))
      let ranges = try part(of: set, .transport, number).values(of: .destinationPort)
        .intersection(IntervalSet(0...65_535)).intervals
      words += ranges.prefix(6).map { range in
        "\(PortRange(from: UInt16(range.lowerBound), through: UInt16(range.upperBound)))/\(transport)"
      }
      if ranges.count > 6 { words.append("more \(transport) ports") }
    }
    return words.joined(separator: ", ")
  }

  /// Returns how many addresses outside, kinds of pods and ports `set` has.
  private func extent(of set: PacketSet) throws(BudgetExceeded) -> String {
    let outside = try part(of: set, .arrival, 0)
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
    return ClusterSide(lowering, ID(index), on: day ?? pipeline.today)
  }
}
