import Packets
import Policies
import Syntax

extension Check {
  /// An exposure that another one covers.
  static let redundantExposure = Check(
    "redundant-exposure", "An exposure is covered by a wider one of the same service", .exposure, .warning,
    page: Page(
      what: """
        Looks for an exposure all of whose audience and public ports another exposure of the same service opens \
        already, on the same router if on one, for at least as long and without a limit.
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
    ]
  ) { inspection in
    inspection.exposuresOfService.flatMap { range -> [Finding] in
      guard range.count > 1 else { return [] }
      let views = inspection.exposures[range].filter { !$0.exposure.provenance.hasLapsed(on: inspection.today) }
      let index = AudienceIndex(views.map(\.audience))
      // Of two that cover each other, the later one is the redundant one.
      return views.indices.compactMap { i in
        let wider = index.candidates(for: i).first { j in
          j != i && covers(views[j], views[i], in: inspection) && (j < i || !covers(views[i], views[j], in: inspection))
        }
        return wider.map { finding(views[i], coveredBy: views[$0], in: inspection.policy) }
      }
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

  /// Returns the finding that `narrow` is covered by `wide`.
  private static func finding(
    _ narrow: ExposureView, coveredBy wide: ExposureView, in policy: Policy
  ) -> Finding {
    let name = policy[narrow.service].name.value
    return Finding(
      "this exposure of `\(name)` changes nothing", about: name, at: .init(narrow.span, "is covered"),
      also: [.init(wide.span, "by this one")],
      because: "Removing it would close nothing, which is not what one expects.",
      help: "Remove it, or narrow the wider one.", fixes: [.init(replace: narrow.span, with: "", safety: .safe)])
  }
}
