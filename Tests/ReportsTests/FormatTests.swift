import Foundation
import FoundationXML
import Reports
import Support
import Syntax
import Testing

@Suite struct FormatTests {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Returns what is wrong with the SARIF logs `texts`, judged by an independent validator and the official schema.
  static func violations(in texts: [String]) throws -> String {
    let tools = root.appending(path: ".tools")
    let folder = FileManager.default.temporaryDirectory.appending(path: "sarif-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (i, text) in texts.enumerated() { try Data(text.utf8).write(to: folder.appending(path: "\(i).sarif")) }
    let program = """
      import glob, json, sys, jsonschema
      schema = json.load(open(sys.argv[1]))
      validator = jsonschema.validators.validator_for(schema)(schema, format_checker=jsonschema.FormatChecker())
      for name in sorted(glob.glob(sys.argv[2] + "/*.sarif")):
          for e in validator.iter_errors(json.load(open(name, encoding="utf-8"))):
              print(list(e.absolute_path), e.message[:300])
      """
    let process = Process()
    process.executableURL = tools.appending(path: "python/bin/python")
    process.arguments = ["-c", program, tools.appending(path: "sarif/sarif-schema-2.1.0.json").path, folder.path]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: data, as: UTF8.self)
    return process.terminationStatus == 0 ? text : "the validator failed; does `make setup` work?\n\(text)"
  }

  @Test func sarifIsValid() throws {
    var unwaived = Samples.report
    unwaived.waived = []
    let texts = [Samples.report, Samples.empty, unwaived].map { render($0, as: .sarif) }
    #expect(try Self.violations(in: texts) == "")
  }

  @Test func sarifSaysWhetherEverythingWasRead() throws {
    var report = Samples.report
    #expect(render(report, as: .sarif).contains("\"executionSuccessful\": true"))
    report.isIncomplete = true
    let text = render(report, as: .sarif)
    #expect(text.contains("\"executionSuccessful\": false"))
    #expect(try Self.violations(in: [text]) == "")
  }

  @Test func theValidatorFindsWhatIsWrong() throws {
    let text = render(Samples.report, as: .sarif)
    #expect(
      try Self.violations(in: [text.replacingOccurrences(of: "\"level\": \"error\"", with: "\"level\": \"bad\"")]) != ""
    )
    #expect(try Self.violations(in: [text.replacingOccurrences(of: "\"results\"", with: "\"result\"")]) != "")
  }

  @Test func sarifHoldsNoMoreThanCodeScanningTakes() throws {
    var report = Samples.report
    let note = report.diagnostics[0]
    report.diagnostics += (0..<25_100).map { i in
      var d = note
      d.severity = .note
      d.subject = "s\(i)"
      return d
    }
    let log = try #require(
      try JSONSerialization.jsonObject(with: Data(render(report, as: .sarif).utf8)) as? [String: Any])
    let run = try #require((log["runs"] as? [[String: Any]])?.first)
    let results = try #require(run["results"] as? [[String: Any]])
    #expect(results.count == 25_000)
    #expect(results.filter { $0["level"] as? String == "error" }.count == 5)
    let invocation = try #require((run["invocations"] as? [[String: Any]])?.first)
    #expect(invocation["toolExecutionNotifications"] != nil)
  }

  @Test func fingerprintsOutliveChangesOfLines() throws {
    func fingerprints(_ sources: Sources, _ diagnostics: [Diagnostic]) throws -> [String] {
      let report = FindingsReport(version: "1", sources: sources, diagnostics: diagnostics)
      let object = try JSONSerialization.jsonObject(with: Data(render(report, as: .gitlab).utf8))
      return try #require(object as? [[String: Any]]).compactMap { $0["fingerprint"] as? String }
    }
    let before = Sources([SourceFile(path: "a.port", text: "service a\nservice b\n")])
    let after = Sources([SourceFile(path: "a.port", text: "\n\n# more\nservice a\nservice b\n")])
    func finding(_ offset: UInt32) -> [Diagnostic] {
      let span = Span(file: 0, lower: offset, upper: offset + 9)
      return [
        Diagnostic(.error, "x", "one", at: .init(span), subject: "a"),
        Diagnostic(.error, "x", "two", at: .init(span), subject: "a"),
        Diagnostic(.error, "x", "two", at: .init(span), subject: "b"),
      ]
    }
    let old = try fingerprints(before, finding(0))
    #expect(old == (try fingerprints(after, finding(9))))
    #expect(Set(old).count == 3)
  }

  @Test func gitLabHasItsRequiredFields() throws {
    let object = try JSONSerialization.jsonObject(with: Data(render(Samples.report, as: .gitlab).utf8))
    let findings = try #require(object as? [[String: Any]])
    #expect(findings.count == Samples.report.diagnostics.count)
    for f in findings {
      #expect(f["description"] is String)
      #expect(f["check_name"] is String)
      #expect(f["fingerprint"] is String)
      #expect(["info", "minor", "major", "critical", "blocker"].contains(f["severity"] as? String))
      let location = try #require(f["location"] as? [String: Any])
      #expect((location["path"] as? String)?.hasPrefix("policies/") == true)
      #expect(((location["lines"] as? [String: Any])?["begin"] as? Int ?? 0) > 0)
    }
    #expect(Set(findings.compactMap { $0["fingerprint"] as? String }).count == findings.count)
  }

  @Test func junitIsRead() {
    final class Reader: NSObject, XMLParserDelegate {
      var counts: [String: Int] = [:]
      var attributes: [String: [String: String]] = [:]
      func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
      ) {
        counts[name, default: 0] += 1
        self.attributes[name] = attributes
      }
    }
    let reader = Reader()
    let parser = XMLParser(data: Data(render(Samples.report, as: .junit).utf8))
    parser.delegate = reader
    #expect(parser.parse())
    #expect(reader.counts["testcase"] == Int(reader.attributes["testsuites"]?["tests"] ?? ""))
    #expect(reader.counts["failure"] == 5)
    #expect(reader.counts["skipped"] == 1)
  }

  @Test func textShowsTheMostSevere() {
    var report = Samples.report
    let errors = report.count(.error)
    let note = report.diagnostics.first { $0.severity == .note }
    report.diagnostics = (0..<2_000).compactMap { _ in note } + report.diagnostics
    let text = render(report, as: .text)
    #expect(text.matches(of: /(?m)^error\[/).count == errors)
    #expect(text.matches(of: /(?m)^(error|warning|note)\[/).count == 1_000)
    #expect(text.contains("... and \(report.diagnostics.count - 1_000) more, none more severe"))
  }

  @Test func strictFailsOnWarnings() {
    var report = Samples.report
    report.diagnostics.removeAll { $0.severity == .error }
    #expect(!report.fails)
    report.failing = .warning
    #expect(report.fails)
    #expect(render(report, as: .junit).contains("failures=\"3\""))
  }

  @Test func gitHubCommandsStayOnTheirLines() {
    for line in render(Samples.report, as: .github).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    {
      #expect(line.wholeMatch(of: /::(error|warning|notice) [^:]*::[^\r\n]*/) != nil, "\(line)")
    }
    let file = SourceFile(path: "./a,b:c%.port", text: "x")
    let report = FindingsReport(
      version: "1", sources: Sources([file]),
      diagnostics: [Diagnostic(.note, "c,d", "50%\r\n::error::x", at: .init(Span(file: 0, lower: 0, upper: 1)))])
    #expect(
      render(report, as: .github)
        == "::notice file=a%2Cb%3Ac%25.port,line=1,col=1,endColumn=1,title=c%2Cd::50%25%0A::error::x\n")
  }

  @Test(arguments: [1, 100, 1_000])
  func commentsHaveRoom(times: Int) {
    var report = Samples.report
    report.diagnostics = (0..<times).flatMap { _ in Samples.report.diagnostics }
    let text = render(report, as: .markdown)
    #expect(text.utf16.count <= 65_535)
    #expect(text.contains("more findings") == (times > 1))
    #expect(text.utf16.count > 50_000 || times == 1)
  }

  @Test func commentsMentionNobody() {
    let text = render(Samples.report, as: .markdown)
    let outsideOfCode = text.replacing(/(?s)```.*?```/, with: "").replacing(/`[^`]*`/, with: "")
    #expect(outsideOfCode.contains(/@[a-z]|<b>|[^\\]\[a|https:|www\.|[^\\]\|/) == false)
  }

  @Test(arguments: [
    ("a b/ü%.port", "a%20b/%C3%BC%25.port"), ("./x:y.port", "x%3Ay.port"), ("/abs/x.port", "file:///abs/x.port"),
  ])
  func pathsBecomeAddresses(path: String, expected: String) {
    let report = FindingsReport(
      version: "1", sources: Sources([SourceFile(path: path, text: "")]),
      diagnostics: [Diagnostic(.error, "x", "y", at: .init(Span(file: 0, lower: 0, upper: 0)))])
    #expect(render(report, as: .sarif).contains("\"uri\": \"\(expected)\""))
  }
}
