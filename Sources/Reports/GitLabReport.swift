import Syntax

/// The report in the form of GitLab's code quality artefact.
struct GitLabReport {
  /// What is written.
  private let report: FindingsReport

  /// Creates the artefact of `report`.
  init(_ report: FindingsReport) { self.report = report }

  /// The artefact.
  var text: String {
    var places = Places(report.sources)
    var fingerprints = Fingerprints()
    let findings = report.diagnostics.map { d in
      let p = places(d.primary.span)
      var path = p.path[...]
      while path.hasPrefix("./") { path = path.dropFirst(2) }
      let lines = JSON.object([("begin", .number(p.start.line)), ("end", .number(p.end.line))])
      return JSON.object([
        ("description", .string(d.message)),
        ("check_name", .string(d.code)),
        ("fingerprint", .string(fingerprints(d))),
        ("severity", .string(severity(d.severity))),
        ("location", .object([("path", .string(String(path))), ("lines", lines)])),
      ])
    }
    return JSON.array(findings).text
  }

  /// Returns GitLab's word for `severity`.
  private func severity(_ severity: Severity) -> String {
    switch severity {
    case .error: "critical"
    case .warning: "minor"
    case .note: "info"
    }
  }
}
