import Firewalls
import Kubernetes
import Packets
import Policies
import Syntax
import Testing

/// Single objects, and what Kubernetes cannot say.
@Suite struct CompilationTests {
  private func compile(_ firewall: ClusterFirewall) -> Compilation {
    KubernetesBackend.compile(firewall, sources: lines, today: today)
  }

  private func codes(_ firewall: ClusterFirewall) -> [String] {
    compile(firewall).diagnostics.map { "\($0.severity.name) \($0.code) \($0.primary.span.lower / 10 + 1)" }
  }

  /// Returns the file at `path` as Yams reads it.
  private func file(_ path: String, of firewall: ClusterFirewall) throws -> YAML {
    let compilation = compile(firewall)
    try expectSound(compilation)
    return try readByYams(try #require(compilation.artefacts.first { $0.path == path }).text)
  }

  private func policy(_ change: (inout PodFirewall) -> Void) throws -> YAML {
    try file("web/networkpolicy-allow-shop.yaml", of: cluster(workload(change: change)))
  }

  @Test func nothingIsOpenInAGovernedNamespace() throws {
    let spec = try #require(try file("web/networkpolicy-default-deny.yaml", of: cluster(workload()))["spec"])
    #expect(
      spec
        == .mapping([
          .init("podSelector", .mapping([])), .init("policyTypes", .sequence([.string("Ingress"), .string("Egress")])),
        ]))
    #expect(try policy { _ in }["spec.ingress"] == nil)
    #expect(try policy { _ in }["spec.egress"] == nil)
  }

  @Test func everyoneHasNoPeersAndNobodyHasNoRule() throws {
    let rule = try policy { $0.admissions = [admission(.everyone)] }["spec.ingress"]?.items.first
    #expect(rule?.fields.keys.sorted() == ["ports"])
    // An exception that covers everything closes; an audience of addresses that are all blocked does too.
    #expect(try policy { $0.admissions = [admission(.everyone, except: .all)] }["spec.ingress"] == nil)
    let blocked = admission(.addresses(addresses("192.0.2.0/24")), except: addresses("192.0.0.0/16"))
    #expect(try policy { $0.admissions = [blocked] }["spec.ingress"] == nil)
    let lapsed = admission(.everyone, until: CalendarDate("2026-11-21"))
    #expect(try policy { $0.admissions = [lapsed] }["spec.ingress"] == nil)
    let messages = admission(.everyone, on: [.icmp(type: 8, code: nil)])
    #expect(try policy { $0.admissions = [messages] }["spec.ingress"] == nil)
  }

  @Test func everyoneButAFewHasBothFamiliesAndThePods() throws {
    let rule = try policy { $0.admissions = [admission(.everyone, except: addresses("192.0.2.66"))] }["spec.ingress"]?
      .items.first
    let from = try #require(rule?.fields["from"]?.items)
    #expect(from.count == 3)
    #expect(from[0]["ipBlock.cidr"] == .string("0.0.0.0/0"))
    #expect(from[0]["ipBlock.except"] == .sequence([.string("192.0.2.66/32")]))
    #expect(from[1]["ipBlock"] == .mapping([.init("cidr", .string("::/0"))]))
    #expect(from[2] == .mapping([.init("namespaceSelector", .mapping([]))]))
  }

  @Test func audienceOfOneFamilyStaysOne() throws {
    let rule = try policy { $0.admissions = [admission(.addresses(addresses("2001:db8::/32")))] }["spec.ingress"]?
      .items.first
    #expect(rule?.fields["from"]?.items.compactMap { $0["ipBlock.cidr"]?.string } == ["2001:db8::/32"])
  }

  @Test func podsAreNamedInOneItem() throws {
    let rule = try policy { $0.admissions = [admission(.pods(namespace: "data", labels: ["app": "db"]))] }[
      "spec.ingress"]?.items.first
    let from = try #require(rule?.fields["from"]?.items)
    #expect(from.count == 1)
    #expect(from.first?["namespaceSelector.matchLabels"]?.strings == ["kubernetes.io/metadata.name": "data"])
    #expect(from.first?["podSelector.matchLabels"]?.strings == ["app": "db"])
  }

  @Test func rangesHaveAnEnd() throws {
    let ports = try policy { $0.admissions = [admission(.everyone, on: [tcp(8000, 8010), tcp(1, 65535), udp(0x35)])] }[
      "spec.ingress"]?.items.first?.fields["ports"]?.items
    #expect(
      ports?.map { "\($0["protocol"]?.string ?? "") \($0["port"]?.number ?? 0) \($0["endPort"]?.number ?? 0)" } == [
        "TCP 0 0", "TCP 8000 8010", "UDP 53 0",
      ])
  }

  @Test func usesBringDNS() throws {
    let egress = try policy {
      $0.departures = [
        PodDeparture(peers: [.addresses(addresses("192.0.2.9"))], traffic: [tcp(5432)], until: nil, cause: cause(7))
      ]
    }["spec.egress"]?.items
    #expect(egress?.count == 2)
    #expect(egress?.last?.fields["to"]?.items.first?["podSelector.matchLabels"]?.strings == ["k8s-app": "kube-dns"])
    #expect(egress?.last?.fields["ports"]?.items.compactMap { $0["protocol"]?.string } == ["TCP", "UDP"])
    let everything = try policy {
      $0.departures = [PodDeparture(peers: [.everyone], traffic: nil, until: nil, cause: cause(7))]
    }
    #expect(everything["spec.egress"]?.items.first == .mapping([]))
  }

  @Test func serviceLeadsFromThePublicPortToTheListeningOne() throws {
    let published = workload(ports: [
      PodPort(name: "api", traffic: tcp(8443), publicPort: 443),
      PodPort(name: nil, traffic: udp(8443), publicPort: 443),
    ]) {
      $0.admissions = [admission(.everyone, on: [tcp(8443), udp(8443)])]
      $0.publications = [publication(nodePort(30010), ports: [0, 1])]
    }
    let service = try file("web/service-shop.yaml", of: cluster(published))
    #expect(service["spec.type"] == .string("NodePort"))
    #expect(service["spec.externalTrafficPolicy"] == .string("Cluster"))
    let ports = try #require(service["spec.ports"]?.items)
    #expect(ports.map { $0["port"]?.number } == [443, 443])
    #expect(ports.map { $0["targetPort"]?.number } == [8443, 8443])
    #expect(ports.map { $0["nodePort"]?.number } == [30010, 30010])
    #expect(ports.map { $0["name"]?.string } == ["api", "udp-443"])
  }

  @Test func narrowAudiencesKeepTheClient() throws {
    let audience = addresses("203.0.113.0/24", "2001:db8:10::/48")
    let published = workload {
      $0.admissions = [admission(.addresses(audience))]
      $0.publications = [
        publication(.cluster, to: audience), publication(nodePort(30010), to: audience),
        publication(loadBalancer(), to: audience),
      ]
    }
    let node = try file("web/service-shop-nodeport.yaml", of: cluster(published))
    #expect(node["spec.externalTrafficPolicy"] == .string("Local"))
    let balancer = try file("web/service-shop-loadbalancer.yaml", of: cluster(published))
    #expect(balancer["spec.externalTrafficPolicy"] == .string("Local"))
    #expect(
      balancer["spec.loadBalancerSourceRanges"] == .sequence([.string("203.0.113.0/24"), .string("2001:db8:10::/48")]))
    #expect(try file("web/service-shop.yaml", of: cluster(published))["spec.externalTrafficPolicy"] == nil)
  }

  @Test func everyoneButAFewIsLeftToTheNetworkPolicy() throws {
    let few = addresses("192.0.2.66")
    let published = workload {
      $0.admissions = [admission(.everyone, except: few)]
      $0.publications = [publication(loadBalancer(), to: AddressSet.all.subtracting(few))]
    }
    let balancer = try file("web/service-shop.yaml", of: cluster(published))
    #expect(balancer["spec.externalTrafficPolicy"] == .string("Local"))
    #expect(balancer["spec.loadBalancerSourceRanges"] == nil)
  }

  @Test func balancerForNobodyIsAnError() {
    let published = workload {
      $0.admissions = [admission(.pods(namespace: "web", labels: ["app": "x"]))]
      $0.publications = [publication(loadBalancer(), to: addresses("10.42.0.0/16"))]
    }
    #expect(codes(cluster(published)) == ["error kubernetes-audience 9"])
  }

  @Test func ingressAdmitsItsController() throws {
    let published = workload {
      $0.admissions = [admission(.everyone)]
      $0.publications = [publication(ingress("shop.example", "/cart")), publication(ingress("shop.example", "/"))]
    }
    let found = try file("web/ingress-shop.yaml", of: cluster(published))
    #expect(found["spec.ingressClassName"] == .string("nginx"))
    #expect(found["spec.rules"]?.items.count == 1)
    let paths = found["spec.rules"]?.items.first?["http.paths"]?.items
    #expect(paths?.map { $0["path"]?.string } == ["/", "/cart"])
    #expect(paths?.first?["backend.service.port.number"] == .number(8080))
    let rules = try file("web/networkpolicy-allow-shop.yaml", of: cluster(published))["spec.ingress"]?.items
    #expect(rules?.count == 3)
    #expect(
      rules?.last?.fields["from"]?.items.first?["namespaceSelector.matchLabels"]?.strings == [
        "kubernetes.io/metadata.name": "ingress-nginx"
      ])
  }

  @Test func narrowIngressIsGuardedOrRefused() throws {
    let office = addresses("203.0.113.0/24")
    let published = workload {
      $0.admissions = [admission(.addresses(office))]
      $0.publications = [publication(ingress("shop.example"), to: office)]
    }
    #expect(codes(cluster(published)) == ["warning kubernetes-ingress 9"])
    let found = try file("web/ingress-shop.yaml", of: cluster(published))
    #expect(
      found["metadata.annotations"]?.strings["nginx.ingress.kubernetes.io/whitelist-source-range"] == "203.0.113.0/24")
    #expect(codes(cluster(published, ingress: controller("traefik"))) == ["error kubernetes-ingress 9"])
    #expect(codes(cluster(published, ingress: nil)) == ["error kubernetes-ingress 9"])
    let open = workload {
      $0.admissions = [admission(.everyone, except: addresses("192.0.2.66"))]
      $0.publications = [publication(ingress("a.example"), to: AddressSet.all.subtracting(addresses("192.0.2.66")))]
    }
    let denying = try file("web/ingress-shop.yaml", of: cluster(open))
    #expect(
      denying["metadata.annotations"]?.strings["nginx.ingress.kubernetes.io/denylist-source-range"] == "192.0.2.66/32")
  }

  @Test func controllerThatThePolicyNamesIsAnAudience() throws {
    let published = workload {
      $0.admissions = [
        admission(.pods(namespace: "ingress-nginx", labels: ["app.kubernetes.io/name": "ingress-nginx"]))
      ]
      $0.publications = [publication(ingress("shop.example"), to: addresses("10.42.0.0/16"))]
    }
    #expect(codes(cluster(published)) == [])
    let found = try file("web/ingress-shop.yaml", of: cluster(published))
    #expect(found["metadata.annotations"]?.strings.keys.contains { $0.hasPrefix("nginx") } == false)
    let rules = try file("web/networkpolicy-allow-shop.yaml", of: cluster(published))["spec.ingress"]?.items
    #expect(rules?.count == 1)
  }

  @Test func pathTakenTwiceIsAnError() {
    let first = workload("one") {
      $0.admissions = [admission(.everyone)]
      $0.publications = [publication(ingress("shop.example"))]
    }
    let second = workload("two") {
      $0.admissions = [admission(.everyone)]
      $0.publications = [publication(ingress("shop.example", "/"), line: 12)]
    }
    #expect(codes(cluster(first, second)) == ["error kubernetes-ingress 12"])
  }

  @Test func aSlashAtTheEndMakesNoOtherPath() {
    let both = workload {
      $0.admissions = [admission(.everyone)]
      $0.publications = [
        publication(ingress("shop.example", "/api")), publication(ingress("shop.example", "/api/"), line: 12),
      ]
    }
    #expect(codes(cluster(both)) == ["error kubernetes-ingress 12"])
  }

  @Test func aBalancerHasTheNodePortThatIsSaid() throws {
    let published = workload {
      $0.admissions = [admission(.everyone)]
      $0.publications = [publication(loadBalancer(30043))]
    }
    let service = try file("web/service-shop.yaml", of: cluster(published))
    #expect(service["spec.type"] == .string("LoadBalancer"))
    #expect(service["spec.ports"]?.items.first?["nodePort"] == .number(30043))
  }

  @Test func aNodePortIsSharedByProtocolsOfOnePortOnly() {
    func codes(_ first: Traffic, _ second: Traffic) -> [String] {
      let ports = [first, second].map { PodPort(name: nil, traffic: $0, publicPort: nil) }
      return self.codes(
        cluster(
          workload(ports: ports) {
            $0.admissions = [admission(.everyone, on: [first, second])]
            $0.publications = [
              publication(nodePort(30010), ports: [0]), publication(nodePort(30010), ports: [1], line: 12),
            ]
          }))
    }
    #expect(codes(tcp(80), udp(80)) == [])
    #expect(codes(tcp(80), udp(81)) == ["error kubernetes-port 12"])
  }

  @Test func portsOfAServiceHaveDifferentNames() throws {
    let ports = [
      PodPort(name: "tcp-2", traffic: tcp(3), publicPort: nil), PodPort(name: nil, traffic: tcp(2), publicPort: nil),
      PodPort(name: "tcp-3", traffic: tcp(4), publicPort: nil),
    ]
    let published = workload(ports: ports) {
      $0.admissions = [admission(.everyone, on: ports.map(\.traffic))]
      $0.publications = [publication(.cluster, ports: [0, 1, 2])]
    }
    let service = try file("web/service-shop.yaml", of: cluster(published))
    #expect(service["spec.ports"]?.items.map { $0["name"]?.string } == ["tcp-2", "tcp-3", "tcp-4"])
  }

  @Test func aNameFitsIntoTheNameOfItsFile() throws {
    let parts = Array(repeating: String(repeating: "a", count: 57), count: 4)
    let longest = parts.joined(separator: ".") + "a"
    #expect(longest.utf8.count == 230 + 2)
    #expect(codes(cluster(workload(longest, labels: ["app": "a"]))) == ["error kubernetes-name 3"])
    let compilation = compile(cluster(workload(String(longest.dropFirst(2)), labels: ["app": "a"])))
    try expectSound(compilation)
    #expect(compilation.artefacts.allSatisfy { $0.path.split(separator: "/").allSatisfy { $0.utf8.count <= 255 } })
  }

  @Test func audiencesOfThousandsOfServicesTakeTimeInProportion() {
    func seconds(_ count: Int) -> Double {
      var exposure = admission()
      exposure.peers = (0..<count).map { .pods(namespace: "web", labels: ["app": "w\($0)"]) }
      let firewall = cluster(workload { $0.admissions = [exposure] })
      let clock = ContinuousClock()
      return clock.measure { #expect(compile(firewall).diagnostics.isEmpty) } / .seconds(1)
    }
    _ = seconds(50)
    let (small, large) = (seconds(200), seconds(4000))
    #expect(large < small * 100, "\(small) s, \(large) s")
  }

  @Test func whatIsNotEnforcedIsSaid() {
    var limited = admission(.everyone, until: CalendarDate("2027-03-31"))
    limited.limit = Limit(Rate(5, per: .second))
    limited.logged = true
    let icmp = admission(.everyone, on: [.icmp(type: 8, code: nil)], line: 5)
    let dccp = admission(.everyone, on: [.ports(.dccp, PortRange(5))], line: 6)
    #expect(
      codes(cluster(workload { $0.admissions = [limited, icmp, dccp] })) == [
        "warning kubernetes-limit 4", "warning kubernetes-log 4", "note kubernetes-until 4",
        "warning kubernetes-icmp 5",
        "error kubernetes-protocol 6",
      ])
  }

  @Test func nodesThatAreHostsEnforceLimits() {
    var limited = admission(.everyone)
    limited.limit = Limit(Rate(5, per: .second))
    var firewall = cluster(
      workload {
        $0.admissions = [limited]
        $0.publications = [publication(nodePort(30010))]
      })
    #expect(codes(firewall) == ["warning kubernetes-limit 4"])
    firewall.nodesAreHosts = true
    #expect(codes(firewall) == [])
    firewall.workloads[0].publications.append(publication(loadBalancer()))
    #expect(codes(firewall) == ["warning kubernetes-limit 4"])
  }

  @Test func refusedPodsAreAnErrorUnlessTheyAreElsewhere() {
    let bad = Peer.pods(namespace: "web", labels: ["app": "bad"])
    func codes(_ peers: Peer...) -> [String] {
      var exposure = admission(.everyone)
      exposure.peers = peers
      exposure.refusedPods = [bad]
      return self.codes(cluster(workload { $0.admissions = [exposure] }))
    }
    #expect(codes(.everyone) == ["error kubernetes-refusal 4"])
    #expect(codes(.pods(namespace: "web", labels: ["tier": "front"])) == ["error kubernetes-refusal 4"])
    #expect(codes(.addresses(addresses("10.0.0.0/8", "fd00::/8"))) == ["error kubernetes-refusal 4"])
    #expect(codes(.pods(namespace: "web", labels: ["app": "good"])) == [])
    #expect(codes(.pods(namespace: "data", labels: ["app": "bad"])) == [])
    #expect(codes(.addresses(addresses("192.0.2.0/24"))) == [])
  }

  @Test func refusedAddressesOfSomePodsAreAnError() {
    let some = addresses("10.42.7.0/24")
    #expect(
      codes(cluster(workload { $0.admissions = [admission(.everyone, except: some)] })) == [
        "error kubernetes-refusal 4"
      ])
    let unknown = cluster(
      workload { $0.admissions = [admission(.everyone, except: some)] }, pods: AddressSet())
    #expect(codes(unknown) == ["error kubernetes-refusal 4"])
    #expect(
      codes(cluster(workload { $0.admissions = [admission(.addresses(some))] })) == [
        "warning kubernetes-audience 4"
      ])
  }

  @Test func mappedAddressesAreAnError() {
    let mapped = AddressSet([Prefix(containing: Address(.ipv6, 0xffff_c000_0200), length: 120)])
    #expect(
      codes(cluster(workload { $0.admissions = [admission(.addresses(mapped))] })) == [
        "error kubernetes-address 4"
      ])
  }

  @Test func namesThatTheServerRefusesAreErrors() {
    let published: (inout PodFirewall) -> Void = {
      $0.admissions = [admission(.everyone)]
      $0.publications = [publication(.cluster)]
    }
    #expect(codes(cluster(workload("shop.web", change: published))) == ["error kubernetes-name 3"])
    #expect(codes(cluster(workload("3shop", change: published))) == ["error kubernetes-name 3"])
    #expect(
      codes(cluster(workload(String(repeating: "a", count: 64), change: published))).contains("error kubernetes-name 3")
    )
    // Without a Service the name of the policy alone counts, which may have dots.
    #expect(codes(cluster(workload("shop.web"))) == [])
    #expect(codes(cluster(workload("shop-", labels: ["app": "shop"]))) == ["error kubernetes-name 3"])
    #expect(codes(cluster(workload(in: "Web"))) == ["error kubernetes-name 3"])
    #expect(codes(cluster(workload(labels: [:]))) == ["error kubernetes-name 3"])
    #expect(codes(cluster(workload(labels: ["app": "a b"]))) == ["error kubernetes-name 2"])
    #expect(codes(cluster(workload(labels: ["a/b/c": "x"]))) == ["error kubernetes-name 2"])
    #expect(
      codes(cluster(workload { $0.purpose = String(repeating: "x", count: 300_000) })).contains(
        "error kubernetes-name 3"))
    // The second object of one name is not lost in silence.
    let twin = workload("shop-nodeport") {
      $0.admissions = [admission(.everyone)]
      $0.publications = [publication(.cluster)]
    }
    let both = workload {
      $0.admissions = [admission(.everyone)]
      $0.publications = [publication(.cluster), publication(nodePort(30010))]
    }
    #expect(codes(cluster(both, twin)) == ["error kubernetes-name 3"])
  }

  @Test(arguments: [
    "Shop.example", "shop", "a..b", "shop.example:80", "http://shop.example", "", "*.a.*", "a b.example",
    "192.0.2.1", "010.0.0.1", "*.2.1",
  ])
  func hostNamesAreJudged(host: String) {
    let published = workload {
      $0.admissions = [admission(.everyone)]
      $0.publications = [publication(ingress(host))]
    }
    #expect(codes(cluster(published)) == (host == "shop" ? [] : ["error kubernetes-name 9"]))
  }

  @Test(arguments: [
    "cart", "/a//b", "/a/../b", "/.", "/a b", "/a\nb", "/a;b", "/{x}", "/a%2Fb", "/a\"b", "/$(id)", "/é",
  ])
  func pathsAreJudged(path: String) {
    let published = workload {
      $0.admissions = [admission(.everyone)]
      $0.publications = [publication(ingress("shop.example", path))]
    }
    #expect(codes(cluster(published)) == ["error kubernetes-name 9"])
  }

  @Test func portsThatCannotBePublishedAreErrors() {
    func codes(_ traffic: [Traffic], _ kind: PublishStatement.Kind, shown: UInt16? = nil) -> [String] {
      let ports = traffic.map { PodPort(name: nil, traffic: $0, publicPort: shown) }
      return self.codes(
        cluster(
          workload(ports: ports) {
            $0.admissions = [admission(.everyone, on: traffic.filter { $0.transport.hasPorts })]
            $0.publications = [publication(kind, ports: Array(ports.indices))]
          }))
    }
    #expect(codes([tcp(8000, 8010)], .cluster) == [])
    #expect(codes([tcp(8000, 9000)], .cluster) == ["error kubernetes-port 9"])
    #expect(codes([tcp(8000, 8010)], nodePort(30010)) == ["error kubernetes-port 9"])
    #expect(codes([tcp(8000), tcp(8001)], nodePort(30010)) == ["error kubernetes-port 9"])
    #expect(codes([tcp(8000), tcp(8001)], .cluster, shown: 80) == ["error kubernetes-port 9"])
    #expect(codes([tcp(8000, 8010)], .cluster, shown: 65530) == ["error kubernetes-port 9"])
    #expect(codes([tcp(8000), tcp(8001)], ingress("a.example")) == ["error kubernetes-ingress 9"])
    #expect(codes([udp(8000)], ingress("a.example")) == ["error kubernetes-ingress 9"])
    #expect(codes([.icmp(type: 8, code: nil), tcp(80)], .cluster) == ["warning kubernetes-icmp 9"])
  }

  @Test(arguments: YAMLTests.hostile) func textCannotBecomeStructure(text: String) throws {
    var exposure = admission(.everyone, until: CalendarDate("2027-03-31"))
    exposure.because = text
    exposure.ticket = text
    let hostile = cluster(
      workload {
        $0.owner = text
        $0.purpose = text
        $0.admissions = [exposure]
        $0.publications = [publication(.cluster)]
      })
    let compilation = compile(hostile)
    try expectSound(compilation)
    let policy = try file("web/networkpolicy-allow-shop.yaml", of: hostile)
    let annotations = try #require(policy["metadata.annotations"]?.strings)
    #expect(annotations["portcullis/owner"] == text)
    #expect(annotations["portcullis/purpose"] == text)
    #expect(annotations["portcullis/until"] == "2027-03-31")
    #expect(annotations["portcullis/source"] == "shop.port:3")
    #expect(
      annotations["portcullis/ingress-0"] == "shop.port:4 until 2027-03-31 because \"\(text)\" ticket \"\(text)\"")
  }

  /// A block of addresses that has some pods in it would let in the pods that are refused.
  @Test func refusedPodsDoNotComeInByTheirAddresses() {
    var exposure = admission(.addresses(addresses("10.0.0.0/8")))
    exposure.refusedPods = [.pods(namespace: "beta", labels: ["app": "y"])]
    #expect(codes(cluster(workload { $0.admissions = [exposure] })) == ["error kubernetes-refusal 4"])
  }
}
