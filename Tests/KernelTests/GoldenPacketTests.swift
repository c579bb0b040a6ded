import Firewalls
import Nftables
import Policies
import Support
import Syntax
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

/// Rulesets that the compiler makes.
enum Compiled {
  /// What it can make.
  static let kinds: [RulesetKind] = [.nftables]

  /// A policy that does not compile.
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// Returns the firewall of `host` in the policy of `files`, with their sources.
  static func firewall(of files: [(path: String, text: String)], host: String) throws -> (Firewall, Sources) {
    let reading = Reading(files)
    guard !reading.diagnostics.contains(where: { $0.severity == .error }) else {
      throw Failure(description: reading.findings)
    }
    guard let id = reading.policy.host(named: host) else { throw Failure(description: "no host \(host)") }
    return (Lowering(reading.policy).firewall(of: id), reading.sources)
  }

  /// Returns the ruleset of `kind` for `host` in the policy of `files`.
  static func ruleset(of files: [(path: String, text: String)], host: String, _ kind: RulesetKind) throws -> Ruleset {
    let (firewall, sources) = try firewall(of: files, host: host)
    func text(_ target: any HostBackend.Type) throws -> String {
      let result = target.compile(firewall, sources: sources)
      guard !result.diagnostics.contains(where: { $0.severity == .error }), result.artefacts.count == 1 else {
        let messages = result.diagnostics.map { "\($0.code): \($0.message)" }
        throw Failure(description: "\(target.name): \(messages.joined(separator: "; "))")
      }
      return result.artefacts[0].text
    }
    return .nftables([try text(NftablesBackend.self)])
  }
}
