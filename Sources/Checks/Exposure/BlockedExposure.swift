import Firewalls
import Packets
import Policies
import Syntax

extension Check {
  /// An exposure that blocks leave nothing of.
  static let blockedExposure = Check(
    "blocked-exposure", "An exposure is closed entirely by blocks", .exposure, .warning,
    page: Page(
      what: """
        Looks for exposures of which `block` declarations, one alone or several together, refuse every packet on every \
        host, from today on and as long as the exposure holds. On clusters, blocks with ports or an end do not count.
        """,
      why: "The service is closed to those whom the exposure is for. One of the two statements is a mistake.",
      example: """
        service api { owner team; purpose "API"; port 8443/tcp; ↓expose to 198.51.100.7 until 2099-01-01 }
        host web1 { address 192.0.2.10; runs api }
        block 198.51.100.0/24
        """,
      instead: """
        service api { owner team; purpose "API"; port 8443/tcp; expose to 203.0.113.7 until 2099-01-01 }
        host web1 { address 192.0.2.10; runs api }
        block 198.51.100.0/24
        """),
    flagged: [
      """
      service api { owner team; purpose "API"; port 8443/tcp; ↓expose to 198.51.100.0/24 until 2099-01-01 }
      host web1 { address 192.0.2.10; runs api }
      block 198.51.100.0/25 on 1-9000/tcp
      block 198.51.100.128/25 to host web1 until 2099-01-01
      """
    ],
    allowed: [
      """
      service api { owner team; purpose "API"; port 8443/tcp; expose to 198.51.100.0/24 until 2099-01-01 }
      host web1 { address 192.0.2.10; runs api }
      block 198.51.100.7
      """,
      """
      service api { owner team; purpose "API"; port 8443/tcp; expose to 198.51.100.0/24 until 2099-01-02 }
      host web1 { address 192.0.2.10; runs api }
      block 198.51.100.0/24 until 2099-01-01
      """,
    ]
  ) { inspection in
    let policy = inspection.policy
    let active = policy.blocks.filter { !$0.provenance.hasLapsed(on: inspection.today) }
    guard !active.isEmpty else { return [] }
    let all = AddressSet(unionOf: active.map { inspection.book.addresses(of: $0.sources) })
    let suspects = inspection.activeExposures.filter { !$0.audience.isEmpty && $0.audience.isSubset(of: all) }
    guard !suspects.isEmpty else { return [] }
    let onHosts = suspects.filter { policy[$0.service].workloads.isEmpty }
    let openings = inspection.openings(of: Set(onHosts.map(\.service)))
    let packets = HostPackets(inspection)
    var closing: [Span: [Cause]] = [:]
    for view in onHosts {
      let mine = (openings[view.service] ?? []).filter { $0.opening.cause.span == view.span }
      // What is too intricate to decide is left alone: a warning that is missing opens nothing.
      closing[view.span] = try? blocks(closing: mine, packets)
    }
    return suspects.compactMap { view in
      if policy[view.service].workloads.isEmpty {
        guard let causes = closing[view.span], !causes.isEmpty else { return nil }
        return finding(view, causes.map(\.span), in: policy)
      }
      return block(closing: view, in: inspection).map { finding(view, [$0.provenance.span], in: policy) }
    }
  }

  /// Returns the blocks that together refuse all of `openings` from today on, or none if they do not.
  private static func blocks(
    closing openings: [(firewall: Firewall, opening: Opening)], _ packets: HostPackets
  ) throws(BudgetExceeded) -> [Cause] {
    let space = packets.universe.space
    let mask = try packets.universe.possible.intersection(space.set(of: packets.box))
    var result: [Cause] = []
    for (firewall, opening) in openings {
      var rest = try packets.packets(of: opening, on: firewall).intersection(mask)
      guard try rest.isSubset(of: packets.refused(by: firewall)) else { return [] }
      for block in firewall.blocks where !rest.isEmpty {
        let remaining = try rest.subtracting(space.set(of: firewall.boxes(of: block, in: packets.universe)))
        if remaining != rest, !result.contains(block.cause) { result.append(block.cause) }
        rest = remaining
      }
    }
    return result
  }

  /// Returns the last of the blocks that together refuse `view` on every cluster, if there are some.
  private static func block(closing view: ExposureView, in inspection: Inspection) -> Block? {
    let policy = inspection.policy
    var rest = view.audience
    var last: Block?
    for block in policy.blocks
    where block.traffic.isEmpty && block.provenance.until == nil && covers(block, view.service, in: policy) {
      // Sources that an interface narrows are left out: they do not surely refuse all of their addresses.
      let sure = block.sources.filter { source in
        if case .zone(let zone) = source.value { !inspection.boundZones.contains(zone) } else { true }
      }
      let width = AddressSet(unionOf: sure.map { inspection.book.addresses(of: $0.value) })
      guard rest.intersects(width) else { continue }
      rest = rest.subtracting(width)
      last = block
    }
    return rest.isEmpty ? last : nil
  }

  /// Returns the finding that what stands at `blocks` closes `view`.
  private static func finding(_ view: ExposureView, _ blocks: [Span], in policy: Policy) -> Finding {
    let name = policy[view.service].name.value
    return Finding(
      blocks.count == 1
        ? "this exposure of `\(name)` is closed by a block" : "this exposure of `\(name)` is closed by blocks",
      about: name,
      at: .init(view.span, "nobody of this audience gets through"),
      also: blocks.map { .init($0, blocks.count == 1 ? "refused here" : "refused here in part") },
      because: "A block closes whatever is exposed.", help: "Remove the exposure, or narrow the block.")
  }

  /// Returns `true` iff `block` is for the whole of `service` wherever it runs.
  private static func covers(_ block: Block, _ service: ID<Service>, in policy: Policy) -> Bool {
    block.targets.isEmpty
      || block.targets.contains { target in
        switch target.value {
        case .internet: true
        case .service(let id): id == service
        case .owner(let id): policy[service].owner == id
        case .serviceClass(let name): policy[service].classes.contains { $0.value == name }
        default: false
        }
      }
  }
}
