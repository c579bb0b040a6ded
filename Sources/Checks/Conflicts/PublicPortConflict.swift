import Firewalls
import Packets
import Policies
import Syntax

extension Check {
  /// One public port that two services want.
  static let publicPortConflict = Check(
    "public-port-conflict", "Two exposures want the same public port of a host for different listeners", .conflicts,
    .error,
    page: Page(
      what: """
        Looks at the public ports of each host: those of `as`, and the listening ports of services that are exposed \
        without it. A public port that leads to two different listening ports, or to two services, is reported; so is \
        one that a router (`via`) forwards to two services.
        """,
      why: """
        A connection to a public port can be sent to one place only. The translation that happens to come first wins, \
        and the other service is cut off, or worse, gets the visitors of its neighbour.
        """,
      example: """
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet as 443/tcp }
        service blog { owner team; purpose "Blog"; port 9443/tcp; ↓expose to internet as 443/tcp }
        host web1 { address 192.0.2.10; runs shop; runs blog }
        """,
      instead: """
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet as 443/tcp }
        service blog { owner team; purpose "Blog"; port 9443/tcp; expose to internet as 444/tcp }
        host web1 { address 192.0.2.10; runs shop; runs blog }
        """),
    flagged: [
      """
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet as 443/tcp }
      service blog { owner team; purpose "Blog"; port 443/tcp; ↓expose to 192.0.2.7 }
      host web1 { address 192.0.2.10; runs shop; runs blog }
      """,
      """
      service shop { owner team; purpose "Shop"; port 443/tcp; expose to internet via gw }
      service blog { owner team; purpose "Blog"; port 443/tcp; ↓expose to internet via gw }
      host gw { address 198.51.100.1; interface eth0 in internet }
      host web1 { address 10.0.0.1; runs shop }
      host web2 { address 10.0.0.2; runs blog }
      """,
    ],
    allowed: [
      """
      service shop { owner team; purpose "Shop"; port 443/tcp; expose to internet via gw }
      service blog { owner team; purpose "Blog"; port 443/tcp; expose to internet via gw as 444/tcp }
      host gw { address 198.51.100.1; interface eth0 in internet }
      host web1 { address 10.0.0.1; runs shop }
      host web2 { address 10.0.0.2; runs blog }
      """
    ]
  ) { inspection in
    inspection.firewalls.flatMap { firewall in
      pairs(among: firewall.openings).map { first, second in finding(first, second, on: firewall) }
    }
  }

  /// Returns the pairs of `openings`, which are sorted by traffic, whose public ports overlap and lead to different
  /// places: for each that does, one that was there before.
  private static func pairs(among openings: [Opening]) -> [(Opening, Opening)] {
    var result: [(Opening, Opening)] = []
    var seen = Set<[Span]>()
    var open: [Opening] = []
    for opening in openings {
      guard let ports = opening.traffic.ports else { continue }
      open.removeAll { earlier in
        earlier.traffic.transport != opening.traffic.transport || (earlier.traffic.ports?.upper ?? 0) < ports.lower
      }
      if let earlier = open.first(where: { conflict($0, opening) }) {
        let pair = [earlier, opening].sorted { $0.cause.span < $1.cause.span }
        if seen.insert(pair.map(\.cause.span)).inserted { result.append((pair[0], pair[1])) }
        // That its ports are wanted twice is said already.
        if earlier.traffic.contains(opening.traffic), earlier.destinations == nil { continue }
      }
      // What leads to the same place as one that is open already conflicts with the same others.
      if !open.contains(where: { same($0, opening) }) { open.append(opening) }
    }
    return result
  }

  /// Returns `true` iff `a` and `b` have the same ports, addresses and target.
  private static func same(_ a: Opening, _ b: Opening) -> Bool {
    a.traffic == b.traffic && a.destinations == b.destinations && a.translation == b.translation
      && a.cause.service == b.cause.service
  }

  /// Returns `true` iff `a` and `b`, whose ports overlap, lead one address to different places; two services that
  /// listen on one port without translation are the business of `port-conflict`.
  private static func conflict(_ a: Opening, _ b: Opening) -> Bool {
    guard a.translation != nil || b.translation != nil, let x = a.traffic.ports, let y = b.traffic.ports else {
      return false
    }
    if let here = a.destinations, let there = b.destinations, !here.intersects(there) { return false }
    if a.cause.service != b.cause.service { return true }
    return !sameTarget(a, x, b, y)
  }

  /// Returns `true` iff a port of both ranges is sent to one place.
  private static func sameTarget(_ a: Opening, _ x: PortRange, _ b: Opening, _ y: PortRange) -> Bool {
    switch (a.translation, b.translation) {
    case (.redirect(let p), .redirect(let q)): Int(p) - Int(x.lower) == Int(q) - Int(y.lower)
    case (.forward(let t, let p), .forward(let u, let q)): t == u && Int(p) - Int(x.lower) == Int(q) - Int(y.lower)
    case (nil, nil): true
    default: false
    }
  }

  /// Returns the finding that `first` and `second` conflict on the host of `firewall`.
  private static func finding(_ first: Opening, _ second: Opening, on firewall: Firewall) -> Finding {
    let common = first.traffic.intersection(second.traffic) ?? second.traffic
    return Finding(
      "public port \(common) of host `\(firewall.name)` is wanted twice", about: second.cause.subject,
      at: .init(second.cause.span, "`\(second.cause.subject)` is to answer on \(second.traffic)"),
      also: [.init(first.cause.span, "`\(first.cause.subject)` is to answer on \(first.traffic)")],
      because: "A connection to \(common) can be sent to one place only.",
      help: "Choose another public port for one of them with `as`, or bind them to different addresses of the host.")
  }
}
