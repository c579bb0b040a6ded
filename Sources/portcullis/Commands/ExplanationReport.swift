import Driver
import Firewalls
import Reports
import Syntax

/// An explanation as it is written.
struct ExplanationReport {
  /// What is explained.
  private let explanation: Explanation

  /// The question.
  private let question: Question

  /// The files of the policy.
  private let sources: Sources

  /// Creates the report of the `explanation` of `question`.
  init(_ explanation: Explanation, to question: Question, sources: Sources) {
    self.explanation = explanation
    self.question = question
    self.sources = sources
  }

  /// The verdicts that there may be.
  private var verdicts: [Verdict] { [explanation.verdict] + explanation.others.map(\.verdict) }

  /// The explanation for a person.
  var text: String {
    let arrival = explanation.interface.map { " arriving on \($0)" } ?? ""
    let verdicts = verdicts.map(\.rawValue).joined(separator: " or ")
    var result = "\(verdicts): \(question.source) to \(question.destination), \(question.port)"
    result = printable("\(result), at \(explanation.place)\(arrival)") + "\n"
    if !explanation.dependencies.isEmpty {
      result += "\nThat depends on:\n"
      for words in explanation.dependencies { result += "  - \(printable(words))\n" }
    }
    if explanation.others.isEmpty {
      for step in explanation.steps { result += paragraph(step) }
      result += wayText(explanation.way)
    } else {
      let first = Explanation.Outcome(explanation.verdict, explanation.steps, way: explanation.way)
      for outcome in [first] + explanation.others {
        result += "\nWhere the verdict is \(outcome.verdict.rawValue):\n"
        for step in outcome.steps { result += paragraph(step) }
        result += wayText(outcome.way)
      }
    }
    if explanation.isLimited { result += "\nIt is accepted within a rate limit only.\n" }
    if let until = explanation.until { result += "\nThis holds until the end of \(until), UTC.\n" }
    if let owner = explanation.owner {
      result += "\nOwner: \(owner)\(explanation.contact.map { ", " + printable($0) } ?? "")\n"
    }
    if !explanation.nearest.isEmpty { result += "\nNearest:\n" }
    for step in explanation.nearest { result += paragraph(step) }
    if !explanation.assumptions.isEmpty || !explanation.unknowns.isEmpty { result += "\n" }
    for sentence in explanation.assumptions { result += "Note: \(printable(sentence))\n" }
    for unknown in explanation.unknowns { result += "Not known here: \(printable(unknown))\n" }
    return result
  }

  /// Returns what a connection meets, if that is more than what decides.
  private func wayText(_ way: [Explanation.Step]) -> String {
    guard way.count > 1 else { return "" }
    var result = "\nIts way:\n"
    for (i, step) in way.enumerated() {
      result += "  \(i + 1). \(printable(step.sentence))\n"
      // All of them stand in the one file that the headline names.
      let line = step.rule?.line.map { "line \($0): " } ?? ""
      if let rule = step.rule { result += "     \(line)\(printable(shortened(rule.text)))\n" }
    }
    return result
  }

  /// Returns the file of `rule`, with the line if there is one.
  private func place(of rule: Explanation.Quotation) -> String {
    rule.path + (rule.line.map { ":\($0)" } ?? "")
  }

  private func shortened(_ text: String) -> String {
    text.unicodeScalars.count > 400 ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(397))) + "..." : text
  }

  /// Returns `step` with its line.
  private func paragraph(_ step: Explanation.Step) -> String {
    if let rule = step.rule {
      let place = printable(place(of: rule))
      return "\n\(printable(step.sentence))\n  --> \(place)\n  | \(printable(shortened(rule.text)))\n"
    }
    guard let span = step.span else { return "\n\(printable(step.sentence))\n" }
    let line = sources.file(of: span).line(at: Int(span.lower))
    let range = sources.file(of: span).range(ofLine: line)
    let code = printable(sources.file(of: span).text(range.lowerBound..<min(range.upperBound, range.lowerBound + 400)))
    let place = printable(sources.location(of: span).description)
    return "\n\(printable(step.sentence))\n  --> \(place)\n  | \(code)\n"
  }

  /// The explanation for a program.
  var json: String {
    func steps(_ steps: [Explanation.Step]) -> JSON {
      .array(
        steps.map { step in
          let location = step.span.map { sources.location(of: $0) }
          var members: [(name: String, value: JSON)] = [
            ("sentence", .string(step.sentence)),
            ("path", .optional(location?.path ?? step.rule?.path)),
            ("line", (location?.line ?? step.rule?.line).map { .number($0) } ?? .null),
            ("column", location.map { .number($0.column) } ?? .null),
          ]
          if let rule = step.rule { members.append(("rule", .string(rule.text))) }
          return .object(members)
        })
    }
    func outcome(_ outcome: Explanation.Outcome) -> JSON {
      .object([
        ("verdict", .string(outcome.verdict.rawValue)), ("steps", steps(outcome.steps)), ("way", steps(outcome.way)),
      ])
    }
    return JSON.object([
      ("format", .string("portcullis-explanation")),
      ("version", .number(1)),
      ("verdict", .string(explanation.others.isEmpty ? explanation.verdict.rawValue : "depends")),
      ("reason", .string(explanation.reason.rawValue)),
      ("place", .string(explanation.place)),
      ("from", .string(question.source)),
      ("to", .string(question.destination)),
      ("port", .string(question.port)),
      ("interface", .optional(explanation.interface)),
      ("steps", steps(explanation.steps)),
      ("way", steps(explanation.way)),
      (
        "outcomes",
        .array(
          explanation.others.isEmpty
            ? []
            : [outcome(.init(explanation.verdict, explanation.steps, way: explanation.way))]
              + explanation.others.map(outcome))
      ),
      ("depends", .array(explanation.dependencies.map { .string($0) })),
      ("assumptions", .array(explanation.assumptions.map { .string($0) })),
      ("unknowns", .array(explanation.unknowns.map { .string($0) })),
      ("nearest", steps(explanation.nearest)),
      ("service", .optional(explanation.service)),
      ("owner", .optional(explanation.owner)),
      ("contact", .optional(explanation.contact)),
      ("limited", .bool(explanation.isLimited)),
      ("until", .optional(explanation.until.map { "\($0)" })),
    ]).text
  }
}
