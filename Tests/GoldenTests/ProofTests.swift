import Driver
import Firewalls
import Policies
import Testing

/// What is made of every golden policy means what the policy means, for every packet.
@Suite struct ProofTests {
  @Test(arguments: try GoldenTests.names())
  func outputMeansThePolicy(name: String) throws {
    let pipeline = try GoldenTests.pipeline(of: name)
    for firewall in pipeline.firewalls {
      let prover = Prover(firewall)
      for target in Targets.hosts where target.filtersPackets {
        let proof = try #require(
          prover.prove(target.compile(firewall, sources: pipeline.sources).artefacts, of: target))
        #expect(proof.failure == nil, "\(firewall.name), \(target.name)")
        guard let difference = proof.difference else { continue }
        let fates = "policy \(difference.policy), files \(difference.files) by \(difference.rules)"
        Issue.record("\(firewall.name), \(target.name): \(difference.packet): \(fates)")
      }
    }
  }
}
