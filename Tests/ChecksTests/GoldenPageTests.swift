import Checks
import Foundation
import Support
import Syntax
import Testing

/// `docs/checks.md` is made from the pages of the checks.
@Suite struct GoldenPageTests {
  @Test func documentIsWhatThePagesSay() {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    expectGolden(document, at: root.appendingPathComponent("docs/checks.md"))
  }

  /// The whole document.
  private var document: String {
    var text = """
      # Checks

      A check is a judge of a policy. `portcullis check` runs them all, `portcullis checks` lists them, and
      `portcullis checks NAME` shows a page of this document. (The document is made from the checks: `make golden`.)

      A policy can change how much the findings of a check matter, or turn it off:

      ```port
      policy "acme" {
        check system-port  off
        check unused-zone  error
      }
      ```

      A finding that is right, but has to be lived with, is waived for a time. The name is that of the thing which the
      finding is about; reason and last day are required. A waiver that has lapsed or that waives nothing is reported.

      ```port
      waive sensitive-exposure on legacy-db until 2099-12-31 because "vendor appliance" ticket "SEC-88"
      ```

      Findings of severity error make `check` exit with 1; with `--strict` warnings do, too.

      """
    for category in Check.Category.allCases {
      let checks = Check.all.filter { $0.category == category }
      if checks.isEmpty { continue }
      text += "\n## \(category.rawValue)\n\n| check | severity | finds |\n| --- | --- | --- |\n"
      for check in checks {
        text += "| [`\(check.name)`](#\(check.name)) | \(check.severity.name) | \(check.summary) |\n"
      }
      for check in checks {
        text += "\n### \(check.name)\n"
        for (title, paragraph) in [("What it does", check.page.what), ("Why it matters", check.page.why)] {
          text += "\n**\(title)**\n\n\(paragraph)\n"
        }
        for (title, policy) in [("Example", check.page.example), ("Use instead", check.page.instead)] {
          text += "\n**\(title)**\n\n```port\n\(policy.filter { $0 != "↓" })\n```\n"
        }
      }
    }
    return text
  }
}
