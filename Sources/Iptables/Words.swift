/// A word of a save file.
///
/// It is a place in the text and no string: the ruleset of ten thousand services has two hundred thousand words.
struct Word {
  /// The bytes, which are UTF-8.
  let bytes: ArraySlice<UInt8>

  /// Creates the word at `bytes`.
  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  /// Creates a word by itself.
  init(_ text: String) { bytes = Array(text.utf8)[...] }

  /// The word as a string.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// `true` iff it can be the name of a table or a chain; other names than those in ASCII may be one in Swift's eyes and two
  /// in iptables'.
  var isName: Bool { !isEmpty && bytes.allSatisfy { $0 > 0x20 && $0 < 0x7f } }

  /// `true` iff it has no bytes.
  var isEmpty: Bool { bytes.isEmpty }

  /// Returns `true` iff `word` is `text`.
  @inline(__always) static func == (word: Word, text: String) -> Bool {
    // Mostly it is something else, and of another length.
    word.bytes.count == text.utf8.count && word.hasPrefix(text)
  }

  /// Returns `true` iff `word` is not `text`.
  @inline(__always) static func != (word: Word, text: String) -> Bool { !(word == text) }

  /// Returns `true` iff `word` is `text`.
  static func ~= (text: String, word: Word) -> Bool { word == text }

  /// Returns `true` iff it begins with `text`.
  func hasPrefix(_ text: String) -> Bool {
    let (mine, wanted) = (bytes.span, text.utf8.span)
    guard mine.count >= wanted.count else { return false }
    for i in wanted.indices where mine[i] != wanted[i] { return false }
    return true
  }

  /// Returns what follows the first `count` bytes.
  func dropFirst(_ count: Int = 1) -> Word { Word(bytes.dropFirst(count)) }

  /// Returns `true` iff it is one of `texts`.
  func isOne(of texts: [String]) -> Bool { texts.contains { self == $0 } }

  /// Returns what stands before the first `separator`, an ASCII character, and what stands behind it, if there is one.
  func halves(at separator: Unicode.Scalar) -> (Word, Word?) {
    guard let position = bytes.firstIndex(of: UInt8(ascii: separator)) else { return (self, nil) }
    return (Word(bytes[..<position]), Word(bytes[(position + 1)...]))
  }

  /// Returns what stands between each `separator`, an ASCII character, and the next, with what is empty.
  func parts(at separator: Unicode.Scalar) -> [Word] {
    bytes.split(separator: UInt8(ascii: separator), omittingEmptySubsequences: false).map(Word.init(_:))
  }

  /// Returns the number that it writes in decimal digits alone, or nothing if it is none or too large.
  ///
  /// A zero before other digits makes most numbers octal to iptables (`strtoul` with the base 0), so that it is none here.
  func number<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) -> Value? {
    guard let first = bytes.first, first != UInt8(ascii: "0") || bytes.count == 1 else { return nil }
    var value: Value = 0
    for byte in bytes {
      let digit = byte &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      let (scaled, overflows) = value.multipliedReportingOverflow(by: 10)
      let (sum, exceeds) = scaled.addingReportingOverflow(Value(digit))
      guard !overflows, !exceeds else { return nil }
      value = sum
    }
    return value
  }
}

/// The words of one line, as iptables-restore splits them.
///
/// They end at spaces and tabs outside double quotes, within which a backslash keeps the next character, and at a closing
/// quote.
struct WordList {
  /// The words, in order.
  private(set) var words: [Word] = []

  /// Takes the words of `line`, and returns `false` if a quote is not closed.
  mutating func read(_ line: ArraySlice<UInt8>) -> Bool {
    words.removeAll(keepingCapacity: true)
    let (bytes, base) = (line.span, line.startIndex)
    // Where the word began that is being read, if it is one stretch of the line.
    var start = -1
    var at = 0
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: " "), UInt8(ascii: "\t"):
        if start >= 0 { words.append(Word(line[base + start..<base + at])) }
        start = -1
      case UInt8(ascii: "\""):
        let beginning = start < 0 ? base + at..<base + at : base + start..<base + at
        guard let word = Self.quoted(line, behind: base + at, following: beginning) else { return false }
        words.append(word.word)
        at = word.end - base
        start = -1
      default:
        if start < 0 { start = at }
      }
      at += 1
    }
    if start >= 0 { words.append(Word(line[(base + start)...])) }
    return true
  }

  /// Returns the word of what stands at `beginning`, and between the quote at `position` and the one that closes it, and
  /// where that is, or nothing if there is none.
  private static func quoted(
    _ line: ArraySlice<UInt8>, behind position: Int, following beginning: Range<Int>
  ) -> (word: Word, end: Int)? {
    var end = position + 1
    while end < line.endIndex, line[end] != UInt8(ascii: "\""), line[end] != UInt8(ascii: "\\") { end += 1 }
    guard end < line.endIndex else { return nil }
    if beginning.isEmpty, line[end] == UInt8(ascii: "\"") { return (Word(line[position + 1..<end]), end) }
    var bytes = Array(line[beginning])
    var isEscaped = false
    for at in position + 1..<line.endIndex {
      let byte = line[at]
      if !isEscaped, byte == UInt8(ascii: "\"") { return (Word(bytes[...]), at) }
      isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
      if !isEscaped { bytes.append(byte) }
    }
    return nil
  }
}
