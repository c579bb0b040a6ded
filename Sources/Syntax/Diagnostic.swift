/// How much a finding matters.
public enum Severity: UInt8, Hashable, Sendable, Comparable, CaseIterable {
  /// Something worth knowing.
  case note

  /// Something that is likely wrong.
  case warning

  /// Something that must be mended.
  case error

  /// Returns `true` iff `a` matters less than `b`.
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  /// The word for the severity in output and in policies.
  public var name: String {
    switch self {
    case .note: "note"
    case .warning: "warning"
    case .error: "error"
    }
  }
}

/// Something that was found in a policy: what is wrong, where, why it matters and how to mend it.
public struct Diagnostic: Hashable, Sendable {
  /// A place with a few words on it.
  public struct Label: Hashable, Sendable {
    /// The place.
    public var span: Span

    /// What is said of the place; it may be empty for the place of the finding itself.
    public var text: String

    /// Creates the label `text` on `span`.
    public init(_ span: Span, _ text: String = "") {
      self.span = span
      self.text = text
    }
  }

  /// A change of the text that mends the finding.
  public struct Fix: Hashable, Sendable {
    /// What may become of the policy's meaning when a fix is applied.
    public enum Safety: String, Hashable, Sendable {
      /// The meaning stays, or traffic closes that was never meant to be open.
      case safe

      /// The meaning changes; a person has to agree. A fix that opens traffic is never safer than this.
      case unsafe
    }

    /// The replaced text.
    public var span: Span

    /// What stands there instead.
    public var replacement: String

    /// What may become of the meaning.
    public var safety: Safety

    /// Creates the replacement of the text at `span`.
    public init(replace span: Span, with replacement: String, safety: Safety) {
      self.span = span
      self.replacement = replacement
      self.safety = safety
    }
  }

  /// The name of the check or of the rule of the language, such as `unknown-name`; it is stable.
  public var code: String

  /// How much it matters.
  public var severity: Severity

  /// What is wrong, in one line without a full stop.
  public var message: String

  /// The place, with what is said of it.
  public var primary: Label

  /// The other places involved.
  public var secondary: [Label]

  /// Why it matters, in full sentences.
  public var reason: String?

  /// How to mend it, in full sentences.
  public var help: String?

  /// Changes of the text that mend it, all to be made together.
  public var fixes: [Fix]

  /// The name of the thing that the finding is about, such as `payments-db`, which outlives changes of lines.
  public var subject: String?

  /// Creates a finding from its parts.
  public init(
    _ severity: Severity, _ code: String, _ message: String, at primary: Label, also secondary: [Label] = [],
    because reason: String? = nil, help: String? = nil, fixes: [Fix] = [], subject: String? = nil
  ) {
    self.code = code
    self.severity = severity
    self.message = message
    self.primary = primary
    self.secondary = secondary
    self.reason = reason
    self.help = help
    self.fixes = fixes
    self.subject = subject
  }

  /// Returns `true` iff `a` is printed before `b`: by place, then by code and text.
  public static func precedes(_ a: Self, _ b: Self) -> Bool {
    a.primary.span == b.primary.span
      ? (a.code, a.message) < (b.code, b.message) : a.primary.span < b.primary.span
  }
}
