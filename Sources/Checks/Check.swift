public import Syntax

/// A judge of policies: it finds one kind of mistake.
public struct Check: Sendable {
  /// What a check looks after.
  public enum Category: String, Sendable, CaseIterable {
    /// Port numbers and the names of protocols.
    case ranges = "Ranges and names"
    /// Two things that want the same place.
    case conflicts = "Conflicts"
    /// More that is open than need be.
    case exposure = "Least exposure"
    /// What is declared and not used, or used and not declared.
    case completeness = "Completeness"
    /// Kubernetes.
    case clusters = "Clusters"
    /// What the policy says of itself: invariants, waivers, settings.
    case invariants = "Invariants and waivers"
  }

  /// What `portcullis checks NAME` shows.
  public struct Page: Sendable {
    /// What it does: a paragraph.
    public var what: String
    /// Why it matters: a paragraph, with sources.
    public var why: String
    /// A policy that is flagged, the places of the findings marked by `↓` before them.
    public var example: String
    /// The same policy as it should be, which is not flagged.
    public var instead: String

    /// Creates a page.
    public init(what: String, why: String, example: String, instead: String) {
      self.what = what
      self.why = why
      self.example = example
      self.instead = instead
    }
  }

  /// The name, which reads well after "allow"; it is stable.
  public let name: String

  /// What it finds, in a line.
  public let summary: String

  /// What it looks after.
  public let category: Category

  /// How much its findings matter, unless the policy says otherwise.
  public let severity: Severity

  /// Its page.
  public let page: Page

  /// More policies that are flagged, marked like the example.
  public let flagged: [String]

  /// More policies that are not flagged.
  public let allowed: [String]

  /// Returns the findings in what is inspected; the runner puts in their code and severity.
  let run: @Sendable (Inspection) -> [Finding]

  /// Creates a check.
  init(
    _ name: String, _ summary: String, _ category: Category, _ severity: Severity, page: Page, flagged: [String] = [],
    allowed: [String] = [], run: @escaping @Sendable (Inspection) -> [Finding]
  ) {
    self.name = name
    self.summary = summary
    self.category = category
    self.severity = severity
    self.page = page
    self.flagged = flagged
    self.allowed = allowed
    self.run = run
  }
}

/// What a check finds: a diagnostic whose code and severity are the check's.
struct Finding: Sendable {
  /// The diagnostic.
  var diagnostic: Diagnostic

  /// Creates the finding `message` about `subject`, which waivers name.
  init(
    _ message: String, about subject: String, at primary: Diagnostic.Label, also secondary: [Diagnostic.Label] = [],
    because reason: String? = nil, help: String? = nil, fixes: [Diagnostic.Fix] = []
  ) {
    diagnostic = Diagnostic(
      .note, "", message, at: primary, also: secondary, because: reason, help: help, fixes: fixes, subject: subject)
  }
}
