import Syntax

/// The report as one JSON document of our own, which docs/findings.md describes.
struct JSONReport {
  /// The version of the document's form; it grows when a reader would have to change.
  static let version = 1

  /// What is written.
  private let report: FindingsReport

  /// Creates the document of `report`.
  init(_ report: FindingsReport) { self.report = report }

  /// The document.
  var text: String {
    var places = Places(report.sources)
    var fingerprints = Fingerprints()
    let findings = report.diagnostics.map { JSON.object(members(of: $0, &places, &fingerprints)) }
    let waived = report.waived.map { w in
      let waiver = JSON.object([
        ("because", .string(w.reason)), ("until", .optional(w.until)), ("ticket", .optional(w.ticket)),
      ])
      return JSON.object(members(of: w.diagnostic, &places, &fingerprints) + [("waiver", waiver)])
    }
    return JSON.object([
      ("format", .string("portcullis-findings")),
      ("version", .number(JSONReport.version)),
      ("tool", .object([("name", .string("portcullis")), ("version", .string(report.version))])),
      ("policy", .optional(report.title)),
      ("fails", .bool(report.fails)),
      (
        "summary",
        .object([
          ("errors", .number(report.count(.error))), ("warnings", .number(report.count(.warning))),
          ("notes", .number(report.count(.note))), ("waived", .number(report.waived.count)),
        ])
      ),
      ("findings", .array(findings)),
      ("waived", .array(waived)),
    ]).text
  }

  /// Returns the members of the finding `d`.
  private func members(
    of d: Diagnostic, _ places: inout Places, _ fingerprints: inout Fingerprints
  ) -> [(name: String, value: JSON)] {
    let location = self.location(places(d.primary.span))
    let related = d.secondary.map {
      JSON.object([("location", self.location(places($0.span))), ("label", .string($0.text))])
    }
    let fixes = d.fixes.map {
      JSON.object([
        ("location", self.location(places($0.span))), ("replacement", .string($0.replacement)),
        ("safety", .string($0.safety.rawValue)),
      ])
    }
    return [
      ("code", .string(d.code)),
      ("severity", .string(d.severity.name)),
      ("message", .string(d.message)),
      ("subject", .optional(d.subject)),
      ("fingerprint", .string(fingerprints(d))),
      ("location", location),
      ("label", .string(d.primary.text)),
      ("related", .array(related)),
      ("why", .optional(d.reason)),
      ("help", .optional(d.help)),
      ("fixes", .array(fixes)),
    ]
  }

  /// Returns the place `p`.
  private func location(_ p: Place) -> JSON {
    func position(_ q: Position) -> JSON {
      .object([("line", .number(q.line)), ("column", .number(q.column)), ("offset", .number(q.offset))])
    }
    return .object([("path", .string(p.path)), ("start", position(p.start)), ("end", position(p.end))])
  }
}
