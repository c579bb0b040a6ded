public import Firewalls
import Packets
import Policies
import Syntax

extension Difference {
  /// Returns what changes if `manifests` take the place of what `policy` makes of the cluster `name`, or the other way round
  /// if `areOld`.
  public static func between(
    _ policy: ComparedPolicy, cluster name: String, and manifests: ForeignRules, areOld: Bool
  ) -> Difference {
    guard let found = policy.cluster(name) else {
      var result = Difference()
      result.failures = ["`\(name)` is no cluster of the policy"]
      return result
    }
    return ManifestComparison.difference(name) { () throws(UnreadableRuleset) in
      let own = ManifestComparison.Side.policy(found.firewall, found.day)
      let other = ManifestComparison.Side.rules(try manifests.clusterRules(), manifests)
      return areOld ? (other, own) : (own, other)
    }
  }

  /// Returns what changes in a cluster if the manifests `new` take the place of `old`.
  static func betweenClusters(_ old: ForeignRules, _ new: ForeignRules) -> Difference {
    ManifestComparison.difference("of the manifests") { () throws(UnreadableRuleset) in
      (.rules(try old.clusterRules(), old), .rules(try new.clusterRules(), new))
    }
  }
}

extension ComparedPolicy {
  /// Returns the firewall of the cluster `name`, and the day on which it is looked at.
  fileprivate func cluster(_ name: String) -> (firewall: ClusterFirewall, day: CalendarDate)? {
    guard let index = pipeline.policy.clusters.firstIndex(where: { $0.name.value == name }),
      let lowering = pipeline.lowering
    else { return nil }
    let day = day ?? pipeline.today
    return (lowering.firewall(of: ID(index), on: day), day)
  }
}

/// The comparison of a cluster where one side at least is manifests.
private struct ManifestComparison {
  /// What is compared.
  enum Side {
    case policy(ClusterFirewall, CalendarDate)
    case rules(ClusterRules, ForeignRules)

    var selectors: Set<PodSelector> {
      switch self {
      case .policy(let firewall, _): firewall.selectors
      case .rules(let rules, _): rules.selectors
      }
    }

    var rules: ClusterRules? { if case .rules(let rules, _) = self { rules } else { nil } }

    var firewall: ClusterFirewall? { if case .policy(let firewall, _) = self { firewall } else { nil } }

    func meaning(in universe: ClusterUniverse, blocksHavePods: Bool) throws(BudgetExceeded) -> ClusterMeaning {
      switch self {
      case .policy(let firewall, let day): try firewall.meaning(in: universe, on: day)
      case .rules(let rules, _): try rules.meaning(in: universe, blocksHavePods: blocksHavePods)
      }
    }

    /// Returns where the manifests let `packet` through or close it, in words behind what becomes of it.
    func origin(
      of packet: PacketValues, in universe: ClusterUniverse, blocksHavePods: Bool
    ) throws(BudgetExceeded) -> String {
      guard case .rules(let rules, let files) = self else { return "" }
      var (closing, letting): ([String], [String]) = ([], [])
      for direction in [ClusterRules.Direction.egress, .ingress] {
        let isolations = rules.isolations(of: packet, direction, in: universe)
        if isolations.isEmpty { continue }
        let grants = try rules.grants(of: packet, direction, in: universe, blocksHavePods: blocksHavePods)
        if grants.isEmpty { closing += isolations.map(\.origin) } else { letting += grants.map(\.origin) }
      }
      var words: [String] = []
      for origin in closing.isEmpty ? letting : closing {
        let quotation = files.quotation(of: origin)
        let text = "\(quotation.path): \(quotation.text)"
        if !words.contains(text) { words.append(text) }
      }
      return words.isEmpty ? "" : " (\(words.prefix(3).joined(separator: "; ")))"
    }
  }

  let name: String
  let old: Side
  let new: Side

  /// Returns the difference of the `sides` of the cluster `name`.
  static func difference(
    _ name: String, _ sides: () throws(UnreadableRuleset) -> (Side, Side)
  ) -> Difference {
    var result = Difference()
    result.clusters = 1
    do {
      let (old, new) = try sides()
      result.rows = try ManifestComparison(name: name, old: old, new: new).rows(&result)
    } catch let error as UnreadableRuleset {
      result.failures = [error.message]
    } catch let error as BudgetExceeded {
      result.failures = [UnreadableRuleset(error).message]
    } catch {
      result.failures = ["\(error)"]
    }
    return result
  }

  private func rows(_ result: inout Difference) throws -> [Difference.Row] {
    var namespaces: [String: [String: String]] = [:]
    for side in [old, new] {
      guard let rules = side.rules else { continue }
      result.unknowns += rules.unknowns
      for (name, labels) in rules.namespaces.sorted(by: { $0.key < $1.key }) {
        if let others = namespaces.updateValue(labels, forKey: name), others != labels {
          result.unknowns.append(
            "the labels of the namespace `\(name)` change; both sides are compared with the new ones")
        }
      }
    }
    let firewall = old.firewall ?? new.firewall
    let universe = try ClusterUniverse(
      pods: firewall?.pods ?? AddressSet(), selectors: old.selectors.union(new.selectors), namespaces: namespaces)
    // Whether a block of addresses has pods in it is up to the network plugin; of pods whose addresses a policy does not
    // know, none is in a block of its.
    let plugins = firewall.map { $0.pods.isEmpty ? [false] : $0.namesPodsByAddress ? [true] : [true, false] }
    var rows: [(row: Difference.Row, plugins: [Bool])] = []
    let all = plugins ?? [true, false]
    for blocksHavePods in all {
      var comparison = try ClusterRulesComparison(
        name, in: universe, old.meaning(in: universe, blocksHavePods: blocksHavePods),
        new.meaning(in: universe, blocksHavePods: blocksHavePods))
      comparison.oldOrigin = { packet throws(BudgetExceeded) in
        try old.origin(of: packet, in: universe, blocksHavePods: blocksHavePods)
      }
      comparison.newOrigin = { packet throws(BudgetExceeded) in
        try new.origin(of: packet, in: universe, blocksHavePods: blocksHavePods)
      }
      for row in try comparison.rows() {
        let known = rows.firstIndex { other in
          other.row.kind == row.kind && other.row.flows == row.flows && other.row.witness == row.witness
            && other.row.before == row.before && other.row.after == row.after
        }
        if let known { rows[known].plugins.append(blocksHavePods) } else { rows.append((row, [blocksHavePods])) }
      }
    }
    return rows.map { row, plugins in
      var row = row
      if plugins.count < all.count {
        row.conditions.append(
          plugins[0]
            ? "where the network plugin finds pods in blocks of addresses (such as Calico)"
            : "where the network plugin finds no pods in blocks of addresses (such as Cilium)")
      }
      return row
    }
  }
}
