import Syntax

// What is wrong with names: each a named function, so that the resolver reads as what it does.

extension Diagnostic {
  /// `name` means nothing where `role` is expected; `near` is what may have been meant.
  static func unknownName(
    _ name: String, said kind: EntityKind?, at span: Span, as role: Role, near: Suggestions.Candidate?
  ) -> Diagnostic {
    let wanted = kind.map { "no \($0.rawValue)" } ?? role.kinds.only.map { "no \($0.rawValue)" } ?? "nothing"
    var result = Diagnostic(
      .error, "unknown-name", "\(wanted) is named `\(name)`", at: Label(span, "not declared in this policy"),
      because: "A statement about something that is not declared cannot be carried out.", subject: name)
    guard let near else {
      let what = kind?.withArticle ?? role.expectation
      result.help = "Declare `\(name)`, or name \(what) that is declared."
      return result
    }
    result.secondary = [Label(near.name.span, "\(near.kind.withArticle) with a similar name is declared here")]
    let fits = (kind.map { Kinds($0).intersection(role.kinds) } ?? role.kinds).contains(Kinds(near.kind))
    if fits {
      let text = kind.map { "\($0.rawValue) \(near.name.value)" } ?? near.name.value
      result.help = "Did you mean `\(text)`?"
      result.fixes = [Fix(replace: span, with: text, safety: .unsafe)]
    } else {
      let what = kind?.withArticle ?? role.expectation
      result.help = "Did you mean `\(near.name.value)`? It is \(near.kind.withArticle); here stands \(what)."
    }
    return result
  }

  /// No service is of the class `name`; `near` is what may have been meant.
  static func unknownClass(_ name: String, at span: Span, near: String?) -> Diagnostic {
    var result = Diagnostic(
      .warning, "unknown-class", "no service is of class `\(name)`", at: Label(span, "this is nobody"),
      because: "A statement about a class without services says nothing.", subject: name)
    if let near {
      result.help = "Did you mean `class \(near)`?"
      result.fixes = [Fix(replace: span, with: "class \(near)", safety: .unsafe)]
    } else {
      result.help = "Put `class \(name)` into the services that are meant."
    }
    return result
  }

  /// The thing of `kind` called `name` is declared again.
  static func duplicateName(of kind: EntityKind, _ name: Name, first: Span) -> Diagnostic {
    Diagnostic(
      .error, "duplicate-name", "the \(kind.rawValue) `\(name.value)` is declared twice",
      at: Label(name.span, "declared again here"), also: [Label(first, "first declared here")],
      because: "A name means one thing of a kind. Which declaration holds must not depend on their order.",
      help: "Rename one of them, or join them into one declaration.", subject: name.value)
  }

  /// The thing of `kind` called `name` has the name of a zone that is built in.
  static func reservedName(of kind: EntityKind, _ name: Name) -> Diagnostic {
    let meaning =
      name.value == "internet" ? "every address on every interface" : "the host itself, through its loopback interface"
    return Diagnostic(
      .error, "reserved-name", "\(kind.withArticle) cannot be named `\(name.value)`",
      at: Label(name.span, "this name is built in"),
      because: "`\(name.value)` always means \(meaning); a second meaning could open more than its reader expects.",
      help: "Choose another name.", subject: name.value)
  }

  /// `name` means several things that could stand as `role`.
  static func ambiguousName(
    _ name: String, at span: Span, as role: Role, declared places: [(EntityKind, Span)]
  ) -> Diagnostic {
    let kinds = places.map(\.0)
    let phrase = list(kinds.map(\.withArticle), "and")
    var result = Diagnostic(
      .error, "ambiguous-name", "`\(name)` is \(kinds.count == 2 ? "both " : "")\(phrase)",
      at: Label(span, "which one?"), also: places.map { Label($0.1, "\($0.0.withArticle) is named `\(name)` here") },
      because: "The two need not have the same addresses, so a guess could open what was not meant.",
      subject: name)
    if kinds.count > 2 {
      result.reason = "They need not have the same addresses, so a guess could open what was not meant."
    }
    if role.takesKind {
      // No fix: which of them is meant, only its author knows.
      result.help = "Write \(list(kinds.map { "`\($0.rawValue) \(name)`" }, "or"))."
    } else {
      result.help = "Rename one of them."
    }
    return result
  }

  /// `name` is declared, but as nothing that could stand as `role`, or not as the `kind` that is said.
  static func wrongKind(
    _ name: String, said kind: EntityKind?, at span: Span, as role: Role, declared places: [(EntityKind, Span)]
  ) -> Diagnostic {
    let found = list(places.map(\.0.withArticle), "and")
    let label = kind.map { "there is no \($0.rawValue) `\(name)`" } ?? "\(role.expectation) is expected here"
    var result = Diagnostic(
      .error, "wrong-kind", "`\(name)` is \(found), not \(kind?.withArticle ?? role.expectation)",
      at: Label(span, label), also: places.map { Label($0.1, "\($0.0.withArticle) is named `\(name)` here") },
      because: "Things of different kinds have different addresses, so one cannot stand for another.",
      subject: name)
    let fitting = places.map(\.0).filter { role.kinds.contains(Kinds($0)) }
    if kind != nil, !fitting.isEmpty {
      result.help = "Write \(list(fitting.map { "`\($0.rawValue) \(name)`" }, "or"))."
      if fitting.count == 1 {
        result.fixes = [Fix(replace: span, with: "\(fitting[0].rawValue) \(name)", safety: .unsafe)]
      }
    } else {
      result.help = "Name \(role.expectation)."
    }
    return result
  }

  /// `term` is nothing that could stand as `role`.
  static func unfitting(_ term: Term, at span: Span, as role: Role) -> Diagnostic {
    let what: String =
      switch term {
      case .internet: "`internet`"
      case .localhost, .named(_, "localhost"): "`localhost`"
      case .serviceClass(let name): "`class \(name)`"
      case .addresses(let range): "`\(range)`"
      case .named(_, let name): "`\(name)`"
      }
    return Diagnostic(
      .error, "wrong-kind", "\(what) is not \(role.expectation)",
      at: Label(span, "\(role.expectation) is expected here"),
      because: "Only \(role.expectation) has a meaning here.", help: "Name \(role.expectation).")
  }

  /// The zones `names` are made of each other.
  static func zoneCycle(_ names: [Name]) -> Diagnostic {
    cycle(
      "zone-cycle", "zone", names,
      because: "A zone that is a part of itself has no addresses that could be worked out.")
  }

  /// The groups `names` are members of each other.
  static func groupCycle(_ names: [Name]) -> Diagnostic {
    cycle("group-cycle", "group", names, because: "A group that is a member of itself has no end of members.")
  }

  /// The things of `kind` called `names` contain each other in this order.
  private static func cycle(_ code: String, _ kind: String, _ names: [Name], because reason: String) -> Diagnostic {
    let path = (names + [names[0]]).map { "`\($0.value)`" }.joined(separator: " → ")
    let message =
      names.count == 1
      ? "the \(kind) `\(names[0].value)` contains itself" : "the \(kind)s contain each other: \(path)"
    return Diagnostic(
      .error, code, message, at: Label(names[0].span, "contains `\(names[names.count == 1 ? 0 : 1].value)`"),
      also: names.indices.dropFirst().map {
        Label(names[$0].span, "contains `\(names[($0 + 1) % names.count].value)`")
      },
      because: reason, help: "Take one of them out of the other.", subject: names[0].value)
  }
}

/// Returns `words` as a list whose last two are joined by `conjunction`.
func list(_ words: [String], _ conjunction: String) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "" }
  return words.dropLast().joined(separator: ", ") + " \(conjunction) " + last
}
