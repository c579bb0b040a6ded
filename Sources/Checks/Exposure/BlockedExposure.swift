import Firewalls
import Packets
import Policies
import Syntax

extension Check {
  /// An exposure that blocks leave nothing of.
  static let blockedExposure = Check(
    "blocked-exposure", "An exposure is closed entirely by blocks", .exposure, .warning,
    page: Page(
      what: "Looks for exposures whose whole audience is refused by `block` declarations without ports or an end.",
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
    allowed: [
      """
      service api { owner team; purpose "API"; port 8443/tcp; expose to 198.51.100.0/24 until 2099-01-01 }
      host web1 { address 192.0.2.10; runs api }
      block 198.51.100.7
      """
    ]
  ) { inspection in
    let policy = inspection.policy
    let blocks = policy.blocks.filter { $0.traffic.isEmpty && $0.provenance.until == nil }
    guard !blocks.isEmpty else { return [] }
    // Sources that an interface narrows are left out: they do not surely refuse all of their addresses.
    let widths = blocks.map { block in
      let sure = block.sources.filter { source in
        if case .zone(let zone) = source.value { !inspection.boundZones.contains(zone) } else { true }
      }
      return AddressSet(unionOf: sure.map { inspection.book.addresses(of: $0.value) })
    }
    let all = AddressSet(unionOf: widths)
    return inspection.activeExposures.compactMap { view in
      guard !view.audience.isEmpty, view.audience.isSubset(of: all) else { return nil }
      var rest = view.audience
      var last: Block?
      for (block, width) in zip(blocks, widths) where covers(block, view.service, in: policy) && rest.intersects(width)
      {
        rest = rest.subtracting(width)
        last = block
      }
      guard rest.isEmpty, let last else { return nil }
      let name = policy[view.service].name.value
      return Finding(
        "this exposure of `\(name)` is closed by a block", about: name,
        at: .init(view.span, "nobody of this audience gets through"),
        also: [.init(last.provenance.span, "refused here")],
        because: "A block closes whatever is exposed.", help: "Remove the exposure, or narrow the block.")
    }
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
