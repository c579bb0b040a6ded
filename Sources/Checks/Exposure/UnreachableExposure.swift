import Firewalls
import Packets
import Policies
import Syntax

extension Check {
  /// An exposure whose audience cannot get there.
  static let unreachableExposure = Check(
    "unreachable-exposure", "Nobody of the audience can reach the service", .exposure, .warning,
    page: Page(
      what: """
        Looks for exposures whose audience has no address at all (a service that runs nowhere, a host without \
        addresses), or has addresses of one family only while every host of the service has addresses of the other.
        """,
      why: "The exposure opens nothing. Usually an address is missing, or the wrong zone is named.",
      example: """
        service db { owner team; purpose "Ledger"; port 5432/tcp; expose to ↓2001:db8:10::7 until 2099-01-01 }
        host db1 { address 10.0.0.10; runs db }
        """,
      instead: """
        service db { owner team; purpose "Ledger"; port 5432/tcp; expose to 10.0.0.7 }
        host db1 { address 10.0.0.10; runs db }
        """)
  ) { inspection in
    let policy = inspection.policy
    return inspection.activeExposures.compactMap { view in
      guard !view.exposure.audience.parties.contains(where: { $0.value == .localhost }) else { return nil }
      let places = inspection.book.addresses(of: view.exposure.via.map { .host($0.value) } ?? .service(view.service))
      let shared = AddressFamily.allCases.contains { !view.audience.isEmpty($0) && !places.isEmpty($0) }
      // A service without a place is the business of `unplaced-service`.
      guard !shared, !places.isEmpty, policy[view.service].workloads.isEmpty else { return nil }
      let name = policy[view.service].name.value
      let why = view.audience.isEmpty ? "this audience has no addresses" : "has no address of this family"
      return Finding(
        "this exposure of `\(name)` opens nothing", about: name, at: .init(view.audienceSpan, why),
        because: "Nobody of the audience has an address from which the service could be reached.",
        help: "Give the hosts addresses of both families, or name another audience.")
    }
  }
}
