// What is said of text that does not follow the grammar.

/// Returns `words` as a person lists them.
private func listed(_ words: [String]) -> String {
  let quoted = words.map { "`\($0)`" }
  guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "" }
  return quoted.dropLast().joined(separator: ", ") + " or " + last
}

extension Diagnostic {
  // MARK: Characters

  /// Returns the error of bytes that are not UTF-8, the first of which is `byte`.
  static func notUTF8(at place: Span, byte: UInt8) -> Diagnostic {
    let digits = String(byte, radix: 16)
    return .init(
      .error, "syntax-encoding", "this is not UTF-8",
      at: .init(place, "byte 0x\(digits.count < 2 ? "0" : "")\(digits)"),
      because: "A policy is UTF-8 text, so that every reader sees the same characters.",
      help: "Save the file as UTF-8.")
  }

  /// Returns the error of a control character.
  static func controlCharacter(at place: Span, code: UInt32) -> Diagnostic {
    let name =
      switch code {
      case 0: "a NUL byte"
      case 0x09: "a tab"
      case 0x0d: "a carriage return without a line feed"
      case 0x1b: "an escape character"
      default: "the control character U+\(hexadecimal(code))"
      }
    return .init(
      .error, "syntax-control-character", "a policy cannot hold \(name)", at: .init(place, "here"),
      because: "Control characters are not shown, or change what a terminal shows of the text around them.",
      help: code == 0x09 ? "Write a space." : "Remove it.",
      fixes: [.init(replace: place, with: code == 0x09 ? " " : "", safety: .safe)])
  }

  /// Returns the error of a character that cannot be seen.
  static func hiddenCharacter(at place: Span, code: UInt32) -> Diagnostic {
    .init(
      .error, "syntax-hidden-character", "a policy cannot hold the invisible character U+\(hexadecimal(code))",
      at: .init(place, "here"),
      because:
        "Characters that are invisible or turn the direction of text can make a policy look like another one to those who review it.",
      help: "Remove it.", fixes: [.init(replace: place, with: "", safety: .safe)])
  }

  /// Returns `code` as Unicode writes it.
  private static func hexadecimal(_ code: UInt32) -> String {
    let digits = String(code, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
  }

  /// Returns the error of a comment that begins right behind a word.
  static func joinedComment(at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-joined-comment", "a comment needs a space before its `#`",
      at: .init(place, "the comment begins here"),
      because: "`#` is part of no word, so what follows it would silently be left out.",
      help: "Put a space before `#`, or put the text in double quotes.",
      fixes: [.init(replace: place, with: " #", safety: .safe)])
  }

  /// Returns the error of a string without its second quote.
  static func unclosedString(at place: Span, end: Span) -> Diagnostic {
    .init(
      .error, "syntax-unclosed-string", "this text has no closing quote", at: .init(place, "opened here"),
      also: [.init(end, "the line ends here")], because: "A text in quotes ends on the line where it begins.",
      help: "Put `\"` behind the text.", fixes: [.init(replace: end, with: "\"", safety: .safe)])
  }

  /// Returns the error of a backslash before a character that needs none.
  static func unknownEscape(at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-escape", "there is no such escape", at: .init(place, "here"),
      because: "In a text, a backslash stands only before `\"` and before another backslash.",
      help: "Write `\\\\` for a backslash.")
  }

  // MARK: Structure

  /// Returns the error of something else than `expected`.
  static func expected(_ expected: String, found: String, at place: Span, meant: String?) -> Diagnostic {
    .init(
      .error, "syntax-expected", "expected \(expected), but found \(found)", at: .init(place, "expected here"),
      help: meant.map { "Did you mean `\($0)`?" },
      fixes: meant.map { [.init(replace: place, with: $0, safety: .unsafe)] } ?? [])
  }

  /// Returns the error of something behind the end of a statement.
  static func unexpectedBehindStatement(
    _ found: String, at place: Span, meant: String?, allowed: [String]
  ) -> Diagnostic {
    .init(
      .error, "syntax-unexpected", "the statement should end before \(found)", at: .init(place, "not expected here"),
      because: "A statement ends at the end of its line or at `;`.",
      help: meant.map { "Did you mean `\($0)`?" }
        ?? (allowed.isEmpty
          ? "Begin the next statement on a line of its own, or put `;` before it."
          : "What may follow here is \(listed(allowed)). Begin another statement on a line of its own, or behind `;`."),
      fixes: meant.map { [.init(replace: place, with: $0, safety: .unsafe)] } ?? [])
  }

  /// Returns the error of a word that begins no declaration; `home` is the declaration that it belongs into, if any.
  static func unknownDeclaration(_ word: String, at place: Span, meant: String?, home: String?) -> Diagnostic {
    if let home {
      return .init(
        .error, "syntax-unknown-declaration", "`\(word)` belongs inside a `\(home)`",
        at: .init(place, "a statement, where a declaration is expected"),
        help: "Put it between the braces of a `\(home)`, or check that no `}` before it closes that one too early.")
    }
    return .init(
      .error, "syntax-unknown-declaration", "there is no declaration `\(word)`", at: .init(place, "not known"),
      help: meant.map { "Did you mean `\($0)`?" }
        ?? "A declaration begins with \(listed(Keyword.declarations.map(\.rawValue))).",
      fixes: meant.map { [.init(replace: place, with: $0, safety: .unsafe)] } ?? [])
  }

  /// Returns the error of a word that begins no statement of a `declaration`.
  static func unknownStatement(
    _ word: String, of declaration: String, at place: Span, meant: String?, allowed: [String]
  ) -> Diagnostic {
    .init(
      .error, "syntax-unknown-statement", "a `\(declaration)` has no statement `\(word)`",
      at: .init(place, "not known here"),
      help: meant.map { "Did you mean `\($0)`?" } ?? "A statement here begins with \(listed(allowed)).",
      fixes: meant.map { [.init(replace: place, with: $0, safety: .unsafe)] } ?? [])
  }

  /// Returns the error of a block without its `}`; `next` is the declaration that begins before it, if there is one.
  static func unclosedBlock(of subject: String, opened: Span, at place: Span, next: Span?) -> Diagnostic {
    .init(
      .error, "syntax-unclosed-block", "the block of \(subject) is not closed", at: .init(opened, "opened here"),
      also: [
        next.map { .init($0, "this declaration begins before the block is closed") }
          ?? .init(place, "the file ends here")
      ],
      help: "Put `}` behind the last statement of \(subject).",
      fixes: [.init(replace: place, with: "\n}", safety: .unsafe)])
  }

  /// Returns the error of a `}` that closes nothing.
  static func unopenedBlock(at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-unopened-block", "this `}` closes nothing", at: .init(place, "no block is open here"),
      help: "Remove it, or check that no `}` before it closes a block too early.",
      fixes: [.init(replace: place, with: "", safety: .unsafe)])
  }

  /// Returns the error of a statement or clause that is given once more.
  static func givenTwice(_ word: String, at place: Span, first: Span) -> Diagnostic {
    .init(
      .error, "syntax-given-twice", "`\(word)` is given twice", at: .init(place, "given again here"),
      also: [.init(first, "first given here")],
      because: "No order of statements changes a policy's meaning, so neither could win.", help: "Remove one of them.")
  }

  /// Returns the error of a clause that the statement cannot have.
  static func clauseNotHere(_ clause: String, of statement: String, at place: Span, allowed: [String]) -> Diagnostic {
    .init(
      .error, "syntax-clause-not-here", "`\(clause)` cannot stand behind `\(statement)`",
      at: .init(place, "not possible here"),
      help: statement == "expose" && clause == "on"
        ? "Give the port a name, and write `expose NAME to ...`." : "What may stand here is \(listed(allowed)).")
  }

  /// Returns the error of a statement that lacks a clause.
  static func missingClause(_ clause: String, of statement: String, at place: Span, example: String) -> Diagnostic {
    let end = Span(file: place.file, lower: place.upper, upper: place.upper)
    let reason: String? =
      switch (statement, clause) {
      case ("waive", "until"): "A waiver without an end outlives the reason for it."
      case ("waive", _): "Those who read a waiver later must be able to judge it."
      case ("transit", _): "Packets that a policy lets through pass a router, which has to know of them."
      default: nil
      }
    return .init(
      .error, "syntax-missing-clause", "`\(statement)` needs `\(clause)`", at: .init(place, "`\(clause)` is missing"),
      because: reason, help: "Add `\(example)`.", fixes: [.init(replace: end, with: " " + example, safety: .unsafe)])
  }

  /// Returns the error of two elements of a list without a comma between them.
  static func missingComma(between what: String, at end: Span, next: Span) -> Diagnostic {
    .init(
      .error, "syntax-missing-comma", "a comma is missing before this", at: .init(next, "another element of the list?"),
      help: "Put `,` between the elements of a list.", fixes: [.init(replace: end, with: ",", safety: .unsafe)])
  }

  /// Returns the error of a comma that no element follows.
  static func danglingComma(_ what: String, at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-dangling-comma", "the list ends with a comma", at: .init(place, "\(what) should follow"),
      because: "A comma says that the list goes on, on the next line if need be.",
      help: "Remove it, or go on with the list.",
      fixes: [.init(replace: place, with: "", safety: .safe)])
  }

  /// Returns the last word on a file with too many errors.
  static func tooManyErrors(_ count: Int, at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-too-many-errors",
      count == 1 ? "one more error in this file is not shown" : "\(count) more errors in this file are not shown",
      at: .init(place), help: "Mend the first ones; others may come from them.")
  }
}
