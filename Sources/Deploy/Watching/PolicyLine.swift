import Firewalls
import Nftables
import Packets
import Policies
import Syntax

/// A line of a policy that decides on a host.
struct PolicyLine {
  var kind: Status.Kind
  var subject: String
  var owner: String?
  var location: Location
  var span: Span
  var text: String
  var traffic: [String]
  var until: CalendarDate?

  /// What stands in the table where it decides.
  var comment: String

  /// Returns the lines that decide on the host of `firewall`, by file and line.
  static func all(of firewall: Firewall, _ policy: Policy, _ sources: Sources) -> [PolicyLine] {
    var traffic: [Span: [Traffic]] = [:]
    var order: [(kind: Status.Kind, cause: Cause, until: CalendarDate?)] = []
    func add(_ kind: Status.Kind, _ cause: Cause, _ some: [Traffic]?, _ until: CalendarDate?) {
      if traffic[cause.span] == nil {
        traffic[cause.span] = []
        order.append((kind, cause, until))
      }
      traffic[cause.span, default: []] += some ?? []
    }
    for opening in firewall.openings { add(.exposure, opening.cause, [opening.traffic], opening.until) }
    for block in firewall.blocks { add(.block, block.cause, block.traffic, block.until) }
    for passage in firewall.passages { add(.transit, passage.cause, passage.traffic, passage.until) }
    for departure in firewall.departures ?? [] { add(.use, departure.cause, departure.traffic, departure.until) }
    return order.sorted { $0.cause.span < $1.cause.span }.map { kind, cause, until in
      var known: Set<Traffic> = []
      let all = (traffic[cause.span] ?? []).filter { known.insert($0).inserted }.sorted()
      let first = sources.text(of: cause.span).split(separator: "\n", maxSplits: 1).first ?? ""
      return PolicyLine(
        kind: kind, subject: cause.subject,
        owner: cause.service.flatMap { policy[$0].owner }.map { policy[$0].name.value },
        location: sources.location(of: cause.span), span: cause.span, text: String(first.prefix(200)),
        traffic: all.map(\.description),
        until: until, comment: NftablesBackend.comment(for: cause, in: sources))
    }
  }
}

/// The numbers of a table by the comments that lead back to the policy.
struct TalliedLines {
  /// What is known of one comment.
  struct Numbers {
    var decided: Count?
    var asked: Count?
    var precision: Status.Precision
  }

  /// What was read of one comment.
  private struct Reading {
    var direct: Count?
    var asked: Count?
    var isAskedInFull = true
    var chains: Set<String> = []
    var isShared = false
  }

  private var readings: [String: Reading] = [:]

  /// How many comments lead to each chain that decides.
  private var leads: [String: Set<String>] = [:]

  private let tallies: Tallies

  /// The numbers of comments that were not asked for, in the order of the comments.
  var rest: [(comment: String, count: Count)] {
    readings.compactMap { comment, reading in
      guard let count = reading.direct ?? reading.asked else { return nil }
      return (comment: comment, count: count)
    }.sorted { $0.comment < $1.comment }
  }

  init(_ tallies: Tallies) {
    self.tallies = tallies
    for entry in tallies.entries {
      var comment = entry.comment
      var reading: Reading
      let isShared = comment.hasSuffix(NftablesBackend.othersToo)
      if isShared { comment.removeLast(NftablesBackend.othersToo.count) }
      reading = readings[comment] ?? Reading()
      reading.isShared = reading.isShared || isShared
      if let chain = entry.chain {
        let ends = TalliedLines.ends(of: chain, tallies)
        reading.chains.formUnion(ends)
        for end in ends { leads[end, default: []].insert(comment) }
        // An entry that leads to several chains names the first line alone.
        if ends.count > 1 { for end in ends { leads[end, default: []].insert("") } }
        if let count = entry.count {
          reading.asked = (reading.asked ?? Count()) + count
        } else {
          reading.isAskedInFull = false
        }
      } else if let count = entry.count {
        reading.direct = (reading.direct ?? Count()) + count
      }
      readings[comment] = reading
    }
  }

  /// Returns the chains that decide where `chain` leads: itself, or those that it asks in turn.
  private static func ends(of chain: String, _ tallies: Tallies) -> Set<String> {
    if tallies.chains[chain] != nil { return [chain] }
    return tallies.successors[chain].map { $0.filter { tallies.chains[$0] != nil } } ?? []
  }

  /// Returns the numbers of the line whose comment is `comment`, which are then told.
  mutating func take(_ comment: String) -> Numbers? {
    guard let reading = readings.removeValue(forKey: comment) else { return nil }
    // A chain that several lines share counts for all of them.
    let own = reading.chains.allSatisfy { leads[$0] == [comment] }
    var decided = reading.direct
    if own {
      for chain in reading.chains.sorted() {
        decided = (decided ?? Count()) + (tallies.chains[chain] ?? Count())
      }
    } else {
      // A shared chain that counted nothing counted nothing for each.
      let counts = reading.chains.map { tallies.chains[$0]?.packets ?? 0 }
      if counts.allSatisfy({ $0 == 0 }) { decided = decided ?? Count() } else { decided = nil }
    }
    return Numbers(
      decided: decided, asked: reading.chains.isEmpty || !reading.isAskedInFull ? nil : reading.asked,
      precision: reading.isShared || !own ? .shared : .exact)
  }
}
