public import Firewalls
public import Nftables
public import Policies
public import Syntax

/// What the live table of a host counted, line by line of its policy.
public struct Status: Sendable {
  /// What a line of the policy is.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// An exposure of a service.
    case exposure

    /// What is refused, whatever is exposed.
    case block

    /// What a router lets through.
    case transit

    /// What a service of the host connects to, where the host closes its egress.
    case use
  }

  /// How sure the numbers of a line are.
  public enum Precision: String, Hashable, Sendable {
    /// They are the line's alone.
    case exact

    /// Other lines are counted together with it.
    case shared

    /// Nothing came to it, but lines that were used accept some of the same, and may have been asked first.
    case preceded

    /// The line stands behind others that accept the same, and counts nothing by itself.
    case hidden

    /// The table is not loaded, or lacks the line.
    case absent
  }

  /// A line of the policy with what was counted for it.
  public struct Line: Hashable, Sendable {
    /// What it is.
    public var kind: Kind

    /// The service, or `block` and the like.
    public var subject: String

    /// Who answers for the service.
    public var owner: String?

    /// Where it stands.
    public var location: Location

    /// Its text.
    public var text: String

    /// The ports or messages, public ones of an exposure; empty means all.
    public var traffic: [String]

    /// The first packets of connections that it decided about, or nothing if that is not counted.
    public var decided: Count?

    /// The first packets that it was asked about, before its rate and its end; nothing if that is not counted.
    public var asked: Count?

    /// How sure the numbers are.
    public var precision: Precision

    /// The last day on which it holds.
    public var until: CalendarDate?

    /// How many days are left, today included; zero or less once it ended.
    public var daysLeft: Int?

    /// `true` iff it is known that nothing came that it decides about, nothing if it is not known.
    public var isUnused: Bool? {
      if [.absent, .hidden, .preceded].contains(precision) { return nil }
      guard let decided else { return asked.map { $0.packets == 0 } }
      if decided.packets == 0 { return true }
      return precision == .exact ? false : nil
    }
  }

  /// The host.
  public var host: String

  /// What the policy means for the host, unless it is too complex.
  public var fingerprint: Fingerprint?

  /// `true` iff the kernel has our table.
  public var isLoaded: Bool

  /// `true` iff the table is the one that the policy makes, comments apart.
  public var isCurrent: Bool

  /// How many milliseconds are left to confirm a change, if one waits.
  public var pending: UInt64?

  /// `true` iff a change was not confirmed in time, and its rules are still there without judging.
  public var hasLapsed: Bool

  /// The lines of the policy, in the order of the policy's files.
  public var lines: [Line]

  /// What was refused, block by block and otherwise; nothing if the table does not count it.
  public var refused: Count?

  /// What connection tracking found to be no part of a connection.
  public var invalid: Count?

  /// What was counted for lines that the policy no longer has, by their comments.
  public var strangers: [(comment: String, count: Count)]

  /// What was refused by source zone and port, as far as a log was given.
  public var refusals: RefusedTraffic?

  /// Exposures and the like that end within `days` days after today.
  public func lapsing(within days: Int) -> [Line] {
    lines.filter { line in line.daysLeft.map { $0 >= 1 && $0 <= days + 1 } ?? false }
  }

  /// The exposures of which it is known that nobody used them since the table was loaded.
  public var unused: [Line] { lines.filter { $0.kind == .exposure && $0.isUnused == true && ($0.daysLeft ?? 1) > 0 } }

  /// Reads off `live`, which the policy that makes `wanted` was loaded into.
  ///
  /// - Parameters:
  ///   - firewall: what the policy makes of the host.
  ///   - policy: the policy.
  ///   - sources: its files.
  ///   - wanted: the ruleset that it makes.
  ///   - live: the table of the kernel, if there is one.
  ///   - fingerprint: what the policy means for the host.
  ///   - today: the day, in UTC.
  public init(
    _ firewall: Firewall, of policy: Policy, sources: Sources, wanted: Table, live: LiveTable?,
    fingerprint: Fingerprint?, on today: CalendarDate
  ) {
    host = firewall.name
    self.fingerprint = fingerprint
    isLoaded = live != nil
    isCurrent = live.map { $0.unknowns.isEmpty && $0.ruleset.isLike(wanted) } ?? false
    pending = live?.pending
    hasLapsed = live?.hasLapsed ?? false
    let tallies = live?.tallies(at: .prerouting, commentedAs: wanted)
    let sent = live?.tallies(at: .output, commentedAs: wanted)
    var arriving = tallies.map { TalliedLines($0) }
    var departing = sent.map { TalliedLines($0) }
    var lines: [Line] = []
    let policyLines = PolicyLine.all(of: firewall, policy, sources)
    for line in policyLines {
      let isUse = line.kind == .use
      let known = isUse ? departing?.take(line.comment) : arriving?.take(line.comment)
      lines.append(
        Line(
          kind: line.kind, subject: line.subject, owner: line.owner, location: line.location, text: line.text,
          traffic: line.traffic, decided: known?.decided, asked: known?.asked,
          precision: known?.precision ?? (isLoaded ? .hidden : .absent), until: line.until,
          daysLeft: line.until.map { $0.daysSinceEpoch - today.daysSinceEpoch + 1 }))
    }
    if isLoaded, !isCurrent {
      // Of a table that is not the policy's it is not known whether a line is there at all.
      for i in lines.indices where lines[i].precision == .hidden { lines[i].precision = .absent }
    }
    Status.findPreceded(&lines, spans: policyLines.map(\.span), firewall)
    self.lines = lines
    refused = tallies?.chains["refuse"] ?? sent?.chains["refuse"]
    invalid = tallies?.chains["invalid"]
    strangers = (arriving?.rest ?? []) + (departing?.rest ?? [])
  }
}
