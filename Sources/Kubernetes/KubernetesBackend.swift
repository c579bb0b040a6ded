public import Firewalls
public import Syntax

/// The translator to Kubernetes objects: NetworkPolicy, Service and Ingress, with a `kustomization.yaml`.
public enum KubernetesBackend: ClusterBackend {
  /// The name of the target after `--to`.
  public static let name = "kubernetes"

  /// Returns the files that make a cluster enforce `firewall` on the day `today`, the kustomization first.
  ///
  /// What cannot be expressed is a diagnostic that names its line: an error where more or less would be open than the
  /// policy says and nothing else can mend it, a warning where the cluster leaves something undone.
  public static func compile(_ firewall: ClusterFirewall, sources: Sources, today: CalendarDate) -> Compilation {
    let (manifests, diagnostics) = manifests(of: firewall, sources: sources, today: today)
    let paths = manifests.map(\.path)
    let kustomization = Kustomization(labels: Compiler.labels(of: firewall.name), resources: paths)
    var artefacts = [Artefact(path: Kustomization.path, text: kustomization.text)]
    artefacts.reserveCapacity(manifests.count + 1)
    for (manifest, path) in zip(manifests, paths) { artefacts.append(Artefact(path: path, text: manifest.text)) }
    return Compilation(artefacts: artefacts, diagnostics: diagnostics)
  }

  /// Returns the objects that make a cluster enforce `firewall`, in the order of their files, and what they cannot say.
  public static func manifests(
    of firewall: ClusterFirewall, sources: Sources, today: CalendarDate
  ) -> (manifests: [Manifest], diagnostics: [Diagnostic]) {
    var compiler = Compiler(firewall, sources: sources, today: today)
    compiler.run()
    // Manifests are big values; the paths are sorted in their place.
    let order = compiler.manifests.enumerated().map { (path: $1.path, index: $0) }.sorted { $0.path < $1.path }
    return (
      order.map { compiler.manifests[$0.index] }, Set(compiler.diagnostics).sorted(by: Diagnostic.precedes)
    )
  }
}
