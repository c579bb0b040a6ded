import Firewalls
import Nftables
import Packets
import Syntax

extension Status {
  /// Finds the exposures among `lines`, whose statements are `spans`, that nothing came to although it might have: another
  /// line, which was used, accepts some of the same, and the first of both that the rules ask decides.
  static func findPreceded(_ lines: inout [Line], spans: [Span], _ firewall: Firewall) {
    var openings: [Span: [Int]] = [:]
    for i in firewall.openings.indices { openings[firewall.openings[i].cause.span, default: []].append(i) }
    var byPort: [Traffic: [Int]] = [:]
    var ranges: [Int] = []
    for (line, span) in zip(lines, spans) where line.kind == .exposure && line.decided?.packets ?? 1 > 0 {
      for i in openings[span] ?? [] {
        if firewall.openings[i].traffic.ports?.isSingle == true {
          byPort[firewall.openings[i].traffic, default: []].append(i)
        } else {
          ranges.append(i)
        }
      }
    }
    let used = byPort.values.flatMap(\.self) + ranges
    for i in lines.indices where lines[i].kind == .exposure && lines[i].precision == .exact && lines[i].isUnused == true
    {
      let isPreceded = (openings[spans[i]] ?? []).contains { own in
        let traffic = firewall.openings[own].traffic
        let others = traffic.ports?.isSingle == true ? (byPort[traffic] ?? []) + ranges : used
        return others.contains { firewall.openings[own].overlaps(firewall.openings[$0]) }
      }
      if isPreceded { lines[i].precision = .preceded }
    }
  }
}

extension Opening {
  /// Returns `true` iff both accept some packet.
  fileprivate func overlaps(_ other: Opening) -> Bool {
    guard traffic.overlaps(other.traffic) else { return false }
    if let destinations, let others = other.destinations, !destinations.intersects(others) { return false }
    return sources.contains { source in
      other.sources.contains { part in
        !source.interfaces.intersection(part.interfaces).isEmpty && source.addresses.intersects(part.addresses)
      }
    }
  }
}
