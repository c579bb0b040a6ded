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
    let own = ClusterSource.policy(policy)
    let others = ClusterSource.manifests(manifests)
    var result = Difference()
    result.clusters = 1
    result.day = policy.day ?? policy.pipeline.today
    result.compare(name, areOld ? others : own, areOld ? own : others, from: policy.pipeline.today)
    return result
  }

  /// Returns what changes in a cluster if the manifests `new` take the place of `old`.
  static func betweenClusters(_ old: ForeignRules, _ new: ForeignRules, on today: CalendarDate) -> Difference {
    var result = Difference()
    result.clusters = 1
    result.compare("of the manifests", .manifests(old), .manifests(new), from: today)
    return result
  }

  /// Adds what changes from `old` to `new` in the cluster `name` from the day `today` on.
  mutating func compare(_ name: String, _ old: ClusterSource, _ new: ClusterSource, from today: CalendarDate) {
    do {
      let (before, after) = (try old.cluster(name), try new.cluster(name))
      noteUnknowns(of: before, after, name)
      let universe = try ComparedCluster.universe(of: before, after)
      let window = Universe.moments(from: today)
      // Whether a block of addresses has pods in it is up to the network plugin; of pods whose addresses a policy does not
      // know, none is in a block of its.
      let policies = [before, after].compactMap(\.policy)
      let plugins =
        policies.count == 2
        ? [true] : policies.first.map { $0.pods.isEmpty ? [false] : $0.namesPodsByAddress ? [true] : [true, false] }
      let differences = try (plugins ?? [true, false]).map { blocksHavePods in
        let comparison = try ClusterComparison(before, after, in: universe, at: window, blocksHavePods: blocksHavePods)
        return ClusterDifference(name, old, new, comparison, at: window)
      }
      guard let first = differences.first else { return }
      let told = try first.rows(beside: differences.dropFirst().first)
      rows = Row.byKind(rows + told.now)
      later = Row.byKind(later + told.later)
    } catch let error as UnreadableRuleset {
      failures.append(old.isTimeless || new.isTimeless ? error.message : "cluster \(name): \(error.message)")
    } catch let error as BudgetExceeded {
      failures.append("cluster \(name): \(UnreadableRuleset(error).message)")
    } catch {
      failures.append("cluster \(name): \(error)")
    }
  }

  /// Notes what of manifests has no meaning here, and what makes both sides of `cluster` incomparable.
  private mutating func noteUnknowns(of old: ComparedCluster, _ new: ComparedCluster, _ cluster: String) {
    for case let rules? in [old.rules, new.rules] { unknowns += rules.unknowns }
    // An address is in or outside the cluster, so that what may come from it depends on this.
    if let before = old.policy?.pods, let after = new.policy?.pods, before != after {
      let words = FlowWords(old: Policy(), new: Policy())
      let (was, now) = (words.text(before), words.text(after))
      unknowns.append(
        "the addresses of the pods of the cluster `\(cluster)` change from \(was.isEmpty ? "none" : was) to "
          + "\(now.isEmpty ? "none" : now); both sides are compared with all of these")
    }
    guard let before = old.rules?.namespaces, let after = new.rules?.namespaces else { return }
    for (name, labels) in after.sorted(by: { $0.key < $1.key }) where before[name] ?? labels != labels {
      unknowns.append("the labels of the namespace `\(name)` change; both sides are compared with the new ones")
    }
  }
}

extension ClusterSource {
  /// Returns what the side makes of the cluster `name`.
  fileprivate func cluster(_ name: String) throws(UnreadableRuleset) -> ComparedCluster {
    switch self {
    case .manifests(let files): return .rules(try files.clusterRules())
    case .absent(let other):
      return try ClusterSource.policy(other).cluster(name).closed
    case .policy(let policy):
      let pipeline = policy.pipeline
      guard let index = pipeline.policy.clusters.firstIndex(where: { $0.name.value == name }),
        let lowering = pipeline.lowering
      else { throw UnreadableRuleset(message: "`\(name)` is no cluster of the policy") }
      return .policy(
        policy.day.map { ClusterSide(lowering, ID(index), on: $0) }
          ?? ClusterSide(lowering, ID(index), from: pipeline.today))
    }
  }
}
