import Packets
import Policies
import Syntax

extension Check {
  /// What is sensitive, open to a network that is too wide.
  static let wideAudience = Check(
    "wide-audience", "A sensitive service or port is open to an over-wide network", .exposure, .warning,
    page: Page(
      what: """
        Looks for exposures of sensitive services (see `sensitive-exposure`) to more public addresses than an IPv4 /16 \
        or an IPv6 /32, or to more addresses in all than an IPv4 /12.
        """,
      why: """
        Most break-ins go on from the first machine to the next. A database that all of `10.0.0.0/8` may reach is \
        reached from any of them.
        """,
      example: """
        zone lan { 10.0.0.0/8 }
        service db { owner team; purpose "Ledger"; class database; port 5432/tcp; expose to ↓lan }
        host db1 { address 10.0.0.10; runs db }
        """,
      instead: """
        zone backend { 10.0.4.0/24 }
        service db { owner team; purpose "Ledger"; class database; port 5432/tcp; expose to backend }
        host db1 { address 10.0.0.10; runs db }
        """)
  ) { inspection in
    inspection.activeExposures.filter { view in
      let spread = inspection.spread(of: view)
      return Width.isWide(spread) && !Width.isInternet(spread)
    }
    .compactMap { view in
      let policy = inspection.policy
      guard let sensitivity = sensitivity(of: view, in: policy) else { return nil }
      let name = policy[view.service].name.value
      return Finding(
        "`\(name)` \(sensitivity.reason) and is open to a wide network", about: name,
        at: .init(view.audienceSpan, "this is more than such a service should be open to"),
        also: sensitivity.span == view.span ? [] : [.init(sensitivity.span, "this makes it sensitive")],
        because: "Whoever takes over any machine of that network can reach it.",
        help: "Expose it to the services or hosts that connect to it, or to a narrower zone.")
    }
  }
}
