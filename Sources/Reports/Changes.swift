import Syntax

/// The lines that fixes change, before and after.
struct ChangedLines {
  /// The file.
  var file: SourceFile

  /// The number of the first changed line, counted from 1.
  var first: Int

  /// The lines that go.
  var removed: [String]

  /// The lines that come.
  var added: [String]

  /// Returns what `fixes` change in `sources`, in the order of places; of fixes that overlap, the first one counts.
  static func made(by fixes: [Diagnostic.Fix], in sources: Sources) -> [ChangedLines] {
    var result: [ChangedLines] = []
    var pending: [(range: Range<Int>, text: String)] = []
    var current: (file: SourceFile, index: UInt32, lines: ClosedRange<Int>)?
    func flush() {
      guard let c = current else { return }
      if let change = ChangedLines(c.file, at: c.lines, replacing: pending) { result.append(change) }
      pending = []
    }
    for f in fixes.sorted(by: { $0.span < $1.span }) {
      guard let (file, range) = Places.clipped(f.span, in: sources) else { continue }
      let lines = file.line(at: range.lowerBound)...file.line(at: range.upperBound)
      if let c = current, c.index == f.span.file, lines.lowerBound <= c.lines.upperBound {
        if let last = pending.last, range.lowerBound < last.range.upperBound { continue }
        current = (file, c.index, c.lines.lowerBound...max(c.lines.upperBound, lines.upperBound))
      } else {
        flush()
        current = (file, f.span.file, lines)
      }
      pending.append((range, f.replacement))
    }
    flush()
    return result
  }

  /// Creates the change of the lines `numbers` of `file` by `edits`, which are in order, or nothing if all stays as it is.
  private init?(_ file: SourceFile, at numbers: ClosedRange<Int>, replacing edits: [(range: Range<Int>, text: String)])
  {
    let start = file.range(ofLine: numbers.lowerBound).lowerBound
    let end = max(file.range(ofLine: numbers.upperBound).upperBound, edits.last?.range.upperBound ?? start)
    // Nobody reads replacements of lines that are this long, and they would take time.
    if end - start > 20_000 || edits.reduce(0, { $0 + $1.text.utf8.count }) > 20_000 { return nil }
    var text = ""
    var at = start
    for e in edits {
      text += file.text(at..<max(at, e.range.lowerBound)) + e.text
      at = max(at, e.range.upperBound)
    }
    text += file.text(at..<max(at, end))
    var removed = lines(of: file.text(start..<end))[...]
    var added = lines(of: text)[...]
    self.file = file
    first = numbers.lowerBound + 1
    while let a = removed.first, let b = added.first, a == b {
      removed = removed.dropFirst()
      added = added.dropFirst()
      first += 1
    }
    while let a = removed.last, let b = added.last, a == b {
      removed = removed.dropLast()
      added = added.dropLast()
    }
    if added.count == 1, added.first == "" { added = [] }
    if removed.count == 1, removed.first == "", !added.isEmpty { removed = [] }
    if removed.isEmpty, added.isEmpty { return nil }
    self.removed = removed.map { ChangedLines.shown($0) }
    self.added = added.map { ChangedLines.shown($0) }
  }

  /// Returns `line` as it may be shown.
  private static func shown(_ line: String) -> String {
    var text = ""
    for c in line.unicodeScalars {
      if c == "\t" { text += "    " } else if c.isInvisible { text += c.shown } else { text.unicodeScalars.append(c) }
    }
    return text.unicodeScalars.count > 160
      ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(157))) + "..." : text
  }
}
