import Firewalls
import Packets
import Policies
import Syntax

/// Exact sets of the connections that exposures let in to pods, and blocks refuse there, from today on.
///
/// They are in the space of the packets of hosts, where each workload has kinds of pods of its own.
final class PodPackets {
  /// What is let in to the pods of one workload, and refused there.
  struct Workload {
    /// What the sets are about.
    let universe: ClusterUniverse

    /// What exposures let in, each port apart.
    let lines: [PodLine]

    /// What may refuse it, by the position of the block.
    let refusals: [Int: PodRefusal]

    /// The connections from today on.
    let possible: PacketSet

    /// What the ingress controller passes on.
    let published: [PacketBox]

    /// The blocks of the policy.
    let blocks: [Block]

    /// Returns what is let in from today on, by exposures or by the ingress controller.
    func admitted() throws(BudgetExceeded) -> PacketSet {
      var result = try universe.space.set(of: published)
      for line in lines {
        let refused = try universe.space.set(of: line.blocks.flatMap { boxes(of: $0, on: line) })
        result = try result.union(universe.space.set(of: universe.boxes(of: line)).subtracting(refused))
      }
      return result
    }

    /// Returns what `block`, which is one of those of `line`, refuses on the ports of `line`.
    func boxes(of block: Int, on line: PodLine) -> [PacketBox] {
      guard let refusal = refusals[block] else { return [] }
      return universe.boxes(of: refusal, until: blocks[block].provenance.until?.value, on: line)
    }
  }

  private let inspection: Inspection
  private let packets: HostPackets
  private var refusals: [ID<Cluster>: [PodRefusal]] = [:]

  /// Creates the connections of the clusters in `inspection`, in the space of `packets`.
  init(_ inspection: Inspection, _ packets: HostPackets) {
    self.inspection = inspection
    self.packets = packets
  }

  /// Returns what is let in to the pods of `service`, a value for each workload.
  func workloads(of service: ID<Service>) throws(BudgetExceeded) -> [Workload] {
    try inspection.policy[service].workloads.map { (reference) throws(BudgetExceeded) in
      try workloads([inspection.policy[reference.cluster].workloads[reference.index]], in: reference.cluster)
    }
  }

  /// Returns what is let in to the pods of the cluster `id`.
  func workload(in id: ID<Cluster>) throws(BudgetExceeded) -> Workload {
    try workloads(
      inspection.policy[id].workloads, in: id, as: inspection.lowering.firewall(of: id, on: inspection.today))
  }

  /// Returns what is let in to the pods of `workloads` of the cluster `id`, what the ingress controller passes on among
  /// it if `firewall` is that of the cluster.
  private func workloads(
    _ workloads: [Policies.Workload], in id: ID<Cluster>, as firewall: ClusterFirewall? = nil
  ) throws(BudgetExceeded) -> Workload {
    let all = refusals[id] ?? inspection.lowering.refusals(in: id, on: inspection.today)
    refusals[id] = all
    let lines = workloads.flatMap {
      inspection.lowering.lines(to: $0, in: id, on: inspection.today, among: all)
    }
    let meant = Set(lines.flatMap(\.blocks))
    let mine = all.filter { meant.contains($0.block) }
    let universe = try ClusterUniverse(
      pods: inspection.policy[id].pods,
      selectors: lines.flatMap(\.selectors) + mine.flatMap(\.selectors) + Array(firewall?.selectors ?? []),
      space: packets.universe.space)
    return Workload(
      universe: universe, lines: lines,
      refusals: Dictionary(mine.map { ($0.block, $0) }) { first, _ in first },
      possible: try universe.possible.intersection(packets.universe.space.set(of: packets.box)),
      published: firewall?.published(in: universe) ?? [], blocks: inspection.policy.blocks)
  }
}
