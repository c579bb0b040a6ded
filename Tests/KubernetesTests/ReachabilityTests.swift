import Firewalls
import Kubernetes
import Packets
import Policies
import Syntax
import Support
import Testing

/// What the manifests let through, told by an evaluator that knows NetworkPolicy alone, is what the policy says.
@Suite struct ReachabilityTests {
  @Test(arguments: 0..<10) func randomClustersMeanWhatTheySay(batch: Int) throws {
    var judged = 0
    var open = 0
    for seed in batch * 50..<batch * 50 + 50 {
      let firewall = RandomCluster.firewall(seed: seed)
      let compilation = KubernetesBackend.compile(firewall, sources: lines, today: today)
      // What cannot be said is reported, and nothing is claimed of it.
      guard compilation.diagnostics.allSatisfy({ $0.severity < .error }) else { continue }
      let policies = try compilation.artefacts.map { try readByYams($0.text) }
        .filter { $0["kind"] == .string("NetworkPolicy") }
      let meaning = Meaning(firewall: firewall, today: today)
      // Where single pods are named by address, plugins differ, which is reported too.
      let plugins =
        compilation.diagnostics.contains { $0.code == "kubernetes-audience" } ? [true] : [true, false]
      let evaluators = plugins.map { Reachability(policies: policies, blocksMatchPods: $0) }
      var random = SeededGenerator(seed: seed + 1_000_000)
      for _ in 0..<100 {
        let source = RandomCluster.endpoint(&random)
        let destination = RandomCluster.endpoint(&random)
        let traffic = RandomCluster.packet(&random)
        let transport = ["tcp": "TCP", "udp": "UDP", "sctp": "SCTP"][traffic.transport.description]!
        let expected = meaning.allows(source, destination, traffic)
        let admitted = meaning.admits(destination, source, traffic)
        for reachability in evaluators {
          let port = Int(traffic.ports!.lower)
          let found = reachability.allows(source, destination, transport, port)
          #expect(found == expected, "seed \(seed): \(source) → \(destination) \(traffic)")
          let foundAdmitted = reachability.allows("Ingress", of: destination, peer: source, transport, port)
          #expect(foundAdmitted == admitted, "seed \(seed): \(source) ⇢ \(destination) \(traffic)")
        }
        judged += 1
        if expected, destination.namespace.map(RandomCluster.namespaces.contains) ?? false { open += 1 }
      }
    }
    // The samples must not all be trivial.
    #expect(judged > 1000 && open > 30, "\(judged) judged, \(open) open")
  }

  @Test(arguments: 0..<60) func randomClustersAreTaken(seed: Int) throws {
    let compilation = KubernetesBackend.compile(RandomCluster.firewall(seed: seed), sources: lines, today: today)
    guard compilation.diagnostics.allSatisfy({ $0.severity < .error }) else { return }
    try expectSound(compilation)
  }

  @Test func sameClusterSameBytes() {
    for seed in 0..<20 {
      let first = KubernetesBackend.compile(RandomCluster.firewall(seed: seed), sources: lines, today: today)
      let second = KubernetesBackend.compile(RandomCluster.firewall(seed: seed), sources: lines, today: today)
      #expect(first.artefacts == second.artefacts)
      #expect(first.diagnostics == second.diagnostics)
    }
  }
}

/// Expects that every file of `compilation` is what our model says to Yams and to our reader, and that the API server
/// and kustomize would take it.
func expectSound(_ compilation: Compilation, sourceLocation: SourceLocation = #_sourceLocation) throws {
  let paths = compilation.artefacts.map(\.path)
  #expect(Set(paths).count == paths.count, sourceLocation: sourceLocation)
  let first = try #require(compilation.artefacts.first)
  #expect(first.path == "kustomization.yaml", sourceLocation: sourceLocation)
  let kustomization = try Kustomization(first.text)
  #expect(kustomization.resources == paths.dropFirst().sorted(), sourceLocation: sourceLocation)
  #expect(kustomization.text == first.text, sourceLocation: sourceLocation)
  #expect(try readByYams(first.text) == YAML(first.text).ordered, sourceLocation: sourceLocation)
  for artefact in compilation.artefacts.dropFirst() {
    let manifest = try Manifest(artefact.text)
    #expect(manifest.path == artefact.path, sourceLocation: sourceLocation)
    #expect(manifest.text == artefact.text, sourceLocation: sourceLocation)
    let read = try readByYams(artefact.text)
    #expect(read == manifest.yaml.ordered, "\(artefact.path)", sourceLocation: sourceLocation)
    #expect(Validation(read, at: artefact.path).refusals == [], "\(artefact.text)", sourceLocation: sourceLocation)
  }
}
