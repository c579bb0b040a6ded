/// Why a text is no transaction that this room could have written.
public struct ScriptError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The line, counted from 1.
  public let line: Int

  /// What is wrong there.
  public let message: String

  /// Creates an error.
  public init(line: Int, _ message: String) {
    self.line = line
    self.message = message
  }

  /// The error as `line 3: ...`.
  public var description: String { "line \(line): \(message)" }
}

/// A piece of a transaction's text.
///
/// It is a place in the text and no string: a ruleset of ten thousand services has half a million pieces.
struct Token {
  enum Kind {
    /// A word, a number, an address or a mark.
    case word

    /// What stands in quotes, without them.
    case quoted

    /// A comment that fills its line, without its sign.
    case note

    /// The end of a line.
    case lineBreak

    /// The end of the text.
    case end
  }

  var kind: Kind
  var range: Range<Int>
}

/// The pieces of a transaction's text, one after the other.
struct Scanner {
  private let bytes: [UInt8]

  /// The next piece.
  private(set) var next: Token

  /// The end of the next piece, with its quotation mark.
  private var end = 0

  /// Begins with the first piece of `text`.
  init(_ text: String) throws(ScriptError) {
    bytes = Array(text.utf8)
    next = Token(kind: .end, range: 0..<0)
    try skip()
  }

  /// Goes on behind the next piece.
  mutating func skip() throws(ScriptError) {
    var i = end
    while i < bytes.count, bytes[i] == UInt8(ascii: " ") || bytes[i] == UInt8(ascii: "\t") { i += 1 }
    guard i < bytes.count else {
      next = Token(kind: .end, range: i..<i)
      end = i
      return
    }
    switch bytes[i] {
    case UInt8(ascii: "\n"):
      end = i + 1
      next = Token(kind: .lineBreak, range: i..<end)
    case UInt8(ascii: "#"):
      end = bytes[i...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      next = Token(kind: .note, range: min(i + 2, end)..<end)
    case UInt8(ascii: "\""):
      var close = i + 1
      while close < bytes.count, bytes[close] != UInt8(ascii: "\""), bytes[close] != UInt8(ascii: "\n") { close += 1 }
      next = Token(kind: .quoted, range: i + 1..<close)
      guard close < bytes.count, bytes[close] == UInt8(ascii: "\"") else { throw error("a quotation mark is missing") }
      end = close + 1
    case UInt8(ascii: ","), UInt8(ascii: ";"):
      end = i + 1
      next = Token(kind: .word, range: i..<end)
    case UInt8(ascii: ":") where i + 1 < bytes.count && Scanner.isLetter(bytes[i + 1]):
      end = i + 1
      next = Token(kind: .word, range: i..<end)
    default:
      var stop = i + 1
      while stop < bytes.count, !Scanner.endsWord(bytes[stop]) { stop += 1 }
      end = stop
      next = Token(kind: .word, range: i..<end)
    }
  }

  /// Returns `true` iff `byte` is a lower-case letter.
  private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

  /// Returns `true` iff `byte` cannot be in a word.
  private static func endsWord(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: ",")
      || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\"")
  }

  /// The text of the next piece.
  var text: String { String(decoding: bytes[next.range], as: UTF8.self) }

  /// Returns the words that come next, `count` of them, with spaces between, or nothing if something else comes.
  func peek(_ count: Int) -> String? {
    var ahead = self
    var words: [String] = []
    while words.count < count {
      guard ahead.next.kind == .word else { return nil }
      words.append(ahead.text)
      if words.count < count { guard (try? ahead.skip()) != nil else { return nil } }
    }
    return words.joined(separator: " ")
  }

  /// Returns `true` iff the next piece is `word`.
  func isNext(_ word: String) -> Bool {
    let (letters, range) = (word.utf8, next.range)
    guard next.kind == .word, letters.count == range.count else { return false }
    var i = range.lowerBound
    for letter in letters {
      if bytes[i] != letter { return false }
      i += 1
    }
    return true
  }

  /// Goes on if the next piece is `word`, and returns whether it is.
  mutating func take(_ word: String) throws(ScriptError) -> Bool {
    guard isNext(word) else { return false }
    try skip()
    return true
  }

  /// Goes on behind `text`, or fails if its words do not come next.
  mutating func expect(_ text: String) throws(ScriptError) {
    if try take(text) { return }
    guard text.utf8.contains(UInt8(ascii: " ")) else { throw error("`\(text)` is missing") }
    for word in text.split(separator: " ") where try !take(String(word)) { throw error("`\(word)` is missing") }
  }

  /// Goes on behind the end of a line.
  mutating func expectLineBreak() throws(ScriptError) {
    guard next.kind == .lineBreak else { throw error("the end of the line is missing") }
    try skip()
  }

  /// Returns the next word and goes on.
  mutating func word() throws(ScriptError) -> String {
    guard next.kind == .word else { throw error("a word is missing") }
    let word = text
    try skip()
    return word
  }

  /// Returns the bytes of the next word and goes on.
  mutating func letters() throws(ScriptError) -> ArraySlice<UInt8> {
    guard next.kind == .word else { throw error("a word is missing") }
    let word = bytes[next.range]
    try skip()
    return word
  }

  /// Returns the next quoted text and goes on.
  mutating func quoted() throws(ScriptError) -> String {
    guard next.kind == .quoted else { throw error("a text in quotation marks is missing") }
    let quoted = text
    try skip()
    return quoted
  }

  /// Returns the number that comes next and goes on.
  mutating func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws(ScriptError) -> Number {
    let word = try word()
    guard let number = Number(word) else { throw error("`\(word)` is no number here") }
    return number
  }

  /// Returns an error at the next piece.
  func error(_ message: String) -> ScriptError {
    let line = 1 + bytes[..<min(next.range.lowerBound, bytes.count)].count { $0 == UInt8(ascii: "\n") }
    return ScriptError(line: line, message)
  }
}
