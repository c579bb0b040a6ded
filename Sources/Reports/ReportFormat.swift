/// The forms in which findings are written.
public enum ReportFormat: String, CaseIterable, Sendable {
  /// For a person at a terminal.
  case text

  /// One document of our own, described in docs/findings.md.
  case json

  /// SARIF 2.1.0, for code scanning.
  case sarif

  /// Workflow commands that GitHub Actions shows beside the lines.
  case github

  /// GitLab's code quality report.
  case gitlab

  /// JUnit's XML, for Jenkins and others.
  case junit

  /// A comment on a pull request.
  case markdown
}

/// Returns `report` written in `format`, in colour if `color` is set and the format knows colour.
///
/// Nothing that a user wrote reaches the result as a control character.
public func render(_ report: FindingsReport, as format: ReportFormat, color: Bool = false) -> String {
  switch format {
  case .text: TextReport(report, color: color).text
  case .json: JSONReport(report).text
  case .sarif: SARIFReport(report).text
  case .github: GitHubReport(report).text
  case .gitlab: GitLabReport(report).text
  case .junit: JUnitReport(report).text
  case .markdown: MarkdownReport(report).text
  }
}
