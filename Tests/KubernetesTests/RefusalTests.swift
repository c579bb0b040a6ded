import Firewalls
import Kubernetes
import Packets
import Policies
import Syntax
import Testing

/// What Kubernetes cannot say, or its server refuses, is an error or told.
@Suite struct RefusalTests: ClusterCompilation {
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
