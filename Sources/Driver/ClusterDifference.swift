import Firewalls
import Packets
import Policies
import Syntax

/// One side of the comparison of a cluster.
enum ClusterSource {
  /// A policy that has the cluster.
  case policy(ComparedPolicy)

  /// Manifests.
  case manifests(ForeignRules)

  /// A policy without the cluster, which is there in the other one, that of the case.
  case absent(ComparedPolicy)

  /// The policy, if the side is one that has the cluster.
  var policy: ComparedPolicy? { if case .policy(let policy) = self { policy } else { nil } }

  /// `true` iff the side knows no time.
  var isTimeless: Bool { if case .manifests = self { true } else { false } }
}

/// The comparison of one cluster, whose sides are policies or manifests.
struct ClusterDifference {
  private let name: String
  private let old: ClusterSource
  private let new: ClusterSource
  private let comparison: ClusterComparison
  private let words: FlowWords

  /// The moments that are compared, in seconds since 1970.
  private let window: IntervalSet<UInt128>

  /// How many flows of a row are told.
  private static let mostFlows = 12

  /// What changes.
  struct Rows {
    /// What changes on the day from which on is compared, be it for a time.
    var now: [Difference.Row] = []

    /// What changes later alone, where one side knows no time.
    var later: [Difference.Row] = []
  }

  /// Creates what is told of `comparison`, which is that of `old` and `new` for the cluster `name` at `window`.
  init(
    _ name: String, _ old: ClusterSource, _ new: ClusterSource, _ comparison: ClusterComparison,
    at window: IntervalSet<UInt128>
  ) {
    words = FlowWords(
      old: old.policy?.pipeline.policy ?? Policy(), new: new.policy?.pipeline.policy ?? Policy())
    (self.name, self.old, self.new, self.comparison, self.window) = (name, old, new, comparison, window)
  }

  private var universe: ClusterUniverse { comparison.universe }

  private func source(_ side: Change.Side) -> ClusterSource { side == .old ? old : new }

  /// Returns what changes, a row for each line or object that makes a change.
  ///
  /// `other` is what is told if the network plugin does what it does not in this comparison; what changes with both is one
  /// row.
  func rows(beside other: ClusterDifference?) throws(BudgetExceeded) -> Rows {
    let own = try parted(comparison.changes())
    var rows = Rows()
    if let other {
      let others = try other.parted(other.comparison.changes())
      rows.now = try self.rows(of: own.now, beside: others.now, in: other)
      rows.later = try self.rows(of: own.later, beside: others.later, in: other)
    } else {
      for change in own.now { rows.now += try [row(change)].compactMap(\.self) }
      for change in own.later { rows.later += try [row(change)].compactMap(\.self) }
    }
    return try ways(rows)
  }

  /// Returns the rows of `changes`, and of those of `others` in `other`.
  private func rows(
    of changes: [ClusterChange], beside others: [ClusterChange], in other: ClusterDifference
  ) throws(BudgetExceeded) -> [Difference.Row] {
    var rows: [Difference.Row?] = []
    var rest = others
    for var change in changes {
      var own = change
      let same = rest.firstIndex { other in
        other.kind == change.kind && other.end == change.end && other.cause == change.cause && other.side == change.side
      }
      if let same {
        change.packets = try change.packets.intersection(rest[same].packets)
        own.packets = try own.packets.subtracting(change.packets)
        rest[same].packets = try rest[same].packets.subtracting(change.packets)
        rows.append(try row(change))
      }
      rows.append(try row(own, where: comparison.blocksHavePods))
    }
    for change in rest { rows.append(try other.row(change, where: other.comparison.blocksHavePods)) }
    return rows.compactMap(\.self)
  }

  /// Returns what of `changes` is there on the first day that is compared, at whatever moment, and the rest.
  private func parted(
    _ changes: [ClusterChange]
  ) throws(BudgetExceeded) -> (now: [ClusterChange], later: [ClusterChange]) {
    // What changes at one end alone may change at the other one later, which is another thing.
    let keys = changes.map { $0.kind == .oneEnd ? "\($0.kind) \($0.end)" : "\($0.kind)" }
    let parts = try parted(changes.map(\.packets), by: keys)
    var (now, later) = (changes, changes)
    for (i, part) in parts.enumerated() { (now[i].packets, later[i].packets) = (part.now, part.later) }
    return (now.filter { !$0.packets.isEmpty }, later.filter { !$0.packets.isEmpty })
  }

  /// Returns what of each of `sets` is there on the first day that is compared, at whatever moment, and the rest.
  ///
  /// A connection that is in a set of the same key on that day is there on it, whichever of them it is in later. Only where
  /// one side knows no time is there a rest: of policies, every moment counts alike.
  private func parted(
    _ sets: [PacketSet], by keys: [String]
  ) throws(BudgetExceeded) -> [(now: PacketSet, later: PacketSet)] {
    guard old.isTimeless != new.isTimeless, let start = window.intervals.first?.lowerBound else {
      return sets.map { ($0, universe.space.nothing) }
    }
    var first: [String: PacketSet] = [:]
    for (set, key) in zip(sets, keys) {
      let today = try set.fixing(.time, to: start)
      first[key] = try first[key]?.union(today) ?? today
    }
    var result: [(now: PacketSet, later: PacketSet)] = []
    for (set, key) in zip(sets, keys) {
      let now = try set.intersection(first[key] ?? universe.space.nothing)
      result.append((now, try set.subtracting(now)))
    }
    return result
  }

  /// Returns the row of `change`, if any packets are in it; it is one where blocks of addresses have pods in them, or have
  /// not, or in any case.
  private func row(
    _ change: ClusterChange, where blocksHavePods: Bool? = nil
  ) throws(BudgetExceeded) -> Difference.Row? {
    let packets = change.packets
    guard let packet = try universe.example(of: packets) else { return nil }
    var row = Difference.Row(change.kind, at: "cluster \(name)")
    row.witness = universe.text(of: packet)
    (row.before, row.after) = (try fate(packet, .old), try fate(packet, .new))
    for target in universe.values(of: .departure, in: packets) { try tell(packets, to: target, in: &row) }
    if let times = times(of: packets) { row.conditions.append(times) }
    row.conditions += try comparison.conditions(of: packets).map { "depends on \(ForeignRules.words(of: $0))" }
    if let blocksHavePods {
      row.conditions.append(
        blocksHavePods
          ? "where the network plugin finds pods in blocks of addresses (such as Calico)"
            + (try places(ofPods: packets))
          : "where the network plugin finds no pods in blocks of addresses (such as Cilium)")
    }
    row.extent = try extent(of: packets)
    guard let cause = change.cause else {
      row.reason = reason(for: change.side)
      return row
    }
    row.cause = try line(of: cause, change.side, packets)
    return row
  }

  /// Returns why `side` lets through what nothing on it is about.
  ///
  /// Nothing closes by itself, so that a side lets through what it does not speak of.
  private func reason(for side: Change.Side) -> String {
    if source(side).isTimeless { return "nothing in the manifests limits these pods" }
    // A policy speaks of the pods of those namespaces that have a workload of it.
    guard case .policy = source(side == .old ? .new : .old) else {
      return "no workload of the policy is in the namespace of these pods"
    }
    return side == .old
      ? "a workload of the policy is in the namespace of these pods now"
      : "no workload of the policy is in the namespace of these pods any longer"
  }

  /// Returns the line or the object that makes a change to `packets`.
  private func line(
    of cause: ClusterCause, _ side: Change.Side, _ packets: PacketSet
  ) throws(BudgetExceeded) -> Difference.Line? {
    guard case .line(let cause) = cause, let before = old.policy, let after = new.policy else {
      return try line(of: cause, side, letting: packets)
    }
    let outside = try universe.part(of: packets, .arrival, 0)
    let inside = try universe.part(of: packets, .departure, 0)
    return NamedCauses(before, after).line(
      of: cause, in: side, at: .cluster(name),
      sources: try universe.packets.addresses(of: .source, in: outside.isEmpty ? packets : outside),
      destinations: try universe.packets.addresses(of: .destination, in: inside.isEmpty ? packets : inside))
  }

  /// Returns the line of `cause` itself; of an object, the fields that let connections of `packets` through.
  private func line(
    of cause: ClusterCause, _ side: Change.Side, letting packets: PacketSet
  ) throws(BudgetExceeded) -> Difference.Line? {
    switch (cause, source(side)) {
    case (.line(let cause), .policy(let policy)): return policy.pipeline.line(of: cause, isNew: side == .new)
    case (.object(let origin), .manifests(let files)):
      let fields = try comparison.fields(of: origin, letting: packets, on: side)
      let quotation = files.quotation(of: origin)
      let more = fields.count > 4 ? ", and more" : ""
      return Difference.Line(
        subject: "\(origin.kind) \(origin.namespace)/\(origin.name)",
        location: Location(path: quotation.path, line: origin.line, column: 1),
        line: fields.isEmpty ? quotation.text : fields.prefix(4).joined(separator: ", ") + more, isNew: side == .new,
        owner: origin.owner)
    default: return nil
    }
  }

  /// Adds the connections of `set` to the pods of the kind `target` to `row`.
  private func tell(_ set: PacketSet, to target: UInt128, in row: inout Difference.Row) throws(BudgetExceeded) {
    if row.isCut { return }
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
      let more = all.count > 4 ? " and \(all.count - 4) more kind\(all.count > 5 ? "s" : "") of pods" : ""
      row.flows.append("\(ports) from \(all.prefix(4).joined(separator: "; "))\(more) to \(place)")
    }
  }

  /// Returns what becomes of `packet` on `side`, with the lines or the places that decide.
  private func fate(_ packet: PacketValues, _ side: Change.Side) throws(BudgetExceeded) -> String {
    if case .absent = source(side) { return "the cluster is not in the policy" }
    let (words, deciders) = try comparison.fate(of: packet, side)
    let places = deciders.prefix(3).map { decider in
      switch (decider.cause, source(side)) {
      case (.line(let cause), .policy(let policy)):
        return "\(decider.role)\(cause.subject), \(policy.pipeline.sources.location(of: cause.span))"
      case (.object(let origin), .manifests(let files)):
        let quotation = files.quotation(of: origin)
        return "\(quotation.path):\(origin.line): \(quotation.text)"
      default: return ""
      }
    }
    if !places.isEmpty { return "\(words) (\(places.joined(separator: "; ")))" }
    if words == "open" { return words }
    return source(side).isTimeless ? words : "\(words) (nothing exposes or uses it)"
  }

  /// Returns `rows` with those of the ways to pods that change, one for each publication.
  private func ways(_ rows: Rows) throws(BudgetExceeded) -> Rows {
    var rows = rows
    let (told, next) = try comparison.ways()
    var (now, later) = (WayRows(name), WayRows(name))
    let parts = try parted(told.map(\.packets), by: told.map { "\($0.kind)" })
    for (way, parts) in zip(told, parts) {
      let cause = try way.cause.flatMap { cause throws(BudgetExceeded) in
        try line(of: cause, way.side, letting: universe.space.nothing)
      }
      if !parts.now.isEmpty { now.add(way, try text(of: way, parts.now), cause, atMost: ClusterDifference.mostFlows) }
      if !parts.later.isEmpty {
        later.add(way, try text(of: way, parts.later), cause, atMost: ClusterDifference.mostFlows)
      }
    }
    rows.now += now.finished
    rows.later += later.finished
    if let next {
      var row = Difference.Row(next.kind, at: "cluster \(name)")
      row.reason = "more ways to pods change than are told"
      (row.witness, row.before, row.after) = (next.example, next.outcomes.before, next.outcomes.after)
      (row.flows, row.isCut) = ([try text(of: next, next.packets)], true)
      rows.now.append(row)
    }
    return rows
  }

  /// Returns `way` with what becomes of connections of `packets`, which come by it, in words.
  private func text(of way: ClusterComparison.Way, _ packets: PacketSet) throws(BudgetExceeded) -> String {
    let sources = words.text(try universe.packets.addresses(of: .source, in: packets))
    let times = times(of: packets).map { ", \($0)" } ?? ""
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
    return addresses == universe.outside ? "anywhere outside" : words.text(addresses)
  }

  /// Returns where the pods are that `packets` come from and go to, in words, unless it does not matter.
  private func places(ofPods packets: PacketSet) throws(BudgetExceeded) -> String {
    var places: [String] = []
    for (kind, field, word) in [(PacketField.arrival, PacketField.source, "from"), (.departure, .destination, "to")] {
      let pods = try packets.subtracting(universe.part(of: packets, kind, 0))
      let addresses = try universe.packets.addresses(of: field, in: pods)
      // All of one family are no place.
      guard !(addresses.ipv4.isAll || addresses.ipv4.isEmpty) || !(addresses.ipv6.isAll || addresses.ipv6.isEmpty)
      else {
        continue
      }
      places.append("\(word) pods in \(words.text(addresses))")
    }
    return places.isEmpty ? "" : ", " + places.joined(separator: ", ")
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

/// Rows of ways to pods, one for each publication.
private struct WayRows {
  private let name: String
  private var rows: [Difference.Row] = []
  private var positions: [String: Int] = [:]

  init(_ name: String) { self.name = name }

  /// Adds `way`, which is `text` in words and published by `cause`; a row has `most` ways or fewer.
  mutating func add(_ way: ClusterComparison.Way, _ text: String, _ cause: Difference.Line?, atMost most: Int) {
    let key = "\(way.kind) " + (cause.map { "\($0.location) \($0.isNew) \($0.subject)" } ?? "")
    if let known = positions[key] {
      rows[known].isCut = rows[known].isCut || rows[known].flows.count == most
      if !rows[known].isCut { rows[known].flows.append(text) }
      return
    }
    var row = Difference.Row(way.kind, at: "cluster \(name)")
    row.cause = cause
    row.reason = cause == nil ? "how pods are reached changes" : nil
    row.flows = [text]
    row.witness = way.example
    (row.before, row.after) = (way.outcomes.before, way.outcomes.after)
    positions[key] = rows.count
    rows.append(row)
  }

  /// The rows, with how many ways each has.
  var finished: [Difference.Row] {
    rows.map { row in
      var row = row
      row.extent = row.isCut ? "" : row.flows.count == 1 ? "1 way" : "\(row.flows.count) ways"
      return row
    }
  }
}
