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
    var comparisons = HostDifferences(old, new)
    for name in names {
      do throws(BudgetExceeded) { rows += try comparisons.rows(of: name) } catch {
        result.failures.append("host \(name): \(UnreadableRuleset(error).message)")
      }
    }
    result.rows = merged(rows)
    if only == nil { result.compareClusters(old, new, only: cluster) }
    return result
  }

  /// Returns what changes in clusters, and notes those that are on one side alone.
  private mutating func compareClusters(_ old: ComparedPolicy, _ new: ComparedPolicy, only: String?) {
    func isWanted(_ name: String) -> Bool { only == nil || name == only }
    let before = old.pipeline.policy.clusters.map(\.name.value).filter(isWanted)
    let after = new.pipeline.policy.clusters.map(\.name.value).filter(isWanted)
    addedClusters = Set(after).subtracting(before).sorted()
    removedClusters = Set(before).subtracting(after).sorted()
    clusters = Set(before).union(after).count
    for name in Set(before).union(after).sorted() {
      compare(
        name, before.contains(name) ? .policy(old) : .absent(new), after.contains(name) ? .policy(new) : .absent(old),
        from: new.pipeline.today)
    }
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
    return Row.byKind(order.compactMap { byKey[$0] })
  }
}

extension Difference.Row {
  /// Returns `rows`, those that open first.
  static func byKind(_ rows: [Difference.Row]) -> [Difference.Row] {
    Change.Kind.allCases.flatMap { kind in rows.filter { $0.kind == kind } }
  }
}

extension Pipeline {
  /// Returns the line at `span`, with those behind it on which the same statement goes on; of a declaration with braces, and
  /// of a statement with comments, the first line alone.
  func line(of span: Span) -> String {
    let file = sources.file(of: span)
    let first = file.line(at: Int(span.lower))
    let isOne = !sources.text(of: span).utf8.contains { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "#") }
    let last = isOne ? max(first, file.line(at: max(Int(span.upper) - 1, Int(span.lower)))) : first
    let parts = (first...last).map { number -> String in
      let range = file.range(ofLine: number)
      let end = number > first ? min(range.upperBound, Int(span.upper)) : range.upperBound
      return String(file.text(range.lowerBound..<end).drop { $0 == " " || $0 == "\t" })
    }
    let text = parts.joined(separator: " ")
    return text.unicodeScalars.count > 200
      ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(197))) + "..." : text
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
