import Syntax

/// The report in the Static Analysis Results Interchange Format, version 2.1.0 (OASIS Standard, 27 March 2020).
struct SARIFReport {
  /// The most results that GitHub's code scanning takes of one run.
  static let limit = 25_000

  /// The most other places that are named with one result.
  private static let relatedLimit = 100

  /// What is written.
  private let report: FindingsReport

  /// Creates the log of `report`.
  init(_ report: FindingsReport) { self.report = report }

  /// A finding with its waiver, if it has one.
  private struct Entry {
    var diagnostic: Diagnostic
    var waived: FindingsReport.Waived?
  }

  /// The log.
  var text: String {
    var entries = report.diagnostics.map { Entry(diagnostic: $0) }
    entries += report.waived.map { Entry(diagnostic: $0.diagnostic, waived: $0) }
    let total = entries.count
    // If some must go, then those that matter least.
    if total > SARIFReport.limit {
      var kept: [Int] = []
      for severity in Severity.allCases.reversed() {
        kept += entries.indices.filter { entries[$0].waived == nil && entries[$0].diagnostic.severity == severity }
      }
      kept += entries.indices.filter { entries[$0].waived != nil }
      entries = kept.prefix(SARIFReport.limit).sorted().map { entries[$0] }
    }

    let rules = self.rules(of: entries)
    let ruleIndex = Dictionary(uniqueKeysWithValues: rules.enumerated().map { ($1.name, $0) })
    var places = Places(report.sources)
    var fingerprints = Fingerprints()
    let results = entries.map { result($0, rule: ruleIndex[$0.diagnostic.code] ?? 0, &places, &fingerprints) }
    var invocation: [(name: String, value: JSON)] = [("executionSuccessful", .bool(!report.isIncomplete))]
    if total > entries.count {
      let message = "\(total - entries.count) more findings are left out: code scanning takes \(SARIFReport.limit)."
      invocation.append(
        (
          "toolExecutionNotifications",
          .array([.object([("level", .string("warning")), ("message", SARIFReport.message(message))])])
        ))
    }
    let driver = JSON.object([
      ("name", .string("portcullis")), ("version", .string(report.version)), ("rules", .array(rules.map(rule))),
    ])
    let run = JSON.object([
      ("tool", .object([("driver", driver)])),
      ("invocations", .array([.object(invocation)])),
      ("columnKind", .string("unicodeCodePoints")),
      ("results", .array(results)),
    ])
    return JSON.object([
      ("$schema", .string("https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json")),
      ("version", .string("2.1.0")),
      ("runs", .array([run])),
    ]).text
  }

  /// Returns the checks that were run and what else the findings name, in the order of their names.
  private func rules(of entries: [Entry]) -> [FindingsReport.Check] {
    var rules: [String: FindingsReport.Check] = [:]
    for c in report.checks { rules[c.name] = c }
    for e in entries where rules[e.diagnostic.code] == nil {
      let d = e.diagnostic
      rules[d.code] = .init(
        name: d.code, summary: d.code, help: d.reason ?? d.help ?? d.message, severity: d.severity)
    }
    return rules.values.sorted { $0.name < $1.name }
  }

  /// Returns the description of `check`.
  private func rule(_ check: FindingsReport.Check) -> JSON {
    var help: [(name: String, value: JSON)] = [("text", SARIFReport.escaped(check.help))]
    if let markdown = check.markdown { help.append(("markdown", .string(markdown))) }
    return .object([
      ("id", .string(check.name)),
      ("shortDescription", SARIFReport.message(check.summary)),
      ("help", .object(help)),
      ("defaultConfiguration", .object([("level", .string(check.severity.name))])),
    ])
  }

  /// Returns the finding of `entry`.
  private func result(
    _ entry: Entry, rule: Int, _ places: inout Places, _ fingerprints: inout Fingerprints
  ) -> JSON {
    let d = entry.diagnostic
    let text = [d.message, d.reason, d.help].compactMap(\.self).joined(separator: "\n\n")
    let fingerprint = JSON.string(fingerprints(d))
    var members: [(name: String, value: JSON)] = [
      ("ruleId", .string(d.code)),
      ("ruleIndex", .number(rule)),
      ("level", .string(d.severity.name)),
      ("message", SARIFReport.message(text)),
      ("locations", .array([location(d.primary, id: nil, &places)])),
    ]
    if !d.secondary.isEmpty {
      let related = d.secondary.prefix(SARIFReport.relatedLimit).enumerated().map { location($1, id: $0, &places) }
      members.append(("relatedLocations", .array(related)))
    }
    // GitHub compares the first of these only, whatever it is made from.
    members.append(
      (
        "partialFingerprints",
        .object([("primaryLocationLineHash", fingerprint), ("portcullisFinding/v1", fingerprint)])
      ))
    if !d.fixes.isEmpty { members.append(("fixes", .array([fix(d, &places)]))) }
    if let w = entry.waived {
      let reason = [w.reason, w.until.map { "until \($0)" }, w.ticket].compactMap(\.self).joined(separator: ", ")
      members.append(
        (
          "suppressions",
          .array([
            .object([
              ("kind", .string("inSource")), ("status", .string("accepted")), ("justification", .string(reason)),
            ])
          ])
        ))
    } else if !report.waived.isEmpty {
      // All results of a run say whether they are suppressed, or none (3.27.23).
      members.append(("suppressions", .array([])))
    }
    return .object(members)
  }

  /// Returns the place of `label`.
  private func location(_ label: Diagnostic.Label, id: Int?, _ places: inout Places) -> JSON {
    let place = places(label.span)
    var physical: [(name: String, value: JSON)] = [("artifactLocation", artifact(place.path))]
    if !place.isWholeFile { physical.append(("region", region(place))) }
    var members: [(name: String, value: JSON)] = []
    if let id { members.append(("id", .number(id))) }
    members.append(("physicalLocation", .object(physical)))
    if !label.text.isEmpty { members.append(("message", SARIFReport.message(label.text))) }
    return .object(members)
  }

  /// Returns the file at `path`.
  private func artifact(_ path: String) -> JSON { .object([("uri", .string(uri(path)))]) }

  /// Returns the lines and columns of `place`.
  private func region(_ place: Place) -> JSON {
    .object([
      ("startLine", .number(place.start.line)), ("startColumn", .number(place.start.column)),
      ("endLine", .number(place.end.line)), ("endColumn", .number(place.end.column)),
    ])
  }

  /// Returns the fixes of `d`, which belong together.
  private func fix(_ d: Diagnostic, _ places: inout Places) -> JSON {
    var changes: [(path: String, replacements: [JSON])] = []
    for f in d.fixes.sorted(by: { $0.span < $1.span }) {
      let place = places(f.span)
      let replacement = JSON.object([
        ("deletedRegion", region(place)), ("insertedContent", .object([("text", .string(f.replacement))])),
      ])
      if changes.last?.path == place.path {
        changes[changes.count - 1].replacements.append(replacement)
      } else {
        changes.append((place.path, [replacement]))
      }
    }
    let isSafe = d.fixes.allSatisfy { $0.safety == .safe }
    return .object([
      (
        "description",
        SARIFReport.message(isSafe ? "Keeps the policy's meaning or closes traffic." : "Changes the policy's meaning.")
      ),
      (
        "artifactChanges",
        .array(
          changes.map { .object([("artifactLocation", artifact($0.path)), ("replacements", .array($0.replacements))]) })
      ),
    ])
  }

  /// Returns `text` as a message in which nothing is taken for a link (3.11.6).
  ///
  /// Braces stay as they are, although 3.11.5 would have them doubled: the readers of today show them doubled.
  private static func message(_ text: String) -> JSON { .object([("text", escaped(text))]) }

  /// Returns `text` as the text of a message.
  private static func escaped(_ text: String) -> JSON {
    var escaped = ""
    let hasLinks = text.contains("](")
    for c in text.unicodeScalars {
      if hasLinks, c == "[" || c == "]" || c == "\\" { escaped += "\\" }
      escaped.unicodeScalars.append(c)
    }
    return .string(escaped.isEmpty ? "-" : escaped)
  }
}
