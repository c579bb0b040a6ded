import Policies
import Syntax

extension Check {
  /// Names that targets cannot tell apart.
  static let clashingName = Check(
    "clashing-name", "Two names differ only in `-` and `.`, which some targets cannot tell apart", .conflicts, .warning,
    page: Page(
      what: """
        Looks for two services, hosts or owners whose names are the same but for `-` and `.`, such as `pay-api` and \
        `pay.api`.
        """,
      why: """
        Names of Kubernetes Services have no dots, chains and counters of firewalls have few signs to choose from, and \
        people read one for the other in a hurry.
        """,
      example: """
        service pay-api { owner team; purpose "Payments"; port 8443/tcp; expose to 192.0.2.7 }
        service ↓pay.api { owner team; purpose "Payments"; port 8444/tcp; expose to 192.0.2.7 }
        host web1 { address 192.0.2.10; runs pay-api; runs pay.api }
        """,
      instead: """
        service pay-api { owner team; purpose "Payments"; port 8443/tcp; expose to 192.0.2.7 }
        service pay-api-next { owner team; purpose "Payments"; port 8444/tcp; expose to 192.0.2.7 }
        host web1 { address 192.0.2.10; runs pay-api; runs pay-api-next }
        """)
  ) { inspection in
    let policy = inspection.policy
    return [
      ("services", policy.services.map(\.name)), ("hosts", policy.hosts.map(\.name)),
      ("owners", policy.owners.map(\.name)),
    ]
    .flatMap { kind, names in clashes(among: names, kind) }
  }

  /// Returns the findings among `names` of a `kind`.
  private static func clashes(among names: [Name], _ kind: String) -> [Finding] {
    // Most policies have no dots in names; without one there is nothing to clash.
    guard names.contains(where: { $0.value.utf8.contains(UInt8(ascii: ".")) }) else { return [] }
    var seen: [String: Name] = [:]
    var findings: [Finding] = []
    for name in names {
      let plain = String(name.value.map { $0 == "." ? "-" : $0 })
      guard let first = seen[plain] else {
        seen[plain] = name
        continue
      }
      findings.append(
        Finding(
          "the \(kind) `\(first.value)` and `\(name.value)` have names that clash", about: name.value,
          at: .init(name.span, "differs only in `-` and `.`"), also: [.init(first.span, "from this one")],
          because: "Some targets and most readers cannot tell them apart.", help: "Rename one of them."))
    }
    return findings
  }
}
