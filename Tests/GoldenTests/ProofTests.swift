import Driver
import Firewalls
import Policies
import Testing

/// What is made of every golden policy means what the policy means, for every packet.
@Suite struct ProofTests {
  @Test(arguments: try GoldenTests.names())
  func outputMeansThePolicy(name: String) throws {
    let pipeline = try GoldenTests.pipeline(of: name)
    for (i, firewall) in pipeline.firewalls.enumerated() {
      for target in Targets.hosts {
        let compilation = pipeline.compile(ID<Host>(i), to: target)
        guard let proof = Pipeline.prove(compilation.artefacts, of: target, mean: firewall) else { continue }
        #expect(proof.failure == nil, "\(firewall.name), \(target.name)")
        if let difference = proof.difference {
          Issue.record(
            "\(firewall.name), \(target.name): \(difference.packet): policy \(difference.policy), files \(difference.files)")
        }
      }
    }
  }
}
