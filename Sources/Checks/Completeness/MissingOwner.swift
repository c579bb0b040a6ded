import Policies
import Syntax

extension Check {
  /// A service that nobody answers for.
  static let missingOwner = Check(
    "missing-owner", "A service has no owner", .completeness, .warning,
    page: Page(
      what: "Looks for services without an `owner`.",
      why: """
        Who agrees to a change of its exposures? Who is called when it is attacked? Services without an owner are those \
        that stay open for years because nobody dares to close them (CIS Control 4.8 asks for an owner of each port).
        """,
      example: """
        service ↓web { purpose "Site"; port 443/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        """,
      instead: """
        owner shop { contact "shop@acme.example" }
        service web { owner shop; purpose "Site"; port 443/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        """)
  ) { inspection in
    let services = inspection.policy.services
    return services.indices.filter { services[$0].owner == nil }.map { s in
      let service = services[s]
      return Finding(
        "service `\(service.name.value)` has no owner", about: service.name.value,
        at: .init(service.name.span, "nobody answers for it"),
        because: "Nobody can be asked whether it is still needed, or told that it is under attack.",
        help: "Add `owner NAME` with the name of a declared owner.")
    }
  }
}
