extension Plan {
  /// The most lines of one object that are told.
  private static let mostLines = 12

  /// What the plan changes and how, as a person reads it.
  public var text: String {
    guard !isEmpty else { return "Nothing is to be done.\n" }
    var text = ""
    if !reasons.isEmpty {
      text += "The table is as we never leave it, and is made anew at once:\n"
      text += reasons.prefix(Plan.mostLines).map { "  \($0)\n" }.joined()
      if reasons.count > Plan.mostLines { text += "    and \(reasons.count - Plan.mostLines) more\n" }
    }
    for change in changes {
      text += "\(change.kind.rawValue) \(change.name): \(change.added.count) added, \(change.removed.count) removed\n"
      let lines = change.removed.map { "  - \($0)\n" } + change.added.map { "  + \($0)\n" }
      text += lines.prefix(Plan.mostLines).joined()
      if lines.count > Plan.mostLines { text += "    and \(lines.count - Plan.mostLines) more\n" }
    }
    let words: [Purpose: String] = [
      .tidy: "removes what an interrupted change left", .stage: "makes ready what is new",
      .swap: "lets it judge, at once", .clean: "removes what is old",
    ]
    for (i, step) in steps.enumerated() {
      let count = step.transaction.commands.count
      text += "step \(i + 1) of \(steps.count) (\(count) \(count == 1 ? "command" : "commands")): "
      text += "\(words[step.purpose] ?? "")\n"
    }
    return text
  }
}
