import Firewalls
import Packets
import Policies
import Syntax

extension Check {
  /// A block that refuses nothing that is open.
  static let idleBlock = Check(
    "idle-block", "A block refuses nothing that would be open without it", .exposure, .note,
    page: Page(
      what: """
        Looks for `block` declarations none of whose sources is in the audience of any exposure or transit that they \
        are for.
        """,
      why: """
        What is not exposed is closed anyway. The block may be there for good measure, or it names the wrong addresses \
        and whom it is meant for gets in.
        """,
      example: """
        service api { owner team; purpose "API"; port 8443/tcp; expose to 10.0.0.0/8 }
        host web1 { address 192.0.2.10; runs api }
        ↓block 198.51.100.0/24
        """,
      instead: """
        service api { owner team; purpose "API"; port 8443/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs api }
        block 198.51.100.0/24
        """)
  ) { inspection in
    let policy = inspection.policy
    guard !policy.blocks.isEmpty else { return [] }
    var busy = Set<Span>()
    for firewall in inspection.firewalls where !firewall.blocks.isEmpty {
      let reaches = firewall.openings.flatMap(\.sources) + firewall.passages.flatMap(\.sources)
      let everyone = AddressSet(unionOf: reaches.map(\.addresses))
      for block in firewall.blocks
      where !busy.contains(block.cause.span) && block.sources.contains(where: { $0.addresses.intersects(everyone) }) {
        let hits =
          firewall.openings.contains { meets(block, $0.sources, [$0.traffic]) }
          || !block.sparesTransit
            && firewall.passages.contains { meets(block, $0.sources, $0.traffic) }
        if hits { busy.insert(block.cause.span) }
      }
    }
    // On clusters interfaces do not count, so that the addresses decide.
    let views = inspection.activeExposures.filter { !policy[$0.service].workloads.isEmpty }
    let audiences = AddressSet(unionOf: views.map(\.audience))
    for block in policy.blocks where !busy.contains(block.provenance.span) {
      if inspection.book.addresses(of: block.sources).intersects(audiences) { busy.insert(block.provenance.span) }
    }
    return policy.blocks.filter { !busy.contains($0.provenance.span) && !$0.provenance.hasLapsed(on: inspection.today) }
      .map { block in
        Finding(
          "this block refuses nothing that is open", about: "block", at: .init(block.provenance.span, "has no effect"),
          because: "Nothing is exposed to these sources where the block is for.",
          help: "Remove it, or correct whom or what it names.",
          fixes: [.init(replace: block.provenance.span, with: "", safety: .unsafe)])
      }
  }

  /// Returns `true` iff `block` refuses some of the packets from `sources` to `traffic`.
  private static func meets(_ block: Refusal, _ sources: [Reach], _ traffic: [Traffic]?) -> Bool {
    if let mine = block.traffic, let theirs = traffic,
      !mine.contains(where: { m in theirs.contains { $0.overlaps(m) } })
    {
      return false
    }
    return block.sources.contains { mine in
      sources.contains { theirs in
        !mine.interfaces.intersection(theirs.interfaces).isEmpty && mine.addresses.intersects(theirs.addresses)
      }
    }
  }
}
