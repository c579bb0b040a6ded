import Packets
import Policies
import Syntax

extension Check {
  /// A zone that is told by its interfaces, where there are none.
  static let unboundZone = Check(
    "unbound-zone", "A zone without addresses means everyone where no interface is bound to it", .exposure, .error,
    page: Page(
      what: """
        Looks for exposures to zones that have no addresses and are told by the interface that their packets arrive on, \
        where the service runs on a host, or is forwarded by a router, that binds no interface to the zone, or on a \
        cluster, which knows no interfaces. Services that are exposed to the internet anyway are not reported.
        """,
      why: """
        A zone without addresses has every address. On a host that binds no interface to it nothing narrows it, so that \
        an exposure to the guests of a wireless network is open to the whole Internet.
        """,
      example: """
        zone guests { }
        service menu { owner team; purpose "Menu"; port 8080/tcp; expose to ↓guests }
        host web1 { address 192.0.2.10; interface eth0 in internet; runs menu }
        """,
      instead: """
        zone guests { }
        service menu { owner team; purpose "Menu"; port 8080/tcp; expose to guests }
        host web1 { address 192.0.2.10; interface eth0 in internet; interface wlan0 in guests; runs menu }
        """),
    flagged: [
      """
      zone guests { }
      service menu { owner team; purpose "Menu"; port 8080/tcp; expose to ↓guests }
      cluster k { pods 10.42.0.0/16; workload menu { namespace x; pods app=menu; publish cluster } }
      """
    ],
    allowed: [
      """
      zone guests { 192.168.7.0/24 }
      service menu { owner team; purpose "Menu"; port 8080/tcp; expose to guests }
      host web1 { address 192.0.2.10; interface eth0 in internet; runs menu }
      """
    ]
  ) { inspection in
    let policy = inspection.policy
    guard policy.zones.contains(where: { !$0.hasAddresses }) else { return [] }
    return inspection.activeExposures.flatMap { view -> [Finding] in
      let parties = view.exposure.audience.parties
      guard !parties.contains(where: { $0.value == .internet }) else { return [] }
      return parties.compactMap { party in
        guard case .zone(let zone) = party.value, !policy[zone].hasAddresses,
          let place = place(of: view, withoutInterfaceTo: zone, in: policy)
        else { return nil }
        let name = policy[view.service].name.value
        let zoneName = policy[zone].name
        return Finding(
          "`\(name)` is open to everyone: nothing tells who is in zone `\(zoneName.value)` on \(place.value)",
          about: name,
          at: .init(party.span, "has no addresses"),
          also: [.init(zoneName.span, "the zone"), .init(place.span, "no interface is bound to it here")],
          because: "A zone without addresses and interfaces is every address.",
          help: "Give the zone addresses, or bind an interface to it: `interface NAME in \(zoneName.value)`.")
      }
    }
  }

  /// Returns a place where `view` lets packets in and that has no interface for `zone`, nor for zones that it is made of.
  private static func place(of view: ExposureView, withoutInterfaceTo zone: ID<Zone>, in policy: Policy) -> Name? {
    let hosts = view.exposure.via.map { [$0.value] } ?? policy[view.service].placements.map(\.host)
    for host in hosts where !isBound(zone, on: policy[host], in: policy) {
      return Name("host `\(policy[host].name.value)`", at: policy[host].name.span)
    }
    guard view.exposure.via == nil, let workload = policy[view.service].workloads.first else { return nil }
    let cluster = policy[workload.cluster].name
    return Name("cluster `\(cluster.value)`", at: cluster.span)
  }

  /// Returns `true` iff `host` binds an interface to `zone` or to each zone that it is made of.
  private static func isBound(_ zone: ID<Zone>, on host: Host, in policy: Policy) -> Bool {
    if host.interfaces.contains(where: { $0.zones.contains { $0.value == zone } }) { return true }
    let members = policy[zone].members.filter { !policy[$0].hasAddresses }
    return !members.isEmpty && members.allSatisfy { isBound($0, on: host, in: policy) }
  }
}
