import Foundation
import Testing

/// The pages for users say what the program answers, and the sample policies are as a policy should be.
///
/// A block of `console` begins with the command; what follows is all that it prints. `make golden` rewrites the answers.
@Suite struct GoldenPageTests {
  static let root = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

  static let examples =
    (try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: "examples").path))?.sorted() ?? []

  /// The example whose policy is wrong on purpose.
  static let mistake = "mistake"

  /// The example with two policies.
  static let change = "change"

  /// The folders of the policies that are as they should be.
  static let samples =
    examples.filter { $0 != mistake }.flatMap { name in
      name == change ? ["examples/\(name)/before", "examples/\(name)/after"] : ["examples/\(name)"]
    } + ["policies"]

  /// Returns what the program answers to `command`, run in the root of the repository.
  private func answer(_ command: String) throws -> Sandbox.Outcome {
    try Sandbox().shell(
      "cd '\(Self.root.path)' && \(command.replacing("portcullis ", with: "\"$P\" ", maxReplacements: 1))")
  }

  @Test func thereAreExamples() { #expect(Self.examples.count >= 6) }

  @Test(arguments: ["README.md"] + examples.map { "examples/\($0)/README.md" })
  func pageShowsRealAnswers(path: String) throws {
    let file = Self.root.appending(path: path)
    let page = try String(contentsOf: file, encoding: .utf8)
    var parts = page.components(separatedBy: "```console\n")
    #expect(parts.count > 1, "\(path) shows no command")
    for i in parts.indices.dropFirst() {
      let end = try #require(parts[i].range(of: "```"))
      let block = parts[i][..<end.lowerBound]
      let command = try #require(block.split(separator: "\n").first)
      #expect(command.hasPrefix("$ portcullis "))
      let outcome = try answer(String(command.dropFirst(2)))
      let text = "\(command)\n" + (outcome.error + outcome.output).trimmingCharacters(in: .newlines) + "\n"
      if ProcessInfo.processInfo.environment["PORTCULLIS_GOLDEN"] == "rewrite" {
        parts[i].replaceSubrange(..<end.lowerBound, with: text)
      } else {
        #expect(text == block, "\(path): \(command)")
      }
    }
    let rewritten = parts.joined(separator: "```console\n")
    if rewritten != page { try Data(rewritten.utf8).write(to: file) }
  }

  @Test(arguments: samples)
  func sampleIsClean(folder: String) throws {
    let check = try answer("portcullis check \(folder) --strict --today 2026-11-22")
    #expect(check.code == 0, "\(check.output)\(check.error)")
  }

  @Test(arguments: samples + ["examples/\(mistake)"])
  func sampleIsFormatted(folder: String) throws {
    let format = try answer("portcullis fmt --check \(folder)")
    #expect(format.code == 0, "\(format.output)\(format.error)")
  }

  @Test func theMistakeIsFound() throws {
    let check = try answer("portcullis check examples/\(Self.mistake) --today 2026-11-22")
    #expect(check.code == 1)
  }
}
