import Firewalls
import Kubernetes
import Packets
import Policies
import Syntax
import Testing

/// Single objects.
@Suite struct CompilationTests: ClusterCompilation {
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

  @Test func audiencesMayHaveThousandsOfServices() throws {
    var exposure = admission()
    exposure.peers = (0..<4000).map { .pods(namespace: "web", labels: ["app": "w\($0)"]) }
    let firewall = cluster(workload { $0.admissions = [exposure] })
    #expect(compile(firewall).diagnostics.isEmpty)
    let from = try file("web/networkpolicy-allow-shop.yaml", of: firewall)["spec.ingress"]?.items.first?.fields["from"]
    #expect(from?.items.count == 4000)
  }
}
