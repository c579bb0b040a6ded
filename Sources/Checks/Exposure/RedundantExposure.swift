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
        packet already: wherever it opens something, on hosts and pods, to the same listening ports or behind the same \
        router, for at least as long and without a limit. Parts of it that blocks refuse do not count. It also looks \
        for zones and addresses of an audience that are within others of the same audience, one of them or several \
        together, on every interface.
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
      """
      zone low { 10.0.0.0/9 }
      zone high { 10.128.0.0/9 }
      zone office { 10.100.0.0-10.200.0.0 }
      service api { owner team; purpose "API"; port 8443/tcp; expose to low, ↓office, high }
      host web1 { address 192.0.2.10; runs api }
      """,
      """
      service front { owner team; purpose "Front"; class ui; port 80/tcp; expose to internet; uses api }
      service back { owner team; purpose "Back"; class ui; port 81/tcp; expose to 192.0.2.7; uses api }
      service api { owner team; purpose "API"; port 8443/tcp; expose to front; expose to back; ↓expose to class ui }
      cluster k {
        pods 10.42.0.0/16
        workload front { namespace x; pods app=front }
        workload back { namespace x; pods app=back }
        workload api { namespace x; pods app=api }
      }
      """,
      """
      service api { owner team; purpose "API"; port 8443/tcp
        expose to 10.0.0.0/9; expose to 10.128.0.0/9; ↓expose to 10.100.0.0-10.200.0.0 until 2099-01-01 }
      cluster k { pods 10.42.0.0/16; workload api { namespace x; pods app=api } }
      """,
    ],
    allowed: [
      """
      zone lan { 10.0.0.0/8 }
      zone office { 10.1.0.0/16 }
      service api { owner team; purpose "API"; port 8443/tcp; expose to lan, office }
      host web1 { address 192.0.2.10; interface eth1 in lan; runs api }
      """,
      """
      service api { owner team; purpose "API"; port a 8443/tcp; expose to internet; expose to 10.0.0.7 as 443/tcp }
      cluster k { pods 10.42.0.0/16; workload api { namespace x; pods app=api } }
      """,
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
    var found: [(service: ID<Service>, views: [ExposureView], suspects: [Int])] = []
    for (s, range) in inspection.exposuresOfService.enumerated() where range.count > 1 {
      let views = inspection.exposures[range].filter { !$0.exposure.provenance.hasLapsed(on: inspection.today) }
      let suspects = suspects(among: views, in: inspection)
      if !suspects.isEmpty { found.append((ID(s), views, suspects)) }
    }
    var findings = inspection.activeExposures.flatMap { redundantParties(of: $0, in: inspection) }
    guard !found.isEmpty else { return findings }
    let packets = HostPackets(inspection)
    let pods = PodPackets(inspection, packets)
    let openings = inspection.openings(of: Set(found.map(\.service)))
    for (service, views, suspects) in found {
      // What is too intricate to decide is left alone: a warning that is missing opens nothing.
      findings +=
        (try? dead(
          among: views, suspects, openings[service] ?? [], packets, pods.workloads(of: service), in: inspection)) ?? []
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
          j != i && views[j].exposure.limit == nil && shares(views[i], views[j])
            && (lowest.isEmpty || lowest.contains { width(views[j]).contains($0) })
        }
      }
    }
    let shared = AddressSet.holdingLowest(
      of: views.map(\.audience), in: views.map { $0.exposure.limit == nil ? width($0) : AddressSet() })
    return views.indices.filter { shared[$0] }
  }

  /// Returns the findings that some of `views`, at the positions `suspects`, are covered by the others wherever they open
  /// something: on hosts by `openings`, and on the pods of `workloads`.
  private static func dead(
    among views: [ExposureView], _ suspects: [Int], _ openings: [(firewall: Firewall, opening: Opening)],
    _ packets: HostPackets, _ workloads: [PodPackets.Workload], in inspection: Inspection
  ) throws(BudgetExceeded) -> [Finding] {
    let space = packets.universe.space
    let positions = Dictionary(views.enumerated().map { ($0.element.span, $0.offset) }) { first, _ in first }
    var lines = [Coverage.Line](repeating: .init(), count: views.count)
    var places: [Kind: Int] = [:]
    var masks: [PacketSet] = []
    func add(_ boxes: [PacketBox], at place: Int, to position: Int, logged: Bool, isLimited: Bool) {
      for box in boxes {
        lines[position].decided[place, default: []].append(box.logging(logged, covers: false, in: space))
        guard !isLimited else { continue }
        lines[position].covered[place, default: []].append(box.logging(logged, covers: true, in: space))
      }
    }
    for (firewall, opening) in openings {
      guard let position = positions[opening.cause.span] else { continue }
      let kind = Kind(opening, on: firewall)
      let place = places[kind] ?? masks.count
      if places.updateValue(place, forKey: kind) == nil {
        masks.append(
          try packets.universe.possible.intersection(space.set(of: packets.box))
            .subtracting(packets.refused(by: firewall)))
      }
      add(
        firewall.boxes(of: opening, in: packets.universe), at: place, to: position, logged: opening.logged,
        isLimited: opening.limit != nil)
    }
    for workload in workloads {
      // What Services show is part of the place, since others connect to it.
      var places: [[Traffic]: Int] = [:]
      for line in workload.lines {
        guard let position = positions[line.cause.span] else { continue }
        let key = [line.listening, line.shown]
        let place = places[key] ?? masks.count
        if places.updateValue(place, forKey: key) == nil {
          masks.append(
            try workload.possible.subtracting(
              space.set(of: line.blocks.flatMap { workload.boxes(of: $0, on: line) })))
        }
        add(
          workload.universe.boxes(of: line), at: place, to: position, logged: line.logged, isLimited: line.limit != nil)
      }
    }
    let coverage = try Coverage(of: lines, suspects: suspects, within: masks, in: space)
    guard !coverage.dead.isEmpty else { return [] }
    let index = AudienceIndex(views.map(\.audience))
    return try coverage.dead.sorted().map { (i) throws(BudgetExceeded) in
      // Pods have no addresses where it is not known which they have.
      let near = views[i].audience.isEmpty ? Array(views.indices) : index.neighbours(of: views[i].audience)
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
