import Driver
import Firewalls
import Foundation
import Policies
import Support
import Syntax
import Testing

/// Every golden policy compiles to the files beside it: `Tests/Golden/NN-NAME/expected`.
///
/// `make golden` rewrites them; a difference shows a reviewer what a change of the compiler does.
@Suite struct GoldenTests {
  /// 22 November 2026.
  static let today = CalendarDate(daysSinceEpoch: 20779)

  /// The folder of the golden policies.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Golden")

  /// The names of the golden policies.
  static func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root.path).filter { !$0.hasPrefix(".") }.sorted()
  }

  /// Returns the way of the policy of the golden folder `name`, gone to its end.
  static func pipeline(of name: String) async throws -> Pipeline {
    let folder = root.appendingPathComponent(name)
    let single = folder.appendingPathComponent("policy.port")
    var files: [SourceFile] = []
    if FileManager.default.fileExists(atPath: single.path) {
      files.append(SourceFile(path: "policy.port", bytes: [UInt8](try Data(contentsOf: single))))
    } else {
      let below = folder.appendingPathComponent("policy").resolvingSymlinksInPath()
      for path in try FileManager.default.subpathsOfDirectory(atPath: below.path) where path.hasSuffix(".port") {
        let bytes = [UInt8](try Data(contentsOf: below.appendingPathComponent(path)))
        files.append(SourceFile(path: "policy/" + path, bytes: bytes))
      }
    }
    var result = Pipeline(Sources(files), on: today)
    await result.run()
    return result
  }

  @Test(arguments: try GoldenTests.names())
  func compilesToWhatIsExpected(name: String) async throws {
    let pipeline = try await Self.pipeline(of: name)
    let compilation = await pipeline.compileAll()
    let expected = Self.root.appendingPathComponent(name).appendingPathComponent("expected")
    for artefact in compilation.artefacts {
      expectGolden(artefact.text, at: expected.appendingPathComponent(artefact.path))
    }
    let lines = (pipeline.diagnostics + compilation.diagnostics).sorted(by: Diagnostic.precedes).map { finding in
      "\(pipeline.sources.location(of: finding.primary.span)): \(finding.severity.name): \(finding.message) [\(finding.code)]\n"
    }
    expectGolden(lines.joined(), at: expected.appendingPathComponent("findings.txt"))
    let wanted = Set(compilation.artefacts.map(\.path) + ["findings.txt"])
    let found = (try? FileManager.default.subpathsOfDirectory(atPath: expected.path)) ?? []
    for path in found where !wanted.contains(path) && !path.hasSuffix(".observed") {
      let file = expected.appendingPathComponent(path)
      if try file.resourceValues(forKeys: [.isDirectoryKey]).isDirectory ?? false { continue }
      if ProcessInfo.processInfo.environment["PORTCULLIS_GOLDEN"] == "rewrite" {
        try FileManager.default.removeItem(at: file)
      } else {
        Issue.record("\(file.path) is made by nothing any more")
      }
    }
  }

  @Test(arguments: try GoldenTests.names())
  func compilesToTheSameBytesAgain(name: String) async throws {
    let once = try await Self.pipeline(of: name).compileAll()
    let again = try await Self.pipeline(of: name).compileAll()
    #expect(once.artefacts == again.artefacts)
  }
}
