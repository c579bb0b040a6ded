import Firewalls
import Packets
import Policies
import Support
import Syntax
import Testing

@testable import Iptables

@Suite struct CompilerTests {
  private func ruleset(_ firewall: Firewall, _ family: AddressFamily) -> Iptables.Ruleset {
    (family == .ipv4 ? IPv4Backend.ruleset : IPv6Backend.ruleset)(firewall, testSources).0
  }

  private func diagnostics(_ change: (inout Firewall) -> Void, _ family: AddressFamily = .ipv4) -> [Diagnostic] {
    var firewall = FirewallMaker.empty
    change(&firewall)
    return (family == .ipv4 ? IPv4Backend.ruleset : IPv6Backend.ruleset)(firewall, testSources).1
  }

  private func opening(
    _ sources: [Reach], _ port: UInt16 = 443, to destinations: AddressSet? = nil, limit: Limit? = nil,
    until: CalendarDate? = nil, subject: String = "web", line: Int = 3
  ) -> Opening {
    Opening(
      sources: sources, destinations: destinations, traffic: .ports(.tcp, PortRange(port)), limit: limit, until: until,
      cause: cause(subject, line: line))
  }

  /// Returns `true` iff `firewall` lets a connection from `source` to its own address in, in the tables.
  private func admits(_ firewall: Firewall, _ source: String, _ port: UInt16 = 443, on interface: String = "eth0")
    -> Bool
  {
    let source = address(source)
    let own = firewall.addresses.ranges(source.family)[0].lower
    let kernel = Interpreter(ruleset: ruleset(firewall, source.family), isLocal: firewall.isLocal)
    let packet = Packet(
      interface: interface, source: source, destination: own, transport: .tcp, destinationPort: port)
    if case .accepted = kernel.arrive(packet) { return true }
    return false
  }

  // MARK: The mistakes of other compilers (all of them opened or closed what they should not).

  @Test func audienceOfOneFamilyIsNobodyInTheOther() {
    var firewall = FirewallMaker.empty
    firewall.openings = [opening([Reach(blocks("2001:db8:10::/48"))])]
    #expect(!admits(firewall, "203.0.113.1"))
    #expect(admits(firewall, "2001:db8:10::1"))
    #expect(!admits(firewall, "2001:db8:11::1"))
    #expect(!ruleset(firewall, .ipv4).text().contains("--dport 443"))
  }

  @Test func exclusionOfTheWholeAudienceLeavesNobody() {
    var firewall = FirewallMaker.empty
    let all = [Reach(blocks("10.0.0.0/8"))]
    firewall.openings = [opening(all.subtracting([Reach(blocks("10.0.0.0/7"))]))]
    #expect(!admits(firewall, "10.0.0.9") && !admits(firewall, "11.0.0.9") && !admits(firewall, "192.0.2.1"))
  }

  @Test func sourceOfOneFamilyAndDestinationOfTheOtherMeetNever() {
    var firewall = FirewallMaker.empty
    firewall.openings = [opening([Reach(blocks("10.0.0.0/8"))], to: blocks("2001:db8::1"))]
    #expect(!admits(firewall, "10.0.0.9") && !admits(firewall, "2001:db8::9"))
  }

  @Test func blockOfOneFamilyRefusesNobodyInTheOther() {
    var firewall = FirewallMaker.empty
    firewall.openings = [opening([.everywhere])]
    firewall.blocks = [
      Refusal(
        sources: [Reach(blocks("2001:db8:66::/48"))], destinations: nil, traffic: nil, until: nil, logged: false,
        cause: cause("block", line: 5))
    ]
    #expect(admits(firewall, "192.0.2.1") && admits(firewall, "2001:db8:67::1"))
    #expect(!admits(firewall, "2001:db8:66::1"))
  }

  @Test func bothProtocolsKeepTheirPort() {
    var firewall = FirewallMaker.empty
    firewall.openings = [TransportProtocol.tcp, .udp].map {
      Opening(
        sources: [.everywhere], destinations: nil, traffic: .ports($0, PortRange(53)), cause: cause("dns", line: 1))
    }
    #expect(admits(firewall, "192.0.2.1", 53) && !admits(firewall, "192.0.2.1", 54))
    for rule in ruleset(firewall, .ipv4).table("mangle")?.chains.flatMap(\.rules) ?? []
    where rule.comment?.hasPrefix("dns") ?? false {
      #expect(!rule.matches.isEmpty)
    }
  }

  // MARK: What only the rules' details decide.

  @Test func staleTranslationIsNotDelivered() throws {
    // Somebody took our jump out of `nat`: what was to be redirected must not reach the public port itself.
    var firewall = FirewallMaker.empty
    firewall.openings = [opening([.everywhere])]
    firewall.openings[0].translation = .redirect(to: 8443)
    var tables = ruleset(firewall, .ipv4)
    let isLocal = firewall.isLocal
    let packet = Packet(
      interface: "eth0", source: address("192.0.2.1"), destination: address("10.0.0.1"), transport: .tcp,
      destinationPort: 443)
    var kernel = Interpreter(ruleset: tables, isLocal: isLocal)
    #expect(kernel.arrive(packet) == .accepted(to: packet.destination, port: 8443, masqueraded: false))
    tables.tables.removeAll { $0.name == "nat" }
    kernel = Interpreter(ruleset: tables, isLocal: isLocal)
    #expect(kernel.arrive(packet) == .dropped)
  }

  @Test(arguments: [false, true]) func publishedContainerPortStaysClosed(rejects: Bool) {
    var firewall = FirewallMaker.empty
    firewall.rejects = rejects
    firewall.openings = [opening([.everywhere], 443)]
    var tables = ruleset(firewall, .ipv4)
    // Docker publishes both 443 and 8081, and accepts in `filter` before our rules.
    let docker = [UInt16(443), 8081].map { port in
      var rule = Rule(transport: .tcp, matches: [.destinationPort(.tcp, PortRange(port))])
      rule.target = .destination(address("172.17.0.2"), ports: PortRange(80), base: nil)
      return rule
    }
    tables.tables.removeAll { $0.name == "nat" }
    tables.tables.append(Table("nat", chains: [Chain("PREROUTING", policy: .accept, rules: docker)]))
    if let filter = tables.tables.firstIndex(where: { $0.name == "filter" }),
      let forward = tables.tables[filter].chains.firstIndex(where: { $0.name == "FORWARD" })
    {
      tables.tables[filter].chains[forward].rules.insert(Rule(target: .accept), at: 0)
    }
    let kernel = Interpreter(ruleset: tables, isLocal: firewall.isLocal)
    func outcome(_ port: UInt16, to destination: String = "10.0.0.1") -> Interpreter.Outcome {
      kernel.arrive(
        Packet(
          interface: "eth0", source: address("192.0.2.1"), destination: address(destination), transport: .tcp,
          destinationPort: port), departing: "docker0")
    }
    #expect(outcome(443) == .accepted(to: address("172.17.0.2"), port: 80, masqueraded: false))
    #expect(outcome(8081) == .dropped)
    // Straight to the container, or to an address that only somebody's NAT knows: routed, and nothing lets it pass.
    #expect(outcome(80, to: "172.17.0.2") == .dropped)
    #expect(outcome(443, to: "10.96.0.1") == .dropped)
  }

  @Test func interfacesThatAreExcludedByName() {
    var firewall = FirewallMaker.empty
    firewall.openings = [opening([Reach(blocks("192.0.2.0/24"), on: .except(["eth0", "eth1"]))])]
    #expect(!admits(firewall, "192.0.2.1", on: "eth0") && !admits(firewall, "192.0.2.1", on: "eth1"))
    #expect(admits(firewall, "192.0.2.1", on: "eth2") && !admits(firewall, "198.51.100.1", on: "eth2"))
  }

  @Test func multiportHasFifteenSlots() {
    let ranges = (0..<20).map { (i: Int) -> PortRange in
      let port = UInt16(100 * i)
      return i % 3 == 0 ? PortRange(from: port, through: port + 5) : PortRange(port)
    }
    let chunks = Compiler.chunks(of: ranges)
    #expect(chunks.flatMap { $0 } == ranges)
    for chunk in chunks { #expect(chunk.count + chunk.filter { !$0.isSingle }.count <= 15) }
    #expect(chunks.count == 2)
  }

  @Test func commentsKeepTheirEnd() {
    let path = String(repeating: "very-long-folder/", count: 30) + "team.port"
    let sources = Sources([SourceFile(path: path, text: "a\nb\n")])
    let compiler = Compiler(FirewallMaker.empty, .ipv4, sources: sources)
    let comment = compiler.comment(Cause("web", at: Span(file: 0, lower: 2, upper: 3)))
    #expect(comment.utf8.count == 255 && comment.hasPrefix("web ...") && comment.hasSuffix("/team.port:2"))
    let odd = Sources([SourceFile(path: "a\nb\u{7}\"c\\.port", text: "a\n")])
    let second = Compiler(FirewallMaker.empty, .ipv4, sources: odd)
    #expect(second.comment(Cause("w", at: Span(file: 0, lower: 0, upper: 1))) == "w a?b?\"c\\.port:1")
    #expect(compiler.logPrefix(String(repeating: "é", count: 40)).utf8.count <= 29)
  }

  @Test func aNameOfCountsChangesWithItsRate() {
    let place = Span(file: 0, lower: 0, upper: 1)
    var compiler = Compiler(FirewallMaker.empty, .ipv4, sources: testSources)
    func name(_ rate: UInt32, _ key: String = "web 443/tcp", again: Bool = false) -> String? {
      if !again { compiler = Compiler(FirewallMaker.empty, .ipv4, sources: testSources) }
      let limit = Limit(Rate(rate, per: .second), perSource: true)
      guard case .hashLimit(_, _, _, let name, _) = compiler.counting(limit, key: key, at: place) else { return nil }
      return name
    }
    #expect(name(200) == name(200) && name(200) != name(201) && name(200) != name(200, "other"))
    #expect((name(200)?.utf8.count ?? 99) <= 15)
    // What stands there twice is counted twice.
    let first = name(200)
    #expect(name(200, again: true) != first)
  }

  /// Two exposures of one port with equal limits let each its own number in.
  @Test func equalLimitsDoNotShareTheirCounts() {
    var firewall = FirewallMaker.empty
    let limit = Limit(Rate(5, per: .second), perSource: true)
    firewall.openings = [
      opening([Reach(blocks("10.0.0.0/8"))], limit: limit),
      opening([Reach(blocks("10.0.0.0/9"))], limit: limit, line: 4),
    ]
    firewall.passages = ["10.0.0.0/8", "10.0.0.0/9"].map {
      Passage(
        sources: [Reach(blocks($0))], destinations: [.everywhere], traffic: nil, limit: limit,
        cause: cause("transit", line: 5))
    }
    let names = ruleset(firewall, .ipv4).tables.flatMap(\.chains).flatMap(\.rules).flatMap(\.matches).compactMap {
      if case .hashLimit(_, _, _, let name, _) = $0 { name } else { nil as String? }
    }
    #expect(names.count == 4 && Set(names).count == 4)
  }

  /// However many chains there are, their names differ and have at most 28 bytes.
  @Test func namesOfChainsStayShort() {
    var firewall = FirewallMaker.empty
    // More than ten parts of a tree, for the longest name of a protocol; and reaches that need many chains each.
    for i in 0..<400 {
      let port = UInt16(1000 + 2 * i)
      let reach = Reach(
        AddressSet((0..<40).map { Prefix(containing: Address(.ipv4, UInt128(i) << 20 | $0 << 14), length: 24) }),
        on: .only(["eth\(i % 12)"]))
      firewall.openings.append(
        Opening(
          sources: [reach, Reach(blocks("192.0.2.0/24"), on: .only(["wg0"]))].normalized, destinations: nil,
          traffic: .ports(.udplite, PortRange(port)), limit: i % 2 == 0 ? Limit(Rate(5, per: .second)) : nil,
          cause: cause("s", line: i)))
    }
    for table in ruleset(firewall, .ipv4).tables {
      #expect(table.chains.allSatisfy { $0.name.utf8.count <= 28 })
      #expect(Set(table.chains.map(\.name)).count == table.chains.count)
    }
  }

  // MARK: What cannot be said.

  @Test func errorsNameTheLine() {
    let long = Reach(.all, on: .only(["interface-name-0"]))
    let codes: [(String, (inout Firewall) -> Void)] = [
      ("iptables-interface", { $0.openings = [self.opening([long])] }),
      ("iptables-interface", { $0.openings = [self.opening([Reach(.all, on: .only(["eth+"]))])] }),
      ("iptables-until", { $0.openings = [self.opening([.everywhere], until: CalendarDate("2038-01-19"))] }),
      ("iptables-limit", { $0.openings = [self.opening([.everywhere], limit: Limit(Rate(3_000_000, per: .second)))] }),
      (
        "iptables-limit",
        { $0.openings = [self.opening([.everywhere], limit: Limit(Rate(5, per: .day), burst: 6, perSource: true))] }
      ),
      (
        "iptables-icmp",
        {
          $0.openings = [
            Opening(
              sources: [.everywhere], destinations: nil, traffic: .icmp(type: 255, code: nil),
              cause: cause("web", line: 3))
          ]
        }
      ),
      (
        "iptables-translation",
        {
          $0.openings = [
            Opening(
              sources: [.everywhere], destinations: nil, traffic: .ports(.udplite, PortRange(9)),
              translation: .redirect(to: 10), cause: cause("web", line: 3))
          ]
        }
      ),
      (
        // Which of the two limits let a connection in decides where the rules send it.
        "iptables-translation",
        { firewall in
          firewall.openings = [
            (PortRange(from: 80, through: 90), 5 as UInt32, 1080 as UInt16), (PortRange(85), 7, 1099),
          ].map {
            Opening(
              sources: [.everywhere], destinations: nil, traffic: .ports(.tcp, $0), translation: .redirect(to: $2 + 1),
              limit: Limit(Rate($1, per: .second), perSource: true), cause: cause("web", line: 3))
          }
        }
      ),
    ]
    for (code, change) in codes {
      let found = diagnostics(change).filter { $0.severity == .error }
      #expect(found.map(\.code) == [code])
      #expect(found.first.map { testSources.location(of: $0.primary.span).line } == 4)
    }
  }

  @Test func limitOfBothFamiliesIsAWarning() {
    let limited = { (sources: [Reach]) in
      self.diagnostics { $0.openings = [self.opening(sources, limit: Limit(Rate(5, per: .second)))] }.map(\.code)
    }
    #expect(limited([.everywhere]) == ["iptables-limit-families"])
    #expect(limited([Reach(blocks("10.0.0.0/8"))]) == [])
  }

  /// The text for a small host stays as it is.
  @Test(arguments: AddressFamily.allCases) func smallHost(family: AddressFamily) throws {
    var firewall = FirewallMaker.empty
    firewall.rejects = true
    firewall.pingOpen = true
    firewall.logDenied = Limit(Rate(5, per: .second))
    firewall.openings = [
      opening([Reach(blocks("203.0.113.0/24", "2001:db8:10::/48"))], 22, subject: "ssh", line: 1),
      opening([.everywhere], 80, subject: "web", line: 2),
      opening([.everywhere], 443, limit: Limit(Rate(200, per: .second), burst: 400, perSource: true), line: 3),
    ]
    firewall.openings[2].translation = .redirect(to: 8443)
    firewall.passages = [
      Passage(
        sources: [Reach(blocks("10.0.0.0/8"), on: .only(["eth1"]))], destinations: [Reach(.all, on: .only(["eth0"]))],
        traffic: nil, masquerade: true, cause: cause("transit", line: 4))
    ]
    let compilation = (family == .ipv4 ? IPv4Backend.compile : IPv6Backend.compile)(firewall, testSources)
    let artefact = try #require(compilation.artefacts.first)
    #expect(compilation.diagnostics.isEmpty)
    expectGolden(artefact.text, at: golden("small-host/" + artefact.path))
  }

  /// Chains are searched by port, so that a packet is compared with few rules however many services there are.
  @Test func aPacketIsComparedWithFewRules() throws {
    var firewall = FirewallMaker.empty
    firewall.openings = (0..<10_000).map { i in
      opening(
        [Reach(blocks("10.\(i % 250).\(i / 250).0/24", "192.0.2.\(i % 256)"))], UInt16(1024 + i), line: i % 2000)
    }
    let mangle = try #require(ruleset(firewall, .ipv4).table("mangle"))
    #expect(mangle.chains.map(\.rules.count).max() ?? 0 <= 40)
  }
}
