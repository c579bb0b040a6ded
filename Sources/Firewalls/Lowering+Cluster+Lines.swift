public import Packets
public import Policies
public import Syntax

/// What one exposure lets the pods of a workload accept on one port, where no block refuses it.
public struct PodLine: Sendable {
  /// The pods.
  public var pods: PodSelector

  /// Who may connect.
  public var peers: [Peer]

  /// Which addresses of them may not.
  public var exceptions: AddressSet

  /// Which pods of them may not.
  public var refusedPods: [Peer]

  /// The ports that Services show.
  public var shown: Traffic

  /// The ports that the pods listen on.
  public var listening: Traffic

  /// How many connections are accepted; a NetworkPolicy cannot say it.
  public var limit: Limit?

  /// The last day on which it holds, in UTC.
  public var until: CalendarDate?

  /// `true` iff what it accepts is logged.
  public var logged: Bool

  /// The exposure.
  public var cause: Cause

  /// The blocks that are for these ports of these pods, as positions among those of the policy.
  public var blocks: [Int]
}

/// A block as the pods of a cluster see it.
public struct PodRefusal: Sendable {
  /// The position of the block among those of the policy.
  public var block: Int

  /// The pods of the cluster that are refused.
  public var peers: [Peer]

  /// The addresses that are refused, whoever has them.
  public var addresses: AddressSet
}

extension Lowering {
  /// Returns the blocks that hold on the day `today`, as the pods of the cluster `id` see them.
  public func refusals(in id: ID<Cluster>, on today: CalendarDate) -> [PodRefusal] {
    policy.blocks.indices.filter { !policy.blocks[$0].provenance.hasLapsed(on: today) }.map { i in
      let part = PodRefusals.Part(peers(policy.blocks[i].sources.map(\.value), in: id))
      return PodRefusal(block: i, peers: part.peers, addresses: part.addresses)
    }
  }

  /// Returns what each exposure lets the pods of `workload` of the cluster `id` accept from the day `today` on, apart from
  /// what `refusals` refuse, of which those that are for it are named.
  public func lines(
    to workload: Workload, in id: ID<Cluster>, on today: CalendarDate, among refusals: [PodRefusal]
  ) -> [PodLine] {
    let service = policy[workload.service]
    let pods = PodSelector(
      namespace: workload.namespace.value,
      labels: Dictionary(workload.labels.map { ($0.key, $0.value) }) { first, _ in first })
    let meant = refusals.map(\.block).filter { block in
      let targets = policy.blocks[block].targets
      return targets.isEmpty || targets.contains { concerns($0.value, workload.service, in: id) }
    }
    var result: [PodLine] = []
    for exposure in service.exposures where !exposure.provenance.hasLapsed(on: today) {
      let excepted = PodRefusals.Part(peers(exposure.audience.exceptions.map(\.value), in: id))
      let peers = self.peers(exposure.audience.parties.map(\.value), in: id)
      guard !peers.isEmpty else { continue }
      let traffic = publicTraffic(of: exposure, in: service)
      for pair in traffic {
        let names = [pair.listening] + traffic.filter { $0.listening == pair.listening }.map(\.public)
        let blocks = meant.filter { block in
          let asked = policy.blocks[block].traffic
          return asked.isEmpty || asked.contains { t in names.contains { $0.overlaps(t.value) } }
        }
        result.append(
          PodLine(
            pods: pods, peers: peers, exceptions: excepted.addresses, refusedPods: excepted.peers, shown: pair.public,
            listening: pair.listening, limit: exposure.limit?.value, until: exposure.provenance.until?.value,
            logged: exposure.provenance.logged,
            cause: Cause(service.name.value, service: workload.service, at: exposure.provenance.span), blocks: blocks))
      }
    }
    return result
  }
}
