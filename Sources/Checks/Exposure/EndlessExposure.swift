import Packets
import Policies
import Syntax

extension Check {
  /// A guest without a last day.
  static let endlessExposure = Check(
    "endless-exposure", "An exposure to outsiders has no end", .exposure, .warning,
    page: Page(
      what: """
        Looks for exposures to public addresses that are written out (not those of a zone, host or service) and that \
        have no `until`. `policy { check endless-exposure off }` turns it off.
        """,
      why: """
        Addresses of partners and contractors are let in for a purpose that ends. Nobody remembers to close them, and \
        addresses get new owners.
        """,
      example: """
        service api { owner team; purpose "API"; port 8443/tcp; expose to ↓198.51.100.0/24 }
        host web1 { address 192.0.2.10; runs api }
        """,
      instead: """
        service api {
          owner team; purpose "API"; port 8443/tcp
          expose to 198.51.100.0/24 until 2027-03-31 because "partner cut-over" ticket "NET-1423"
        }
        host web1 { address 192.0.2.10; runs api }
        """),
    allowed: [
      """
      zone partner { 198.51.100.0/24 }
      service api { owner team; purpose "API"; port 8443/tcp; expose to partner }
      host web1 { address 192.0.2.10; runs api }
      """,
      """
      service api { owner team; purpose "API"; port 8443/tcp; expose to 10.1.2.3 }
      host web1 { address 192.0.2.10; runs api }
      """,
    ]
  ) { inspection in
    inspection.exposures.lazy.filter { $0.exposure.provenance.until == nil }.compactMap { view in
      let guest = view.exposure.audience.parties.first { party in
        guard case .addresses(let range) = party.value else { return false }
        return Width.publicNetworks.intersects(range) && !Width.isInternet(AddressSet(range))
      }
      guard let guest else { return nil }
      let name = inspection.policy[view.service].name.value
      return Finding(
        "`\(name)` is open to outsiders without end", about: name,
        at: .init(guest.span, "these addresses belong to no zone of the policy"),
        because: "Nobody remembers to close what was opened for a while.",
        help: "Say until when (`until 2027-03-31`), or give the addresses a name as a zone if they are there to stay.")
    }
  }
}
