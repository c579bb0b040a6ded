import Support
import Testing

/// Every ruleset that is compiled from a golden policy does what the laboratory beside it says, to real packets.
@Suite struct GoldenPacketTests {
  @Test(arguments: try GoldenLab.all(), Compiled.kinds)
  func `lets in what the laboratory says`(golden: GoldenLab, kind: RulesetKind) throws {
    let lab = try golden.lab()
    if lab.exceptions[kind] != nil { return }
    let ruleset = try Compiled.ruleset(of: golden.policy, host: lab.host, kind)
    let others = try golden.others.mapValues { try Compiled.ruleset(of: $0, host: lab.host, kind) }
    let report = try runLab(lab, ruleset: ruleset, others: others)
    if report.discrepancies.isEmpty { return }
    Attachment.record(ruleset.text, named: "\(golden.folder)-\(lab.host)-\(kind.rawValue).txt")
    Issue.record(Comment(rawValue: report.text))
  }

  @Test(arguments: try GoldenLab.all(), Compiled.kinds)
  func `reloads and relists`(golden: GoldenLab, kind: RulesetKind) throws {
    let lab = try golden.lab()
    if lab.exceptions[kind] != nil { return }
    let faults = try Compiled.ruleset(of: golden.policy, host: lab.host, kind).textualFaults()
    #expect(faults.isEmpty, Comment(rawValue: faults.joined(separator: "\n")))
  }
}
