import Syntax

/// The report as a comment on a pull request.
struct MarkdownReport {
  /// The most characters that a comment may have on GitHub, counted as UTF-16 so that it holds elsewhere too.
  static let limit = 65_535

  /// How a later run finds the comment that it may replace.
  static let marker = "<!-- portcullis-findings -->"

  /// What is written.
  private let report: FindingsReport

  /// Creates the comment for `report`.
  init(_ report: FindingsReport) { self.report = report }

  /// The comment.
  var text: String {
    let title = report.title.map { ": " + escaped($0) } ?? ""
    var result = "\(MarkdownReport.marker)\n### Portcullis\(title)\n\n**\(report.summary)**\n"
    var left = MarkdownReport.limit - result.utf16.count - 200
    var places = Places(report.sources)
    // What matters most stands first, for it is read first and cut last.
    let ordered = Severity.allCases.reversed().flatMap { s in report.diagnostics.filter { $0.severity == s } }
    var written = 0
    for d in ordered {
      let block = block(d, places(d.primary.span))
      if block.utf16.count > left { break }
      result += block
      left -= block.utf16.count
      written += 1
    }
    if written < report.diagnostics.count {
      let rest = report.diagnostics.count - written
      return result + "\n... and \(rest) more \(rest == 1 ? "finding" : "findings"), which a comment has no room for.\n"
    }
    if !report.waived.isEmpty { appendWaived(to: &result, room: left) }
    return result
  }

  /// Appends the waived findings as far as there is room.
  private func appendWaived(to result: inout String, room: Int) {
    let head = "\n<details><summary>\(report.waived.count) waived</summary>\n\n"
    let tail = "\n</details>\n"
    var left = room - head.utf16.count - tail.utf16.count
    if left < 0 { return }
    result += head
    var places = Places(report.sources)
    for (i, w) in report.waived.enumerated() {
      let p = places(w.diagnostic.primary.span)
      let end = w.until.map { " until \(escaped($0))" } ?? ""
      let line =
        "- \(position(p)) \(escaped(w.diagnostic.message)) (\(code(w.diagnostic.code)))\(end): \(escaped(w.reason))\n"
      if line.utf16.count > left {
        result += "- ... and \(report.waived.count - i) more\n"
        break
      }
      left -= line.utf16.count
      result += line
    }
    result += tail
  }

  /// Returns the finding `d`.
  private func block(_ d: Diagnostic, _ place: Place) -> String {
    var result = "\n#### \(d.severity.name): \(escaped(d.message))\n\n\(position(place)) · \(code(d.code))\n"
    let excerpt = TextReport.excerpt(of: d, at: place, in: report)
    var fence = "```"
    while excerpt.contains(fence) { fence += "`" }
    result += "\n\(fence)text\n\(excerpt)\(fence)\n"
    for (name, text) in [("Why", d.reason), ("Help", d.help)] {
      guard let text, !text.isEmpty else { continue }
      result +=
        "\n**\(name):** " + lines(of: text).map(escaped).joined(separator: "  \n") + "\n"
    }
    let changes = ChangedLines.made(by: d.fixes, in: report.sources)
    if !changes.isEmpty {
      let isSafe = d.fixes.allSatisfy { $0.safety == .safe }
      let lines = changes.flatMap { c in c.removed.prefix(20).map { "- " + $0 } + c.added.prefix(20).map { "+ " + $0 } }
      var fence = "```"
      while lines.contains(where: { $0.contains(fence) }) { fence += "`" }
      result += "\n**Fix:**\(isSafe ? "" : " this changes what the policy means")\n"
      result += "\n\(fence)diff\n\(lines.joined(separator: "\n"))\n\(fence)\n"
    }
    return result
  }

  /// Returns the place `p` as code.
  private func position(_ p: Place) -> String {
    code(p.isWholeFile ? p.path : "\(p.path):\(p.start.line):\(p.start.column)")
  }

  /// Returns `text` as code within a line.
  private func code(_ text: String) -> String {
    let text = printable(text, limit: 300)
    if !text.contains("`"), !text.allSatisfy({ $0 == " " }) { return "`\(text)`" }
    var fence = "``"
    while text.contains(fence) { fence += "`" }
    return "\(fence) \(text) \(fence)"
  }

  /// Returns `text`, in which what stands between backticks becomes code and nothing else is Markdown.
  private func escaped(_ text: String) -> String {
    let parts = printable(text, limit: 1_000).split(separator: "`", omittingEmptySubsequences: false)
    if parts.count % 2 == 0 { return plain(text) }
    return parts.enumerated().map { i, part in
      i % 2 == 0 ? plain(String(part)) : part.isEmpty ? "\\`\\`" : code(String(part))
    }.joined()
  }

  /// Returns `text` so that nothing in it is Markdown or HTML, mentions anybody, or becomes a link.
  private func plain(_ text: String) -> String {
    var result = ""
    var previous: [Unicode.Scalar] = []
    for c in printable(text, limit: 1_000).unicodeScalars {
      switch c {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      // Mentions and numbers of issues are looked for after Markdown is read, so a backslash does not stop them.
      case "@", "#": result += "\(c)<!-- -->"
      case ":": result += "&#58;"
      case "." where previous.suffix(3).allSatisfy { $0 == "w" || $0 == "W" } && previous.count >= 3: result += "&#46;"
      case "\\", "`", "*", "_", "{", "}", "[", "]", "(", ")", "+", "-", ".", "!", "|", "~", "$", "^", "=":
        result += "\\\(c)"
      default: result.unicodeScalars.append(c)
      }
      previous.append(c)
    }
    return result
  }
}
