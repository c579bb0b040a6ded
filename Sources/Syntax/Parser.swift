/// Reads declarations from tokens.
///
/// A function that cannot go on has reported why, and throws; the loop over the statements or declarations of a block
/// then leaves that one out and goes on behind it. The grammar is three levels deep, and what does not follow it is
/// skipped without recursion, so the depth of the input does not matter.
struct Parser {
  /// The reason to leave a statement, which has been reported.
  struct Failure: Error {}

  /// The bytes of the file.
  let bytes: [UInt8]

  /// The tokens of the file.
  let tokens: [Token]

  /// The position of the file in its `Sources`.
  let file: UInt32

  /// What is declared.
  var tree = Tree()

  /// What is wrong.
  let findings = Findings()

  /// The index of the current token, which is no trivia.
  private(set) var position = 0

  /// The offset behind the last token that was taken and that is no line break.
  private(set) var lastEnd: UInt32 = 0

  /// The index of the last token that was taken and that is no line break, or -1.
  private(set) var lastPosition = -1

  /// Creates a parser at the first of `tokens`.
  init(_ bytes: [UInt8], _ tokens: [Token], file: UInt32) {
    self.bytes = bytes
    self.tokens = tokens
    self.file = file
    skipTrivia()
  }

  // MARK: The current token

  /// The current token.
  var current: Token { tokens[position] }

  /// The kind of the current token.
  var kind: Token.Kind { tokens[position].kind }

  /// The place of the current token.
  var span: Span { span(of: tokens[position]) }

  /// The keyword that the current token spells, if it spells one.
  var keyword: Keyword? { keyword(at: position) }

  /// Returns the keyword that the token at `index` spells, if it spells one.
  func keyword(at index: Int) -> Keyword? { tokens[index].keyword }

  /// Returns the place of `token`.
  func span(of token: Token) -> Span { Span(file: file, lower: token.lower, upper: token.upper) }

  /// Returns the text of the current token.
  var text: String { text(of: current) }

  /// Returns the text of `token`.
  func text(of token: Token) -> String { String(decoding: bytes[Int(token.lower)..<Int(token.upper)], as: UTF8.self) }

  /// Returns the place from `start` to the end of what was taken last.
  func span(from start: Span) -> Span { Span(file: file, lower: start.lower, upper: max(start.upper, lastEnd)) }

  /// The empty place behind what was taken last.
  var endOfLast: Span { Span(file: file, lower: lastEnd, upper: lastEnd) }

  /// `true` iff the statement ends here, unless the next line goes on with it.
  var atEndOfStatement: Bool {
    switch kind {
    case .newline, .semicolon, .rightBrace, .end: true
    default: false
    }
  }

  // MARK: Moving on

  /// Moves on to the next token that is no trivia.
  mutating func advance() {
    let token = tokens[position]
    if token.kind == .end { return }
    if token.kind != .newline {
      lastEnd = token.upper
      lastPosition = position
    }
    position += 1
    skipTrivia()
  }

  /// Moves on to a token that is no trivia.
  private mutating func skipTrivia() {
    while tokens[position].isTrivia { position += 1 }
  }

  /// Returns the index of the first token from `index` on that is no trivia.
  func indexBehindTrivia(from index: Int) -> Int {
    var i = index
    while tokens[i].isTrivia { i += 1 }
    return i
  }

  /// Returns the index of the first token from `index` on that is neither trivia nor the end of a line.
  func indexBehindLines(from index: Int) -> Int {
    var i = index
    while tokens[i].isTrivia || tokens[i].kind == .newline { i += 1 }
    return i
  }

  /// Moves on to the token at `index`.
  mutating func move(to index: Int) {
    while position < index { advance() }
  }

  /// Returns the place of the current token, and moves on.
  mutating func take() -> Span {
    defer { advance() }
    return span
  }

  /// Moves on and returns `true` if the current token spells `expected`; a clause may begin on the next line.
  mutating func takes(_ expected: Keyword) -> Bool {
    if kind == .newline, expected.beginsClause {
      let next = indexBehindLines(from: position)
      if keyword(at: next) == expected { move(to: next) }
    }
    guard keyword == expected else { return false }
    advance()
    return true
  }

  /// Moves on behind the current token if it spells `expected`; `why` says what for.
  mutating func expect(_ expected: Keyword, _ why: String) throws(Failure) {
    if !takes(expected) { try fail("`\(expected.rawValue)` \(why)", among: [expected.rawValue]) }
  }

  /// Reports that the current token is not what is expected here, unless it was reported before, and fails.
  func unexpected(_ expected: String, among words: [String]) -> Diagnostic {
    let found = kind == .word ? text : nil
    return .expected(
      expected, found: description(of: current), at: atEndOfStatement ? endOfLast : span,
      meant: found.flatMap { nearest(to: $0, among: words) })
  }

  /// Reports that `expected` is not what stands here, unless that was reported before, and fails.
  mutating func fail<T>(_ expected: String, among words: [String] = []) throws(Failure) -> T {
    if kind != .invalid { findings.add(unexpected(expected, among: words)) }
    throw Failure()
  }

  /// Reports that `expected` is not what stands here, unless that was reported before, and fails.
  mutating func fail(_ expected: String, among words: [String] = []) throws(Failure) {
    if kind != .invalid { findings.add(unexpected(expected, among: words)) }
    throw Failure()
  }

  /// Returns what `token` is called in a finding.
  func description(of token: Token) -> String {
    switch token.kind {
    case .word: "`\(shortened(text(of: token)))`"
    case .string: "a text in quotes"
    case .comma: "`,`"
    case .semicolon: "`;`"
    case .leftBrace: "`{`"
    case .rightBrace: "`}`"
    case .newline: "the end of the line"
    case .end: "the end of the file"
    default: "something else"
    }
  }

  // MARK: Recovery

  /// Moves on behind the rest of a statement, with the lines and blocks that go on with it.
  mutating func skipStatement() {
    while true {
      switch kind {
      case .end, .semicolon, .rightBrace: return
      case .leftBrace: skipBlock()
      case .newline:
        let next = indexBehindLines(from: position)
        let goesOn = lastPosition >= 0 && tokens[lastPosition].kind == .comma && !beginsStatement(at: next)
        guard goesOn || keyword(at: next)?.beginsClause == true else { return }
        move(to: next)
      default: advance()
      }
    }
  }

  /// Moves on behind the block whose `{` is the current token, or to where a declaration begins that cannot be in it.
  private mutating func skipBlock() {
    var depth = 0
    while kind != .end {
      if kind == .leftBrace { depth += 1 }
      if kind == .rightBrace { depth -= 1 }
      if depth > 0, isAtStartOfText, beginsDeclaration(at: position) { return }
      advance()
      if depth == 0 { return }
    }
  }

  /// `true` iff the current token is the first on its line, without white space before it.
  private var isAtStartOfText: Bool {
    current.lower > 0 && bytes[Int(current.lower) - 1] == UInt8(ascii: "\n")
  }

  /// Returns `true` iff the token at `index` begins a declaration that no block may hold.
  func beginsDeclaration(at index: Int) -> Bool {
    guard let word = keyword(at: index), word.beginsDeclaration else { return false }
    let next = indexBehindTrivia(from: index + 1)
    switch word {
    case .transit, .block, .never, .always, .waive: return tokens[next].kind == .word
    case .policy: return tokens[next].kind == .string || tokens[next].kind == .leftBrace
    default: return tokens[next].kind == .word && tokens[indexBehindTrivia(from: next + 1)].kind == .leftBrace
    }
  }

  /// Returns `true` iff the token at `index`, the first on its line, looks like the begin of another statement and not
  /// like an element of a list.
  func beginsStatement(at index: Int) -> Bool {
    guard let word = keyword(at: index), !word.beginsClause else { return false }
    if beginsDeclaration(at: index) { return true }
    let next = indexBehindTrivia(from: index + 1)
    guard tokens[next].kind == .word || tokens[next].kind == .string else { return false }
    switch word {
    case .deny, .log, .ephemeral, .nodeports, .ping, .check, .contact, .approvers, .purpose, .port, .expose, .uses,
      .address, .interface, .runs, .egress, .allot, .publish:
      return keyword(at: next)?.beginsClause != true
    default: return false
    }
  }

  // MARK: Statements

  /// Reports what stands behind a statement that should have ended, and moves on behind it.
  mutating func endStatement(after clauses: [Keyword] = []) {
    if !atEndOfStatement {
      if kind == .word || kind == .string || kind == .comma || kind == .leftBrace {
        let words = clauses.map(\.rawValue)
        findings.add(
          .unexpectedBehindStatement(
            description(of: current), at: span, meant: kind == .word ? nearest(to: text, among: words) : nil,
            allowed: words))
      }
      skipStatement()
    }
  }

  /// Reads the statements of the block of `declaration`, whose `{` is next, into `result`; `statement` reads the one
  /// that begins here.
  mutating func readBlock<Result>(
    of declaration: Keyword, named name: String?, into result: inout Result,
    _ statement: (inout Parser, inout Result) throws(Failure) -> Void
  ) throws(Failure) {
    func subject() -> String {
      name.map { "`\(declaration.rawValue) \(shortened($0))`" } ?? "`\(declaration.rawValue)`"
    }
    let brace = indexBehindLines(from: position)
    guard tokens[brace].kind == .leftBrace else {
      try fail("`{` and the statements of \(subject())")
      return
    }
    move(to: brace)
    let opening = take()
    while true {
      switch kind {
      case .newline, .semicolon, .invalid: advance()
      case .rightBrace:
        advance()
        return
      case .end:
        findings.add(.unclosedBlock(of: subject(), opened: opening, at: span, next: nil))
        return
      default:
        if beginsDeclaration(at: position) {
          findings.add(.unclosedBlock(of: subject(), opened: opening, at: endOfLast, next: span))
          return
        }
        do { try statement(&self, &result) } catch { skipStatement() }
      }
    }
  }

  /// Reports that the current token begins no statement of a block of `declaration`, and fails.
  mutating func failUnknownStatement(of declaration: Keyword) throws(Failure) {
    guard kind == .word else {
      try fail("a statement of `\(declaration.rawValue)`")
      return
    }
    let words = declaration.statements.map(\.rawValue)
    findings.add(
      .unknownStatement(
        shortened(text), of: declaration.rawValue, at: span, meant: nearest(to: text, among: words), allowed: words))
    throw Failure()
  }

  /// Returns `value`, or `first` with a finding if the statement of `keyword` was given before.
  mutating func once<T: Sendable>(
    _ first: Spelled<T>?, _ value: Spelled<T>, _ keyword: Keyword, at place: Span
  ) -> Spelled<T> {
    guard let first else { return value }
    findings.add(.givenTwice(keyword.rawValue, at: place, first: first.span))
    return first
  }
}

/// Returns `text`, cut if it is too long to be shown whole.
func shortened(_ text: String) -> String {
  text.utf8.count <= 60 ? text : String(text.prefix(48)) + "…"
}
