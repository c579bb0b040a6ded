import Firewalls
import Packets
import Policies
import Syntax

extension Check {
  /// An exposure that another one covers.
  static let redundantExposure = Check(
    "redundant-exposure", "An exposure is covered by others of the same service", .exposure, .warning,
    page: Page(
      what: """
        Looks for an exposure of which other exposures of the same service, one alone or several together, open every \
        packet already: on every host where it opens something, to the same listening ports or behind the same router, \
        for at least as long and without a limit. On clusters, one alone has to cover it.
        """,
      why: """
        It has no effect, so that removing it closes nothing: whoever believes to have cut somebody off by deleting it \
        has not.
        """,
      example: """
        service api { owner team; purpose "API"; port 8443/tcp; expose to internet; ↓expose to 203.0.113.7 until 2099-01-01 }
        host web1 { address 192.0.2.10; runs api }
        """,
      instead: """
        service api { owner team; purpose "API"; port 8443/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs api }
        """),
    flagged: [
      """
      zone lan { 10.0.0.0/8 }
      service api { owner team; purpose "API"; port 8443/tcp; ↓expose to lan; expose to lan, 10.5.5.5 }
      host web1 { address 192.0.2.10; interface eth1 in lan; runs api }
      """,
      """
      zone lan { 10.0.0.0/8 }
      zone vpn { 10.8.0.0/16 }
      service api { owner team; purpose "API"; port 8443/tcp; expose to lan; ↓expose to vpn }
      host web1 { address 10.0.0.10; runs api }
      """,
      """
      service api { owner team; purpose "API"; port 8443/tcp; expose to 10.0.0.0/9; expose to 10.128.0.0/9
        ↓expose to 10.100.0.0-10.200.0.0 until 2099-01-01 }
      host web1 { address 192.0.2.10; runs api }
      """,
      """
      service api { owner team; purpose "API"; port a 8443/tcp; port b 9443/tcp
        expose a to 10.0.0.0/8; expose b to 10.0.0.0/8; ↓expose to 10.5.5.5 }
      host web1 { address 192.0.2.10; runs api }
      """,
    ],
    allowed: [
      """
      zone office { 10.0.0.0/8 }
      zone people { office, 203.0.113.0/24 }
      service api { owner team; purpose "API"; port 8443/tcp; expose to people; expose to 10.5.5.5 }
      host web1 { address 192.0.2.10; interface eth1 in office; runs api }
      """,
      """
      zone vpn { 10.8.0.0/16 }
      service api { owner team; purpose "API"; port 8443/tcp; expose to internet as 443/tcp; expose to vpn }
      host web1 { address 192.0.2.10; runs api }
      """,
      """
      zone vpn { 10.8.0.0/16 }
      service api { owner team; purpose "API"; port 8443/tcp; expose to internet limit 5/second; expose to vpn }
      host web1 { address 192.0.2.10; runs api }
      """,
      """
      service api { owner team; purpose "API"; port 8443/tcp; expose to 10.0.0.0/9 until 2098-01-01; expose to 10.128.0.0/9
        expose to 10.100.0.0-10.200.0.0 until 2099-01-01 }
      host web1 { address 192.0.2.10; runs api }
      """,
    ]
  ) { inspection in
    var onHosts: [(service: ID<Service>, views: [ExposureView], suspects: [Int])] = []
    var findings: [Finding] = []
    for (s, range) in inspection.exposuresOfService.enumerated() where range.count > 1 {
      let views = inspection.exposures[range].filter { !$0.exposure.provenance.hasLapsed(on: inspection.today) }
      guard inspection.policy.services[s].workloads.isEmpty else {
        findings += onClusters(views, in: inspection)
        continue
      }
      let suspects = suspects(among: views, in: inspection)
      if !suspects.isEmpty { onHosts.append((ID(s), views, suspects)) }
    }
    guard !onHosts.isEmpty else { return findings }
    let packets = HostPackets(inspection)
    let openings = inspection.openings(of: Set(onHosts.map(\.service)))
    for (service, views, suspects) in onHosts {
      // What is too intricate to decide is left alone: a warning that is missing opens nothing.
      findings +=
        (try? dead(among: views, suspects, openings[service] ?? [], packets, in: inspection)) ?? []
    }
    return findings
  }

  /// Returns those of `views`, which are of one service, that may be covered: another one has the lowest address of their
  /// audience in its own, for good, and has a port in common.
  private static func suspects(among views: [ExposureView], in inspection: Inspection) -> [Int] {
    // An exception of a zone that is bound to interfaces leaves its addresses in on others.
    func width(_ view: ExposureView) -> AddressSet {
      let audience = view.exposure.audience
      return audience.exceptions.isEmpty ? view.audience : inspection.book.addresses(of: audience.parties)
    }
    func shares(_ a: ExposureView, _ b: ExposureView) -> Bool {
      a.traffic.contains { x in
        b.traffic.contains { $0.public.overlaps(x.public) || $0.listening.overlaps(x.listening) }
      }
    }
    guard views.count > 8 else {
      return views.indices.filter { i in
        let lowest = views[i].audience.lowest
        return views.indices.contains { j in
          j != i && views[j].exposure.limit == nil && lowest.contains { width(views[j]).contains($0) }
            && shares(views[i], views[j])
        }
      }
    }
    let shared = AddressSet.holdingLowest(
      of: views.map(\.audience), in: views.map { $0.exposure.limit == nil ? width($0) : AddressSet() })
    return views.indices.filter { shared[$0] }
  }

  /// Returns the findings that some of `views`, at the positions `suspects`, are covered by the others on every host where
  /// they open something.
  private static func dead(
    among views: [ExposureView], _ suspects: [Int], _ openings: [(firewall: Firewall, opening: Opening)],
    _ packets: HostPackets, in inspection: Inspection
  ) throws(BudgetExceeded) -> [Finding] {
    let space = packets.universe.space
    let positions = Dictionary(views.enumerated().map { ($0.element.span, $0.offset) }) { first, _ in first }
    var lines = [Coverage.Line](repeating: .init(), count: views.count)
    var kinds: [Kind: UInt32] = [:]
    for (firewall, opening) in openings {
      guard let position = positions[opening.cause.span] else { continue }
      let kind = Kind(opening, on: firewall)
      let number = kinds[kind] ?? UInt32(kinds.count)
      kinds[kind] = number
      for var box in firewall.boxes(of: opening, in: packets.universe) {
        // Openings do not look at where packets leave, so that this tells host and translation.
        box[.departure] = space.value(number, of: .departure)
        lines[position].decided.append(box.logging(opening.logged, covers: false, in: space))
        guard opening.limit == nil else { continue }
        lines[position].covered.append(box.logging(opening.logged, covers: true, in: space))
      }
    }
    let coverage = try Coverage(of: lines, suspects: suspects, within: packets.universe.possible)
    guard !coverage.dead.isEmpty else { return [] }
    let index = AudienceIndex(views.map(\.audience))
    return try coverage.dead.sorted().map { (i) throws(BudgetExceeded) in
      let near = index.neighbours(of: views[i].audience)
      let covers = try coverage.covers(of: i, among: near)
      return finding(views[i], coveredBy: covers.map { views[$0] }, in: inspection.policy)
    }
  }

  /// What openings must share besides packets to stand for one another.
  private struct Kind: Hashable {
    let host: ID<Host>
    var distance = 0
    var targets: [Address]?

    init(_ opening: Opening, on firewall: Firewall) {
      host = firewall.host
      guard let ports = opening.traffic.ports else { return }
      switch opening.translation {
      case .redirect(let port)?: distance = Int(port) - Int(ports.lower)
      case .forward(let targets, let port)?:
        distance = Int(port) - Int(ports.lower)
        self.targets = targets
      case nil: break
      }
    }
  }

  /// Returns the findings that some of `views`, which are of a service of a cluster, are covered by one of the others.
  private static func onClusters(_ views: [ExposureView], in inspection: Inspection) -> [Finding] {
    let index = AudienceIndex(views.map(\.audience))
    // Of two that cover each other, the later one is the redundant one.
    return views.indices.compactMap { i in
      let wider = index.candidates(for: i).first { j in
        j != i && covers(views[j], views[i], in: inspection) && (j < i || !covers(views[i], views[j], in: inspection))
      }
      return wider.map { finding(views[i], coveredBy: [views[$0]], in: inspection.policy) }
    }
  }

  /// Returns `true` iff all that `narrow` opens `wide` opens as well.
  ///
  /// A zone may be bound to interfaces, on which alone its packets count. So a zone covers only itself and what is
  /// written in terms of it, unless no host binds an interface to it.
  private static func covers(_ wide: ExposureView, _ narrow: ExposureView, in inspection: Inspection) -> Bool {
    guard wide.exposure.limit == nil, wide.exposure.via?.value == narrow.exposure.via?.value,
      narrow.exposure.provenance.logged == false || wide.exposure.provenance.logged,
      narrow.audience.isSubset(of: wide.audience), !narrow.audience.isEmpty
    else { return false }
    if let until = wide.exposure.provenance.until?.value {
      guard let other = narrow.exposure.provenance.until?.value, other <= until else { return false }
    }
    let ports = narrow.traffic.allSatisfy { inner in
      wide.traffic.contains { $0.public.contains(inner.public) && $0.listening.contains(inner.listening) }
    }
    return ports && zonesAllow(wide.exposure.audience, narrow.exposure.audience, in: inspection)
  }

  /// Returns `true` iff no interface that is bound to a zone of `wide` keeps out what `narrow` lets in.
  private static func zonesAllow(_ wide: Audience, _ narrow: Audience, in inspection: Inspection) -> Bool {
    let isInternet = wide.parties.contains { $0.value == .internet }
    if isInternet && wide.exceptions.isEmpty { return true }
    // Private sources on an interface of the Internet are nobody but `internet`.
    if !isInternet && narrow.parties.contains(where: { $0.value == .internet }) { return false }
    func isBound(_ party: Spelled<Party>) -> Bool {
      if case .zone(let zone) = party.value { inspection.boundZones.contains(zone) } else { false }
    }
    // What an exception takes away on one interface it leaves on others.
    if narrow.exceptions.contains(where: isBound) { return false }
    let mine = Set(wide.parties.map(\.value))
    let others = narrow.parties.filter { !mine.contains($0.value) }
    let anywhere = wide.parties.filter { !isBound($0) }
    return others.isEmpty || inspection.book.addresses(of: others).isSubset(of: inspection.book.addresses(of: anywhere))
  }

  /// Returns the finding that `narrow` is covered by all of `wide` together.
  private static func finding(
    _ narrow: ExposureView, coveredBy wide: [ExposureView], in policy: Policy
  ) -> Finding {
    let name = policy[narrow.service].name.value
    let words = wide.count == 1 ? "by this one" : "by this one in part"
    return Finding(
      "this exposure of `\(name)` changes nothing", about: name, at: .init(narrow.span, "is covered"),
      also: wide.map { .init($0.span, words) },
      because: "Removing it would close nothing, which is not what one expects.",
      help: wide.count == 1 ? "Remove it, or narrow the wider one." : "Remove it, or narrow the others.",
      fixes: [.init(replace: narrow.span, with: "", safety: .safe)])
  }
}

extension AddressSet {
  /// The lowest address of each family.
  fileprivate var lowest: [Address] {
    (ipv4.intervals.first.map { [Address(.ipv4, UInt128($0.lowerBound))] } ?? [])
      + (ipv6.intervals.first.map { [Address(.ipv6, $0.lowerBound)] } ?? [])
  }

  /// Returns of each of `sets` whether another one of `holders`, which are as many, has its lowest address of a family, in
  /// time that grows with the number of their ranges.
  static func holdingLowest(of sets: [AddressSet], in holders: [AddressSet]) -> [Bool] {
    struct Start {
      let at: UInt128
      let isQuestion: Bool
      let last: UInt128
      let owner: Int
    }
    var result = [Bool](repeating: false, count: sets.count)
    for family in AddressFamily.allCases {
      var starts: [Start] = []
      for (i, holder) in holders.enumerated() {
        for range in holder.ranges(family) {
          starts.append(Start(at: range.lower.value, isQuestion: false, last: range.upper.value, owner: i))
        }
      }
      for (i, set) in sets.enumerated() {
        guard let first = set.lowest.first(where: { $0.family == family }) else { continue }
        starts.append(Start(at: first.value, isQuestion: true, last: 0, owner: i))
      }
      starts.sort { a, b in a.at != b.at ? a.at < b.at : !a.isQuestion && b.isQuestion }
      // The two owners whose ranges reach furthest so far.
      var best: Start?
      var second: Start?
      for start in starts {
        if start.isQuestion {
          let other = best?.owner == start.owner ? second : best
          if let other, other.last >= start.at { result[start.owner] = true }
          continue
        }
        if best?.owner == start.owner {
          if start.last > best?.last ?? 0 { best = start }
        } else if best.map({ start.last > $0.last }) ?? true {
          second = best
          best = start
        } else if second.map({ start.last > $0.last }) ?? true {
          second = start
        }
      }
    }
    return result
  }
}

extension Inspection {
  /// Returns what the hosts open of `services`, by the service, in the order of the hosts.
  func openings(of services: Set<ID<Service>>) -> [ID<Service>: [(firewall: Firewall, opening: Opening)]] {
    var result: [ID<Service>: [(firewall: Firewall, opening: Opening)]] = [:]
    for firewall in firewalls {
      for i in firewall.openings.indices {
        guard let service = firewall.openings[i].cause.service, services.contains(service) else { continue }
        result[service, default: []].append((firewall, firewall.openings[i]))
      }
    }
    return result
  }
}
