extension Unicode.Scalar {
  /// `true` iff the scalar does not show itself but may change how others show: controls, marks of direction,
  /// joiners, separators of lines, and what Unicode has not assigned.
  var isInvisible: Bool {
    if value < 0x7f { return value < 0x20 }
    return switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: true
    default: false
    }
  }

  /// How many columns of a terminal a visible scalar takes (Unicode Standard Annex 11).
  var columns: Int {
    if value < 0x300 { return 1 }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    return switch value {
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3,
      0xf900...0xfaff, 0xfe10...0xfe19, 0xfe30...0xfe6f, 0xff01...0xff60, 0xffe0...0xffe6, 0x16fe0...0x18cff,
      0x1aff0...0x1b2ff, 0x1f200...0x1f265, 0x20000...0x3fffd:
      2
    default: properties.isEmojiPresentation ? 2 : 1
    }
  }

  /// The scalar as it may be shown: itself, or its number if it is invisible.
  var shown: String { isInvisible ? "\\u{\(String(value, radix: 16))}" : String(self) }
}

/// Returns `text` with everything that is invisible replaced by its number, and cut behind `limit` scalars.
///
/// With it, no text of a user can move the cursor, change colours, or turn the direction of writing.
public func printable(_ text: String, limit: Int = 4_000) -> String {
  if text.utf8.count <= limit, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
  var result = ""
  for (i, c) in text.unicodeScalars.enumerated() {
    if i == limit {
      result += "..."
      break
    }
    switch c {
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    default: if c.isInvisible { result += c.shown } else { result.unicodeScalars.append(c) }
    }
  }
  return result
}

/// Returns the lines of `text` without their breaks.
///
/// The scalars are looked at, because a carriage return and a line feed are one character.
func lines(of text: String) -> [String] {
  text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map {
    String(String.UnicodeScalarView($0.last == "\r" ? $0.dropLast() : $0))
  }
}

/// Returns the lines of `text`, each made printable.
func printableLines(_ text: String) -> [String] { lines(of: text).map { printable($0) } }

/// Returns `text` broken into lines of at most `width` columns where it has spaces.
func wrapped(_ text: String, width: Int) -> [String] {
  var lines: [String] = []
  for paragraph in printableLines(text) {
    var line = ""
    var used = 0
    for word in paragraph.split(separator: " ") {
      let columns =
        word.utf8.allSatisfy { $0 < 0x80 } ? word.utf8.count : word.unicodeScalars.reduce(0) { $0 + $1.columns }
      if used > 0, used + 1 + columns > width {
        lines.append(line)
        line = ""
        used = 0
      }
      if used > 0 {
        line += " "
        used += 1
      }
      line += word
      used += columns
    }
    lines.append(line)
  }
  return lines
}
