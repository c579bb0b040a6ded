import Packets
import Policies
import Syntax

extension Check {
  /// Everyone of one address family, and nobody of the other.
  static let oneFamily = Check(
    "one-family", "An audience has everyone of one address family and forgets the other", .exposure, .warning,
    page: Page(
      what: """
        Looks for exposures, zones, transits and blocks that name all or half of the addresses of one family, such as \
        `0.0.0.0/0`, and not as much of the other (of IPv6 `2000::/3` is enough, which is all that is routed).
        """,
      why: """
        A policy holds for IPv4 and IPv6 alike. Whoever writes `0.0.0.0/0` means everyone; with IPv6 forgotten, half of \
        the visitors wait for a time-out, and a `block` of `0.0.0.0/0` leaves the other half in.
        """,
      example: """
        service web { owner team; purpose "Site"; port 443/tcp; expose to ↓0.0.0.0/0 }
        host web1 { address 192.0.2.10, 2001:db8::10; runs web }
        """,
      instead: """
        service web { owner team; purpose "Site"; port 443/tcp; expose to internet }
        host web1 { address 192.0.2.10, 2001:db8::10; runs web }
        """),
    flagged: [
      """
      service web { owner team; purpose "Site"; port 443/tcp; expose to ↓::/0 }
      host web1 { address 192.0.2.10, 2001:db8::10; runs web }
      """,
      """
      zone ↓world { 0.0.0.0/1, 128.0.0.0/1 except 10.0.0.0/8 }
      service web { owner team; purpose "Site"; port 443/tcp; expose to world }
      host web1 { address 192.0.2.10, 2001:db8::10; runs web }
      """,
      """
      service web { owner team; purpose "Site"; port 443/tcp; expose to internet }
      host web1 { address 192.0.2.10, 2001:db8::10; runs web }
      block ↓::/0, 192.0.2.66 to web
      """,
    ],
    allowed: [
      """
      zone world { internet except 10.0.0.0/8, fc00::/7 }
      zone routed { 0.0.0.0/0, 2000::/3 }
      zone link {}
      service web { owner team; purpose "Site"; port 443/tcp; expose to world, routed, link }
      host web1 { address 192.0.2.10, 2001:db8::10; interface eth0 in link; runs web }
      """,
      """
      service web { owner team; purpose "Site"; port 443/tcp; expose to 0.0.0.0/0, ::/0 }
      host web1 { address 192.0.2.10, 2001:db8::10; runs web }
      """,
    ]
  ) { inspection in
    let policy = inspection.policy
    var audiences: [(subject: String, parties: [Spelled<Party>])] = []
    for view in inspection.exposures where wholeFamily(among: view.exposure.audience.parties) != nil {
      audiences.append((policy[view.service].name.value, view.exposure.audience.parties))
    }
    audiences += policy.transits.map { (policy[$0.via.value].name.value, $0.audience.parties) }
    audiences += policy.blocks.map { ("block", $0.sources) }
    let zones = policy.zones.filter { isOneFamily($0.addresses) }.map { zone in
      Finding(
        "this is everyone of one address family alone", about: zone.name.value,
        at: .init(zone.name.span, "the other family is left out"),
        because: "IPv4 and IPv6 are one policy; half of the world is treated differently from the rest.",
        help: "Put `internet` into it, which is every address of both families.")
    }
    return zones
      + audiences.compactMap { subject, parties in
        guard let place = wholeFamily(among: parties),
          isOneFamily(parties.reduce(AddressSet()) { $0.union(inspection.book.addresses(of: $1.value)) })
        else { return nil }
        return Finding(
          "this is everyone of one address family alone", about: subject,
          at: .init(place, "the other family is left out"),
          because: "IPv4 and IPv6 are one policy; half of the world is treated differently from the rest.",
          help: "Write `internet`, which is every address of both families.",
          fixes: [.init(replace: place, with: "internet", safety: .unsafe)])
      }
  }

  /// Returns where one of `parties` names at least half of the addresses of a family.
  private static func wholeFamily(among parties: [Spelled<Party>]) -> Span? {
    parties.first { party in
      guard case .addresses(let range) = party.value else { return false }
      return range.upper.value - range.lower.value >= range.family.highest / 2
    }?.span
  }

  /// Returns `true` iff `addresses` have as good as everyone of one family, and not of the other.
  private static func isOneFamily(_ addresses: AddressSet) -> Bool {
    func has(_ family: AddressFamily, atLeast count: UInt128) -> Bool {
      addresses.ranges(family).contains { $0.upper.value - $0.lower.value >= count }
    }
    let (four, six) = (AddressFamily.ipv4.highest, AddressFamily.ipv6.highest)
    return has(.ipv4, atLeast: four / 2) ? !has(.ipv6, atLeast: six / 8) : has(.ipv6, atLeast: six / 2)
  }
}
