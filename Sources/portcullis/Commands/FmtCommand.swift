import ArgumentParser
import Driver
import Reports
import Syntax

/// `portcullis fmt`.
struct FmtCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fmt",
    abstract: "Give policies their canonical layout.",
    discussion: """
      Comments and meaning stay. The paths of files that change are written to standard output. Nothing is changed
      if any of the files has a syntax error (exit code 2).

      Example:
        portcullis fmt --check policies
      """)

  @Argument(help: "Files, or folders of `*.port` files.", completion: .file(extensions: ["port"]))
  var paths = ["policies"]

  @Flag(help: "Change nothing; exit with 1 if something would change.")
  var check = false

  func run() async throws {
    let files = PolicyFiles(paths)
    var pipeline = Pipeline(files.sources, on: Terminal.today, found: files.diagnostics)
    await pipeline.parseAll()
    guard pipeline.isSound else {
      let report = FindingsReport(
        version: Portcullis.version, sources: pipeline.sources, diagnostics: pipeline.diagnostics)
      Terminal.say(render(report, as: .text, color: Terminal.hasColors))
      throw ExitCode.notRun
    }
    var changed: [(path: String, bytes: [UInt8])] = []
    for file in pipeline.sources.files {
      guard let text = formatted(file) else { preconditionFailure("\(file.path) parses but has no layout") }
      let bytes = Array(text.utf8)
      if bytes != file.bytes { changed.append((file.path, bytes)) }
    }
    if !check {
      for (path, bytes) in changed { try replaceFile(at: path, with: bytes) }
    }
    try Terminal.print(changed.map { "\(printable($0.path))\n" }.joined())
    if check, !changed.isEmpty { throw ExitCode.found }
  }
}
