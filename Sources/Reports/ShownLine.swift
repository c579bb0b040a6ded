import Syntax

/// A line of a file as it is shown: cut to a window, with tabs spread and what is invisible spelled out.
struct ShownLine {
  /// How many columns of a line are shown.
  static let width = 120

  /// The text, as UTF-8.
  private var utf8: [UInt8] = []

  /// The text.
  var text: String { String(decoding: utf8, as: UTF8.self) }

  /// For each piece of the text, the offset in the file of what it shows and the column at which it begins.
  private var pieces: [(offset: Int, column: Int)] = []

  /// The number of columns of the text.
  private(set) var columns = 0

  /// Creates the line with the number `line` of `file`, counted from 0, so that `focus` is in its window.
  init(_ line: Int, of file: SourceFile, focus: Int) {
    let range = file.range(ofLine: line)
    var at = range.lowerBound
    if range.count > ShownLine.width {
      at = max(at, min(focus, range.upperBound) - 40)
      while at > range.lowerBound, at < range.upperBound, file.bytes[at] & 0xc0 == 0x80 { at -= 1 }
    }
    if at > range.lowerBound { append("...", columns: 3, at: range.lowerBound) }

    // A scalar has at most four bytes, and one without a width must not make the window endless.
    let window = at..<min(range.upperBound, at + 4 * ShownLine.width)
    var isCut = window.upperBound < range.upperBound
    while at < window.upperBound, columns < ShownLine.width {
      // Nearly everything is plain ASCII.
      if (0x20..<0x7f).contains(file.bytes[at]) {
        pieces.append((at, columns))
        utf8.append(file.bytes[at])
        columns += 1
        at += 1
        continue
      }
      var parser = UTF8.ForwardParser()
      var bytes = file.bytes[at..<min(window.upperBound, at + 4)].makeIterator()
      switch parser.parseScalar(from: &bytes) {
      case .emptyInput: break
      case .error(let length):
        append("\u{fffd}", columns: 1, at: at)
        at += length
      case .valid(let encoded):
        let c = UTF8.decode(encoded)
        if c == "\t" {
          let spaces = 4 - columns % 4
          append(String(repeating: " ", count: spaces), columns: spaces, at: at)
        } else if c.isInvisible {
          append(c.shown, columns: c.shown.utf8.count, at: at)
        } else {
          append(String(c), columns: c.columns, at: at)
        }
        at += encoded.count
      }
    }
    isCut = isCut || at < range.upperBound
    if isCut {
      append("...", columns: 3, at: at)
      at = range.upperBound
    }
    pieces.append((at, columns))
  }

  /// Appends a piece of text that shows what stands at `offset`.
  private mutating func append(_ piece: String, columns width: Int, at offset: Int) {
    pieces.append((offset, columns))
    utf8 += piece.utf8
    columns += width
  }

  /// Returns the column, counted from 0, at which the character at `offset` is shown.
  func column(of offset: Int) -> Int {
    var low = 0
    var high = pieces.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if pieces[middle].offset <= offset { low = middle } else { high = middle }
    }
    return pieces[low].column
  }

  /// Returns the columns that show `range`; at least one.
  func columns(of range: Range<Int>) -> Range<Int> {
    let start = column(of: range.lowerBound)
    var end = column(of: range.upperBound)
    // A place that ends inside a character covers all of it.
    if end <= start, !range.isEmpty {
      end = pieces.first { $0.column > start }?.column ?? start + 1
    }
    return start..<max(end, start + 1)
  }
}
