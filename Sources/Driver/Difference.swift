public import Firewalls
import Packets
import Policies
public import Syntax

/// One side of a comparison.
public struct ComparedPolicy: Sendable {
  /// The policy, which is sound.
  public var pipeline: Pipeline

  /// The moment at which it is looked at; nothing means from today on, whenever.
  public var day: CalendarDate?

  /// Creates a side.
  public init(_ pipeline: Pipeline, on day: CalendarDate? = nil) {
    self.pipeline = pipeline
    self.day = day
  }
}

extension Difference {
  /// Returns what changes from `old` to `new` on the host `only` or in the cluster `cluster`, or everywhere if neither is
  /// named.
  public static func between(
    _ old: ComparedPolicy, _ new: ComparedPolicy, host only: String? = nil, cluster: String? = nil
  ) -> Difference {
    var result = Difference()
    func isWanted(_ name: String) -> Bool { cluster == nil && (only == nil || name == only) }
    let before = old.pipeline.firewalls.map(\.name).filter(isWanted)
    let after = new.pipeline.firewalls.map(\.name).filter(isWanted)
    result.addedHosts = Set(after).subtracting(before).sorted()
    result.removedHosts = Set(before).subtracting(after).sorted()
    let names = Set(before).union(after).sorted()
    result.hosts = names.count
    var rows: [Row] = []
    for name in names {
      do throws(BudgetExceeded) { rows += try HostComparison(name, old, new).rows() } catch {
        result.failures.append("host \(name): \(UnreadableRuleset(error).message)")
      }
    }
    if only == nil { rows += result.compareClusters(old, new, only: cluster) }
    result.rows = merged(rows)
    return result
  }

  /// Returns what changes in clusters, and notes those that are on one side alone.
  private mutating func compareClusters(_ old: ComparedPolicy, _ new: ComparedPolicy, only: String?) -> [Row] {
    func isWanted(_ name: String) -> Bool { only == nil || name == only }
    let before = old.pipeline.policy.clusters.map(\.name.value).filter(isWanted)
    let after = new.pipeline.policy.clusters.map(\.name.value).filter(isWanted)
    addedClusters = Set(after).subtracting(before).sorted()
    removedClusters = Set(before).subtracting(after).sorted()
    clusters = Set(before).union(after).count
    var rows: [Row] = []
    for name in before where after.contains(name) {
      do throws(BudgetExceeded) { rows += try ClusterDifference(name, old, new)?.rows() ?? [] } catch {
        failures.append("cluster \(name): \(UnreadableRuleset(error).message)")
      }
    }
    return rows
  }

  /// Returns `rows` with those put together that differ in the host alone, those that open first.
  static func merged(_ rows: [Row]) -> [Row] {
    var order: [[String]] = []
    var byKey: [[String]: Row] = [:]
    for row in rows {
      let key =
        [row.kind.rawValue, row.cause.map { "\($0.location) \($0.isNew)" } ?? "", row.reason ?? ""] + row.flows
        + row.conditions + [row.extent, row.isCut ? "cut" : ""]
      if byKey[key] == nil { order.append(key) }
      var known = byKey[key] ?? row
      if byKey[key] != nil { known.places += row.places }
      byKey[key] = known
    }
    let merged = order.compactMap { byKey[$0] }
    return Change.Kind.allCases.flatMap { kind in merged.filter { $0.kind == kind } }
  }
}

/// The comparison of one host.
private struct HostComparison {
  let name: String
  let old: ComparedPolicy
  let new: ComparedPolicy
  let universe = Universe()
  let oldFirewall: Firewall?
  let newFirewall: Firewall?

  init(_ name: String, _ old: ComparedPolicy, _ new: ComparedPolicy) {
    self.name = name
    self.old = old
    self.new = new
    func firewall(_ side: ComparedPolicy) -> Firewall? {
      let firewall = side.pipeline.firewalls.first { $0.name == name }
      return side.day.map { firewall?.asOf($0) } ?? firewall
    }
    oldFirewall = firewall(old)
    newFirewall = firewall(new)
  }

  /// The moments that are compared, in seconds since 1970.
  private var window: IntervalSet<UInt128> { Universe.moments(from: new.pipeline.today) }

  func rows() throws(BudgetExceeded) -> [Difference.Row] {
    // A host that is not there takes and sends nothing but what IP needs.
    let template = oldFirewall ?? newFirewall
    guard let template else { return [] }
    let before = try meaning(of: oldFirewall ?? template.closed)
    let after = try meaning(of: newFirewall ?? template.closed)
    let comparison = Comparison(before, oldFirewall ?? template.closed, after, newFirewall ?? template.closed)
    return try comparison.changes().map { change throws(BudgetExceeded) in try row(change, comparison) }
  }

  /// Returns what `firewall` means at any moment from today on.
  private func meaning(of firewall: Firewall) throws(BudgetExceeded) -> Meaning {
    let moments = try universe.space.set(.time, in: universe.space.values(window, of: .time))
    return try firewall.meaning(in: universe).restricted(to: moments)
  }

  private func row(_ change: Change, _ comparison: Comparison) throws(BudgetExceeded) -> Difference.Row {
    let words = FlowWords(old: old.pipeline.policy, new: new.pipeline.policy)
    let addresses = (newFirewall ?? oldFirewall)?.addresses ?? AddressSet()
    var (row, packet) = try words.row(
      of: change, in: comparison, at: "host \(name)", to: addresses, atMost: 12, in: window, universe)
    row.before = try fate(packet, comparison.old, oldFirewall, old)
    row.after = try fate(packet, comparison.new, newFirewall, new)
    guard let cause = change.cause else {
      row.reason = reason(change)
      let isSent = !change.packets.values(of: .direction).contains(0)
      // A host that is not there sends nothing; of what IP needs nobody asks.
      if isSent, oldFirewall == nil || newFirewall == nil {
        (row.flows, row.isCut) = (["everything that the host sends"], false)
      }
      return row
    }
    row.cause = NamedCauses(old, new).line(
      of: cause, in: change.side, at: .host(name),
      sources: try universe.addresses(of: .source, in: change.packets),
      destinations: try universe.addresses(of: .destination, in: change.packets))
    return row
  }

  /// Returns what becomes of `packet`, with the line that decides.
  private func fate(
    _ packet: PacketValues, _ meaning: Meaning, _ firewall: Firewall?, _ side: ComparedPolicy
  ) throws(BudgetExceeded) -> String {
    guard let firewall else { return "the host is not in the policy" }
    return try side.pipeline.fate(of: packet, meaning, firewall)
  }

  private func reason(_ change: Change) -> String {
    if oldFirewall == nil || newFirewall == nil {
      let words = oldFirewall == nil ? "the host is new" : "the host is gone"
      return change.packets.values(of: .direction).contains(0)
        ? "\(words), and answers echo requests (`ping`)" : "\(words), and its egress is open"
    }
    return switch change.kind {
    case .answers: "the way in which refusals are told changes (`deny with`)"
    case .opens, .closes:
      change.packets.values(of: .direction).contains(0)
        ? "a setting changes, such as `ping`" : "what the host itself may send changes (`egress`)"
    case .limits: "a rate changes"
    case .depends: "what it depends on changes"
    case .later: "packets of known connections are treated differently"
    case .translates: "what a router hides behind its own address changes"
    }
  }
}

extension Firewall {
  /// The same host without anything that it takes, passes on or sends but what IP needs.
  fileprivate var closed: Firewall {
    var result = self
    result.pingOpen = false
    result.blocks = []
    result.openings = []
    result.passages = []
    result.departures = []
    return result
  }

  /// The same host as it is on `day`: what is past is gone, and what holds then holds for good.
  fileprivate func asOf(_ day: CalendarDate) -> Firewall {
    func holds(_ until: CalendarDate?) -> Bool { until.map { day <= $0 } ?? true }
    var result = self
    result.blocks.removeAll { !holds($0.until) }
    result.openings.removeAll { !holds($0.until) }
    result.passages.removeAll { !holds($0.until) }
    result.departures?.removeAll { !holds($0.until) }
    for i in result.blocks.indices { result.blocks[i].until = nil }
    for i in result.openings.indices { result.openings[i].until = nil }
    for i in result.passages.indices { result.passages[i].until = nil }
    for i in result.departures?.indices ?? 0..<0 { result.departures?[i].until = nil }
    return result
  }
}

extension Pipeline {
  /// Returns the first line of the text at `span`.
  func line(of span: Span) -> String {
    let file = sources.file(of: span)
    let range = file.range(ofLine: file.line(at: Int(span.lower)))
    var bytes = file.text(range.lowerBound..<min(range.upperBound, range.lowerBound + 200)).utf8[...]
    while let first = bytes.first, first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") { bytes.removeFirst() }
    return String(Substring(bytes))
  }

  /// Returns the line of `cause`, as the cause of a change.
  func line(of cause: Cause, isNew: Bool) -> Difference.Line {
    Difference.Line(
      subject: cause.subject, location: sources.location(of: cause.span), line: line(of: cause.span), isNew: isNew,
      owner: owner(of: cause))
  }

  /// Returns what becomes of `packet` by `firewall`, which means `meaning`, with the line that decides.
  func fate(
    of packet: PacketValues, _ meaning: Meaning, _ firewall: Firewall
  ) throws(BudgetExceeded) -> String {
    let (fate, decided) = meaning.conditionalFate(of: packet)
    guard let cause = try firewall.cause(of: decided, in: meaning.universe) else {
      return fate.hasPrefix("accept") ? fate : "\(fate) (nothing exposes it)"
    }
    return "\(fate) (\(cause.subject), \(sources.location(of: cause.span)))"
  }

  /// Returns the owner of the service that `cause` is about.
  func owner(of cause: Cause) -> String? {
    cause.service.flatMap { policy[$0].owner }.map { policy[$0].name.value }
  }
}
