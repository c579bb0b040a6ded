import Firewalls
import Kubernetes
import Packets
import Testing

/// Manifests as others write them, told by the documentation of the API.
@Suite struct ForeignManifestTests {
  static let policies = """
    apiVersion: v1
    kind: List
    items:
    - apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: only-ingress, namespace: shop, creationTimestamp: null}
      spec:
        podSelector: {matchLabels: {app: db}}   # policyTypes defaults to Ingress
        egress: []
        ingress:
        - from:
          - podSelector:
              matchExpressions:
              - {key: tier, operator: In, values: [front, back]}
              - {key: retired, operator: DoesNotExist}
          - namespaceSelector:
              matchLabels:
                team: ops
          ports:
          - port: pg
          - {port: 9000, endPort: 9010, protocol: TCP}
    - apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: no-egress, namespace: shop}
      spec:
        podSelector:
          matchExpressions: [{key: app, operator: NotIn, values: [db]}]
        policyTypes: [Egress]
        ingress: [{}]
    - apiVersion: v1
      kind: Namespace
      metadata: {name: tools, labels: {team: ops}}
    - apiVersion: v1
      kind: Namespace
      metadata: {name: games}
    """

  static let workloads = """
    apiVersion: apps/v1
    kind: StatefulSet
    metadata: {name: db, namespace: shop}
    spec:
      selector: {matchLabels: {app: db}}
      template:
        metadata: {labels: {app: db, release: one}}
        spec:
          containers:
          - name: postgres
            ports:
            - {name: pg, containerPort: 5432}
            - {name: web, containerPort: 8080, hostPort: 18080}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: db, namespace: shop, annotations: {a: "b"}}
    spec:
      type: LoadBalancer
      externalTrafficPolicy: Local
      loadBalancerSourceRanges: [198.51.100.0/24]
      selector: {app: db}
      ports:
      - {name: pg, port: 15432, targetPort: pg, nodePort: 30432}
      - {name: web, port: 80, targetPort: nowhere}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: outside, namespace: shop}
    spec: {type: ExternalName, externalName: db.example}
    ---
    apiVersion: networking.k8s.io/v1
    kind: Ingress
    metadata:
      name: db
      namespace: shop
      annotations:
        nginx.ingress.kubernetes.io/allowlist-source-range: 10.0.0.0/8, 192.0.2.7
        nginx.ingress.kubernetes.io/auth-url: http://x
    spec:
      ingressClassName: nginx
      tls: [{hosts: [db.example]}]
      defaultBackend: {service: {name: missing, port: {number: 80}}}
      rules:
      - host: db.example
        http:
          paths:
          - {path: /a/, pathType: Prefix, backend: {service: {name: db, port: {name: pg}}}}
          - {path: /b, pathType: Exact, backend: {service: {name: db, port: {number: 15432}}}}
    ---
    apiVersion: cilium.io/v2
    kind: CiliumNetworkPolicy
    metadata: {name: odd, namespace: shop}
    spec: {}
    """

  static let samples = [policies, workloads]

  private func read(_ texts: String...) throws -> ClusterRules {
    let files = texts.enumerated().map { Artefact(path: "file\($0).yaml", text: $1) }
    return try #require(try KubernetesBackend.read(files))
  }

  /// Returns `true` iff `receiver` lets `sender` in, or `sender` may send, by the policies of `rules`.
  private func allows(
    _ rules: ClusterRules, _ direction: String, _ sender: Endpoint, _ receiver: Endpoint, _ port: UInt16,
    _ labels: [String: [String: String]] = ["tools": ["team": "ops"]]
  ) throws -> Bool {
    let universe = try ClusterUniverse(
      pods: addresses("10.42.0.0/16"), selectors: rules.selectors, namespaces: rules.namespaces)
    func kind(_ end: Endpoint) -> UInt128 {
      guard let namespace = end.namespace else { return 0 }
      return known(
        universe.kinds.number(ofPodsIn: namespace, with: end.labels, namespaceLabels: labels[namespace] ?? [:]))
    }
    var packet = PacketValues()
    packet[.arrival] = kind(sender)
    packet[.departure] = kind(receiver)
    packet[.transport] = 6
    packet[.source] = known(Address(sender.address)).value
    packet[.destination] = known(Address(receiver.address)).value
    packet[.destinationPort] = UInt128(port)
    let meaning = try rules.meaning(in: universe, blocksHavePods: true)
    return (direction == "Ingress" ? meaning.admitted : meaning.departing).contains(packet)
  }

  private func pod(_ namespace: String, _ labels: [String: String] = [:]) -> Endpoint {
    Endpoint(address: "10.42.0.9", namespace: namespace, labels: labels)
  }

  @Test func policiesMeanWhatTheDocumentationSays() throws {
    let rules = try read(Self.policies, Self.workloads)
    let db = pod("shop", ["app": "db", "release": "one"])
    let front = pod("shop", ["tier": "front"])
    #expect(try allows(rules, "Ingress", front, db, 5432))
    #expect(try allows(rules, "Ingress", front, db, 9010))
    #expect(try !allows(rules, "Ingress", front, db, 9011))
    #expect(try !allows(rules, "Ingress", front, db, 8080))
    #expect(try !allows(rules, "Ingress", pod("shop", ["tier": "front", "retired": ""]), db, 5432))
    #expect(try !allows(rules, "Ingress", pod("shop", ["tier": "middle"]), db, 5432))
    #expect(try !allows(rules, "Ingress", pod("other", ["tier": "front"]), db, 5432))
    #expect(try allows(rules, "Ingress", pod("tools"), db, 5432))
    #expect(try !allows(rules, "Ingress", pod("games"), db, 5432))
    #expect(try allows(rules, "Ingress", pod("unheard", ["x": "y"]), db, 5432, ["unheard": ["team": "ops"]]))
    #expect(try !allows(rules, "Ingress", Endpoint(address: "198.51.100.1"), db, 5432))
    // What is isolated in one direction is open in the other.
    #expect(try allows(rules, "Egress", db, front, 1))
    #expect(try !allows(rules, "Egress", front, db, 5432))
    #expect(try allows(rules, "Ingress", db, front, 1))
    #expect(try allows(rules, "Egress", pod("games"), db, 5432))
  }

  @Test func waysAreFound() throws {
    let rules = try read(Self.workloads)
    let pods = PodSelector(namespace: "shop", labels: ["app": "db"])
    let service = rules.entrances.first { $0.door == .service(namespace: "shop", name: "db") }
    #expect(service?.target == .pods(pods, port: 5432))
    #expect(service?.traffic == tcp(15432))
    let node = rules.entrances.first { $0.door == .node && $0.traffic == tcp(30432) }
    #expect(node?.traits == [.keepsClient, .oneFamily])
    let balancer = rules.entrances.first { $0.door == .balancer(namespace: "shop", name: "db") }
    #expect(balancer?.sources == addresses("198.51.100.0/24"))
    let page = rules.entrances.first {
      $0.door == .web(controller: "nginx", host: "db.example", path: "/a", isExact: false)
    }
    #expect(page?.target == .pods(pods, port: 5432))
    #expect(page?.sources == addresses("10.0.0.0/8", "192.0.2.7"))
    #expect(rules.entrances.contains { $0.door == .web(controller: "nginx", host: nil, path: nil, isExact: false) })
    let picked = rules.entrances.first { $0.door == .pickedNodePort(namespace: "shop", name: "db") }
    #expect(picked?.traffic == tcp(80))
    #expect(picked?.target == .unknown("leads to the port that its pods call `nowhere`"))
  }

  @Test func whatIsUnknownIsNamed() throws {
    let words = try read(Self.workloads).unknowns.joined(separator: "\n")
    for part in ["CiliumNetworkPolicy", "auth-url", "port 18080/tcp of its nodes"] {
      #expect(words.contains(part), "\(words)")
    }
    let policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: b}\nspec: "
    #expect(
      try read(policy + "{podSelector: {}, log: true}\n").unknowns == ["file0.yaml: spec.log: the field is not known"])
    let named = try read(policy + "{podSelector: {}, ingress: [{ports: [{port: http}]}]}\n")
    #expect(named.unknowns.count == 1)
    #expect(named.grants.first?.condition != nil)
    let more = try read(policy + "{podSelector: {}, ingress: [{from: [], when: dark}]}\n")
    #expect(more.grants.first?.condition != nil && more.unknowns.count == 1)
  }

  @Test(arguments: [
    "{podSelector: {}, policyTypes: [ingress]}", "{podSelector: {}, ingress: [{from: [{}]}]}",
    "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0}}]}]}",
    "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]}",
    "{podSelector: {}, ingress: [{ports: [{port: 80, endPort: 79}]}]}",
    "{podSelector: {}, ingress: [{ports: [{endPort: 79}]}]}",
    "{podSelector: {}, ingress: [{ports: [{port: 80, protocol: tcp}]}]}", "{podSelector: {}, ingress: {}}",
    "{podSelector: {matchExpressions: [{key: a, operator: In}]}}", "{podSelector: {matchLabels: {a: 1}}}",
    "{podSelector: {}, ingress: [{from: [{fqdn: x}]}]}", "[]", "{podSelector: {}, ingress: [{ports: [{port: 70000}]}]}",
  ]) func whatTheServerRefusesIsRefused(spec: String) {
    let policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: b}\nspec: "
    #expect(throws: UnreadableRuleset.self) { try read(policy + spec + "\n") }
  }
}
