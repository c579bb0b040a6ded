public import Firewalls
import Packets
public import Syntax

extension Pipeline {
  /// Returns the fingerprint of what `firewall` means on the day `today`, unless it is too complex.
  static func fingerprint(of firewall: ClusterFirewall, on today: CalendarDate) -> Fingerprint? {
    var firewall = firewall
    // A controller that passes nothing on would tell kinds of pods apart of which nothing depends on it.
    let isUsed = firewall.workloads.contains { workload in
      workload.publications.contains { if case .ingress = $0.kind { true } else { false } }
    }
    if !isUsed { firewall.ingress = nil }
    guard
      let universe = try? ClusterUniverse(pods: firewall.pods, selectors: firewall.selectors),
      let meaning = try? firewall.meaning(in: universe, on: today)
    else { return nil }
    return try? meaning.fingerprint()
  }

  /// Proves that `artefacts`, which `target` made of `firewall` on the day `today`, mean what `firewall` means on that day,
  /// or returns nothing if they neither open nor close anything.
  ///
  /// Whether a block of addresses has pods in it is up to the network plugin, so that it is proved for both, unless the
  /// policy names single pods by address, of which the compiler warns.
  ///
  /// - Requires: no diagnostic of the compilation is an error; of what cannot be said, nothing is claimed.
  public static func prove(
    _ artefacts: [Artefact], of target: any ClusterBackend.Type, mean firewall: ClusterFirewall,
    on today: CalendarDate
  ) -> Proof? {
    do {
      guard let rules = try target.read(artefacts) else { return nil }
      // What has no meaning here cannot be compared.
      if let unknown = rules.unknowns.first { return Proof(failure: unknown) }
      let universe = try ClusterUniverse(
        pods: firewall.pods, selectors: firewall.selectors.union(rules.selectors), namespaces: rules.namespaces)
      let wanted = try firewall.meaning(in: universe, on: today)
      // Of pods whose addresses are not known, none is in a block.
      let plugins = firewall.pods.isEmpty ? [false] : firewall.namesPodsByAddress ? [true] : [true, false]
      for blocksHavePods in plugins {
        let found = try rules.meaning(in: universe, blocksHavePods: blocksHavePods)
        if let difference = try wanted.difference(from: found) {
          let origins = try difference.values.map {
            try rules.origins(of: $0, in: universe, blocksHavePods: blocksHavePods)
          }
          return Proof(
            difference: Proof.Difference(
              packet: difference.packet, policy: difference.first, cause: nil, files: difference.second,
              rules: origins ?? []))
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
