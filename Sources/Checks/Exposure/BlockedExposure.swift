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
        host and every pod, from today on and as long as the exposure holds.
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
      """,
      """
      service front { owner team; purpose "Front"; port 80/tcp; expose to internet; uses api }
      service api { owner team; purpose "API"; port 8443/tcp; ↓expose to front, 198.51.100.0/24 until 2099-01-01 }
      cluster k {
        pods 10.42.0.0/16
        workload front { namespace x; pods app=front }
        workload api { namespace x; pods app=api }
      }
      block front to api on 8443/tcp
      block 198.51.100.0/24 until 2099-01-01
      """,
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
    // Pods may be let in by their labels, where an exception takes all of their addresses away.
    let suspects = inspection.activeExposures.filter { view in
      view.audience.isSubset(of: all) && !(view.audience.isEmpty && policy[view.service].workloads.isEmpty)
    }
    guard !suspects.isEmpty else { return [] }
    let openings = inspection.openings(of: Set(suspects.map(\.service)))
    let packets = HostPackets(inspection)
    let pods = PodPackets(inspection, packets)
    return suspects.compactMap { view in
      let mine = (openings[view.service] ?? []).filter { $0.opening.cause.span == view.span }
      // What is too intricate to decide is left alone: a warning that is missing opens nothing.
      guard let blocks = try? blocks(closing: view, mine, packets, pods), !blocks.isEmpty else { return nil }
      return finding(view, blocks, in: policy)
    }
  }

  /// Returns the blocks that together refuse all that `view` opens from today on, by `openings` on hosts and on pods, or
  /// none if they do not.
  private static func blocks(
    closing view: ExposureView, _ openings: [(firewall: Firewall, opening: Opening)], _ packets: HostPackets,
    _ pods: PodPackets
  ) throws(BudgetExceeded) -> [Span] {
    let space = packets.universe.space
    let mask = try packets.universe.possible.intersection(space.set(of: packets.box))
    var result: [Span] = []
    /// Takes what `boxes` are from `rest`, and notes the block at `span` if that is something.
    func take(_ boxes: [PacketBox], _ span: Span, from rest: inout PacketSet) throws(BudgetExceeded) {
      guard !rest.isEmpty else { return }
      let remaining = try rest.subtracting(space.set(of: boxes))
      if remaining != rest, !result.contains(span) { result.append(span) }
      rest = remaining
    }
    for (firewall, opening) in openings {
      var rest = try packets.packets(of: opening, on: firewall).intersection(mask)
      guard try rest.isSubset(of: packets.refused(by: firewall)) else { return [] }
      for block in firewall.blocks {
        try take(firewall.boxes(of: block, in: packets.universe), block.cause.span, from: &rest)
      }
    }
    for workload in try pods.workloads(of: view.service) {
      for line in workload.lines where line.cause.span == view.span {
        var rest = try space.set(of: workload.universe.boxes(of: line)).intersection(workload.possible)
        for block in line.blocks {
          try take(workload.boxes(of: block, on: line), workload.blocks[block].provenance.span, from: &rest)
        }
        guard rest.isEmpty else { return [] }
      }
    }
    return result
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
}
