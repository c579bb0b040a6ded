import Packets
import Syntax
import Testing

@Suite struct ListingTests {
  @Test func theListingHasNoFindings() {
    let (tree, diagnostics) = parsed(listing)
    #expect(diagnostics.map { "\($0.primary.span.lower): \($0.message)" } == [])
    #expect(tree.settings.count == 1 && tree.owners.count == 1 && tree.zones.count == 3)
    #expect(tree.services.map(\.name.value) == ["payments-api", "payments-db"])
    #expect(tree.hosts.count == 2 && tree.groups.count == 1 && tree.transits.count == 1)
    #expect(tree.clusters.count == 1 && tree.blocks.count == 1)
    #expect(tree.invariants.count == 3 && tree.waivers.count == 1)
    #expect(rebuilt(Array(listing.utf8), tree.tokens) == Array(listing.utf8))
  }

  @Test func theListingMeansWhatItSays() throws {
    let tree = parsed(listing).tree
    let settings = tree.settings[0]
    #expect(settings.title?.value == "acme production")
    #expect(settings.rejects?.value == false)
    #expect(settings.logDenied?.value.description == "5/second")
    #expect(settings.ephemeral?.value == PortRange(from: 32768, through: 60999))
    #expect(settings.pingOpen?.value == true)
    #expect(tree.owners[0].approvers.map(\.value) == ["@acme/payments", "@acme/netsec"])

    let api = tree.services[0]
    #expect(api.owner?.value == "payments")
    #expect(api.ports.map(\.name?.value) == ["api", "metrics"])
    #expect(api.exposures.count == 4 && api.uses.count == 2)
    let public443 = api.exposures[0]
    #expect(public443.audience.map(\.value) == [.internet])
    #expect(public443.clauses.publicPort?.value == [.ports(.tcp, PortRange(443))])
    #expect(public443.clauses.limit?.value == Limit(Rate(200, per: .second), burst: 400, perSource: true))
    #expect(api.exposures[3].clauses.until?.value.description == "2027-03-31")
    #expect(api.exposures[3].clauses.ticket?.value == "NET-1423")
    #expect(api.uses[1].clauses.on.map(\.value) == [[.ports(.tcp, PortRange(443))]])
    #expect(tree.services[1].ports[0].speaks?.value == "postgresql")

    #expect(tree.hosts[0].addresses.map(\.value.description) == ["192.0.2.10", "2001:db8::10"])
    #expect(tree.hosts[0].runs[1].addresses.map(\.value.description) == ["10.0.0.10"])
    #expect(tree.groups[0].members.map(\.value) == ["web1", "web2"])
    #expect(tree.transits[0].clauses.masquerade != nil && tree.transits[0].clauses.via?.value == "gw1")

    let cluster = tree.clusters[0]
    #expect(cluster.allotments[0].owner.value == "payments")
    #expect(cluster.ingress?.labels.map(\.key) == ["app.kubernetes.io/name"])
    #expect(cluster.workloads[0].labels.map(\.value) == ["payments-api"])
    guard case .nodePort(let number) = cluster.workloads[0].publications[0].kind else {
      Issue.record("no node port")
      return
    }
    #expect(number.value == 30110)

    #expect(tree.blocks[0].sources.count == 2)
    #expect(tree.invariants[0].targets.map(\.value) == [.serviceClass("database")])
    #expect(tree.invariants[1].clauses.on.count == 1 && tree.invariants[1].targets.isEmpty)
    #expect(tree.invariants[1].exceptions.map(\.value) == [.named(nil, "office")])
    #expect(tree.invariants[2].isAlways)
    #expect(tree.waivers[0].clauses.because?.value == "vendor appliance")
  }
}
