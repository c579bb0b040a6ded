public import Packets
import Syntax

/// One side of a comparison of clusters.
public enum ComparedCluster: Sendable {
  /// What a policy makes of it.
  case policy(ClusterSide)

  /// What the files of a target make of it, which know no time.
  case rules(ClusterRules)

  /// What the files say, if the side is files.
  public var rules: ClusterRules? { if case .rules(let rules) = self { rules } else { nil } }

  /// What the policy says, if the side is one.
  public var policy: ClusterSide? { if case .policy(let side) = self { side } else { nil } }

  /// The same if nothing is let through, where the side is a policy.
  public var closed: Self { policy.map { .policy($0.closed) } ?? self }

  var selectors: Set<PodSelector> {
    switch self {
    case .policy(let side): side.selectors
    case .rules(let rules): rules.selectors
    }
  }

  /// The addresses of pods, if the side is a policy.
  public var pods: AddressSet { policy?.pods ?? AddressSet() }

  /// Returns the universe in which `old` and `new` can be compared.
  ///
  /// An address that is a pod's on one side alone is taken for one on both; of labels of namespaces, those of `new` count.
  public static func universe(of old: Self, _ new: Self) throws(BudgetExceeded) -> ClusterUniverse {
    let namespaces = (old.rules?.namespaces ?? [:]).merging(new.rules?.namespaces ?? [:]) { $1 }
    return try ClusterUniverse(
      pods: old.pods.union(new.pods), selectors: old.selectors.union(new.selectors), namespaces: namespaces)
  }

  /// Returns what the side means at every moment; `blocksHavePods` is as for `ClusterRules.meaning`.
  func meaning(in universe: ClusterUniverse, blocksHavePods: Bool) throws(BudgetExceeded) -> ClusterMeaning {
    switch self {
    case .policy(let side): try side.meaning(in: universe)
    case .rules(let rules): try rules.meaning(in: universe, blocksHavePods: blocksHavePods)
    }
  }
}

/// What makes a change in a cluster.
public enum ClusterCause: Hashable, Sendable {
  /// A line of a policy.
  case line(Cause)

  /// An object of files.
  case object(ClusterRules.Origin)
}

/// Connections of pods of which something else becomes than before, for one reason.
public struct ClusterChange {
  /// What changes for them.
  public var kind: Change.Kind

  /// The end of the connections that makes the difference: the receiving one, or the sending one.
  public var end: ClusterRules.Direction

  /// The connections.
  public var packets: PacketSet

  /// What makes the change, if there is such a thing: that which lets them through now, or refused them before.
  public var cause: ClusterCause?

  /// Where that stands.
  public var side: Change.Side
}
