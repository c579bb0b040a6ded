import Firewalls
import Nftables
import Support
import Testing

/// What packets find while one ruleset takes the place of another.
@Suite struct ReplacementTests {
  private static let policy = [
    (
      path: "policy.port",
      text: """
      owner ops { contact "ops@acme.example" }
      zone many { 203.0.113.0/25, 203.0.113.192/26, 198.51.100.0/24, 192.0.2.128/26, 192.0.2.192/27 }
      service echo { owner ops; purpose "Answers"; port 7001/udp; expose to many }
      service other { owner ops; purpose "For somebody else"; port 7002/udp; expose to 198.51.100.0/24 }
      host web1 { address 192.0.2.10; runs echo, other }
      """
    )
  ]

  private static func lab() throws -> Lab {
    try Lab(parsing: "host web1\nlink eth0 192.0.2.10/25\npeer client on eth0 203.0.113.9\n", file: "replacement.lab")
  }

  @Test func `judges no packet wrongly in four steps of nft`() throws {
    let (firewall, sources) = try Compiled.firewall(of: ReplacementTests.policy, host: "web1")
    let rulesets = NftablesBackend.Slot.allCases.map { slot in
      let (steps, _) = NftablesBackend.replacement(for: firewall, in: slot, sources: sources)
      return Ruleset.nftables([steps.stage, steps.swap, steps.retire, steps.clean].map(\.text))
    }
    let report = try flood(
      try ReplacementTests.lab(), replacing: rulesets, open: 7001, closed: 7002, count: 30_000)
    #expect(report.lost == 0 && report.admitted == 0 && report.loads > 3, "\(report)")
  }

  /// One file replaces all at once: a packet that is on its way through the old rules may be lost, but none gets in.
  @Test(arguments: RulesetKind.allCases)
  func `lets nothing in and loses next to nothing in one step`(kind: RulesetKind) throws {
    let ruleset = try Compiled.ruleset(of: ReplacementTests.policy, host: "web1", kind)
    let report = try flood(
      try ReplacementTests.lab(), replacing: [ruleset], open: 7001, closed: 7002, count: 20_000)
    #expect(report.admitted == 0 && report.lost < 2 * report.loads && report.loads > 3, "\(report)")
  }
}
