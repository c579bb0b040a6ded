import ArgumentParser
import Checks
import Reports
import Syntax

/// `portcullis checks`.
struct ChecksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checks",
    abstract: "Show the page of a check, or list them all.",
    discussion: """
      Example:
        portcullis checks system-port
      """)

  @Argument(help: "The name of a check.", completion: .list(Check.all.map(\.name)))
  var name: String?

  @Option(help: "How it is written: text or json.")
  var format = AnswerFormat.text

  func run() throws {
    guard let name else {
      try Terminal.print(format == .json ? JSON.array(Check.all.map { $0.json }).text : list)
      return
    }
    guard let check = Check.all.first(where: { $0.name == name }) else {
      Terminal.fail("`\(name)` is no check; `portcullis checks` lists them")
    }
    try Terminal.print(format == .json ? check.json.text : check.text)
  }

  /// All checks, by what they look after.
  private var list: String {
    let width = Check.all.map(\.name.utf8.count).max() ?? 0
    var result = ""
    for category in Check.Category.allCases {
      let checks = Check.all.filter { $0.category == category }
      if checks.isEmpty { continue }
      result += "\(result.isEmpty ? "" : "\n")\(category.rawValue)\n"
      for check in checks {
        let name = check.name + String(repeating: " ", count: width - check.name.utf8.count)
        let severity = check.severity.name + String(repeating: " ", count: 7 - check.severity.name.utf8.count)
        result += "  \(name)  \(severity)  \(check.summary)\n"
      }
    }
    return result
  }
}

extension Check {
  /// The policies of the page, without the marks for the tests.
  var policies: (example: String, instead: String) {
    (page.example.filter { $0 != "↓" }, page.instead.filter { $0 != "↓" })
  }

  /// The page of the check.
  fileprivate var text: String {
    func indented(_ text: String) -> String {
      text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "  \($0)" }
        .joined(separator: "\n")
    }
    return """
      \(name) (\(severity.name))
      \(summary).

      What it does
      \(indented(page.what))

      Why it matters
      \(indented(page.why))

      Example
      \(indented(policies.example))

      Use instead
      \(indented(policies.instead))

      """
  }

  /// The page of the check for a program.
  fileprivate var json: JSON {
    .object([
      ("name", .string(name)), ("severity", .string(severity.name)), ("category", .string(category.rawValue)),
      ("summary", .string(summary)), ("what", .string(page.what)), ("why", .string(page.why)),
      ("example", .string(policies.example)), ("instead", .string(policies.instead)),
    ])
  }
}
