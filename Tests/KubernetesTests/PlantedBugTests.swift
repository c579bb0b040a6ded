import Driver
import Firewalls
import Kubernetes
import Packets
import Policies
import Support
import Syntax
import Testing

/// Bugs planted in manifests one by one: the proof finds each, with a connection that shows it.
@Suite struct PlantedBugTests {
  /// A cluster that uses what manifests can say.
  static let firewall: ClusterFirewall = {
    var result = cluster(
      workload("y", in: "alpha", ports: [PodPort(name: "pg", traffic: tcp(5432), publicPort: nil)]) { w in
        w.admissions = [
          admission(.pods(namespace: "web", labels: ["app": "shop"]), on: [tcp(5432)]),
          admission(.addresses(addresses("198.51.100.0/24")), on: [tcp(5432)], line: 5),
        ]
        w.publications = [publication(nodePort(30110), to: addresses("198.51.100.0/24"))]
      },
      workload("desk", in: "web", ports: [PodPort(name: "https", traffic: tcp(8443), publicPort: 443)]) { w in
        w.admissions = [admission(.addresses(addresses("198.51.100.0/24")), on: [tcp(8443)])]
        w.publications = [publication(loadBalancer(30200), to: addresses("198.51.100.0/24"))]
      },
      workload("pages", in: "web", ports: [PodPort(name: "http", traffic: tcp(8000), publicPort: nil)]) { w in
        w.admissions = [admission(.everyone, on: [tcp(8000)])]
        w.publications = [publication(ingress("shop.example", "/a"))]
      },
      workload(
        "shop", in: "web",
        ports: [
          PodPort(name: "http", traffic: tcp(8080), publicPort: 80),
          PodPort(name: "bulk", traffic: tcp(9000, 9010), publicPort: nil),
        ]
      ) { w in
        w.admissions = [
          admission(.everyone, except: addresses("203.0.113.66"), on: [tcp(8080)]),
          admission(.pods(namespace: "alpha", labels: ["app": "y"]), on: [tcp(9000, 9010)], line: 6),
        ]
        w.departures = [
          PodDeparture(
            peers: [.pods(namespace: "alpha", labels: ["app": "y"])], traffic: [tcp(5432)], until: nil, cause: cause(20)
          ),
          PodDeparture(peers: [.addresses(addresses("192.0.2.77"))], traffic: [tcp(443)], until: nil, cause: cause(21)),
        ]
        w.publications = [publication(.cluster)]
      })
    result.workloads.sort { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
    return result
  }()

  static let artefacts = KubernetesBackend.compile(firewall, sources: lines, today: today).artefacts

  /// The file that is changed, and a part of the witness.
  struct Place: Sendable {
    var file: String
    var witness: String
  }

  /// Returns the bug by which the first `old` in `file` becomes `new`.
  private static func bug(
    _ name: String, _ file: String, _ old: String, _ new: String, _ witness: String
  ) -> PlantedBug<Place> { PlantedBug(name, in: Place(file: file, witness: witness), old, new) }

  static let types = "  policyTypes:\n  - Ingress\n  - Egress\n"
  static let shop = "web/networkpolicy-allow-shop.yaml"
  static let closed = "web/networkpolicy-default-deny.yaml"

  static let bugs: [PlantedBug<Place>] = [
    bug("policyTypes dropped", closed, types, "", "another pod of `web`"),
    bug("egress not isolated", closed, "  - Egress\n", "", "another pod of `web`"),
    bug("ingress not isolated", closed, "  - Ingress\n", "", "another pod of `web`"),
    bug(
      "podSelector narrowed", closed, "podSelector: {}", "podSelector:\n    matchLabels:\n      app: shop", "of `web`"),
    bug("namespace wrong", closed, "namespace: web", "namespace: wed", "of `web`"),
    bug("namespace of a policy wrong", shop, "namespace: web", "namespace: alpha", "8080/tcp"),
    bug(
      "label changed", shop, "  podSelector:\n    matchLabels:\n      app: shop",
      "  podSelector:\n    matchLabels:\n      app: shpo", "app=sh"),
    bug(
      "selector of all pods", shop, "  podSelector:\n    matchLabels:\n      app: shop", "  podSelector: {}", "8080/tcp"
    ),
    bug(
      "AND turned OR", shop, "      podSelector:\n        matchLabels:\n          app: \"y\"",
      "    - podSelector:\n        matchLabels:\n          app: \"y\"", "app=y of `"),
    bug(
      "peer of any label", shop, "      podSelector:\n        matchLabels:\n          app: \"y\"\n", "", "of `alpha`"),
    bug(
      "peer of any namespace", shop, "        matchLabels:\n          kubernetes.io/metadata.name: alpha\n",
      "        matchLabels: {}\n", "app=y of `"),
    bug("except lost", shop, "        except:\n        - \"203.0.113.66/32\"\n", "", "from 203.0.113.66 to"),
    bug("except too wide", shop, "203.0.113.66/32", "203.0.113.66/31", "from 203.0.113.67 to"),
    bug("family forgotten", shop, "    - ipBlock:\n        cidr: \"::/0\"\n", "", "8080/tcp from 2001:db8::"),
    bug("pods forgotten", shop, "    - namespaceSelector: {}\n", "", "8080/tcp from a"),
    bug("endPort off by one", shop, "endPort: 9010", "endPort: 9011", "9011/tcp"),
    bug("endPort lost", shop, "endPort: 9010\n      port", "port", "900"),
    bug("port changed", shop, "port: 8080", "port: 8081", "808"),
    bug("protocol changed", shop, "port: 443\n      protocol: TCP", "port: 443\n      protocol: UDP", "192.0.2.77"),
    bug("UDP DNS missing", shop, "    - port: 53\n      protocol: UDP\n", "", "53/udp"),
    bug("TCP DNS missing", shop, "    - port: 53\n      protocol: TCP\n", "", "53/tcp"),
    bug("DNS of other pods", shop, "k8s-app: kube-dns", "k8s-app: coredns", "kube-system"),
    bug(
      "egress to everyone", shop, "  - to:\n    - ipBlock:\n        cidr: \"192.0.2.77/32\"\n    ports:\n",
      "  - ports:\n", "443/tcp"),
    bug("egress ports lost", shop, "    ports:\n    - port: 443\n      protocol: TCP\n", "", "192.0.2.77"),
    bug("cidr wider", "web/networkpolicy-allow-desk.yaml", "198.51.100.0/24", "198.51.100.0/23", "198.51.101."),
    bug(
      "policy in another namespace", "web/networkpolicy-allow-pages.yaml", "namespace: web", "namespace: other",
      "app=pages"),
    bug("nodePort other", "alpha/service-y.yaml", "nodePort: 30110", "nodePort: 30111", "3011"),
    bug("targetPort other", "alpha/service-y.yaml", "targetPort: 5432", "targetPort: 5433", "port 543"),
    bug(
      "client hidden", "alpha/service-y.yaml", "externalTrafficPolicy: Local", "externalTrafficPolicy: Cluster",
      "to a node"),
    bug("not on nodes", "alpha/service-y.yaml", "type: NodePort", "type: ClusterIP", "to a node"),
    bug("service selects others", "web/service-shop.yaml", "app: shop", "app: desk", "the service `shop`"),
    bug("service port other", "web/service-shop.yaml", " port: 80\n", " port: 81\n", "the service `shop`"),
    bug("service on nodes", "web/service-shop.yaml", "type: ClusterIP", "type: NodePort", "node port that is picked"),
    bug("one family", "web/service-shop.yaml", "PreferDualStack", "SingleStack", "the service `shop`"),
    bug(
      "source ranges lost", "web/service-desk.yaml",
      "  loadBalancerSourceRanges:\n  - \"198.51.100.0/24\"\n", "", "to the load balancer"),
    bug("source ranges wider", "web/service-desk.yaml", "198.51.100.0/24", "198.51.0.0/16", "to the load balancer"),
    bug("service of another name", "web/service-desk.yaml", "name: desk", "name: desks", "`desk"),
    bug("path changed", "web/ingress-pages.yaml", "path: \"/a\"", "path: \"/\"", "shop.example"),
    bug("host changed", "web/ingress-pages.yaml", "host: shop.example", "host: shop.test", "shop."),
    bug("path exact", "web/ingress-pages.yaml", "pathType: Prefix", "pathType: Exact", "shop.example/a"),
    bug(
      "controller changed", "web/ingress-pages.yaml", "ingressClassName: nginx", "ingressClassName: other",
      "ingress controller"),
    bug(
      "backend other", "web/ingress-pages.yaml", "name: pages\n            port:\n              number: 8000",
      "name: shop\n            port:\n              number: 80", "shop.example/a"),
  ]

  @Test func wholeOutputIsProved() throws {
    let proof = try ProofTests.prove(Self.artefacts, mean: Self.firewall)
    #expect(proof.holds, "\(proof)")
  }

  @Test func bugsAreManyAndDifferent() { PlantedBug.expectManyDifferent(Self.bugs) }

  @Test(arguments: bugs) func bugIsFound(bug: PlantedBug<Place>) throws {
    var changed = Self.artefacts
    let i = try #require(changed.firstIndex { $0.path == bug.place.file })
    changed[i].text = try bug.planted(in: changed[i].text)
    let proof = try ProofTests.prove(changed, mean: Self.firewall)
    let difference = try #require(proof.difference, "\(proof)")
    let words = "\(difference.packet): \(difference.policy), \(difference.files)"
    #expect(words.contains(bug.place.witness), "\(words)")
    #expect(difference.policy != difference.files, "\(words)")
  }

  @Test func missingFilesAreFound() throws {
    for artefact in Self.artefacts where artefact.path != Kustomization.path {
      var changed = Self.artefacts.filter { $0 != artefact }
      #expect(try ProofTests.prove(changed, mean: Self.firewall).failure?.contains(artefact.path) == true)
      changed[0].text = changed[0].text.replacing("- \(artefact.path)\n", with: "")
      let proof = try ProofTests.prove(changed, mean: Self.firewall)
      #expect(proof.difference != nil, "\(artefact.path): \(proof)")
    }
  }

  @Test func filesThatAreNotAppliedAreFound() throws {
    for artefact in Self.artefacts where artefact.path != Kustomization.path {
      var changed = Self.artefacts
      changed[0].text = changed[0].text.replacing("- \(artefact.path)\n", with: "")
      let proof = try ProofTests.prove(changed, mean: Self.firewall)
      #expect(proof.failure?.contains(artefact.path) == true, "\(proof)")
    }
  }
}
