import Foundation
import FoundationXML
import Reports
import Support
import Syntax
import Testing

/// Whatever stands in a file and wherever a finding lies, every format can be written and read.
@Suite struct ReportPropertyTests {
  static func text(_ random: inout SeededGenerator, limit: Int) -> [UInt8] {
    let pieces: [[UInt8]] = [
      [10], [13, 10], [9], [0], [27, 91, 51], Array("é".utf8), Array("決".utf8), Array("\u{202e}".utf8), [0xe2, 0x80],
      [0xff], [0xc0], Array("```".utf8), Array("]]>&<".utf8), Array("::%,".utf8), Array("service x { ".utf8),
      Array("👩‍👩‍👧".utf8), Array(repeating: 97, count: 130),
    ]
    return (0..<Int.random(in: 0...limit, using: &random)).flatMap { _ in
      Bool.random(using: &random)
        ? pieces.randomElement(using: &random) ?? [] : [UInt8.random(in: 0...255, using: &random)]
    }
  }

  static func report(_ random: inout SeededGenerator) -> FindingsReport {
    let files = (0...Int.random(in: 0...2, using: &random)).map { i in
      SourceFile(
        path: String(decoding: text(&random, limit: 3), as: UTF8.self) + "\(i)", bytes: text(&random, limit: 60))
    }
    let sources = Sources(files)
    func span() -> Span {
      let file = Int.random(in: 0..<files.count, using: &random)
      let end = sources.files[file].bytes.count + (Int.random(in: 0...9, using: &random) == 0 ? 3 : 0)
      let a = Int.random(in: 0...end, using: &random)
      let b = Bool.random(using: &random) ? a : Int.random(in: 0...end, using: &random)
      return Span(file: UInt32(file), lower: UInt32(min(a, b)), upper: UInt32(max(a, b)))
    }
    func word() -> String { String(decoding: text(&random, limit: 4), as: UTF8.self) }
    let diagnostics = (0..<6).map { _ in
      Diagnostic(
        Severity.allCases.randomElement(using: &random) ?? .note, "code-" + word(), word(), at: .init(span(), word()),
        also: (0..<Int.random(in: 0...6, using: &random)).map { _ in .init(span(), word()) }, because: word(),
        help: word(),
        fixes: (0..<Int.random(in: 0...3, using: &random)).map { _ in
          .init(replace: span(), with: word(), safety: .unsafe)
        },
        subject: Bool.random(using: &random) ? word() : nil)
    }
    return FindingsReport(
      version: "1", title: word(), sources: sources, diagnostics: Array(diagnostics.dropLast()),
      waived: diagnostics.suffix(1).map { .init($0, because: word(), until: "2027-01-01", ticket: word()) })
  }

  @Test func everyReportCanBeWrittenAndRead() throws {
    var random = SeededGenerator(seed: 20_261_122)
    var logs: [String] = []
    for i in 0..<80 {
      let report = Self.report(&random)
      for format in ReportFormat.allCases {
        let text = render(report, as: format)
        let shows = text.unicodeScalars.allSatisfy {
          $0 == "\n" || ($0.value >= 0x20 && ![.control, .format].contains($0.properties.generalCategory))
        }
        #expect(shows, "\(format), report \(i)")
        switch format {
        case .json, .sarif, .gitlab:
          #expect(throws: Never.self, "\(format), report \(i)") {
            try JSONSerialization.jsonObject(with: Data(text.utf8))
          }
          if format == .sarif, i % 4 == 0 { logs.append(text) }
        case .junit: #expect(XMLParser(data: Data(text.utf8)).parse(), "report \(i)")
        case .github: #expect(text.utf8.filter { $0 == 10 }.count == report.diagnostics.count, "report \(i)")
        case .text, .markdown: break
        }
      }
    }
    #expect(try FormatTests.violations(in: logs) == "")
  }

  @Test func columnsOfLongLinesAreCounted() throws {
    let text = "# é\r\n" + String(repeating: "aé決🚪", count: 2_000) + "\r\nend"
    let file = SourceFile(path: "long.port", text: text)
    let offsets = [0, 2, 4, 5, 6, 7, 4_102, 4_103, 4_106, 8_198, 8_199, 20_005, 20_006, 20_007, 20_008, 20_009, 20_011]
    let diagnostics = offsets.map { offset in
      Diagnostic(.error, "x", "m", at: .init(.init(file: 0, lower: UInt32(offset), upper: UInt32(offset))))
    }
    let report = FindingsReport(version: "1", sources: Sources([file]), diagnostics: diagnostics)
    let document = try JSONSerialization.jsonObject(with: Data(render(report, as: .json).utf8)) as? [String: Any]
    let findings = try #require(document?["findings"] as? [[String: Any]])
    #expect(findings.count == offsets.count)
    for (offset, finding) in zip(offsets, findings) {
      let start = try #require((finding["location"] as? [String: Any])?["start"] as? [String: Int])
      let lineStart = file.range(ofLine: file.line(at: offset)).lowerBound
      let column = file.bytes[lineStart..<offset].filter { $0 & 0xc0 != 0x80 }.count + 1
      #expect(start == ["line": file.line(at: offset) + 1, "column": column, "offset": offset])
    }
  }

  @Test func jsonKeepsEveryText() throws {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<200 {
      let text = String(decoding: Self.text(&random, limit: 20), as: UTF8.self)
      let read = try JSONSerialization.jsonObject(with: Data(JSON.array([.string(text)]).text.utf8)) as? [String]
      #expect(read?.first.map { Array($0.utf8) } == Array(text.utf8))
    }
  }

  @Test(.timeLimit(.minutes(5))) func aLongLineCostsLittle() {
    let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    let sources = Sources([SourceFile(path: "long.port", bytes: bytes)])
    let diagnostics = (0..<60).map { (i: UInt32) in
      let span = Span(file: 0, lower: i * 15_000, upper: i * 15_000 + 20)
      return Diagnostic(.error, "x", "m", at: .init(span))
    }
    let report = FindingsReport(version: "1", sources: sources, diagnostics: diagnostics)
    for format in ReportFormat.allCases { #expect(render(report, as: format).utf8.count < 1_000_000) }
  }
}
