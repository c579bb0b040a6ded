/// Cuts the bytes of a file into tokens that cover all of them.
struct Lexer {
  /// The bytes of the file.
  private let bytes: [UInt8]

  /// The position of the file in its `Sources`.
  private let file: UInt32

  /// The tokens so far.
  private(set) var tokens: [Token] = []

  /// What is wrong with the characters.
  let findings = Findings()

  /// The words of the language.
  private let keywords = KeywordTable.all

  /// The offset of the next byte.
  private var offset = 0

  /// Cuts `bytes` into tokens; the last one is the end.
  init(_ bytes: [UInt8], file: UInt32) {
    self.bytes = bytes
    self.file = file
    tokens.reserveCapacity(bytes.count / 4 + 2)
    // A byte order mark says nothing in UTF-8; Windows editors write it all the same.
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) {
      offset = 3
      append(.space, from: 0)
    }
    while offset < bytes.count { scanToken() }
    append(.end, from: offset)
  }

  /// Adds the word from `start` up to the next byte.
  private mutating func appendWord(from start: Int) {
    tokens.append(
      Token(
        .word, keywords.keyword(in: bytes, from: start, to: offset), from: UInt32(truncatingIfNeeded: start),
        to: UInt32(truncatingIfNeeded: offset)))
  }

  /// Adds the token of `kind` from `start` up to the next byte.
  private mutating func append(_ kind: Token.Kind, from start: Int) {
    tokens.append(Token(kind, from: UInt32(truncatingIfNeeded: start), to: UInt32(truncatingIfNeeded: offset)))
  }

  /// Returns the span from `lower` up to `upper`.
  private func span(_ lower: Int, _ upper: Int) -> Span {
    Span(file: file, lower: UInt32(truncatingIfNeeded: lower), upper: UInt32(truncatingIfNeeded: upper))
  }

  /// Scans the token that begins at the next byte.
  private mutating func scanToken() {
    let start = offset
    switch bytes[offset] {
    case UInt8(ascii: " "), UInt8(ascii: "\t"):
      repeat { offset += 1 } while offset < bytes.count && bytes[offset].isBlank
      append(.space, from: start)
    case UInt8(ascii: "\n"): scan(.newline, length: 1)
    case UInt8(ascii: ","): scan(.comma, length: 1)
    case UInt8(ascii: ";"): scan(.semicolon, length: 1)
    case UInt8(ascii: "{"): scan(.leftBrace, length: 1)
    case UInt8(ascii: "}"): scan(.rightBrace, length: 1)
    case UInt8(ascii: "#"): scanComment()
    case UInt8(ascii: "\""): scanString()
    case UInt8(ascii: "\r") where isLineBreak(offset): scan(.newline, length: 2)
    default: scanWord()
    }
  }

  /// Adds the token of `kind` that has `length` bytes.
  private mutating func scan(_ kind: Token.Kind, length: Int) {
    let start = offset
    offset += length
    append(kind, from: start)
  }

  /// Returns `true` iff a line ends at `i`.
  private func isLineBreak(_ i: Int) -> Bool {
    bytes[i] == UInt8(ascii: "\n")
      || bytes[i] == UInt8(ascii: "\r") && i + 1 < bytes.count && bytes[i + 1] == UInt8(ascii: "\n")
  }

  /// Scans a comment, which ends with its line.
  private mutating func scanComment() {
    let start = offset
    if let last = tokens.last, last.kind == .word || last.kind == .string {
      findings.add(.joinedComment(at: span(start, start + 1)))
    }
    offset += 1
    while offset < bytes.count, !isLineBreak(offset) { scanCharacter(tabAllowed: true) }
    append(.comment, from: start)
  }

  /// Scans a string, which ends with its second quote, or with its line if that is missing.
  private mutating func scanString() {
    let start = offset
    offset += 1
    while offset < bytes.count, !isLineBreak(offset) {
      switch bytes[offset] {
      case UInt8(ascii: "\""):
        offset += 1
        append(.string, from: start)
        return
      case UInt8(ascii: "\\"):
        scanEscape()
      default:
        scanCharacter(tabAllowed: false)
      }
    }
    append(.string, from: start)
    findings.add(.unclosedString(at: span(start, start + 1), end: span(offset, offset)))
  }

  /// Scans a backslash in a string and the character that it stands before.
  private mutating func scanEscape() {
    let start = offset
    offset += 1
    guard offset < bytes.count, !isLineBreak(offset) else { return }
    let next = bytes[offset]
    if next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") {
      offset += 1
    } else {
      scanCharacter(tabAllowed: false)
      findings.add(.unknownEscape(at: span(start, offset)))
    }
  }

  /// Scans a character of a comment or a string, and reports a run of them that no policy may hold.
  private mutating func scanCharacter(tabAllowed: Bool) {
    if bytes[offset] >= 0x20 && bytes[offset] < 0x7f || bytes[offset] == UInt8(ascii: "\t") && tabAllowed {
      offset += 1
      return
    }
    switch character(at: offset) {
    case .text(let length): offset += length
    case let flaw: reportRun(of: flaw, tabAllowed: tabAllowed)
    }
  }

  /// Returns the offset of the first byte from `start` on that is no ASCII character of a word.
  private func endOfPlainWord(from start: Int) -> Int {
    var i = start
    while i < bytes.count, bytes[i].isOfWord { i += 1 }
    return i
  }

  /// Scans a word, or a run of bytes that no policy may hold.
  private mutating func scanWord() {
    let start = offset
    while true {
      offset = endOfPlainWord(from: offset)
      guard offset < bytes.count, bytes[offset] >= 0x80, case .text(let length) = character(at: offset) else { break }
      offset += length
    }
    if offset > start {
      appendWord(from: start)
    } else {
      reportRun(of: character(at: offset), tabAllowed: true)
      append(.invalid, from: start)
    }
  }

  /// Reports the run of characters with the same `flaw` that begins here, and steps over it.
  private mutating func reportRun(of flaw: Character, tabAllowed: Bool) {
    let start = offset
    while offset < bytes.count, !isLineBreak(offset), !(tabAllowed && bytes[offset] == UInt8(ascii: "\t")) {
      let next = character(at: offset)
      guard next.isSameFlaw(as: flaw) else { break }
      offset += next.length
    }
    let place = span(start, offset)
    switch flaw {
    case .text: break
    case .notUTF8: findings.add(.notUTF8(at: place, byte: bytes[start]))
    case .control(let code, _): findings.add(.controlCharacter(at: place, code: code))
    case .hidden(let code, _): findings.add(.hiddenCharacter(at: place, code: code))
    }
  }

  /// What stands at a place in the text, with its length in bytes.
  private enum Character {
    /// A character of text.
    case text(Int)
    /// A byte that is not part of UTF-8.
    case notUTF8
    /// A control character.
    case control(UInt32, Int)
    /// A character that cannot be seen, or that changes how the text around it is shown.
    case hidden(UInt32, Int)

    /// The number of bytes.
    var length: Int {
      switch self {
      case .text(let n), .control(_, let n), .hidden(_, let n): n
      case .notUTF8: 1
      }
    }

    /// Returns `true` iff `self` and `other` may not be in a policy for the same reason.
    func isSameFlaw(as other: Self) -> Bool {
      switch (self, other) {
      case (.notUTF8, .notUTF8), (.control, .control), (.hidden, .hidden): true
      default: false
      }
    }
  }

  /// Returns what stands at `i`.
  private func character(at i: Int) -> Character {
    let first = UInt32(bytes[i])
    if first < 0x80 { return first < 0x20 || first == 0x7f ? .control(first, 1) : .text(1) }
    let length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
    guard first >= 0xc2, first <= 0xf4, i + length <= bytes.count else { return .notUTF8 }
    var code = first & (0xff >> UInt32(length + 1))
    for k in 1..<length {
      guard bytes[i + k] & 0xc0 == 0x80 else { return .notUTF8 }
      code = code << 6 | UInt32(bytes[i + k] & 0x3f)
    }
    let lowest: UInt32 = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80
    guard code >= lowest, code <= 0x10ffff, !(0xd800...0xdfff).contains(code) else { return .notUTF8 }
    switch code {
    case 0x80...0x9f: return .control(code, length)
    // Zero-width and direction marks, line separators, the byte order mark, tags: see Unicode TR 36 and "Trojan Source".
    case 0xad, 0x61c, 0x180e, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff, 0xfff9...0xfffb,
      0xe0000...0xe007f:
      return .hidden(code, length)
    default: return .text(length)
    }
  }
}

extension UInt8 {
  /// `true` iff the byte is an ASCII character that a word may hold: one that is seen and has no meaning of its own.
  var isOfWord: Bool {
    switch self {
    // All from `!` to `~` but `"`, `#`, `,`, `;`, `{` and `}`; as ranges, which take one look at a table.
    case 0x21, 0x24...0x2b, 0x2d...0x3a, 0x3c...0x7a, 0x7c, 0x7e: true
    default: false
    }
  }

  /// `true` iff the byte is a space or a tab.
  var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

  /// `true` iff the byte is a decimal digit.
  var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

  /// `true` iff the byte is a lower-case letter.
  var isLowercase: Bool { self >= UInt8(ascii: "a") && self <= UInt8(ascii: "z") }

  /// `true` iff the byte is an upper-case letter.
  var isUppercase: Bool { self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") }
}
