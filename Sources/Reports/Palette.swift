import Syntax

/// The colours of the text report.
struct Palette {
  /// What is coloured.
  enum Role {
    case error
    case warning
    case note
    case frame
    case removed
    case added
    case strong

    /// The parameters of the terminal's "select graphic rendition" (ECMA-48 8.3.117).
    var code: String {
      switch self {
      case .error: "1;31"
      case .warning: "1;33"
      case .note: "1;36"
      case .frame: "1;34"
      case .removed: "31"
      case .added: "32"
      case .strong: "1"
      }
    }

    /// The colour of findings of `severity`.
    init(_ severity: Severity) {
      self =
        switch severity {
        case .error: .error
        case .warning: .warning
        case .note: .note
        }
    }
  }

  /// `true` iff there are colours at all.
  let isOn: Bool

  /// Returns `text` as it shows its `role`.
  func callAsFunction(_ text: String, _ role: Role) -> String {
    isOn && !text.isEmpty ? "\u{1b}[\(role.code)m\(text)\u{1b}[0m" : text
  }
}
