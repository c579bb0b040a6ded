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
        on, on any host or pod, or none that other blocks, one alone or several together, do not refuse as well.
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
    let active = policy.blocks.indices.filter { holds(policy.blocks[$0].provenance.until?.value, in: inspection) }
    let sources = policy.blocks.map { inspection.book.addresses(of: $0.sources) }
    let index = AudienceIndex(sources)
    let busy = busy(in: inspection)
    // A block that has no address in common with another one, and refuses somebody, has an effect.
    let suspects = active.filter { i in
      !busy.contains(policy.blocks[i].provenance.span) || index.neighbours(of: sources[i]).contains { $0 != i }
    }
    guard !suspects.isEmpty else { return [] }
    // What is too intricate to decide is left alone.
    guard let coverage = try? coverage(of: suspects, sources, in: inspection) else { return [] }
    return suspects.compactMap { i in
      if coverage.idle.contains(i) { return finding(policy.blocks[i].provenance.span, []) }
      guard coverage.dead.contains(i) else { return nil }
      let near = sources[i].isEmpty ? Array(policy.blocks.indices) : index.neighbours(of: sources[i])
      let covers = (try? coverage.covers(of: i, among: near)) ?? []
      return covers.isEmpty
        ? nil : finding(policy.blocks[i].provenance.span, covers.map { policy.blocks[$0].provenance.span })
    }
  }

  /// Returns the blocks that surely refuse something that hosts would let through, if no other block does.
  private static func busy(in inspection: Inspection) -> Set<Span> {
    var busy = Set<Span>()
    for firewall in inspection.firewalls {
      let blocks = firewall.blocks.filter { holds($0.until, in: inspection) }
      guard !blocks.isEmpty else { continue }
      let openings = firewall.openings.filter { holds($0.until, in: inspection) && !$0.traffic.isPartlyNeeded }
      let everyone = AddressSet(unionOf: openings.flatMap(\.sources).map(\.addresses))
      for block in blocks
      where !busy.contains(block.cause.span) && block.sources.contains(where: { $0.addresses.intersects(everyone) }) {
        if openings.contains(where: { block.meets($0.sources, $0.traffic, at: $0.destinations ?? .all) }) {
          busy.insert(block.cause.span)
        }
      }
    }
    return busy
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

  /// Returns which of the blocks at `suspects`, whose addresses are `sources`, refuse nothing that is open, and which
  /// nothing that other blocks let through: on each host, and of each exposure on pods.
  private static func coverage(
    of suspects: [Int], _ sources: [AddressSet], in inspection: Inspection
  ) throws(BudgetExceeded) -> Coverage {
    let blocks = inspection.policy.blocks
    let packets = HostPackets(inspection)
    let space = packets.universe.space
    var lines = [Coverage.Line](repeating: .init(), count: blocks.count)
    var masks: [PacketSet] = []
    func add(_ boxes: [PacketBox], to block: Int, logged: Bool) {
      for box in boxes {
        lines[block].decided[masks.count, default: []].append(box.logging(logged, covers: false, in: space))
        lines[block].covered[masks.count, default: []].append(box.logging(logged, covers: true, in: space))
      }
    }
    let spans = Set(suspects.map { blocks[$0].provenance.span })
    let positions = Dictionary(blocks.enumerated().map { ($0.element.provenance.span, $0.offset) }) { first, _ in first
    }
    let met = AddressSet(unionOf: suspects.map { sources[$0] })
    let now = try packets.universe.possible.intersection(space.set(of: packets.box))
    for firewall in inspection.firewalls where firewall.blocks.contains(where: { spans.contains($0.cause.span) }) {
      for block in firewall.blocks {
        guard let position = positions[block.cause.span] else { continue }
        add(firewall.boxes(of: block, in: packets.universe), to: position, logged: block.logged)
      }
      let openings = firewall.openings.filter { $0.sources.contains { $0.addresses.intersects(met) } }
      let passages = firewall.passages.filter { $0.sources.contains { $0.addresses.intersects(met) } }
      let open = try space.set(
        of: openings.flatMap { firewall.boxes(of: $0, in: packets.universe) }
          + passages.flatMap { firewall.boxes(of: $0, in: packets.universe) })
      masks.append(try open.intersection(now).subtracting(firewall.needed(in: packets.universe)))
    }
    let pods = PodPackets(inspection, packets)
    for cluster in inspection.policy.clusters.indices {
      let workload = try pods.workload(in: ID(cluster))
      guard !workload.refusals.isEmpty else { continue }
      let admitted = try workload.admitted()
      for line in workload.lines where !line.blocks.isEmpty {
        for block in line.blocks {
          add(workload.boxes(of: block, on: line), to: block, logged: blocks[block].provenance.logged)
        }
        // What another line lets in as well is not refused.
        masks.append(
          try space.set(of: workload.universe.boxes(of: line)).intersection(workload.possible).subtracting(admitted))
      }
    }
    return try Coverage(of: lines, suspects: suspects, within: masks, in: space)
  }
}

extension Traffic {
  /// `true` iff some of it is accepted whatever is exposed: messages of ICMP, and those by which hosts learn their addresses.
  fileprivate var isPartlyNeeded: Bool {
    guard let ports else { return true }
    return transport == .udp && ports.lower <= 547 && ports.upper >= 67
  }
}

extension Refusal {
  /// Returns `true` iff the block refuses some of the packets from `sources` to `traffic` at `destinations`.
  fileprivate func meets(_ others: [Reach], _ theirs: Traffic, at destinations: AddressSet) -> Bool {
    if let mine = traffic, !mine.contains(where: { $0.overlaps(theirs) }) { return false }
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
