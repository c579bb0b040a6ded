import Syntax

/// The report for a person at a terminal, after the manner of rustc and Elm.
struct TextReport {
  /// How wide paragraphs are.
  private static let width = 100

  /// How many findings are shown; nobody reads more, and other formats have them all.
  private static let limit = 1_000

  /// How many lines of a change are shown.
  private static let changedLines = 12

  /// What is written.
  private let report: FindingsReport

  /// Its colours.
  private let palette: Palette

  /// Creates the text of `report`.
  init(_ report: FindingsReport, color: Bool) {
    self.report = report
    palette = Palette(isOn: color)
  }

  /// The report.
  var text: String {
    var places = Places(report.sources)
    var result = ""
    let (shown, hidden) = mostSevere
    for d in shown {
      write(d, at: places(d.primary.span), to: &result)
      result += "\n"
    }
    if hidden > 0 { result += "... and \(hidden) more, none more severe; `--format json` has them all\n\n" }
    let worst = report.diagnostics.map(\.severity).max()
    result += worst.map { palette(report.summary, .init($0)) } ?? report.summary
    return result + "\n"
  }

  /// The findings that are shown, in their order, and the number of the others, none of which is more severe.
  private var mostSevere: (shown: [Diagnostic], hidden: Int) {
    let all = report.diagnostics
    if all.count <= TextReport.limit { return (all, 0) }
    var room = TextReport.limit
    var chosen: [Int] = []
    for severity in Severity.allCases.reversed() {
      let indices = all.indices.filter { all[$0].severity == severity }.prefix(room)
      room -= indices.count
      chosen += indices
    }
    return (chosen.sorted().map { all[$0] }, all.count - chosen.count)
  }

  /// Returns the excerpts of `d`, which is at `place`, in text without colour.
  static func excerpt(of d: Diagnostic, at place: Place, in report: FindingsReport) -> String {
    var result = ""
    TextReport(report, color: false).writeExcerpts(of: d, at: place, to: &result)
    return result
  }

  /// Appends the finding `d`.
  private func write(_ d: Diagnostic, at place: Place, to result: inout String) {
    result += palette("\(d.severity.name)[\(printable(d.code))]", .init(d.severity))
    result += palette(": " + printable(d.message), .strong) + "\n"
    let digits = writeExcerpts(of: d, at: place, to: &result)
    let margin = String(repeating: " ", count: digits)
    for (name, paragraph) in [("why", d.reason), ("help", d.help)] {
      guard let paragraph, !paragraph.isEmpty else { continue }
      for (i, line) in wrapped(paragraph, width: TextReport.width - digits - 4 - name.utf8.count).enumerated() {
        let head = i == 0 ? palette("=", .frame) + " " + palette("\(name):", .strong) : "   " + name.map { _ in " " }
        result += trimmed("\(margin) \(head) \(line)") + "\n"
      }
    }
    writeFixes(of: d, digits: digits, to: &result)
  }

  /// Appends the places of `d` with their files, and returns how wide the numbers of lines are.
  @discardableResult
  private func writeExcerpts(of d: Diagnostic, at place: Place, to result: inout String) -> Int {
    var files: [UInt32] = [d.primary.span.file]
    for s in d.secondary where !files.contains(s.span.file) { files.append(s.span.file) }
    let excerpts: [(excerpt: Excerpt, first: Diagnostic.Label)] = files.compactMap { index in
      guard Int(index) < report.sources.files.count else { return nil }
      var labels = d.secondary.filter { $0.span.file == index }.map { (label: $0, isPrimary: false) }
      if index == d.primary.span.file { labels.insert((label: d.primary, isPrimary: true), at: 0) }
      return labels.first.map { (Excerpt(report.sources.files[Int(index)], labels: labels), $0.label) }
    }
    let digits = excerpts.map { String($0.excerpt.lastLine).utf8.count }.max() ?? 1
    let margin = String(repeating: " ", count: digits)
    var places = Places(report.sources)
    for (i, (excerpt, label)) in excerpts.enumerated() {
      let p = i == 0 ? place : places(label.span)
      let position = p.isWholeFile ? "" : ":\(p.start.line):\(p.start.column)"
      result += margin + palette(i == 0 ? "-->" : ":::", .frame) + " \(printable(p.path))\(position)\n"
      for line in excerpt.rendered(digits: digits, severity: d.severity, palette: palette) { result += line + "\n" }
      if p.isWholeFile, !label.text.isEmpty {
        result += "\(margin) \(palette("=", .frame)) \(printable(label.text))\n"
      }
    }
    return digits
  }

  /// Appends what the fixes of `d` make of the text.
  private func writeFixes(of d: Diagnostic, digits: Int, to result: inout String) {
    let changes = ChangedLines.made(by: d.fixes, in: report.sources)
    guard !changes.isEmpty else { return }
    let width = max(
      digits, changes.map { String($0.first + max($0.removed.count, $0.added.count)).utf8.count }.max() ?? 1)
    let empty = palette(String(repeating: " ", count: width) + " |", .frame)
    let isSafe = d.fixes.allSatisfy { $0.safety == .safe }
    let head = isSafe ? "fix:" : "fix:" + " this changes what the policy means"
    result += String(repeating: " ", count: digits) + " " + palette("=", .frame) + " " + palette(head, .strong) + "\n"
    for (i, change) in changes.enumerated() {
      if i > 0
        || change.file.path != report.sources.files[min(Int(d.primary.span.file), report.sources.files.count - 1)].path
      {
        result += String(repeating: " ", count: width) + palette(":::", .frame) + " \(printable(change.file.path))\n"
      }
      result += empty + "\n"
      for (lines, sign, role) in [(change.removed, "-", Palette.Role.removed), (change.added, "+", .added)] {
        for (j, line) in lines.prefix(TextReport.changedLines).enumerated() {
          let number = String(change.first + j)
          let gutter = String(repeating: " ", count: width - number.utf8.count) + number + " "
          result += palette(gutter, .frame) + palette(trimmed("\(sign) \(line)"), role) + "\n"
        }
        if lines.count > TextReport.changedLines {
          result += "\(empty) ... \(lines.count - TextReport.changedLines) more lines\n"
        }
      }
    }
  }
}
