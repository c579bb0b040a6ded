import Firewalls
import Iptables
import Nftables
import Policies
import Support
import Syntax

/// Rulesets that the compiler makes.
enum Compiled {
  /// What it makes.
  static let kinds = RulesetKind.allCases

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
  static func ruleset(of files: [(path: String, text: String)], host: String, _ kind: RulesetKind) throws
    -> Support.Ruleset
  {
    let (firewall, sources) = try firewall(of: files, host: host)
    func text(_ target: any HostBackend.Type) throws -> String {
      let result = target.compile(firewall, sources: sources)
      guard !result.diagnostics.contains(where: { $0.severity == .error }), result.artefacts.count == 1 else {
        let messages = result.diagnostics.map { "\($0.code): \($0.message)" }
        throw Failure(description: "\(target.name): \(messages.joined(separator: "; "))")
      }
      return result.artefacts[0].text
    }
    guard kind != .nftables else { return .nftables([try text(NftablesBackend.self)]) }
    return .iptables(
      ipv4: try text(IPv4Backend.self), ipv6: try text(IPv6Backend.self), legacy: kind == .iptablesLegacy)
  }
}
