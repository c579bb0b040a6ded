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
        Looks for `block` declarations that refuse no packet which any exposure or transit would let through from today \
        on, on any host, or none that other blocks, one alone or several together, do not refuse as well. On clusters \
        the addresses of the sources decide.
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
    for firewall in inspection.firewalls {
      let blocks = firewall.blocks.filter { holds($0.until, in: inspection) }
      guard !blocks.isEmpty else { continue }
      let openings = firewall.openings.filter { holds($0.until, in: inspection) }
      let passages = firewall.passages.filter { holds($0.until, in: inspection) }
      let reaches = openings.flatMap(\.sources) + passages.flatMap(\.sources)
      let everyone = AddressSet(unionOf: reaches.map(\.addresses))
      for block in blocks
      where !busy.contains(block.cause.span) && block.sources.contains(where: { $0.addresses.intersects(everyone) }) {
        let hits =
          openings.contains { block.meets($0.sources, [$0.traffic], at: $0.destinations ?? .all) }
          || !block.sparesTransit
            && passages.contains {
              block.meets($0.sources, $0.traffic, at: AddressSet(unionOf: $0.destinations.map(\.addresses)))
            }
        if hits { busy.insert(block.cause.span) }
      }
    }
    // On clusters interfaces do not count, so that the addresses decide.
    let views = inspection.activeExposures.filter { !policy[$0.service].workloads.isEmpty }
    let audiences = AddressSet(unionOf: views.map(\.audience))
    var onClusters = Set<Span>()
    for block in policy.blocks where inspection.book.addresses(of: block.sources).intersects(audiences) {
      onClusters.insert(block.provenance.span)
    }
    // What is too intricate to decide is left alone.
    let covers = (try? covers(ofBlocks: busy.subtracting(onClusters), in: inspection)) ?? [:]
    return policy.blocks.compactMap { block in
      let span = block.provenance.span
      guard holds(block.provenance.until?.value, in: inspection) else { return nil }
      if !busy.contains(span), !onClusters.contains(span) { return finding(span, []) }
      return covers[span].map { finding(span, $0) }
    }
  }

  /// Returns `true` iff what ends on `date` holds today.
  private static func holds(_ date: CalendarDate?, in inspection: Inspection) -> Bool {
    date.map { inspection.today <= $0 } ?? true
  }

  /// Returns the finding that the block at `span` has no effect, because of `others` if there are some.
  private static func finding(_ span: Span, _ others: [Span]) -> Finding {
    let isCovered = !others.isEmpty
    return Finding(
      isCovered
        ? "this block refuses nothing that other blocks let through" : "this block refuses nothing that is open",
      about: "block", at: .init(span, "has no effect"),
      also: others.map { .init($0, others.count == 1 ? "refused here already" : "refused here already in part") },
      because: isCovered
        ? "Removing it would open nothing, which is not what one expects."
        : "Nothing is exposed to these sources where the block is for.",
      help: isCovered ? "Remove it, or narrow the others." : "Remove it, or correct whom or what it names.",
      fixes: [.init(replace: span, with: "", safety: .unsafe)])
  }

  /// Returns those of the blocks at `spans` that others cover wherever they refuse something, with these others.
  private static func covers(
    ofBlocks spans: Set<Span>, in inspection: Inspection
  ) throws(BudgetExceeded) -> [Span: [Span]] {
    let blocks = inspection.policy.blocks.filter { holds($0.provenance.until?.value, in: inspection) }
    let sources = blocks.map { inspection.book.addresses(of: $0.sources) }
    let shared = AddressSet.holdingLowest(of: sources, in: sources)
    let suspects = blocks.indices.filter { shared[$0] && spans.contains(blocks[$0].provenance.span) }
    guard !suspects.isEmpty else { return [:] }
    let index = AudienceIndex(sources)
    let positions = Dictionary(blocks.enumerated().map { ($0.element.provenance.span, $0.offset) }) { first, _ in first
    }
    let packets = HostPackets(inspection)
    let space = packets.universe.space
    let now = try packets.universe.possible.intersection(space.set(of: packets.box))
    var living = Set<Int>()
    var covers: [Int: Set<Int>] = [:]
    for firewall in inspection.firewalls where !firewall.blocks.isEmpty {
      var lines = [Coverage.Line](repeating: .init(), count: blocks.count)
      for block in firewall.blocks {
        guard let position = positions[block.cause.span] else { continue }
        for box in firewall.boxes(of: block, in: packets.universe) {
          lines[position].decided.append(box.logging(block.logged, covers: false, in: space))
          lines[position].covered.append(box.logging(block.logged, covers: true, in: space))
        }
      }
      let open = try space.set(
        of: firewall.openings.flatMap { firewall.boxes(of: $0, in: packets.universe) }
          + firewall.passages.flatMap { firewall.boxes(of: $0, in: packets.universe) })
      let mask = try open.intersection(now)
      let coverage = try Coverage(of: lines, suspects: suspects, within: mask)
      for i in suspects where !living.contains(i) {
        if coverage.dead.contains(i) {
          let near = index.neighbours(of: sources[i])
          covers[i, default: []].formUnion(try coverage.covers(of: i, among: near))
        } else if try !space.set(of: lines[i].decided).intersection(mask).isEmpty {
          living.insert(i)
        }
      }
    }
    var result: [Span: [Span]] = [:]
    for (i, others) in covers where !living.contains(i) {
      result[blocks[i].provenance.span] = others.sorted().map { blocks[$0].provenance.span }
    }
    return result
  }
}

extension Refusal {
  /// Returns `true` iff the block refuses some of the packets from `sources` to `traffic` at `destinations`.
  fileprivate func meets(_ others: [Reach], _ theirs: [Traffic]?, at destinations: AddressSet) -> Bool {
    if let mine = traffic, let theirs, !mine.contains(where: { m in theirs.contains { $0.overlaps(m) } }) {
      return false
    }
    let places = self.destinations.map(destinations.intersection) ?? destinations
    return sources.contains { mine in
      others.contains { theirs in
        guard !mine.interfaces.intersection(theirs.interfaces).isEmpty else { return false }
        let common = mine.addresses.intersection(theirs.addresses)
        return AddressFamily.allCases.contains { !common.isEmpty($0) && !places.isEmpty($0) }
      }
    }
  }
}
