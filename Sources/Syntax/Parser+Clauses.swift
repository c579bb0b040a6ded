// What may stand behind a statement.

extension Parser {
  /// Returns `true` iff the current token begins a clause, which may be on the next line.
  private mutating func movesToClause() -> Bool {
    if kind == .newline {
      let next = indexBehindLines(from: position)
      guard keyword(at: next)?.beginsClause == true else { return false }
      move(to: next)
    }
    return keyword?.beginsClause == true
  }

  /// Reads the clauses of a statement of `owner`, which may be those in `allowed`; `exceptions` takes what `except` says.
  mutating func readClauses(
    of owner: Keyword, _ allowed: [Keyword], into clauses: inout Clauses, exceptions: inout [Spelled<Term>]
  ) throws(Failure) {
    while movesToClause(), let word = keyword {
      guard allowed.contains(word) else {
        findings.add(
          .clauseNotHere(word.rawValue, of: owner.rawValue, at: span, allowed: allowed.map(\.rawValue)))
        throw Failure()
      }
      let place = take()
      if let first = firstPlace(of: word, in: clauses, exceptions) {
        findings.add(.givenTwice(word.rawValue, at: place, first: first))
        throw Failure()
      }
      switch word {
      case .as: clauses.publicPort = try readTraffic()
      case .via: clauses.via = try readName("a host")
      case .on: clauses.on = try readTrafficLists()
      case .limit: clauses.limit = try readLimit(allowsPerSource: true)
      case .until: clauses.until = try readDate()
      case .because: clauses.because = try readString("the reason")
      case .ticket: clauses.ticket = try readString("the ticket")
      case .logged: clauses.logged = place
      case .masquerade: clauses.masquerade = place
      default: exceptions = try readTerms("who is left out")
      }
    }
    endStatement(after: allowed)
  }

  /// Reads the clauses of a statement of `owner`, which may be those in `allowed`.
  mutating func readClauses(
    of owner: Keyword, _ allowed: [Keyword], into clauses: inout Clauses
  ) throws(Failure) {
    var none: [Spelled<Term>] = []
    try readClauses(of: owner, allowed, into: &clauses, exceptions: &none)
  }

  /// Returns where the clause of `word` was given, if it was.
  private func firstPlace(of word: Keyword, in clauses: Clauses, _ exceptions: [Spelled<Term>]) -> Span? {
    switch word {
    case .as: clauses.publicPort?.span
    case .via: clauses.via?.span
    case .on: clauses.on.first?.span
    case .limit: clauses.limit?.span
    case .until: clauses.until?.span
    case .because: clauses.because?.span
    case .ticket: clauses.ticket?.span
    case .logged: clauses.logged
    case .masquerade: clauses.masquerade
    default: exceptions.first?.span
    }
  }

  /// Reports that `statement` at `place` lacks the clause of `word`; `example` is what it could be.
  mutating func requireClause(_ word: Keyword, of statement: Keyword, at place: Span, example: String, isGiven: Bool) {
    if !isGiven {
      findings.add(.missingClause(word.rawValue, of: statement.rawValue, at: place, example: example))
    }
  }
}
