import Firewalls
import Packets
import Policies
import Syntax

/// The audience of an invariant as the pods of a cluster see it.
struct ClusterView {
  /// The cluster.
  private let cluster: ClusterFirewall

  /// The addresses of the audience that no selector stands for.
  private let addresses: AddressSet

  /// The pods of the same cluster in the audience.
  private let pods: [Peer]

  /// Creates the view that `cluster` has of `audience`, where `internet` means `strangers`.
  init(
    _ audience: Audience, in cluster: ClusterFirewall, strangers: AddressSet, _ inspection: Inspection
  ) {
    let id = cluster.cluster
    let named = audience.parties.map(\.value).filter { $0 != .internet }
    let included = inspection.lowering.peers(named, in: id)
    let excepted = inspection.lowering.peers(audience.exceptions.map(\.value), in: id)
    var addresses = AddressSet(unionOf: included.map(\.addresses))
    if named.count < audience.parties.count { addresses = addresses.union(strangers) }
    self.cluster = cluster
    self.addresses = addresses.subtracting(AddressSet(unionOf: excepted.map(\.addresses)))
    pods = included.filter { $0.isPods && !excepted.contains($0) }
  }

  /// Returns who of the audience `admission` lets in, if somebody.
  func witness(letInBy admission: Admission) -> String? {
    for peer in admission.peers {
      if peer.isPods {
        guard !admission.refusedPods.contains(peer) else { continue }
        if pods.contains(where: { $0.mayShare(peer) }) || addresses.intersects(cluster.pods) { return peer.words }
        continue
      }
      let open = peer.addresses.subtracting(admission.exceptions)
      let met = [Reach(open.intersection(addresses))].normalized
      if let witness = met.witness { return witness }
      guard open.intersects(cluster.pods) else { continue }
      if let pod = pods.first(where: { !admission.refusedPods.contains($0) }) { return pod.words }
    }
    return nil
  }

  /// Returns who of the audience none of `admissions` lets in, if somebody.
  func witness(keptOutBy admissions: [Admission]) -> String? {
    // Where pods are refused by their labels, the addresses of pods are not all let in.
    let open = AddressSet(
      unionOf: admissions.map { admission in
        let all = AddressSet(unionOf: admission.peers.map(\.addresses)).subtracting(admission.exceptions)
        return admission.refusedPods.isEmpty ? all : all.subtracting(cluster.pods)
      })
    if let witness = [Reach(addresses.subtracting(open))].normalized.witness { return witness }
    let closed = pods.first { pod in
      !admissions.contains { admission in
        !admission.refusedPods.contains { $0.mayShare(pod) }
          && (admission.peers.contains(pod)
            || cluster.pods.isSubset(
              of: AddressSet(unionOf: admission.peers.map(\.addresses)).subtracting(admission.exceptions)))
      }
    }
    return closed?.words
  }
}

extension Peer {
  /// `true` iff the peer is chosen by labels.
  fileprivate var isPods: Bool { if case .pods = self { true } else { false } }

  /// The addresses of the peer, none if it is chosen by labels.
  fileprivate var addresses: AddressSet {
    switch self {
    case .everyone: .all
    case .addresses(let addresses): addresses
    case .pods: AddressSet()
    }
  }

  /// Returns `true` iff a pod may be of both `self` and `other`: no label keeps them apart.
  fileprivate func mayShare(_ other: Peer) -> Bool {
    guard case .pods(let mine, let labels) = self, case .pods(let theirs, let others) = other else { return false }
    return mine == theirs && labels.allSatisfy { others[$0.key] ?? $0.value == $0.value }
  }

  /// The peer in words.
  fileprivate var words: String {
    switch self {
    case .everyone: "everyone"
    case .addresses(let addresses): addresses.ranges.first.map { "\($0)" } ?? "nobody"
    case .pods(let namespace, let labels):
      "a pod of namespace \(namespace) with "
        + labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }
  }
}
