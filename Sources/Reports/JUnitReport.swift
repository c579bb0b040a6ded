import Syntax

/// The report in the XML of JUnit: a test for each finding, and one for each check that found nothing.
struct JUnitReport {
  /// What is written.
  private let report: FindingsReport

  /// Creates the document of `report`.
  init(_ report: FindingsReport) { self.report = report }

  /// The document.
  var text: String {
    var places = Places(report.sources)
    var cases = ""
    var failures = 0
    for d in report.diagnostics {
      let place = places(d.primary.span)
      let body = excerpt(of: d, at: place)
      let message = "\(d.severity.name): \(d.message)"
      cases += open(d, place) + ">\n"
      if d.severity >= report.failing {
        failures += 1
        cases += "      <failure type=\"\(escaped(d.code))\" message=\"\(escaped(message))\">"
        cases += escaped(body, inAttribute: false) + "</failure>\n"
      } else {
        cases += "      <system-out>\(escaped(message + "\n" + body, inAttribute: false))</system-out>\n"
      }
      cases += "    </testcase>\n"
    }
    for w in report.waived {
      let end = w.until.map { " until \($0)" } ?? ""
      cases += open(w.diagnostic, places(w.diagnostic.primary.span)) + ">\n"
      cases += "      <skipped message=\"\(escaped("waived\(end): \(w.reason)"))\"/>\n    </testcase>\n"
    }
    let found = Set(report.diagnostics.map(\.code)).union(report.waived.map(\.diagnostic.code))
    let quiet = report.checks.filter { !found.contains($0.name) }
    for c in quiet {
      cases += "    <testcase classname=\"portcullis.\(escaped(c.name))\" name=\"\(escaped(c.summary))\"/>\n"
    }
    let total = report.diagnostics.count + report.waived.count + quiet.count
    let numbers = "tests=\"\(total)\" failures=\"\(failures)\" errors=\"0\" skipped=\"\(report.waived.count)\""
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites name="portcullis" tests="\(total)" failures="\(failures)" errors="0">
        <testsuite name="\(escaped(report.title ?? "policy"))" \(numbers)>
      \(cases)  </testsuite>
      </testsuites>

      """
  }

  /// Returns the beginning of the test for `d`.
  private func open(_ d: Diagnostic, _ place: Place) -> String {
    let position = place.isWholeFile ? place.path : "\(place.path):\(place.start.line):\(place.start.column)"
    return "    <testcase classname=\"portcullis.\(escaped(d.code))\" name=\"\(escaped(position))\""
      + " file=\"\(escaped(place.path))\" line=\"\(place.start.line)\""
  }

  /// Returns the finding `d` without its message.
  private func excerpt(of d: Diagnostic, at place: Place) -> String {
    TextReport.excerpt(of: d, at: place, in: report)
      + [("why", d.reason), ("help", d.help)].compactMap { name, text in text.map { "\(name): \($0)\n" } }.joined()
  }

  /// Returns `text` as it may stand between tags and in attributes; what XML 1.0 cannot hold is spelled out.
  private func escaped(_ text: String, inAttribute: Bool = true) -> String {
    var result = ""
    for c in text.unicodeScalars {
      switch c {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n": result += inAttribute ? "&#10;" : "\n"
      case _ where c.isInvisible: result += c.shown
      default: result.unicodeScalars.append(c)
      }
    }
    return result
  }
}
