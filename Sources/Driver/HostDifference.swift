import Firewalls
import Packets
import Policies
import Syntax

/// The comparisons of hosts, of which those that differ in their names and addresses alone are one.
struct HostDifferences {
  /// What two firewalls say, whatever they are called.
  private struct Shapes: Hashable {
    let old: Firewall?
    let new: Firewall?
  }

  private let old: ComparedPolicy
  private let new: ComparedPolicy
  private let before: [String: Firewall]
  private let after: [String: Firewall]
  private var known: [Shapes: [ToldChange]] = [:]

  /// Creates the comparisons of the hosts of `old` with those of `new`.
  init(_ old: ComparedPolicy, _ new: ComparedPolicy) {
    (self.old, self.new) = (old, new)
    func firewalls(_ side: ComparedPolicy) -> [String: Firewall] {
      Dictionary(side.pipeline.firewalls.map { ($0.name, $0) }) { first, _ in first }
    }
    (before, after) = (firewalls(old), firewalls(new))
  }

  /// Returns what changes on the host `name`.
  mutating func rows(of name: String) throws(BudgetExceeded) -> [Difference.Row] {
    func firewall(_ side: ComparedPolicy, _ firewall: Firewall?) -> Firewall? {
      side.day.map { firewall?.asOf($0) } ?? firewall
    }
    let (earlier, later) = (firewall(old, before[name]), firewall(new, after[name]))
    // What says the same, wherever it is written, means the same.
    if let earlier, let later, earlier.shape.withoutPlaces == later.shape.withoutPlaces { return [] }
    let shapes = Shapes(old: earlier?.shape, new: later?.shape)
    // What a line speaks of may be the host; then it is told with a packet to this one.
    guard let told = known[shapes], told.allSatisfy({ $0.line(old, new, onHost: name) == $0.row.cause }) else {
      let told = try HostComparison(name, old, new, earlier, later).told()
      known[shapes] = told
      return told.map(\.row)
    }
    return told.map { told in
      var row = told.row
      row.places = ["host \(name)"]
      return row
    }
  }
}

/// A change with what is told of it.
private struct ToldChange {
  /// What is told.
  var row = Difference.Row(.opens, at: "")

  /// The line that decides, if one does, and where it stands.
  let cause: Cause?
  let side: Change.Side

  /// The addresses of the packets.
  let sources, destinations: AddressSet

  /// Returns the line that makes the change on the host `name`, if one does.
  func line(_ old: ComparedPolicy, _ new: ComparedPolicy, onHost name: String) -> Difference.Line? {
    guard let cause else { return nil }
    return NamedCauses(old, new).line(
      of: cause, in: side, at: .host(name), sources: sources, destinations: destinations)
  }
}

/// The comparison of one host, which may stand for others.
private struct HostComparison {
  let name: String
  let old: ComparedPolicy
  let new: ComparedPolicy
  let universe = Universe()
  let oldFirewall: Firewall?
  let newFirewall: Firewall?

  init(
    _ name: String, _ old: ComparedPolicy, _ new: ComparedPolicy, _ oldFirewall: Firewall?, _ newFirewall: Firewall?
  ) {
    (self.name, self.old, self.new) = (name, old, new)
    (self.oldFirewall, self.newFirewall) = (oldFirewall, newFirewall)
  }

  /// The moments that are compared, in seconds since 1970.
  private var window: IntervalSet<UInt128> { Universe.moments(from: new.pipeline.today) }

  /// Returns what changes.
  func told() throws(BudgetExceeded) -> [ToldChange] {
    // A host that is not there takes and sends nothing but what IP needs.
    let template = oldFirewall ?? newFirewall
    guard let template else { return [] }
    let before = try meaning(of: oldFirewall ?? template.closed)
    let after = try meaning(of: newFirewall ?? template.closed)
    let comparison = Comparison(before, oldFirewall ?? template.closed, after, newFirewall ?? template.closed)
    return try comparison.changes().map { change throws(BudgetExceeded) in try told(change, comparison) }
  }

  /// Returns what `firewall` means at any moment from today on.
  private func meaning(of firewall: Firewall) throws(BudgetExceeded) -> Meaning {
    let moments = try universe.space.set(.time, in: universe.space.values(window, of: .time))
    return try firewall.meaning(in: universe).restricted(to: moments)
  }

  private func told(_ change: Change, _ comparison: Comparison) throws(BudgetExceeded) -> ToldChange {
    var result = ToldChange(
      cause: change.cause, side: change.side, sources: try universe.addresses(of: .source, in: change.packets),
      destinations: try universe.addresses(of: .destination, in: change.packets))
    let words = FlowWords(old: old.pipeline.policy, new: new.pipeline.policy)
    let addresses = (newFirewall ?? oldFirewall)?.addresses ?? AddressSet()
    var (row, packet) = try words.row(
      of: change, in: comparison, at: "host \(name)", to: addresses, atMost: 12, in: window, universe)
    row.before = try fate(packet, comparison.old, oldFirewall, old)
    row.after = try fate(packet, comparison.new, newFirewall, new)
    row.cause = result.line(old, new, onHost: name)
    if row.cause == nil {
      row.reason = reason(change)
      let isSent = !change.packets.values(of: .direction).contains(0)
      // A host that is not there sends nothing; of what IP needs nobody asks.
      if isSent, oldFirewall == nil || newFirewall == nil {
        (row.flows, row.isCut) = (["everything that the host sends"], false)
      }
    }
    result.row = row
    return result
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
    case .later, .oneEnd: "packets of known connections are treated differently"
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

extension Firewall {
  /// What the firewall says of packets, without what its host is called and what its addresses are.
  ///
  /// What is sent to any of its addresses is told by that alone, so that firewalls of one shape mean the same.
  fileprivate var shape: Firewall {
    var result = self
    (result.host, result.name, result.addresses) = (ID(0), "", AddressSet())
    (result.logDenied, result.logPlace) = (nil, nil)
    (result.listening, result.ephemeral) = ([], PortRange(0))
    for i in result.blocks.indices { result.blocks[i].logged = false }
    for i in result.openings.indices { result.openings[i].logged = false }
    for i in result.passages.indices { result.passages[i].logged = false }
    return result
  }

  /// What the firewall says, wherever that is written.
  fileprivate var withoutPlaces: Firewall {
    let nowhere = Cause("", at: Span(file: 0, lower: 0, upper: 0))
    var result = self
    for i in result.blocks.indices { result.blocks[i].cause = nowhere }
    for i in result.openings.indices { result.openings[i].cause = nowhere }
    for i in result.passages.indices { result.passages[i].cause = nowhere }
    for i in result.departures?.indices ?? 0..<0 { result.departures?[i].cause = nowhere }
    return result
  }
}
