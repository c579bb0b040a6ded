import Driver
import Firewalls
import Foundation
import Kubernetes
import Packets
import Policies
import Support
import Syntax
import Testing

/// Manifests are proved to mean what the policy means, and the proof agrees with whoever else tells what they let through.
@Suite struct ProofTests {
  /// Returns the proof that `artefacts` mean `firewall`.
  static func prove(_ artefacts: [Artefact], mean firewall: ClusterFirewall) throws -> Proof {
    try #require(Pipeline.prove(artefacts, of: KubernetesBackend.self, mean: firewall, on: today))
  }

  @Test(arguments: GoldenKubernetesTests.cases) func goldenClustersAreProved(name: String) throws {
    let (compilation, reading) = try GoldenKubernetesTests.compile(name)
    let cluster = try #require(reading.policy.cluster(named: "prod"))
    let firewall = Lowering(reading.policy).firewall(of: cluster, on: today)
    let proof = try Self.prove(compilation.artefacts, mean: firewall)
    #expect(proof.holds, "\(proof)")
  }

  @Test(arguments: Worlds.batches(of: 300)) func randomClustersAreProved(batch: Int) throws {
    var proved = 0
    for seed in Worlds.seeds(of: batch) {
      for isPublished in [false, true] {
        var firewall = RandomCluster.firewall(seed: seed)
        if isPublished { RandomCluster.publish(&firewall, seed: seed) }
        let compilation = KubernetesBackend.compile(firewall, sources: lines, today: today)
        guard compilation.diagnostics.allSatisfy({ $0.severity < .error }) else { continue }
        let proof = try Self.prove(compilation.artefacts, mean: firewall)
        #expect(proof.holds, "seed \(seed): \(proof)")
        proved += 1
      }
    }
    #expect(proved > 6, "\(proved)")
  }

  /// Three answers: the policy's meaning, the engine's reading of the manifests, and an evaluator that knows NetworkPolicy
  /// alone.
  @Test(arguments: Worlds.batches(of: 300)) func threeAnswersAgree(batch: Int) throws {
    var open = 0
    var judged = 0
    for seed in Worlds.seeds(of: batch) {
      let firewall = RandomCluster.firewall(seed: seed)
      let compilation = KubernetesBackend.compile(firewall, sources: lines, today: today)
      guard compilation.diagnostics.allSatisfy({ $0.severity < .error }) else { continue }
      let policies = try compilation.artefacts.map { try readByYams($0.text) }
        .filter { $0["kind"] == .string("NetworkPolicy") }
      let rules = try #require(try KubernetesBackend.read(compilation.artefacts))
      let universe = try ClusterUniverse(
        pods: firewall.pods, selectors: firewall.selectors.union(rules.selectors))
      let plain = Meaning(firewall: firewall, today: today)
      let wanted = try firewall.meaning(in: universe, on: today)
      for blocksHavePods in firewall.namesPodsByAddress ? [true] : [true, false] {
        let found = try rules.meaning(in: universe, blocksHavePods: blocksHavePods)
        let reachability = Reachability(policies: policies, blocksMatchPods: blocksHavePods)
        var random = SeededGenerator(seed: seed + 2_000_000)
        for _ in 0..<100 {
          let source = RandomCluster.endpoint(&random)
          let destination = RandomCluster.endpoint(&random)
          let traffic = RandomCluster.packet(&random)
          guard let packet = Self.packet(source, destination, traffic, universe), try universe.possible.contains(packet)
          else { continue }
          let transport = ["tcp": "TCP", "udp": "UDP", "sctp": "SCTP"][traffic.transport.description]!
          let port = Int(traffic.ports!.lower)
          let expected = reachability.allows(source, destination, transport, port)
          #expect(
            try found.accepted.contains(packet) == expected, "seed \(seed): \(source) → \(destination) \(traffic)")
          #expect(
            try wanted.accepted.contains(packet) == expected, "seed \(seed): \(source) → \(destination) \(traffic)")
          let admitted = reachability.allows("Ingress", of: destination, peer: source, transport, port)
          #expect(found.admitted.contains(packet) == admitted, "seed \(seed): \(source) ⇢ \(destination) \(traffic)")
          #expect(plain.admits(destination, source, traffic) == admitted)
          judged += 1
          if expected, destination.namespace.map(RandomCluster.namespaces.contains) ?? false { open += 1 }
        }
      }
    }
    #expect(judged > 100 && open > 3, "\(judged) judged, \(open) open")
  }

  /// Returns the first packet of a connection, or nothing if its ends are of two families.
  static func packet(
    _ source: Endpoint, _ destination: Endpoint, _ traffic: Traffic, _ universe: ClusterUniverse
  ) -> PacketValues? {
    guard let from = Address(source.address), let to = Address(destination.address), from.family == to.family else {
      return nil
    }
    func kind(_ end: Endpoint) -> UInt128? {
      guard let namespace = end.namespace else { return 0 }
      return universe.kinds.number(ofPodsIn: namespace, with: end.labels)
    }
    var packet = PacketValues()
    packet[.family] = UInt128(from.family.number)
    packet[.arrival] = known(kind(source))
    packet[.departure] = known(kind(destination))
    packet[.transport] = UInt128(traffic.transport.rawValue)
    packet[.source] = from.value
    packet[.destination] = to.value
    packet[.destinationPort] = UInt128(traffic.ports?.lower ?? 0)
    return packet
  }
}
