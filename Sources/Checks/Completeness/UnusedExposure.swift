import Policies
import Syntax

extension Check {
  /// An exposure that its audience does not use.
  static let unusedExposure = Check(
    "unused-exposure", "A service is exposed to another one that does not use it", .completeness, .warning,
    page: Page(
      what: """
        Looks for exposures to a service that has no `uses` for the exposing one. Audiences that are zones, hosts, groups \
        or addresses are not judged.
        """,
      why: """
        Both ends say what they need, so that an access that one of them no longer needs is seen. It is the open ports \
        that nobody uses any more through which an attacker goes from one machine to the next.
        """,
      example: """
        service db { owner team; purpose "Ledger"; port 5432/tcp; expose to ↓shop }
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet }
        host h { address 192.0.2.10; runs db; runs shop }
        """,
      instead: """
        service db { owner team; purpose "Ledger"; port 5432/tcp; expose to shop }
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet; uses db }
        host h { address 192.0.2.10; runs db; runs shop }
        """)
  ) { inspection in
    let policy = inspection.policy
    let used = Usage(policy)
    return inspection.activeExposures.flatMap { view in
      view.exposure.audience.parties.compactMap { party -> Finding? in
        guard case .service(let client) = party.value, !used.contains(client, view.service) else { return nil }
        let name = policy[view.service].name.value
        let user = policy[client].name
        return Finding(
          "`\(name)` is exposed to `\(user.value)`, which does not use it", about: name,
          at: .init(party.span, "does not say that it uses `\(name)`"), also: [.init(user.span, "declared here")],
          because: "What nobody uses should not be open.",
          help: "Add `uses \(name)` to service `\(user.value)`, or remove the exposure.")
      }
    }
  }
}

/// Who uses whom.
private struct Usage {
  /// The services that each service uses, by position.
  private let uses: [Set<Party>]

  /// The policy.
  private let policy: Policy

  /// Collects who uses whom in `policy`.
  init(_ policy: Policy) {
    uses = policy.services.indices.map { s in
      policy.services[s].uses.isEmpty ? [] : Set(policy.services[s].uses.flatMap { $0.targets.map(\.value) })
    }
    self.policy = policy
  }

  /// Returns `true` iff `client` uses `server`, by its name, its owner or a class.
  func contains(_ client: ID<Service>, _ server: ID<Service>) -> Bool {
    let targets = uses[client.rawValue]
    if targets.isEmpty { return false }
    if targets.contains(.service(server)) { return true }
    if let owner = policy[server].owner, targets.contains(.owner(owner)) { return true }
    return policy[server].classes.contains { targets.contains(.serviceClass($0.value)) }
  }
}
