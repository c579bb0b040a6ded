import Foundation
import Packets
import Policies
import Support
import Syntax
import Testing

/// The listing of the language, with the names filled in that it mentions.
private let listing = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appending(path: "examples/listing/policy.port")

@Suite struct ResolvingTests {
  @Test func wholeListingIsClean() throws {
    let reading = Reading([("policy.port", try String(contentsOf: listing, encoding: .utf8))])
    #expect(reading.diagnostics.map(\.code) == ["undeclared-address"], "\(reading.findings)")
    let policy = reading.policy
    #expect(policy.settings.title == "acme production")
    #expect(policy.services.map(\.name.value) == policy.services.map(\.name.value).sorted())
    #expect(policy.transits.count == 1 && policy.blocks.count == 1 && policy.waivers.count == 1)
    #expect(policy.invariants.map(\.isAlways) == [false, false, true])
    let api = try #require(policy.service(named: "payments-api"))
    #expect(policy[api].ports.map { $0.name?.value } == ["api", "metrics"])
    #expect(policy[api].exposures.count == 4)
    #expect(policy[api].placements.map { policy[$0.host].name.value } == ["web1", "web2"])
    #expect(policy[api].workloads.count == 1)
  }

  @Test func hostsOwnWordOnAServiceHoldsOverThatOfItsGroups() throws {
    let policy = try cleanPolicy(
      """
      service a { port 1000/tcp }
      service b { port 1001/tcp }
      host h { address 10.0.0.1, 10.0.0.2, 10.0.0.3; runs a on 10.0.0.2; runs a on 10.0.0.1; runs b on 10.0.0.1; runs b }
      host i { address 10.0.0.4, 10.0.0.5 }
      group g { h, i; runs a }
      group k { g; runs b }
      """)
    let h = try #require(policy.host(named: "h"))
    let i = try #require(policy.host(named: "i"))
    #expect(policy[h].runs.map { $0.addresses.map(\.value.description) } == [["10.0.0.1", "10.0.0.2"], []])
    #expect(policy[i].runs.map { $0.addresses.map(\.value.description) } == [[], []])
    #expect(policy.groups.map(\.hosts) == [[h, i], [h, i]])
  }

  @Test func zonesAreMadeOfZones() throws {
    let policy = try cleanPolicy(
      """
      zone all { inside, 192.0.2.0/24 }
      zone inside { lan except vpn }
      zone lan { 10.0.0.0/8 }
      zone vpn { 10.8.0.0/16 }
      zone wire { }
      zone outside { internet except lan }
      """)
    func addresses(_ name: String) throws -> AddressSet { policy[try #require(policy.zone(named: name))].addresses }
    #expect(try addresses("inside").description == "10.0.0.0/13, 10.9.0.0-10.255.255.255")
    #expect(try addresses("all").description == "10.0.0.0/13, 10.9.0.0-10.255.255.255, 192.0.2.0/24")
    #expect(try addresses("wire").isAll)
    #expect(try addresses("outside") == .all.subtracting(addresses("lan")))
    #expect(policy.zones.map(\.hasAddresses) == [true, true, true, true, true, false])
  }

  @Test func chainsOfZonesAndGroupsMayBeLong() throws {
    var text = "zone z0 { 10.0.0.0/8 }\nhost h { address 10.0.0.1 }\ngroup g0 { h }\n"
    for i in 1...20_000 { text += "zone z\(i) { z\(i - 1) }\ngroup g\(i) { g\(i - 1) }\n" }
    let policy = try cleanPolicy(text)
    #expect(policy.zones.allSatisfy { $0.addresses.description == "10.0.0.0/8" })
    #expect(policy.groups.allSatisfy { $0.hosts.count == 1 })
  }

  @Test(.timeLimit(.minutes(5))) func manyUnknownNamesComeToAnEnd() {
    var text = ""
    for i in 0..<10_000 { text += "service s\(i) { owner nobody-\(i); port 80/tcp; expose to elsewhere-\(i) }\n" }
    #expect(policy(text).diagnostics.count == 20_000)
  }
}

@Suite struct OrderTests {
  /// The texts that are shuffled: the clean listing, and all policies with mistakes.
  static func texts() throws -> [(name: String, text: String)] {
    var result = [("listing", try String(contentsOf: listing, encoding: .utf8))]
    for name in FindingsTests.names where !name.hasPrefix("duplicate") {
      result.append(
        (name, try String(contentsOf: FindingsTests.folder.appending(path: name + ".port"), encoding: .utf8)))
    }
    return result
  }

  /// Returns what the findings of `reading` say, without their places.
  private func sayings(of diagnostics: [Diagnostic]) -> [String] {
    diagnostics.map { "\($0.code): \($0.message)" }.sorted()
  }

  @Test(arguments: [1, 2, 5]) func orderOfDeclarationsAndFilesDoesNotShow(files count: Int) throws {
    var generator = SeededGenerator(seed: UInt64(count))
    for (name, text) in try Self.texts() {
      let original = Reading([("policy.port", text)])
      let expected = outline(original.policy)
      var declarations = original.trees[0].declarationSpans.map { original.sources.text(of: $0) }
      for _ in 0..<10 {
        declarations.shuffle(using: &generator)
        var files = Array(repeating: "", count: count)
        for declaration in declarations { files[Int.random(in: 0..<count, using: &generator)] += declaration + "\n" }
        let shuffled = Reading(files.enumerated().map { ("\($0.offset).port", $0.element) })
        // Where a name is ambiguous or a zone is on a circle, the place differs and the words do not.
        #expect(sayings(of: shuffled.diagnostics) == sayings(of: original.diagnostics), "\(name)")
        #expect(outline(shuffled.policy) == expected, "\(name)")
      }
    }
  }

  @Test func orderOfStatementsDoesNotShow() throws {
    var generator = SeededGenerator(seed: 7)
    for (name, text) in try Self.texts() {
      let original = Reading([("policy.port", text)])
      let expected = outline(original.policy)
      for _ in 0..<20 {
        var tree = original.trees[0]
        tree.shuffle(using: &generator)
        let (policy, diagnostics) = resolve([tree])
        #expect(outline(policy) == expected, "\(name)")
        #expect(diagnostics == resolve(original.trees).diagnostics, "\(name)")
      }
    }
  }

  @Test func missingPartsAreReportedAndNeverKept() throws {
    var generator = SeededGenerator(seed: 11)
    for (_, text) in try Self.texts() {
      let original = Reading([("policy.port", text)])
      for round in 0..<60 {
        var tree = original.trees[0]
        tree.removeAll { Int.random(in: 0..<20, using: &generator) < 1 + round / 6 }
        let (policy, diagnostics) = resolve([tree])
        expectSound(policy)
        _ = AddressBook(policy)
        #expect(diagnostics == diagnostics.sorted(by: Diagnostic.precedes))
      }
    }
  }

  /// Expects that every position in `policy` is that of something.
  private func expectSound(_ policy: Policy) {
    func check(_ parties: [Spelled<Party>]) {
      for party in parties { #expect(!policy.name(of: party.value).isEmpty) }
    }
    for service in policy.services {
      if let owner = service.owner { #expect(policy.owners.indices.contains(owner.rawValue)) }
      for exposure in service.exposures {
        check(exposure.audience.parties + exposure.audience.exceptions)
        #expect(!exposure.ports.isEmpty && exposure.ports.allSatisfy { service.ports.indices.contains($0) })
        if let via = exposure.via { #expect(!policy[via.value].addresses.isEmpty) }
      }
      for use in service.uses { check(use.targets) }
      for placement in service.placements { #expect(policy.hosts.indices.contains(placement.host.rawValue)) }
      for reference in service.workloads {
        #expect(policy[policy[reference.cluster].workloads[reference.index].service].name == service.name)
      }
    }
    for group in policy.groups { for host in group.hosts { #expect(!policy[host].name.value.isEmpty) } }
    for transit in policy.transits { check(transit.audience.parties + transit.destinations) }
    for block in policy.blocks { check(block.sources + block.targets) }
    for invariant in policy.invariants { check(invariant.audience.parties + invariant.targets) }
  }
}

/// What the parser refuses and a tree of another origin could hold.
@Suite struct TreeTests {
  private let span = Span(file: 0, lower: 0, upper: 0)

  @Test func builtInNamesAreNotDeclaredAgain() {
    var tree = Tree()
    tree.zones = [ZoneDeclaration(span: span, name: Spelled("internet", at: span))]
    tree.hosts = [HostDeclaration(span: span, name: Spelled("localhost", at: span))]
    let (policy, diagnostics) = resolve([tree])
    #expect(diagnostics.map(\.code) == ["reserved-name", "reserved-name"])
    #expect(policy.zones.isEmpty && policy.hosts.isEmpty)
  }

  @Test func termsThatDoNotFitAreReported() {
    var tree = Tree()
    var zone = ZoneDeclaration(span: span, name: Spelled("z", at: span))
    zone.members = [Spelled(.localhost, at: span), Spelled(.serviceClass("c"), at: span)]
    tree.zones = [zone]
    var host = HostDeclaration(span: span, name: Spelled("h", at: span))
    host.interfaces = [
      InterfaceStatement(span: span, name: Spelled("eth0", at: span), zones: [Spelled(.serviceClass("c"), at: span)])
    ]
    tree.hosts = [host]
    var cluster = ClusterDeclaration(span: span, name: Spelled("c", at: span))
    cluster.nodes = [Spelled(.internet, at: span)]
    tree.clusters = [cluster]
    #expect(
      resolve([tree]).diagnostics.map(\.message) == [
        "`class c` is not a zone or `internet`", "`class c` is not an address or a zone",
        "`internet` is not a host, a group or an address", "`localhost` is not an address or a zone",
      ])
  }

  @Test func statementsWithoutTheirClausesAreNotKept() {
    var tree = Tree()
    tree.transits = [TransitDeclaration(span: span)]
    tree.waivers = [
      WaiverDeclaration(span: span, check: Spelled("c", at: span), subject: Spelled("s", at: span))
    ]
    tree.blocks = [BlockDeclaration(span: span)]
    tree.invariants = [InvariantDeclaration(span: span, isAlways: true)]
    let (policy, diagnostics) = resolve([tree])
    #expect(policy.transits.isEmpty && policy.waivers.isEmpty && policy.blocks.isEmpty && policy.invariants.isEmpty)
    #expect(diagnostics.map(\.code) == ["empty-invariant"])
  }
}

/// The policies that come with the program.
@Suite struct SamplePolicyTests {
  private static let root = listing.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Returns what the files `*.port` in `folder` declare.
  private func read(_ folder: String) throws -> Reading {
    let folder = Self.root.appending(path: folder)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".port") }
    return Reading(
      try names.map { ($0, try String(contentsOf: folder.appending(path: $0), encoding: .utf8)) })
  }

  @Test func organisationIsBelievableAndClean() throws {
    let reading = try read("policies")
    #expect(reading.diagnostics.isEmpty, "\(reading.findings)")
    let policy = reading.policy
    #expect(reading.sources.files.count >= 6)
    #expect(policy.services.count >= 30 && policy.owners.count == 5 && policy.hosts.count >= 9)
    #expect(policy.clusters.count == 1 && policy.transits.count == 2)
    for service in policy.services {
      #expect(service.owner != nil && service.purpose != nil, "\(service.name.value)")
      #expect(!service.placements.isEmpty || !service.workloads.isEmpty, "\(service.name.value) runs nowhere")
      #expect(!service.exposures.isEmpty, "\(service.name.value) is not exposed")
    }
    // The ports that the issue of the spine asks for.
    let listening = Set(policy.services.flatMap(\.ports).flatMap(\.traffic).map(\.description))
    for port in [
      "8080/tcp", "8761/tcp", "8081/tcp", "8082/tcp", "8083/tcp", "8084/tcp", "5432/tcp", "3306/tcp", "6379/tcp",
      "22/tcp", "53/tcp", "53/udp", "25/tcp", "3868/sctp", "25565/tcp", "9090/tcp", "9100/tcp",
    ] { #expect(listening.contains(port), "\(port)") }
    let shown = Set(policy.services.flatMap(\.exposures).compactMap(\.publicPort).flatMap(\.value).map(\.description))
    #expect(shown.isSuperset(of: ["80/tcp", "443/tcp", "443/udp", "25565/tcp"]))
  }

  @Test func everyExposureToAServiceIsUsedAndEveryUseIsExposed() throws {
    let policy = try read("policies").policy
    for (i, service) in policy.services.enumerated() {
      let id = Party.service(ID(i))
      for party in service.exposures.flatMap(\.audience.parties) {
        guard case .service(let user) = party.value else { continue }
        #expect(
          policy[user].uses.contains { $0.targets.contains { $0.value == id } },
          "\(policy[user].name.value) does not use \(service.name.value)")
      }
      for target in service.uses.flatMap(\.targets) {
        guard case .service(let used) = target.value else { continue }
        #expect(
          policy[used].exposures.contains { $0.audience.parties.contains { $0.value == id } },
          "\(policy[used].name.value) is not exposed to \(service.name.value)")
      }
    }
  }

  @Test(arguments: ["web-server", "router", "cluster-shop", "database"]) func exampleIsClean(name: String) throws {
    let reading = try read("examples/\(name)")
    #expect(reading.diagnostics.isEmpty, "\(reading.findings)")
    #expect(!reading.policy.services.isEmpty)
  }

  @Test func aWebServerTakesFewerThanFifteenLines() throws {
    #expect(try read("examples/web-server").sources.files[0].lineCount < 15)
  }
}
