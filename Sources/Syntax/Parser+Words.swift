// Names, texts and lists.

extension Parser {
  /// Returns the name that stands here; `what` says whose name it is, as in "a service".
  mutating func readName(_ what: String) throws(Failure) -> Name {
    guard kind == .word else { return try fail("the name of \(what)") }
    let token = current
    if isPlainName(token) {
      if let word = keyword, word.isReserved {
        if word.beginsClause || word == .to || word == .in { return try fail("the name of \(what)") }
        findings.add(.reservedName(word.rawValue, at: span))
        throw Failure()
      }
      defer { advance() }
      return Name(text, at: span)
    }
    return try readFlawedName(what)
  }

  /// Returns `true` iff `token` is a name: lower-case letters and digits, with `-` and `.` between them, and at least
  /// one letter.
  func isPlainName(_ token: Token) -> Bool {
    guard token.upper - token.lower <= 253 else { return false }
    var hasLetter = false
    var previous = UInt8(ascii: ".")
    for i in Int(token.lower)..<Int(token.upper) {
      let byte = bytes[i]
      if byte.isLowercase {
        hasLetter = true
      } else if !byte.isDigit {
        guard byte == UInt8(ascii: "-") || byte == UInt8(ascii: "."), previous != UInt8(ascii: "."),
          !(byte == UInt8(ascii: ".") && previous == UInt8(ascii: "-"))
        else { return false }
      }
      previous = byte
    }
    return hasLetter && previous != UInt8(ascii: ".") && previous != UInt8(ascii: "-")
      && !looksLikeAddress(token)
  }

  /// Reports what is wrong with the name that stands here; returns what it was most likely meant to be.
  private mutating func readFlawedName(_ what: String) throws(Failure) -> Name {
    let place = span
    let written = text
    if looksLikeAddress(current) {
      findings.add(.addressWhereNameIsExpected(shortened(written), what, at: place))
      throw Failure()
    }
    var mended: [UInt8] = []
    for byte in written.utf8.prefix(253) {
      if byte.isLowercase || byte.isDigit || byte == UInt8(ascii: ".") {
        mended.append(byte)
      } else if byte.isUppercase {
        mended.append(byte + 32)
      } else if mended.last != UInt8(ascii: "-") {
        mended.append(UInt8(ascii: "-"))
      }
    }
    let name = String(decoding: mended, as: UTF8.self).trimmed
    let isUsable = name.utf8.contains { $0.isLowercase } && !name.contains("..")
    findings.add(.notAName(shortened(written), what, at: place, mended: isUsable ? name : nil))
    guard isUsable else { throw Failure() }
    advance()
    return Name(name, at: place)
  }

  /// Returns the word that stands here, whatever its characters are; `what` says what it is.
  mutating func readWord(_ what: String) throws(Failure) -> Name {
    guard kind == .word else { return try fail(what) }
    if let word = keyword, word.beginsClause { return try fail(what) }
    defer { advance() }
    return Name(text, at: span)
  }

  /// Returns the text in quotes that stands here; `what` says what it is.
  mutating func readString(_ what: String) throws(Failure) -> Spelled<String> {
    guard kind == .string else {
      if kind == .word {
        findings.add(.textWithoutQuotes(what, at: span, fix: unquotedText()))
        throw Failure()
      }
      return try fail("\(what) in double quotes")
    }
    defer { advance() }
    return Spelled(contents(of: current), at: span)
  }

  /// Returns the place of the words from here to the end of the statement, and the text of them in quotes.
  private func unquotedText() -> (place: Span, text: String)? {
    var last = position
    var i = position
    while tokens[i].kind == .word || tokens[i].isTrivia {
      if tokens[i].kind == .comment { break }
      if i > position, keyword(at: i)?.beginsClause == true { break }
      if tokens[i].kind == .word { last = i }
      i += 1
    }
    let place = Span(file: file, lower: current.lower, upper: tokens[last].upper)
    guard place.upper - place.lower <= 120 else { return nil }
    var text = String(decoding: bytes[place.range], as: UTF8.self)
    for quote in ["'", "“", "”", "‘", "’", "`"] { text.replace(quote, with: "") }
    text.replace("\\", with: "\\\\")
    return (place, "\"\(text)\"")
  }

  /// Returns the characters that the string `token` stands for.
  private func contents(of token: Token) -> String {
    let lower = Int(token.lower) + 1
    var upper = Int(token.upper)
    var inside: [UInt8] = []
    var i = lower
    while i < upper {
      if bytes[i] == UInt8(ascii: "\\"), i + 1 < upper {
        // The first escape: from here on the text is not what is written.
        inside.append(contentsOf: bytes[lower..<i])
        return unescaped(inside, from: i, to: upper)
      }
      if bytes[i] == UInt8(ascii: "\"") { upper = i }
      i += 1
    }
    return String(decoding: bytes[lower..<max(lower, upper)], as: UTF8.self)
  }

  /// Returns `start` and what the string goes on with from `lower`, where its first escape stands.
  private func unescaped(_ start: [UInt8], from lower: Int, to upper: Int) -> String {
    var result = start
    var i = lower
    while i < upper, bytes[i] != UInt8(ascii: "\"") {
      if bytes[i] == UInt8(ascii: "\\"), i + 1 < upper { i += 1 }
      result.append(bytes[i])
      i += 1
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// Returns the elements of a list, each read by `element`, with commas between them; `what` says what they are.
  mutating func readList<T>(
    _ what: String, _ element: (inout Parser) throws(Failure) -> T
  ) throws(Failure) -> [T] {
    var result: [T] = []
    while true {
      result.append(try element(&self))
      guard kind == .comma else {
        try rejectMissingComma(what)
        return result
      }
      let comma = take()
      guard atEndOfStatement else { continue }
      if kind == .newline {
        let next = indexBehindLines(from: position)
        switch tokens[next].kind {
        case .word where !beginsStatement(at: next) && keyword(at: next)?.beginsClause != true, .string:
          move(to: next)
          continue
        case .invalid:
          move(to: next)
          throw Failure()
        default: break
        }
      }
      findings.add(.danglingComma(what, at: comma))
      return result
    }
  }

  /// Reports that a comma is missing if another element of a list of `what` seems to follow.
  private mutating func rejectMissingComma(_ what: String) throws(Failure) {
    guard kind == .word, keyword == nil, isPlainName(current) || looksLikeAddress(current) else { return }
    let clauses = Keyword.allCases.filter { $0.beginsClause || $0 == .to }.map(\.rawValue)
    guard nearest(to: text, among: clauses) == nil else { return }
    findings.add(.missingComma(between: what, at: endOfLast, next: span))
    throw Failure()
  }
}

extension String {
  /// The text without the `-` and `.` at its ends.
  fileprivate var trimmed: String {
    var rest = self[...]
    while let c = rest.first, c == "-" || c == "." { rest = rest.dropFirst() }
    while let c = rest.last, c == "-" || c == "." { rest = rest.dropLast() }
    return String(rest)
  }
}
