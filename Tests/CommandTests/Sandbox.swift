import Foundation
import Testing

/// A folder of its own in which the real program is run.
final class Sandbox {
  /// What a run left behind.
  struct Outcome {
    /// The exit code, or minus the signal that ended it.
    var code: Int32
    /// What went to standard output.
    var output: String
    /// What went to standard error.
    var error: String
  }

  /// The folder.
  let folder: URL

  /// The program, which stands beside the tests.
  static let program: URL = {
    // The tests are linked to build/PACKAGE.xctest, or loaded from there by a runner.
    let runner = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let candidates = [runner, Bundle.main.bundleURL, URL(filePath: #filePath).appending(path: "../../../.build/debug")]
    return candidates.map { $0.appending(path: "portcullis").standardizedFileURL }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? URL(filePath: "/nonexistent")
  }()

  /// Creates an empty folder.
  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "portcullis-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit {
    _ = try? Self.run(URL(filePath: "/bin/chmod"), ["-R", "u+rwx", folder.path], in: nil)
    try? FileManager.default.removeItem(at: folder)
  }

  /// Writes `text` to the file at `path` below the folder.
  func write(_ text: String, to path: String) throws { try write(Data(text.utf8), to: path) }

  /// Writes `data` to the file at `path` below the folder.
  func write(_ data: Data, to path: String) throws {
    let url = folder.appending(path: path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: url)
  }

  /// Returns the text of the file at `path` below the folder.
  func read(_ path: String) throws -> String { try String(contentsOf: folder.appending(path: path), encoding: .utf8) }

  /// Returns the paths of all files below `path`, sorted.
  func files(_ path: String = "") throws -> [String] {
    let base = folder.appending(path: path)
    return try FileManager.default.subpathsOfDirectory(atPath: base.path).filter { path in
      try base.appending(path: path).resourceValues(forKeys: [.isDirectoryKey]).isDirectory != true
    }.sorted()
  }

  /// Runs the program with `arguments` in the folder.
  func portcullis(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
    try Self.run(Self.program, arguments, in: folder, environment: environment)
  }

  /// Runs `script` in the folder; `$P` is the program.
  func shell(_ script: String) throws -> Outcome {
    try Self.run(URL(filePath: "/bin/bash"), ["-c", script], in: folder, environment: ["P": Self.program.path])
  }

  /// Runs `program`.
  private static func run(
    _ program: URL, _ arguments: [String], in folder: URL?, environment: [String: String] = [:]
  ) throws -> Outcome {
    // Files, unlike pipes, are never full.
    let base = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    let outputs = [base.appendingPathExtension("out"), base.appendingPathExtension("err")]
    for url in outputs { try Data().write(to: url) }
    defer { for url in outputs { try? FileManager.default.removeItem(at: url) } }
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"].merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: outputs[0])
    process.standardError = try FileHandle(forWritingTo: outputs[1])
    try process.run()
    process.waitUntilExit()
    let code = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    let texts = try outputs.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
    return Outcome(code: code, output: texts[0], error: texts[1])
  }
}
