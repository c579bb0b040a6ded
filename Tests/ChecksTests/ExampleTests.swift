import Checks
import Firewalls
import Foundation
import Policies
import Syntax
import Testing

/// What the pages of the checks say is what the checks do.
@Suite struct ExampleTests {
  /// 22 November 2026.
  static let today = CalendarDate(daysSinceEpoch: 20779)

  @Test(arguments: Check.all.map(\.name))
  func exampleIsFlaggedWhereItIsMarked(name: String) throws {
    let check = try #require(Check.all.first { $0.name == name })
    for text in [check.page.example] + check.flagged {
      let (policy, marks) = unmarked(text)
      let findings = try judged(policy).findings.filter { $0.code == name }
      let places = findings.map { Int($0.primary.span.lower) }.sorted()
      #expect(places == marks, "\(findings.map(\.message)) in:\n\(policy)")
      #expect(!marks.isEmpty, "the example of \(name) has no mark")
      for finding in findings {
        #expect(!finding.message.hasSuffix("."))
        #expect(finding.reason?.hasSuffix(".") ?? false, "\(name): the reason is a sentence")
        #expect(finding.help?.hasSuffix(".") ?? finding.fixes.isEmpty, "\(name): the help is a sentence")
        #expect(finding.subject?.isEmpty == false, "\(name): a waiver can name it")
      }
    }
  }

  @Test(arguments: Check.all.map(\.name))
  func insteadIsNotFlagged(name: String) throws {
    let check = try #require(Check.all.first { $0.name == name })
    for text in [check.page.instead] + check.allowed {
      let findings = try judged(text).findings.filter { $0.code == name }
      #expect(findings.isEmpty, "\(findings.map(\.message)) in:\n\(text)")
    }
  }

  @Test(arguments: Check.all.map(\.name))
  func severityIsWhatThePolicySays(name: String) throws {
    let check = try #require(Check.all.first { $0.name == name })
    // A policy has one `policy` declaration, and the example of this check is one.
    guard name != "unknown-check" else { return }
    let (text, _) = unmarked(check.page.example)
    for severity in Severity.allCases {
      let findings = try judged("policy \"p\" { check \(name) \(severity.name) }\n" + text).findings
      let mine = findings.filter { $0.code == name }
      #expect(!mine.isEmpty && mine.allSatisfy { $0.severity == severity })
    }
    let findings = try judged("policy \"p\" { check \(name) off }\n" + text).findings
    #expect(findings.allSatisfy { $0.code != name })
  }

  /// What the checks say of waivers themselves, and of a policy without subjects that a waiver could name.
  private static let unwaivable: Set = ["unused-waiver", "lapsed-waiver", "unknown-check"]

  @Test(arguments: Check.all.map(\.name).filter { !unwaivable.contains($0) })
  func findingsCanBeWaived(name: String) throws {
    let check = try #require(Check.all.first { $0.name == name })
    for text in [check.page.example] + check.flagged {
      let (policy, _) = unmarked(text)
      let found = try judged(policy).findings.filter { $0.code == name }
      let waivers = Set(found.compactMap(\.subject)).sorted().map {
        "waive \(name) on \($0) until 2099-12-31 because \"vendor\"\n"
      }
      let result = try judged(policy + "\n" + waivers.joined())
      #expect(!result.findings.contains { $0.code == name || $0.code == "unused-waiver" }, "\(waivers)")
      #expect(result.waived.count { $0.diagnostic.code == name } == found.count)
    }
  }

  @Test func namesAreUniqueAndReadWell() {
    #expect(Set(Check.all.map(\.name)).count == Check.all.count)
    for check in Check.all {
      #expect(check.name.wholeMatch(of: /[a-z]+(-[a-z]+)*/) != nil)
      #expect(!check.summary.hasSuffix("."))
      #expect(check.page.what.hasSuffix(".") && check.page.why.hasSuffix("."), "\(check.name)")
    }
  }

  @Test func waivedFindingsAreKeptApart() throws {
    let text = """
      service web { owner team; purpose "Site"; port 22/tcp; expose to internet }
      host web1 { address 192.0.2.10; runs web }
      waive sensitive-exposure on web until 2099-12-31 because "vendor appliance"
      """
    let result = try judged(text)
    #expect(result.waived.map(\.diagnostic.code) == ["sensitive-exposure"])
    #expect(!result.findings.contains { $0.code == "sensitive-exposure" || $0.code == "unused-waiver" })
  }

  @Test func aLapsedWaiverWaivesNothing() throws {
    let text = """
      service web { owner team; purpose "Site"; port 22/tcp; expose to internet }
      host web1 { address 192.0.2.10; runs web }
      waive sensitive-exposure on web until 2026-11-21 because "vendor appliance"
      """
    let codes = try judged(text).findings.map(\.code)
    #expect(codes.contains("sensitive-exposure") && codes.contains("lapsed-waiver"))
    #expect(!codes.contains("unused-waiver"))
  }

  @Test func aRenewedWaiverWaives() throws {
    let text = """
      service web { owner team; purpose "Site"; port 22/tcp; expose to internet }
      host web1 { address 192.0.2.10; runs web }
      waive sensitive-exposure on web until 2026-11-21 because "vendor appliance"
      waive sensitive-exposure on web until 2027-11-21 because "vendor appliance"
      """
    let result = try judged(text)
    #expect(result.waived.map(\.waiver.provenance.until?.value.daysSinceEpoch) == [21143])
    #expect(!result.findings.contains { $0.code == "sensitive-exposure" || $0.code == "unused-waiver" })
    #expect(result.findings.contains { $0.code == "lapsed-waiver" })
  }

  /// Findings that grow with the square of what is wrong would fill the memory.
  @Test func aPortThatManyServicesWantIsReportedOnceForEach() throws {
    let names = (0..<3000).map { "s\($0)" }
    let services = names.map {
      "service \($0) { owner team; purpose \"P\"; port 8443/tcp; expose to internet as 443/tcp }"
    }
    let text =
      services.joined(separator: "\n") + "\nhost h { address 192.0.2.10; runs \(names.joined(separator: ", ")) }"
    let findings = try judged(text).findings
    #expect(findings.count { $0.code == "port-conflict" } == names.count - 1)
    #expect(findings.count { $0.code == "public-port-conflict" } == names.count - 1)
  }

  @Test(.timeLimit(.minutes(5))) func thousandsOfExposuresAndBlocksAreJudgedInTime() throws {
    let exposures = (0..<5000).map { "expose to 198.18.\($0 / 250).\($0 % 250)" }.joined(separator: "\n")
    let blocks = (0..<3000).map { "block 198.51.\($0 / 250).\($0 % 250)" }.joined(separator: "\n")
    let text = """
      service web { owner team; purpose "Site"; port 8443/tcp
      \(exposures)
      expose to internet }
      host h { address 192.0.2.10; runs web }
      \(blocks)
      """
    let findings = try judged(text).findings
    #expect(findings.count { $0.code == "redundant-exposure" } == 5000)
    #expect(findings.count { $0.code == "idle-block" } == 0)
  }

  /// Returns `text` without its marks, and the offsets of what they mark.
  private func unmarked(_ text: String) -> (String, [Int]) {
    var plain: [UInt8] = []
    var marks: [Int] = []
    for character in text {
      if character == "↓" { marks.append(plain.count) } else { plain += Array(String(character).utf8) }
    }
    return (String(decoding: plain, as: UTF8.self), marks)
  }

  /// Returns what the checks say of the policy `text`, which may use the owner `team` without declaring it.
  private func judged(_ text: String) throws -> Judgements {
    let source = text.contains("owner team") ? text + "\nowner team { contact \"team@acme.example\" }\n" : text
    let (tree, syntax) = parse(SourceFile(path: "example.port", text: source), at: 0)
    #expect(syntax.isEmpty, "\(syntax.map(\.message)) in:\n\(source)")
    let (policy, names) = resolve([tree])
    #expect(names.isEmpty, "\(names.map(\.message)) in:\n\(source)")
    let lowering = Lowering(policy)
    let firewalls = policy.hosts.indices.map { lowering.firewall(of: ID($0)) }
    return Check.judge(Inspection(lowering, firewalls: firewalls, today: Self.today))
  }
}
