import ArgumentParser
import Driver
import Firewalls
import Reports
import Syntax

/// `portcullis explain`.
struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Say what becomes of a connection, and which line decides.",
    discussion: """
      Examples:
        portcullis explain --from 203.0.113.7 --to web1 --port 443/tcp
        portcullis explain --cluster prod --from shop/cart --to shop/ledger --port 5432/tcp
      """)

  /// How an explanation is written.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text, json
  }

  @OptionGroup var policy: PolicyOptions

  @Option(help: ArgumentHelp("Where it comes from: an address, or NAMESPACE/SERVICE.", valueName: "addr"))
  var from: String

  @Option(help: ArgumentHelp("Where it goes: an address, a host, or NAMESPACE/SERVICE.", valueName: "host-or-addr"))
  var to: String

  @Option(help: ArgumentHelp("The port with its protocol, or an ICMP message.", valueName: "443/tcp"))
  var port: String

  @Option(
    name: .customLong("in"),
    help: ArgumentHelp("The interface that it arrives on (default: the one that the zones tell).", valueName: "iface"))
  var interface: String?

  @Option(help: ArgumentHelp("The source port.", valueName: "n"))
  var sport: UInt16 = 49152

  @Option(help: ArgumentHelp("The cluster that the services run on.", valueName: "name"))
  var cluster: String?

  @Option(help: "How the answer is written: text or json.")
  var format = Format.text

  func run() async throws {
    // What the checks found changes no verdict, and may be why somebody asks.
    let pipeline = try await policy.resolvedPipeline()
    let question = Question(from: from, to: to, port: port, on: interface, sourcePort: sport, in: cluster)
    let answer: Explanation
    do throws(UnanswerableQuestion) {
      answer = try pipeline.explain(question)
    } catch {
      Terminal.fail(error.description)
    }
    let report = ExplanationReport(answer, to: question, sources: pipeline.sources)
    try Terminal.print(format == .json ? report.json : report.text)
  }
}

/// An explanation as it is written.
private struct ExplanationReport {
  /// What is explained.
  let explanation: Explanation

  /// The question.
  let question: Question

  /// The files of the policy.
  let sources: Sources

  /// Creates the report of the `explanation` of `question`.
  init(_ explanation: Explanation, to question: Question, sources: Sources) {
    self.explanation = explanation
    self.question = question
    self.sources = sources
  }

  /// The explanation for a person.
  var text: String {
    let arrival = explanation.interface.map { " arriving on \($0)" } ?? ""
    var result = "\(explanation.verdict.rawValue): \(question.source) to \(question.destination), \(question.port)"
    result = printable("\(result), at \(explanation.place)\(arrival)") + "\n"
    for step in explanation.steps { result += paragraph(step) }
    if explanation.isLimited { result += "\nIt is accepted within a rate limit only.\n" }
    if let until = explanation.until { result += "\nThis holds until the end of \(until), UTC.\n" }
    if let owner = explanation.owner {
      result += "\nOwner: \(owner)\(explanation.contact.map { ", " + printable($0) } ?? "")\n"
    }
    if !explanation.nearest.isEmpty { result += "\nNearest:\n" }
    for step in explanation.nearest { result += paragraph(step) }
    return result
  }

  /// Returns `step` with its line.
  private func paragraph(_ step: Explanation.Step) -> String {
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
          return .object([
            ("sentence", .string(step.sentence)),
            ("path", .optional(location?.path)),
            ("line", location.map { .number($0.line) } ?? .null),
            ("column", location.map { .number($0.column) } ?? .null),
          ])
        })
    }
    return JSON.object([
      ("format", .string("portcullis-explanation")),
      ("version", .number(1)),
      ("verdict", .string(explanation.verdict.rawValue)),
      ("reason", .string(explanation.reason.rawValue)),
      ("place", .string(explanation.place)),
      ("from", .string(question.source)),
      ("to", .string(question.destination)),
      ("port", .string(question.port)),
      ("interface", .optional(explanation.interface)),
      ("steps", steps(explanation.steps)),
      ("nearest", steps(explanation.nearest)),
      ("service", .optional(explanation.service)),
      ("owner", .optional(explanation.owner)),
      ("contact", .optional(explanation.contact)),
      ("limited", .bool(explanation.isLimited)),
      ("until", .optional(explanation.until.map { "\($0)" })),
    ]).text
  }
}
