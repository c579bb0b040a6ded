import Syntax

/// A position in a file, counted from 1; columns count Unicode code points.
struct Position: Hashable {
  var line: Int
  var column: Int
  /// The offset in bytes, counted from 0.
  var offset: Int
}

/// A span in terms of lines and columns; `end` is behind the last character.
struct Place {
  var path: String
  var start: Position
  var end: Position
  /// `true` iff the file has no text, so that the place is the file itself.
  var isWholeFile: Bool
}

/// Turns spans into places.
///
/// Spans that reach beyond their file are cut: a report must not fail where something else already has.
struct Places {
  /// The files.
  let sources: Sources

  /// How many bytes of a line stand between two marks.
  private static let step = 4_096

  /// For each line that is long, the code points before every `step` bytes of it.
  ///
  /// Without them, the columns of many findings on one line would take time that grows with the square of its length.
  private var marks: [LineKey: [Int]] = [:]

  /// A line of a file.
  private struct LineKey: Hashable {
    var file: Int
    var line: Int
  }

  /// Creates places in `sources`.
  init(_ sources: Sources) { self.sources = sources }

  /// Returns the file of `span`, if there is one, and the offsets of the span that lie in it.
  static func clipped(_ span: Span, in sources: Sources) -> (file: SourceFile, range: Range<Int>)? {
    guard Int(span.file) < sources.files.count else { return nil }
    let file = sources.files[Int(span.file)]
    let upper = min(Int(span.upper), file.bytes.count)
    return (file, min(Int(span.lower), upper)..<upper)
  }

  /// Returns the place of `span`.
  mutating func callAsFunction(_ span: Span) -> Place {
    guard let (file, range) = Places.clipped(span, in: sources) else {
      let none = Position(line: 1, column: 1, offset: 0)
      return Place(path: "", start: none, end: none, isWholeFile: true)
    }
    let start = position(range.lowerBound, in: file, at: Int(span.file))
    let end = range.isEmpty ? start : position(range.upperBound, in: file, at: Int(span.file))
    return Place(path: file.path, start: start, end: end, isWholeFile: file.bytes.isEmpty)
  }

  /// Returns the position of `offset` in `file`, which is the one at `index`.
  private mutating func position(_ offset: Int, in file: SourceFile, at index: Int) -> Position {
    let line = file.line(at: offset)
    let range = file.range(ofLine: line)
    var from = range.lowerBound
    var column = 1
    if offset - from >= Places.step {
      let block = (offset - from) / Places.step
      column += marks(ofLine: LineKey(file: index, line: line), of: file, from: from)[block]
      from += block * Places.step
    }
    column += codePoints(file.bytes[from..<max(from, offset)])
    return Position(line: line + 1, column: column, offset: offset)
  }

  /// Returns the code points before every `step` bytes of the line `key`, which begins at `start`.
  private mutating func marks(ofLine key: LineKey, of file: SourceFile, from start: Int) -> [Int] {
    if let known = marks[key] { return known }
    var result = [0]
    // The line break may have an offset too.
    let end = key.line + 1 < file.lineCount ? file.range(ofLine: key.line + 1).lowerBound : file.bytes.count
    var at = start
    while at + Places.step <= end {
      result.append((result.last ?? 0) + codePoints(file.bytes[at..<at + Places.step]))
      at += Places.step
    }
    marks[key] = result
    return result
  }
}

/// Returns the number of Unicode code points that begin in `bytes`.
func codePoints(_ bytes: ArraySlice<UInt8>) -> Int {
  bytes.reduce(0) { $0 + ($1 & 0xc0 == 0x80 ? 0 : 1) }
}

/// Returns `path` as a relative reference or, if it is absolute, as a `file` URI (RFC 3986).
func uri(_ path: String) -> String {
  var path = path[...]
  while path.hasPrefix("./") { path = path.dropFirst(2) }
  let digits = Array("0123456789ABCDEF".utf8)
  var result: [UInt8] = path.hasPrefix("/") ? Array("file://".utf8) : []
  for b in path.utf8 {
    switch b {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "~"), UInt8(ascii: "/"):
      result.append(b)
    default: result += [UInt8(ascii: "%"), digits[Int(b >> 4)], digits[Int(b & 15)]]
    }
  }
  return String(decoding: result, as: UTF8.self)
}
