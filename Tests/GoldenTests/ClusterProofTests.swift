import Driver
import Firewalls
import Policies
import Testing

/// What is made of the clusters of every golden policy means what the policy means.
@Suite struct ClusterProofTests {
  @Test(arguments: try GoldenTests.names())
  func manifestsMeanThePolicy(name: String) async throws {
    let pipeline = try await GoldenTests.pipeline(of: name)
    let lowering = try #require(pipeline.lowering)
    for i in pipeline.policy.clusters.indices {
      let firewall = lowering.firewall(of: ID(i), on: GoldenTests.today)
      for target in Targets.clusters {
        let compilation = pipeline.compile(ID<Cluster>(i), to: target)
        let proof = try #require(
          Pipeline.prove(compilation.artefacts, of: target, mean: firewall, on: GoldenTests.today))
        #expect(proof.failure == nil, "\(firewall.name)")
        if let found = proof.difference {
          Issue.record("\(firewall.name): \(found.packet): policy \(found.policy), files \(found.files)")
        }
      }
    }
  }
}
