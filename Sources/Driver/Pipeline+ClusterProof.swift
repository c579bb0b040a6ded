public import Firewalls
import Packets
public import Syntax

/// The proof that what was made of a cluster means what a policy makes of it.
///
/// What the policy means is worked out once, for the proof and for the fingerprint.
public struct ClusterProver {
  /// What the policy makes of the cluster from the day of the proof on.
  private let side: ClusterSide

  /// The meaning from that day on, unless it is too complex.
  private let known: Result<ClusterMeaning, BudgetExceeded>

  /// The fingerprint of what the policy means from that day on, unless it is too complex.
  public let fingerprint: Fingerprint?

  /// Creates the prover for files that were made of `side` on its first day.
  public init(_ side: ClusterSide) {
    self.side = side
    do throws(BudgetExceeded) {
      // Files may speak of all pods at once, which tells no pods apart.
      let universe = try ClusterUniverse(pods: side.pods, selectors: side.selectors.union([PodSelector()]))
      let meaning = try side.meaning(in: universe)
      fingerprint = try meaning.fingerprint()
      known = .success(meaning)
    } catch {
      (known, fingerprint) = (.failure(error), nil)
    }
  }

  /// Returns what the policy means on the day, in a universe in which `rules` have a meaning too.
  private func meaning(beside rules: ClusterRules) throws(BudgetExceeded) -> ClusterMeaning {
    let meaning = try known.get()
    if rules.namespaces.isEmpty, meaning.universe.kinds.know(rules.selectors) { return try meaning.on(side.day) }
    let universe = try ClusterUniverse(
      pods: side.pods, selectors: side.firewall.selectors.union(rules.selectors), namespaces: rules.namespaces)
    return try side.firewall.meaning(in: universe, on: side.day)
  }

  /// Proves that `artefacts`, which `target` made of the cluster, mean what the policy means on the day, or returns nothing
  /// if they neither open nor close anything.
  ///
  /// Whether a block of addresses has pods in it is up to the network plugin, so that it is proved for both, unless the
  /// policy names single pods by address, of which the compiler warns.
  ///
  /// - Requires: no diagnostic of the compilation is an error; of what cannot be said, nothing is claimed.
  public func prove(_ artefacts: [Artefact], of target: any ClusterBackend.Type) -> Proof? {
    do {
      guard let rules = try target.read(artefacts) else { return nil }
      // What has no meaning here cannot be compared.
      if let unknown = rules.unknowns.first { return Proof(failure: unknown) }
      let wanted = try meaning(beside: rules)
      let universe = wanted.universe
      // Of pods whose addresses are not known, none is in a block.
      let plugins = side.pods.isEmpty ? [false] : side.firewall.namesPodsByAddress ? [true] : [true, false]
      for blocksHavePods in plugins {
        let found = try rules.meaning(in: universe, blocksHavePods: blocksHavePods)
        if let difference = try wanted.difference(from: found) {
          let origins = try difference.values.map {
            try rules.origins(of: $0, in: universe, blocksHavePods: blocksHavePods)
          }
          return Proof(
            difference: Proof.Difference(
              packet: difference.packet, policy: difference.first, cause: nil, files: difference.second,
              rules: (origins ?? []).map(\.description)))
        }
      }
      return Proof()
    } catch let error as UnreadableRuleset {
      return Proof(failure: error.message, isTooComplex: error.isTooComplex)
    } catch let error as BudgetExceeded {
      return Proof(failure: UnreadableRuleset(error).message, isTooComplex: true)
    } catch {
      return Proof(failure: "\(error)")
    }
  }
}

extension Pipeline {
  /// Proves that `artefacts`, which `target` made of `firewall` on the day `today`, mean what `firewall` means on that day,
  /// or returns nothing if they neither open nor close anything.
  public static func prove(
    _ artefacts: [Artefact], of target: any ClusterBackend.Type, mean firewall: ClusterFirewall,
    on today: CalendarDate
  ) -> Proof? {
    ClusterProver(ClusterSide(firewall, from: today)).prove(artefacts, of: target)
  }
}
