import Packets
import Policies
import Syntax

extension Check {
  /// A router that lets strangers in on every port.
  static let wideTransit = Check(
    "wide-transit", "A router lets the internet through on every port", .exposure, .warning,
    page: Page(
      what: """
        Looks for `transit` whose sources are the internet, or as good as all of it, and that names no ports (`on`).
        """,
      why: """
        Behind the router every port of every machine then depends on that machine alone. Return traffic of connections \
        from inside needs no transit of its own: established connections are always let through.
        """,
      example: """
        zone lan { 10.0.0.0/8 }
        host gw { address 198.51.100.1; interface eth0 in internet; interface eth1 in lan }
        ↓transit internet to lan via gw
        """,
      instead: """
        zone lan { 10.0.0.0/8 }
        host gw { address 198.51.100.1; interface eth0 in internet; interface eth1 in lan }
        transit internet to lan on 443/tcp via gw
        """),
    allowed: [
      """
      zone lan { 10.0.0.0/8 }
      host gw { address 198.51.100.1; interface eth0 in internet; interface eth1 in lan }
      transit lan to internet via gw masquerade
      """
    ]
  ) { inspection in
    let policy = inspection.policy
    return policy.transits.compactMap { transit in
      let sources = transit.audience.parties.reduce(AddressSet()) { $0.union(inspection.book.addresses(of: $1.value)) }
      guard transit.traffic.isEmpty, Width.isInternet(sources) else { return nil }
      let router = policy[transit.via.value].name.value
      return Finding(
        "router `\(router)` lets the internet through on every port", about: router,
        at: .init(transit.provenance.span, "names no ports"),
        because: "Every port of every machine behind it depends on that machine alone.",
        help: "Name the ports (`on 443/tcp`). Answers to connections from inside need no transit.")
    }
  }
}
