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
  public func compile(_ id: ID<Host>, to target: any HostBackend.Type) async -> Compilation {
    await compile(firewalls[id.rawValue], to: [target])
  }

  /// Returns the files of `targets` for `firewall`, proved.
  private func compile(_ firewall: Firewall, to targets: [any HostBackend.Type]) async -> Compilation {
    async let translating = translations(of: firewall, to: targets)
    // What a firewall means is worked out once for all targets, and while they are translated.
    let prover = targets.contains { $0.filtersPackets } ? Prover(firewall) : nil
    let fingerprint = prover?.fingerprint()
    var result = Compilation(artefacts: [])
    for translation in await translating {
      var part = translation.compilation
      if let prover, let reading = translation.reading {
        if let fingerprint {
          for i in part.artefacts.indices { part.artefacts[i].note("Meaning: \(fingerprint)") }
        }
        part.diagnostics += findings(of: part.artefacts, prover.prove(reading), of: policy[firewall.host])
      }
      result.artefacts += part.artefacts
      result.diagnostics += part.diagnostics
    }
    return result
  }

  /// Returns what each of `targets` makes of `firewall`, and what is read back from that.
  private func translations(of firewall: Firewall, to targets: [any HostBackend.Type]) async -> [Translation] {
    await withTaskGroup(of: (Int, Translation).self) { group in
      for (i, target) in targets.enumerated() {
        group.addTask { (i, Translation(of: firewall, to: target, sources)) }
      }
      var results: [Translation?] = Array(repeating: nil, count: targets.count)
      for await (i, translation) in group { results[i] = translation }
      return results.compactMap { $0 }
    }
  }

  /// Returns the files of `target` for the cluster `id`.
  ///
  /// - Requires: the firewalls are derived.
  public func compile(_ id: ID<Cluster>, to target: any ClusterBackend.Type) -> Compilation {
    guard let lowering else { preconditionFailure("compiled before it was lowered") }
    let side = ClusterSide(lowering, id, from: today, tellingBlocks: false)
    var result = target.compile(side.firewall, sources: sources, today: today)
    guard !result.diagnostics.contains(where: { $0.severity == .error }) else { return result }
    let prover = ClusterProver(side)
    let proof = prover.prove(result.artefacts, of: target)
    result.diagnostics += findings(of: proof, about: "the manifests", policy[id].name)
    // In one file alone: with it in all, each change of one service would change every manifest.
    if let fingerprint = prover.fingerprint {
      for i in result.artefacts.indices where result.artefacts[i].path == "kustomization.yaml" {
        result.artefacts[i].note("Meaning: \(fingerprint)")
      }
    }
    return result
  }

  /// Returns the files of every target for every host and cluster, by path.
  ///
  /// - Requires: the firewalls are derived.
  public func compileAll() async -> Compilation {
    var result = await withTaskGroup(of: Compilation.self) { group in
      for firewall in firewalls {
        group.addTask { await compile(firewall, to: Targets.hosts).below("hosts/\(firewall.name)") }
      }
      for (i, cluster) in policy.clusters.enumerated() {
        for target in Targets.clusters {
          group.addTask { compile(ID(i), to: target).below("clusters/\(cluster.name.value)") }
        }
      }
      return await group.reduce(into: Compilation(artefacts: [])) { all, part in
        all.artefacts += part.artefacts
        all.diagnostics += part.diagnostics
      }
    }
    result.artefacts.sort { $0.path < $1.path }
    result.diagnostics.sort(by: Diagnostic.precedes)
    return result
  }
}

/// What a target makes of a firewall, and what is read back from that.
private struct Translation {
  var compilation: Compilation

  /// The ruleset in the files, or nothing if they filter no packets or are of no use.
  var reading: Result<any ParsedRuleset, UnreadableRuleset>?

  init(of firewall: Firewall, to target: any HostBackend.Type, _ sources: Sources) {
    let compilation = target.compile(firewall, sources: sources)
    self.compilation = compilation
    guard !compilation.diagnostics.contains(where: { $0.severity == .error }) else { return }
    do throws(UnreadableRuleset) {
      reading = try target.parse(compilation.artefacts).map { .success($0) }
    } catch {
      reading = .failure(error)
    }
  }
}

extension Compilation {
  /// Returns the files and what was found, with the files in `folder`.
  fileprivate func below(_ folder: String) -> Compilation {
    Compilation(
      artefacts: artefacts.map { Artefact(path: "\(folder)/\($0.path)", text: $0.text) }, diagnostics: diagnostics)
  }
}
