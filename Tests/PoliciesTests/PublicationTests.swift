import Packets
import Policies
import Support
import Syntax
import Testing

/// Which ports a publication without names means.
@Suite struct PublicationTests {
  @Test func aNodePortLeadsToThePortThatTheWorldSeesUnderAnotherNumber() throws {
    let policy = try cleanPolicy(
      """
      service s { port metrics 9102/tcp; port api 8443/tcp; expose api to internet as 443/tcp; expose metrics to m }
      service m { port 9090/tcp; expose to localhost; uses s }
      cluster k { pods 10.42.0.0/16; workload s { namespace x; pods app=s; publish nodeport 30010; publish cluster } }
      """)
    let service = try #require(policy.services.first { $0.name.value == "s" })
    let publications = try #require(policy.clusters.first?.workloads.first?.publications)
    #expect(publications.count == 2)
    for publication in publications {
      let names = Set(publication.ports.map { service.ports[$0].name?.value })
      if case .nodePort(_) = publication.kind {
        #expect(names == ["api"])
      } else {
        #expect(names == ["api", "metrics"])
      }
    }
  }

  @Test func aNodePortOfSeveralPortsNeedsAName() {
    let (_, _, diagnostics) = policy(
      """
      service s { port metrics 9102/tcp; port api 8443/tcp; expose to internet }
      cluster k { pods 10.42.0.0/16; workload s { namespace x; pods app=s; publish nodeport 30010 } }
      """)
    #expect(diagnostics.map(\.code) == ["unpublishable-port"])
  }
}
