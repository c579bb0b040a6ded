public import Firewalls
import Syntax

/// What changes between two policies, as it is written.
public struct DifferenceReport: Sendable {
  /// What changes.
  public var difference: Difference

  /// What was compared, in words.
  public var old: String

  /// With what it was compared.
  public var new: String

  /// Creates the report of `difference`, from `old` to `new`.
  public init(_ difference: Difference, from old: String, to new: String) {
    self.difference = difference
    self.old = old
    self.new = new
  }

  /// The headings of the kinds of changes.
  private static func heading(_ kind: Change.Kind, _ count: Int) -> String {
    let changes = count == 1 ? "1 change" : "\(count) changes"
    return switch kind {
    case .opens: "Opens (\(changes))"
    case .closes: "Closes (\(changes))"
    case .translates: "Sends elsewhere (\(changes))"
    case .limits: "Lets in at another rate (\(changes))"
    case .depends: "Depends on something else (\(changes))"
    case .later: "Treats later packets differently (\(changes))"
    case .oneEnd: "Changes at one end alone, and stays closed at the other (\(changes))"
    case .answers: "Answers refusals differently (\(changes))"
    }
  }

  /// Returns the text for a person, in colours iff `color`.
  public func text(color: Bool) -> String {
    let palette = Palette(isOn: color)
    let families = difference.families.isEmpty ? "" : " (\(difference.families.joined(separator: ", ")))"
    let clusters =
      difference.clusters == 0 ? nil : difference.clusters == 1 ? "1 cluster" : "\(difference.clusters) clusters"
    let machines = (difference.hosts == 1 ? "1 host" : "\(difference.hosts) hosts") + families
    let hosts = difference.hosts == 0 ? clusters ?? machines : machines + (clusters.map { " and \($0)" } ?? "")
    let day = difference.day.map { " on \($0)" } ?? ""
    if difference.isEmpty {
      let moment = difference.later.isEmpty ? "" : day
      return "Nothing changes\(moment): proved for every packet of \(hosts).\n" + laterText(palette) + unknowns
    }
    var result = ""
    for host in difference.addedHosts { result += "Host \(printable(host)) is new: all that it opens is told.\n" }
    for host in difference.removedHosts { result += "Host \(printable(host)) is gone: all that it closes is told.\n" }
    for name in difference.addedClusters { result += "Cluster \(printable(name)) is new: all that it opens is told.\n" }
    for name in difference.removedClusters {
      result += "Cluster \(printable(name)) is gone: all that it closes is told.\n"
    }
    if !result.isEmpty { result += "\n" }
    result += text(of: difference.rows, palette)
    for failure in difference.failures { result += palette("Not compared: ", .error) + printable(failure) + "\n" }
    if difference.failures.isEmpty, difference.unknowns.isEmpty {
      let moment = difference.later.isEmpty ? "" : day
      result += "Nothing else changes\(moment): proved for every packet of \(hosts).\n"
    } else if difference.failures.isEmpty {
      result += "Whether more changes depends on what is not known here.\n"
    }
    return result + laterText(palette) + unknowns
  }

  /// What changes later alone.
  private func laterText(_ palette: Palette) -> String {
    if difference.later.isEmpty { return "" }
    return "\nManifests know no time. If they stay as they are, this changes later:\n\n"
      + String(text(of: difference.later, palette).dropLast())
  }

  /// Returns `rows` below the headings of their kinds.
  private func text(of rows: [Difference.Row], _ palette: Palette) -> String {
    var result = ""
    for kind in Change.Kind.allCases {
      let rows = rows.filter { $0.kind == kind }
      guard !rows.isEmpty else { continue }
      let role: Palette.Role = kind == .opens ? .added : kind == .closes ? .removed : .note
      result += palette(DifferenceReport.heading(kind, rows.count), role) + "\n"
      for row in rows { result += text(of: row, palette, role) }
      result += "\n"
    }
    return result
  }

  private var unknowns: String {
    difference.unknowns.map { "Not known here: \(printable($0))\n" }.joined()
  }

  /// Returns `places`, of which hosts are not called so each time.
  private func places(_ places: [String]) -> String {
    let names = places.map { $0.hasPrefix("host ") ? String($0.dropFirst(5)) : $0 }.map { printable($0) }
    if places.count > 8 { return "\(places.count) hosts, \(names.prefix(6).joined(separator: ", ")) and others" }
    return names.joined(separator: ", ")
  }

  private func text(of row: Difference.Row, _ palette: Palette, _ role: Palette.Role) -> String {
    let sign = row.kind == .opens ? "+" : row.kind == .closes ? "-" : "~"
    var result = "\n"
    for flow in row.flows { result += palette("  \(sign) \(printable(flow))", role) + "\n" }
    if row.isCut { result += "    and more\n" }
    result += "    on \(places(row.places))\(row.extent.isEmpty ? "" : ": \(row.extent)")\n"
    for condition in row.conditions { result += "    \(printable(condition))\n" }
    if let cause = row.cause {
      let owner = cause.owner.map { ", owner \(printable($0))" } ?? ""
      // Where the path does not say it, it is told that the line is one of before.
      let age = cause.isNew || isOfOld(cause.location.path) ? "" : " (\(printable(old)))"
      result += "    because of \(printable(cause.subject)) at \(printable(cause.location.description))\(age)\(owner)\n"
      result += "      | \(printable(cause.line))\n"
    } else if let reason = row.reason {
      result += "    because \(printable(reason))\n"
    }
    result += "    for instance \(printable(row.witness))\n"
    result += "      before: \(printable(row.before))\n"
    result += "      after:  \(printable(row.after))\n"
    return result
  }

  /// Returns `true` iff `path` begins with what the old side is called, or with the path of the other program's files.
  private func isOfOld(_ path: String) -> Bool {
    if path.hasPrefix(old) { return true }
    guard let kind = ["iptables:", "ip6tables:", "nft:", "manifests:"].first(where: old.hasPrefix) else { return false }
    let name = old.dropFirst(kind.utf8.count)
    return path == name || path.hasPrefix(name.hasSuffix("/") ? String(name) : name + "/")
  }

  /// The document for a program: `portcullis-difference`, version 1 (docs/diff.md).
  public var json: String { document.text }

  /// The document as a value.
  var document: JSON {
    func row(_ row: Difference.Row) -> JSON {
      .object([
        ("kind", .string(row.kind.rawValue)),
        ("places", .array(row.places.map { .string($0) })),
        ("flows", .array(row.flows.map { .string($0) })),
        ("cut", .bool(row.isCut)),
        ("conditions", .array(row.conditions.map { .string($0) })),
        ("extent", .string(row.extent)),
        (
          "cause",
          row.cause.map { cause in
            .object([
              ("subject", .string(cause.subject)), ("path", .string(cause.location.path)),
              ("line", .number(cause.location.line)), ("column", .number(cause.location.column)),
              ("text", .string(cause.line)), ("side", .string(cause.isNew ? "new" : "old")),
              ("owner", .optional(cause.owner)),
            ])
          } ?? .null
        ),
        ("reason", .optional(row.reason)),
        (
          "witness",
          .object([
            ("packet", .string(row.witness)), ("before", .string(row.before)), ("after", .string(row.after)),
          ])
        ),
      ])
    }
    return .object([
      ("format", .string("portcullis-difference")),
      ("version", .number(1)),
      ("old", .string(old)),
      ("new", .string(new)),
      ("equal", .bool(difference.isEmpty)),
      ("hosts", .number(difference.hosts)),
      ("families", .array(difference.families.map { .string($0) })),
      ("addedHosts", .array(difference.addedHosts.map { .string($0) })),
      ("removedHosts", .array(difference.removedHosts.map { .string($0) })),
      ("clusters", .number(difference.clusters)),
      ("addedClusters", .array(difference.addedClusters.map { .string($0) })),
      ("removedClusters", .array(difference.removedClusters.map { .string($0) })),
      ("changes", .array(difference.rows.map(row))),
      ("later", .array(difference.later.map(row))),
      ("failures", .array(difference.failures.map { .string($0) })),
      ("unknowns", .array(difference.unknowns.map { .string($0) })),
    ])
  }
}
