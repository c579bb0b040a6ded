public import Syntax

/// What was found in a policy, with all that is needed to write it down.
///
/// A finding that lies at no place in a text, such as a file that cannot be read, is at the start of an empty file
/// of that path.
public struct FindingsReport: Sendable {
  /// What is known of a check, or of a rule of the language, apart from its findings.
  public struct Check: Sendable {
    /// The name, which findings carry as their code.
    public var name: String

    /// What it does, in one sentence.
    public var summary: String

    /// Its page, as plain text.
    public var help: String

    /// Its page, as Markdown.
    public var markdown: String?

    /// The severity of its findings, unless the policy says otherwise.
    public var severity: Severity

    /// Creates the description of the check called `name`.
    public init(name: String, summary: String, help: String, markdown: String? = nil, severity: Severity) {
      self.name = name
      self.summary = summary
      self.help = help
      self.markdown = markdown
      self.severity = severity
    }
  }

  /// A finding that the policy accepts for a time.
  public struct Waived: Sendable {
    /// The finding.
    public var diagnostic: Diagnostic

    /// Why it is accepted.
    public var reason: String

    /// The last day, as the policy writes it.
    public var until: String?

    /// Where it is discussed.
    public var ticket: String?

    /// Creates the finding `diagnostic`, accepted because of `reason`.
    public init(_ diagnostic: Diagnostic, because reason: String, until: String? = nil, ticket: String? = nil) {
      self.diagnostic = diagnostic
      self.reason = reason
      self.until = until
      self.ticket = ticket
    }
  }

  /// The version of the program.
  public var version: String

  /// The title of the policy.
  public var title: String?

  /// The files of the policy.
  public var sources: Sources

  /// What was found and is not waived, in the order of `Diagnostic.precedes`.
  public var diagnostics: [Diagnostic]

  /// What was found and is waived, in the same order.
  public var waived: [Waived]

  /// The checks that were run, in the order of their names.
  public var checks: [Check]

  /// The least severity that fails the run.
  public var failing: Severity

  /// `true` iff something could not be read, so that more may be wrong than was found.
  public var isIncomplete = false

  /// Creates the report of `diagnostics` about `sources`.
  public init(
    version: String, title: String? = nil, sources: Sources, diagnostics: [Diagnostic], waived: [Waived] = [],
    checks: [Check] = [], failing: Severity = .error
  ) {
    self.version = version
    self.title = title
    self.sources = sources
    self.diagnostics = diagnostics.sorted(by: Diagnostic.precedes)
    self.waived = waived.sorted { Diagnostic.precedes($0.diagnostic, $1.diagnostic) }
    self.checks = checks.sorted { $0.name < $1.name }
    self.failing = failing
  }

  /// `true` iff a finding fails the run.
  public var fails: Bool { diagnostics.contains { $0.severity >= failing } }

  /// Returns how many findings have the given severity and are not waived.
  public func count(_ severity: Severity) -> Int {
    diagnostics.reduce(0) { $0 + ($1.severity == severity ? 1 : 0) }
  }

  /// How much was found, such as `3 errors, 1 warning`.
  public var summary: String {
    func counted(_ n: Int, _ word: String) -> String? { n == 0 ? nil : "\(n) \(word)\(n == 1 ? "" : "s")" }
    let found = Severity.allCases.reversed().compactMap { counted(count($0), $0.name) }
    let sum = found.isEmpty ? "no findings" : found.joined(separator: ", ")
    return waived.isEmpty ? sum : "\(sum), \(waived.count) waived"
  }
}
