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
enum Token: Hashable {
  /// A word, a number, an address or a mark.
  case word(String)

  /// What stands in quotes.
  case quoted(String)

  /// A comment that fills its line.
  case note(String)

  /// The end of a line.
  case lineBreak

  /// The end of the text.
  case end
}

/// The pieces of a transaction's text, one after the other.
struct Scanner {
  /// The pieces.
  private var tokens: [Token] = []

  /// The line of each piece.
  private var lines: [Int] = []

  /// The position of the next piece.
  private var position = 0

  /// Splits `text`.
  init(_ text: String) throws(ScriptError) {
    let bytes = Array(text.utf8)
    var i = 0
    var line = 1
    func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    while i < bytes.count {
      let byte = bytes[i]
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"): i += 1
      case UInt8(ascii: "\n"):
        add(.lineBreak, line)
        i += 1
        line += 1
      case UInt8(ascii: "#"):
        let end = bytes[i...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        add(.note(string(min(i + 2, end)..<end)), line)
        i = end
      case UInt8(ascii: "\""):
        let end = bytes[(i + 1)...].firstIndex { $0 == byte || $0 == UInt8(ascii: "\n") }
        guard let end, bytes[end] == byte else { throw ScriptError(line: line, "a quotation mark is missing") }
        add(.quoted(string(i + 1..<end)), line)
        i = end + 1
      case UInt8(ascii: ","), UInt8(ascii: ";"):
        add(.word(string(i..<i + 1)), line)
        i += 1
      case UInt8(ascii: ":") where i + 1 < bytes.count && Scanner.isLetter(bytes[i + 1]):
        add(.word(":"), line)
        i += 1
      default:
        let end = bytes[i...].firstIndex(where: Scanner.endsWord) ?? bytes.count
        add(.word(string(i..<end)), line)
        i = end
      }
    }
    add(.end, line)
  }

  /// Adds `token` of `line`.
  private mutating func add(_ token: Token, _ line: Int) {
    tokens.append(token)
    lines.append(line)
  }

  /// Returns `true` iff `byte` is a lower-case letter.
  private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

  /// Returns `true` iff `byte` cannot be in a word.
  private static func endsWord(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: ",")
      || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\"")
  }

  /// The next piece.
  var next: Token { tokens[position] }

  /// Returns the words that come next, `count` of them, with spaces between, or nothing if something else comes.
  func peek(_ count: Int) -> String? {
    guard position + count < tokens.count else { return nil }
    var words: [String] = []
    for i in position..<position + count {
      guard case .word(let word) = tokens[i] else { return nil }
      words.append(word)
    }
    return words.joined(separator: " ")
  }

  /// Goes on behind the next piece.
  mutating func skip() {
    if position < tokens.count - 1 { position += 1 }
  }

  /// Goes on if the next piece is `word`, and returns whether it is.
  mutating func take(_ word: String) -> Bool {
    guard case .word(word) = next else { return false }
    position += 1
    return true
  }

  /// Goes on behind `text`, or fails if its words do not come next.
  mutating func expect(_ text: String) throws(ScriptError) {
    for word in text.split(separator: " ") where !take(String(word)) { throw error("`\(word)` is missing") }
  }

  /// Goes on behind the end of a line.
  mutating func expectLineBreak() throws(ScriptError) {
    guard case .lineBreak = next else { throw error("the end of the line is missing") }
    position += 1
  }

  /// Returns the next word and goes on.
  mutating func word() throws(ScriptError) -> String {
    guard case .word(let word) = next else { throw error("a word is missing") }
    position += 1
    return word
  }

  /// Returns the next quoted text and goes on.
  mutating func quoted() throws(ScriptError) -> String {
    guard case .quoted(let text) = next else { throw error("a text in quotation marks is missing") }
    position += 1
    return text
  }

  /// Returns the number that comes next and goes on.
  mutating func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws(ScriptError) -> Number {
    let word = try word()
    guard let number = Number(word) else { throw error("`\(word)` is no number here") }
    return number
  }

  /// Returns an error at the next piece.
  func error(_ message: String) -> ScriptError { ScriptError(line: lines[position], message) }
}
