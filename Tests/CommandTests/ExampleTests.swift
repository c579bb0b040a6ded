import Foundation
import Testing

/// The pages of `examples/` say what the program answers, and the sample policies are as a policy should be.
@Suite struct ExampleTests {
  static let root = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

  static let examples =
    (try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: "examples").path))?.sorted() ?? []

  /// Returns what the program answers to `command`, run in the root of the repository.
  private func answer(_ command: String) throws -> Sandbox.Outcome {
    try Sandbox().shell(
      "cd '\(Self.root.path)' && \(command.replacing("portcullis ", with: "\"$P\" ", maxReplacements: 1))")
  }

  @Test func thereAreExamples() { #expect(Self.examples.count >= 5) }

  @Test(arguments: examples) func pageShowsRealAnswers(name: String) throws {
    let page = try String(contentsOf: Self.root.appending(path: "examples/\(name)/README.md"), encoding: .utf8)
    let blocks = page.split(separator: "```console\n").dropFirst().compactMap { $0.split(separator: "\n```").first }
    #expect(!blocks.isEmpty)
    for block in blocks {
      let lines = block.split(separator: "\n", omittingEmptySubsequences: false)
      let command = try #require(lines.first.map { $0.dropFirst(2) })
      #expect(lines[0].hasPrefix("$ portcullis "))
      let outcome = try answer(String(command))
      let expected = lines.dropFirst().joined(separator: "\n")
      #expect((outcome.output + outcome.error).trimmingCharacters(in: .newlines) == expected, "\(name): \(command)")
    }
  }

  @Test(arguments: examples.map { "examples/\($0)" } + ["policies"])
  func sampleIsCleanAndFormatted(folder: String) throws {
    let check = try answer("portcullis check \(folder) --strict --today 2026-11-22")
    #expect(check.code == 0, "\(check.output)\(check.error)")
    let format = try answer("portcullis fmt --check \(folder)")
    #expect(format.code == 0, "\(format.output)\(format.error)")
  }
}
