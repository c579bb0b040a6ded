import Foundation
import Reports
import Support
import Testing

@Suite struct GoldenReportTests {
  @Test(arguments: ReportFormat.allCases)
  func everyFormatStaysAsItIs(format: ReportFormat) {
    expectGolden(render(Samples.report, as: format), at: golden("findings.\(format.rawValue)"))
    expectGolden(render(Samples.empty, as: format), at: golden("empty.\(format.rawValue)"))
  }

  @Test func coloursStayAsTheyAre() {
    let text = render(Samples.report, as: .text, color: true)
    expectGolden(text.replacingOccurrences(of: "\u{1b}", with: "<ESC>"), at: golden("findings.color"))
  }

  @Test func coloursChangeNothingElse() {
    let colored = render(Samples.report, as: .text, color: true)
    #expect(colored.replacing(/\u{1b}\[[0-9;]*m/, with: "") == render(Samples.report, as: .text))
  }
}
