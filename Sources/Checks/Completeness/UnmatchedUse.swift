import Packets
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

  /// A use that nothing opens.
  static let unexposedUse = Check(
    "unexposed-use", "A service uses another one that is not exposed to it", .completeness, .warning,
    page: Page(
      what: """
        Looks for `uses` of a service none of whose exposures has the using service in its audience, or only on other \
        ports than those of `on`.
        """,
      why: "The connection will be refused: the service fails when the policy is applied.",
      example: """
        service db { owner team; purpose "Ledger"; port 5432/tcp; expose to 10.0.0.7 }
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet; uses ↓db }
        host db1 { address 10.0.0.1; runs db }
        host web1 { address 10.0.0.2; runs shop }
        """,
      instead: """
        service db { owner team; purpose "Ledger"; port 5432/tcp; expose to shop }
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet; uses db }
        host db1 { address 10.0.0.1; runs db }
        host web1 { address 10.0.0.2; runs shop }
        """),
    flagged: [
      """
      service db { owner team; purpose "Ledger"; port 5432/tcp; expose to shop }
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet; uses ↓db on 5433/tcp }
      host db1 { address 10.0.0.1; runs db }
      host web1 { address 10.0.0.2; runs shop }
      """
    ]
  ) { inspection in
    let policy = inspection.policy
    return policy.services.indices.flatMap { s -> [Finding] in
      policy.services[s].uses.filter { !$0.provenance.hasLapsed(on: inspection.today) }.flatMap { use in
        use.targets.compactMap { target -> Finding? in
          guard case .service(let server) = target.value, !isOpen(server, to: ID(s), use, in: inspection) else {
            return nil
          }
          let name = policy.services[s].name.value
          let used = policy[server].name
          return Finding(
            "`\(name)` uses `\(used.value)`, which is not exposed to it", about: name,
            at: .init(target.span, "its connections are refused"), also: [.init(used.span, "declared here")],
            because: "Without an exposure the connection is closed.",
            help: "Add `expose to \(name)` to service `\(used.value)`, or remove the use.")
        }
      }
    }
  }

  /// Returns `true` iff `server` is exposed to `client` on the ports of `use`.
  private static func isOpen(
    _ server: ID<Service>, to client: ID<Service>, _ use: Use, in inspection: Inspection
  ) -> Bool {
    let addresses = inspection.book.addresses(of: .service(client))
    return inspection.exposures[inspection.exposuresOfService[server.rawValue]].contains { view in
      guard !view.exposure.provenance.hasLapsed(on: inspection.today) else { return false }
      let named = view.exposure.audience.parties.contains { $0.value == .service(client) || $0.value == .internet }
      guard named || (!addresses.isEmpty && addresses.isSubset(of: view.audience)) else { return false }
      return use.traffic.isEmpty
        || use.traffic.contains { wanted in view.traffic.contains { $0.public.overlaps(wanted.value) } }
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
    uses = policy.services.indices.map { s in Set(policy.services[s].uses.flatMap { $0.targets.map(\.value) }) }
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
