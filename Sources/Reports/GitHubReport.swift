import Syntax

/// The report as workflow commands, one a line, that GitHub Actions shows beside the lines of a change.
struct GitHubReport {
  /// What is written.
  private let report: FindingsReport

  /// Creates the commands of `report`.
  init(_ report: FindingsReport) { self.report = report }

  /// The commands.
  var text: String {
    var places = Places(report.sources)
    var result = ""
    for d in report.diagnostics {
      let p = places(d.primary.span)
      var parameters = [("file", path(p.path)), ("line", String(p.start.line))]
      if p.start.line == p.end.line {
        // Columns are understood within one line only, and the last one is included.
        parameters.append(("col", String(p.start.column)))
        parameters.append(("endColumn", String(max(p.start.column, p.end.column - 1))))
      } else {
        parameters.append(("endLine", String(p.end.line)))
      }
      parameters.append(("title", printable(d.code)))
      let command = d.severity == .note ? "notice" : d.severity.name
      let list = parameters.map { "\($0)=\(escaped($1, inParameter: true))" }.joined(separator: ",")
      let paragraphs = [d.message, d.primary.text, d.reason ?? "", d.help ?? ""].filter { !$0.isEmpty }
      let message = paragraphs.flatMap(printableLines).joined(separator: "\n")
      result += "::\(command) \(list)::\(escaped(message, inParameter: false))\n"
    }
    return result
  }

  /// Returns `path` as it is from the root of the repository.
  private func path(_ path: String) -> String {
    var path = path[...]
    while path.hasPrefix("./") { path = path.dropFirst(2) }
    return printable(String(path))
  }

  /// Returns `text` with what commands are made of replaced.
  private func escaped(_ text: String, inParameter: Bool) -> String {
    var result = ""
    for c in text.unicodeScalars {
      switch c {
      case "%": result += "%25"
      case "\r": result += "%0D"
      case "\n": result += "%0A"
      case ":" where inParameter: result += "%3A"
      case "," where inParameter: result += "%2C"
      default: result.unicodeScalars.append(c)
      }
    }
    return result
  }
}
