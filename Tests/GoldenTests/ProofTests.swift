import Driver
import Firewalls
import Policies
import Syntax
import Testing

/// What is made of every golden policy means what the policy means, for every packet.
@Suite struct ProofTests {
  @Test(arguments: try GoldenTests.names())
  func outputMeansThePolicy(name: String) async throws {
    let pipeline = try await GoldenTests.pipeline(of: name)
    for firewall in pipeline.firewalls {
      let prover = Prover(firewall)
      for target in Targets.requestable where target.filtersPackets {
        let proof = try #require(
          prover.prove(target.compile(firewall, sources: pipeline.sources).artefacts, of: target))
        #expect(proof.failure == nil, "\(firewall.name), \(target.name)")
        guard let difference = proof.difference else { continue }
        let fates = "policy \(difference.policy), files \(difference.files) by \(difference.rules)"
        Issue.record("\(firewall.name), \(target.name): \(difference.packet): \(fates)")
      }
    }
  }

  /// Texts that mean the same have one fingerprint, and a line more has another.
  @Test func fingerprintsNameMeanings() async throws {
    func fingerprint(_ text: String) async throws -> Fingerprint {
      var pipeline = Pipeline(
        Sources([SourceFile(path: "policy.port", bytes: Array(text.utf8))]), on: GoldenTests.today)
      await pipeline.run()
      #expect(pipeline.isSound)
      let firewall = try #require(pipeline.firewalls.first)
      return try #require(Prover(firewall).fingerprint())
    }
    let service = "owner a {}\nservice web { owner a; purpose \"Web\"; port 8443/tcp"
    let host = "host h { address 192.0.2.1; runs web }"
    let one = try await fingerprint(
      "\(service); expose to internet as 443/tcp limit 5/second; expose to 10.0.0.0/8 }\n\(host)")
    let same = try await fingerprint(
      """
      \(host)
      zone upper { 10.128.0.0/9 }
      zone lower { 10.0.0.0/9 }
      \(service); expose to upper, lower; expose to internet as 443/tcp limit 5/second burst 5 }
      """)
    #expect(one == same)
    #expect(one.description.hasPrefix("pm1-"))
    #expect(one.description.utf8.count == 36)
    let others = [
      "\(service); expose to internet as 443/tcp limit 6/second; expose to 10.0.0.0/8 }\n\(host)",
      "\(service); expose to internet as 443/tcp limit 5/second; expose to 10.0.0.0/9 }\n\(host)",
      "\(service); expose to internet as 444/tcp limit 5/second; expose to 10.0.0.0/8 }\n\(host)",
      "\(service); expose to internet as 443/tcp limit 5/second until 2099-01-01; expose to 10.0.0.0/8 }\n\(host)",
    ]
    var prints: [Fingerprint] = []
    for other in others { prints.append(try await fingerprint(other)) }
    #expect(Set(prints + [one]).count == 5)
  }
}
