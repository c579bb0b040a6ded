import Foundation
import Support
import Testing

/// Every `Findings/NAME.port` is a policy with mistakes, and `NAME.expected` is all that is said of them.
@Suite struct FindingsTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Findings")

  static let names =
    (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?
    .filter { $0.hasSuffix(".port") }.map { String($0.dropLast(5)) }.sorted() ?? []

  @Test func thereAreCases() { #expect(Self.names.count > 10) }

  @Test(arguments: names) func saysWhatIsWrong(name: String) throws {
    let text = try String(contentsOf: Self.folder.appending(path: name + ".port"), encoding: .utf8)
    let observed = Reading([("policy.port", text)]).findings + "\n"
    let expected = try? String(contentsOf: Self.folder.appending(path: name + ".expected"), encoding: .utf8)
    let place = Self.folder.appending(path: name + ".observed")
    if observed == expected {
      try? FileManager.default.removeItem(at: place)
    } else {
      try observed.write(to: place, atomically: true, encoding: .utf8)
      Issue.record("\(name).observed differs from \(name).expected:\n\(observed)")
    }
  }
}
