public import Firewalls
import Iptables
import Kubernetes
import Nftables
public import Policies
import Syntax
import Sysctl

/// The back ends; a new one is a line here.
public enum Targets {
  /// The translators of a host's firewall, in the order of their names.
  public static let hosts: [any HostBackend.Type] = [
    IPv6Backend.self, IPv4Backend.self, NftablesBackend.self, SysctlBackend.self,
  ]

  /// The translators of a host's firewall that `--to` can ask for: those of `hosts`, whose files `--all` writes, and those
  /// whose files are for one moment only.
  public static let requestable: [any HostBackend.Type] = hosts + [NftablesReplaceBackend.self]

  /// The translator of a cluster's firewall.
  public static let clusters: [any ClusterBackend.Type] = [KubernetesBackend.self]

  /// The names that `--to` takes.
  public static var names: [String] { requestable.map { $0.name } + clusters.map { $0.name } }
}

extension Pipeline {
  /// Returns the files of `target` for the host `id`, proved to mean what the policy means; where they do not, a
  /// diagnostic says so.
  ///
  /// - Requires: the firewalls are derived.
  public func compile(_ id: ID<Host>, to target: any HostBackend.Type) -> Compilation {
    compile(firewalls[id.rawValue], to: [target])
  }

  /// Returns the files of `targets` for `firewall`, proved.
  private func compile(_ firewall: Firewall, to targets: [any HostBackend.Type]) -> Compilation {
    var result = Compilation(artefacts: [])
    // What a firewall means is worked out once for all targets.
    let prover = targets.contains { $0.filtersPackets } ? Prover(firewall) : nil
    var firewall = firewall
    firewall.fingerprint = prover?.fingerprint
    for target in targets {
      let part = target.compile(firewall, sources: sources)
      result.artefacts += part.artefacts
      result.diagnostics += part.diagnostics
      guard let prover, target.filtersPackets, !part.diagnostics.contains(where: { $0.severity == .error }) else {
        continue
      }
      result.diagnostics += findings(of: part.artefacts, by: target, of: policy[firewall.host], prover)
    }
    return result
  }

  /// Returns the files of `target` for the cluster `id`.
  ///
  /// - Requires: the firewalls are derived.
  public func compile(_ id: ID<Cluster>, to target: any ClusterBackend.Type) -> Compilation {
    guard let lowering else { preconditionFailure("compiled before it was lowered") }
    return compile(lowering.firewall(of: id, on: today), at: id, to: target)
  }

  /// Returns the files of `target` for `firewall`, that of the cluster `id`, proved.
  private func compile(
    _ firewall: ClusterFirewall, at id: ID<Cluster>, to target: any ClusterBackend.Type
  ) -> Compilation {
    var result = target.compile(firewall, sources: sources, today: today)
    guard !result.diagnostics.contains(where: { $0.severity == .error }) else { return result }
    let proof = Pipeline.prove(result.artefacts, of: target, mean: firewall, on: today)
    result.diagnostics += findings(of: proof, about: "the manifests", policy[id].name)
    return result
  }

  /// Returns the files of every target for every host and cluster, by path.
  ///
  /// - Requires: the firewalls are derived.
  public func compileAll() -> Compilation {
    guard let lowering else { preconditionFailure("compiled before it was lowered") }
    var result = Compilation(artefacts: [])
    func add(_ part: Compilation, below folder: String) {
      result.artefacts += part.artefacts.map { Artefact(path: "\(folder)/\($0.path)", text: $0.text) }
      result.diagnostics += part.diagnostics
    }
    for firewall in firewalls {
      add(compile(firewall, to: Targets.hosts), below: "hosts/\(firewall.name)")
    }
    for (i, cluster) in policy.clusters.enumerated() {
      let firewall = lowering.firewall(of: ID(i), on: today)
      for target in Targets.clusters {
        add(compile(firewall, at: ID(i), to: target), below: "clusters/\(cluster.name.value)")
      }
    }
    result.artefacts.sort { $0.path < $1.path }
    result.diagnostics.sort(by: Diagnostic.precedes)
    return result
  }
}
