import Policies
import Syntax

extension Check {
  /// A service of which nobody says what it is for.
  static let missingPurpose = Check(
    "missing-purpose", "A service has no purpose", .completeness, .warning,
    page: Page(
      what: "Looks for services without a `purpose`, or with one of white space only.",
      why: """
        A reviewer can only judge whether an exposure is right who knows what the service is for. PCI DSS 1.2.5 asks for \
        a business justification of every open port.
        """,
      example: """
        service ↓web { owner team; port 443/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        """,
      instead: """
        service web { owner team; purpose "The shop's front page"; port 443/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        """),
    flagged: [
      """
      service ↓web { owner team; purpose " "; port 443/tcp; expose to internet }
      host web1 { address 192.0.2.10; runs web }
      """
    ]
  ) { inspection in
    let services = inspection.policy.services
    let silent = services.indices.filter { services[$0].purpose?.utf8.allSatisfy { $0 <= 0x20 } ?? true }
    return silent.map { s in
      let service = services[s]
      return Finding(
        "service `\(service.name.value)` has no purpose", about: service.name.value,
        at: .init(service.name.span, "what is it for?"),
        because: "Whoever does not know what a service is for cannot judge who should reach it.",
        help: "Add `purpose \"...\"` with a few words.")
    }
  }
}
