import Syntax

/// A part of one file with labels on it.
struct Excerpt {
  /// A label in terms of lines.
  struct Mark {
    /// The offsets in the file.
    var range: Range<Int>
    /// The first line and the last one, counted from 0.
    var lines: ClosedRange<Int>
    /// What is said of the place.
    var text: String
    /// `true` iff this is the place of the finding itself.
    var isPrimary: Bool
  }

  /// The file.
  let file: SourceFile

  /// The labels within one line.
  private var short: [Mark] = []

  /// The labels over several lines; each has a bar of its own.
  private var long: [Mark] = []

  /// The most bars that are drawn; what is beyond them is shown by its first line alone.
  private static let bars = 4

  /// The most labels that are shown in one file.
  private static let labels = 50

  /// How many labels are left out.
  private var hidden = 0

  /// Creates an excerpt of `file` with the places `labels`.
  init(_ file: SourceFile, labels: [(label: Diagnostic.Label, isPrimary: Bool)]) {
    self.file = file
    hidden = max(0, labels.count - Excerpt.labels)
    for (label, isPrimary) in labels.prefix(Excerpt.labels) {
      let upper = min(Int(label.span.upper), file.bytes.count)
      let lower = min(Int(label.span.lower), upper)
      let first = file.line(at: lower)
      // What ends behind a line break ends on the line before it.
      let last = upper > lower ? max(first, file.line(at: upper - 1)) : first
      var mark = Mark(
        range:
          lower..<min(upper, file.range(ofLine: last).upperBound < lower ? lower : file.range(ofLine: last).upperBound),
        lines: first...last, text: printable(label.text, limit: 300), isPrimary: isPrimary)
      if first == last {
        short.append(mark)
      } else if long.count < Excerpt.bars {
        long.append(mark)
      } else {
        mark.lines = first...first
        mark.range = lower..<max(lower, file.range(ofLine: first).upperBound)
        short.append(mark)
      }
    }
    long.sort { ($0.lines.lowerBound, $1.lines.upperBound) < ($1.lines.lowerBound, $0.lines.upperBound) }
  }

  /// The lines that are shown, in order.
  private var shownLines: [Int] {
    var lines: Set<Int> = []
    for m in short { lines.insert(m.lines.lowerBound) }
    for m in long {
      if m.lines.count <= 6 {
        lines.formUnion(m.lines)
      } else {
        lines.formUnion([m.lines.lowerBound, m.lines.lowerBound + 1, m.lines.upperBound])
      }
    }
    var result: [Int] = []
    for l in lines.sorted() {
      // A gap of one line is shorter than the dots that would stand for it.
      if let last = result.last, l == last + 2 { result.append(l - 1) }
      result.append(l)
    }
    return result
  }

  /// The greatest number of a line that is shown, counted from 1.
  var lastLine: Int { (shownLines.last ?? 0) + 1 }

  /// Returns the lines of the excerpt in a frame with numbers of `digits` digits.
  func rendered(digits: Int, severity: Severity, palette: Palette) -> [String] {
    if file.bytes.isEmpty { return [] }
    let empty = palette(String(repeating: " ", count: digits) + " |", .frame)
    var result = [empty]
    var previous: Int?
    for line in shownLines {
      if let p = previous, line > p + 1 { result.append(palette("...", .frame)) }
      previous = line
      let marks = short.filter { $0.lines.lowerBound == line }
      let focus =
        marks.first(where: \.isPrimary)?.range.lowerBound ?? marks.map(\.range.lowerBound).min()
        ?? long.first { $0.lines.lowerBound == line }?.range.lowerBound ?? file.range(ofLine: line).lowerBound
      let shown = ShownLine(line, of: file, focus: focus)
      let number = String(line + 1)
      let gutter = String(repeating: " ", count: digits - number.utf8.count) + number + " |"
      result.append(
        trimmed(palette(gutter, .frame) + barsOf(line, opening: true, severity, palette) + " " + shown.text))

      let bars = barsOf(line, opening: false, severity, palette)
      for row in underlines(marks, on: shown, severity: severity, palette: palette) {
        result.append(trimmed(empty + bars + " " + row))
      }
      for (i, m) in long.enumerated() where m.lines.upperBound == line {
        result.append(empty + ending(of: m, bar: i, at: line, on: shown, severity, palette))
      }
    }
    if hidden > 0 { result.append(empty + " ... and \(hidden) more places in this file") }
    return result
  }

  /// Returns the bars of the long labels beside `line`; on the line itself, a label that begins there opens its bar.
  private func barsOf(_ line: Int, opening: Bool, _ severity: Severity, _ palette: Palette) -> String {
    var result = ""
    for m in long {
      let role: Palette.Role = m.isPrimary ? .init(severity) : .frame
      if line == m.lines.lowerBound {
        result += " " + palette(opening ? "/" : "|", role)
      } else if m.lines.contains(line) {
        result += " " + palette("|", role)
      } else {
        result += "  "
      }
    }
    return result
  }

  /// Returns the row that ends the long label `m`, whose bar is the one at `bar`.
  private func ending(
    of m: Mark, bar: Int, at line: Int, on shown: ShownLine, _ severity: Severity, _ palette: Palette
  ) -> String {
    let role: Palette.Role = m.isPrimary ? .init(severity) : .frame
    var result = ""
    for other in long[..<bar] {
      let isOpen = other.lines.contains(line) && line < other.lines.upperBound
      result += isOpen ? " " + palette("|", other.isPrimary ? .init(severity) : .frame) : "  "
    }
    let target = 2 * (long.count - bar - 1) + 1 + shown.column(of: max(m.range.lowerBound, m.range.upperBound - 1))
    let tail = String(repeating: "_", count: target) + (m.isPrimary ? "^" : "-")
    return result + " " + palette("|" + tail + (m.text.isEmpty ? "" : " " + m.text), role)
  }

  /// Returns the rows under a line that has the labels `marks`.
  ///
  /// The last label stands behind its underline, the others on rows below, joined by bars.
  private func underlines(_ marks: [Mark], on shown: ShownLine, severity: Severity, palette: Palette) -> [String] {
    if marks.isEmpty { return [] }
    let placed = marks.map { (mark: $0, columns: shown.columns(of: $0.range)) }
      .sorted { ($0.columns.lowerBound, $0.columns.upperBound) < ($1.columns.lowerBound, $1.columns.upperBound) }
    var rows: [Row] = [Row()]
    // Secondary marks first, so that the primary one is drawn over them.
    for (mark, columns) in placed.filter({ !$0.mark.isPrimary }) + placed.filter(\.mark.isPrimary) {
      let role: Palette.Role = mark.isPrimary ? .init(severity) : .frame
      for c in columns { rows[0].put(mark.isPrimary ? "^" : "-", role, at: c) }
    }
    var labelled = placed.filter { !$0.mark.text.isEmpty }
    if let last = labelled.last, placed.allSatisfy({ $0.columns.upperBound <= last.columns.upperBound }) {
      rows[0].append(" " + last.mark.text, last.mark.isPrimary ? .init(severity) : .frame)
      labelled.removeLast()
    }
    if !labelled.isEmpty {
      var joints = Row()
      for (mark, columns) in labelled {
        joints.put("|", mark.isPrimary ? .init(severity) : .frame, at: columns.lowerBound)
      }
      rows.append(joints)
    }
    while let (mark, columns) = labelled.popLast() {
      var row = Row()
      for other in labelled where other.columns.lowerBound < columns.lowerBound {
        row.put("|", other.mark.isPrimary ? .init(severity) : .frame, at: other.columns.lowerBound)
      }
      row.pad(to: columns.lowerBound)
      row.append(mark.text, mark.isPrimary ? .init(severity) : .frame)
      rows.append(row)
    }
    return rows.map { $0.rendered(palette) }
  }

  /// A row of characters with their colours.
  private struct Row {
    /// The text of each column.
    var cells: [(text: String, role: Palette.Role?)] = []

    /// Fills the row with spaces up to `column`.
    mutating func pad(to column: Int) {
      while cells.count < column { cells.append((" ", nil)) }
    }

    /// Puts `text` at `column`.
    mutating func put(_ text: String, _ role: Palette.Role, at column: Int) {
      pad(to: column + 1)
      cells[column] = (text, role)
    }

    /// Appends `text` at the end of the row.
    mutating func append(_ text: String, _ role: Palette.Role) { cells.append((text, role)) }

    /// Returns the row as text; neighbours of one colour share its commands.
    func rendered(_ palette: Palette) -> String {
      var result = ""
      var i = 0
      while i < cells.count {
        var text = cells[i].text
        var next = i + 1
        while next < cells.count, cells[next].role == cells[i].role {
          text += cells[next].text
          next += 1
        }
        if let role = cells[i].role { result += palette(text, role) } else { result += text }
        i = next
      }
      return result
    }
  }
}

/// Returns `text` without the spaces at its end.
func trimmed(_ text: String) -> String {
  var text = text[...]
  while text.last == " " { text = text.dropLast() }
  return String(text)
}
