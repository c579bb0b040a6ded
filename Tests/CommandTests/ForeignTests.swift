import Foundation
import Testing

/// `diff` and `explain` of rules that other programs wrote: the dumps are those of the real programs.
@Suite struct ForeignTests {
  private static let dumps = GoldenPageTests.root.appending(path: "Tests/IptablesTests/Golden/foreign")

  /// Returns a folder with the dump `name`.
  private func sandbox(_ name: String) throws -> Sandbox {
    let box = try Sandbox()
    try box.write(Data(contentsOf: Self.dumps.appending(path: "\(name).save")), to: "rules")
    return box
  }

  private func document(_ outcome: Sandbox.Outcome) throws -> [String: Any] {
    #expect(outcome.code == 0 && outcome.error == "", "\(outcome)")
    return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  // MARK: - Rules of hosts

  @Test func whatDockerPublishesIsFollowedToItsContainer() throws {
    let box = try sandbox("docker.v4")
    let question = "\"$P\" explain iptables:rules --from 198.51.100.7 --to 192.0.2.1 --port 8080/tcp --today 2026-11-22"
    let open = try box.shell("\(question) --in eth0 --out docker0")
    #expect(open.code == 0 && open.output.hasPrefix("accept: 198.51.100.7 to 192.0.2.1, 8080/tcp"), "\(open)")
    #expect(
      open.output.contains(
        """
        This rule lets it through chain `filter DOCKER`.
          --> rules:36
          | -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
        """), "\(open)")
    #expect(open.output.contains("This rule of chain `nat DOCKER` sends it to 172.17.0.2, port 80."))
    // Where it leaves is not known: both answers are given.
    let json = try document(box.shell("\(question) --in eth0 --format json"))
    #expect(json["verdict"] as? String == "depends")
    #expect(json["depends"] as? [String] == ["the interface that it leaves on (`--out`)"])
    let outcomes = try #require(json["outcomes"] as? [[String: Any]])
    #expect(outcomes.map { $0["verdict"] as? String } == ["accept", "drop"])
    let steps = try #require(outcomes[1]["steps"] as? [[String: Any]])
    #expect(steps[0]["sentence"] as? String == "No rule of chain `filter FORWARD` decides, and its policy drops it.")
  }

  @Test func whatIsNotKnownBoundsTheAnswer() throws {
    let box = try sandbox("ufw.v4")
    let outcome = try box.portcullis(
      "explain", "iptables:rules", "--from", "198.51.100.7", "--to", "192.0.2.1", "--port", "22/tcp", "--in", "eth0")
    #expect(outcome.code == 0 && outcome.output.hasPrefix("accept or reject: "), "\(outcome)")
    #expect(
      outcome.output.contains("  - what is not known here: recent --update --seconds 30 --hitcount 6"), "\(outcome)")
    #expect(outcome.output.contains("| -A ufw-user-limit -j REJECT --reject-with icmp-port-unreachable"), "\(outcome)")
    #expect(outcome.output.contains("`--way forward` asks about one behind it."))
    // Other ports do not depend on it.
    let closed = try box.portcullis(
      "explain", "iptables:rules", "--from", "198.51.100.7", "--to", "192.0.2.1", "--port", "23/tcp", "--in", "eth0")
    #expect(closed.output.hasPrefix("drop: "), "\(closed)")
  }

  @Test(arguments: ["firewalld.v6", "ufw.v6"]) func theOtherFamilyIsReadToo(name: String) throws {
    let box = try sandbox(name)
    let answer = try box.portcullis(
      "explain", "ip6tables:rules", "--from", "2001:db8::7", "--to", "2001:db8::1", "--port", "9999/udp", "--in", "eth0"
    )
    #expect(answer.code == 0 && !answer.output.hasPrefix("accept:"), "\(answer)")
    #expect(answer.output.contains("  --> rules:") || answer.output.contains("its policy drops it"), "\(answer)")
    let other = try box.portcullis(
      "explain", "ip6tables:rules", "--from", "192.0.2.7", "--to", "192.0.2.1", "--port", "22/tcp")
    #expect(other.code == 2 && other.error.contains("says nothing of IPv4"), "\(other)")
  }

  @Test func servicesOfKubeProxyAreFollowed() throws {
    let box = try sandbox("kube-proxy.v4")
    let json = try document(
      box.shell(
        "\"$P\" explain iptables:rules --from 10.244.0.9 --to 10.96.0.10 --port 53/udp --way forward --format json"))
    let outcomes = try #require(json["outcomes"] as? [[String: Any]])
    let ways = ([json] + outcomes).compactMap { $0["way"] as? [[String: Any]] }
    let sentences = ways.joined().compactMap { $0["sentence"] as? String }
    #expect(sentences.contains { $0.contains("KUBE-SERVICES") }, "\(sentences)")
  }

  @Test func listingsOfNftAreExplained() throws {
    let box = try Sandbox()
    let listing = try box.shell(
      """
      unshare -n sh -ec '
      nft add table inet f
      nft add chain inet f in "{ type filter hook input priority 0; policy drop; }"
      nft add rule inet f in tcp dport 22 ip saddr 198.51.100.0/24 accept
      nft add rule inet f in meta skuid 7 tcp dport 25 reject
      TZ=UTC nft -j list ruleset' > rules.json
      """)
    #expect(listing.code == 0, "\(listing)")
    func ask(_ port: String) throws -> Sandbox.Outcome {
      try box.portcullis("explain", "nft:rules.json", "--from", "198.51.100.7", "--to", "192.0.2.1", "--port", port)
    }
    let open = try ask("22/tcp")
    #expect(open.output.hasPrefix("accept: ") && open.output.contains("chain inet f in handle"), "\(open)")
    #expect(try ask("23/tcp").output.hasPrefix("drop: "))
    let unknown = try ask("25/tcp")
    #expect(unknown.output.hasPrefix("drop or reject: ") && unknown.output.contains("skuid"), "\(unknown)")
    #expect(try box.portcullis("diff", "nft:rules.json", "nft:rules.json").code == 1)
  }

  @Test func twoRulesetsAreCompared() throws {
    let box = try sandbox("docker.v4")
    _ = try box.shell("sed 's/--dport 8080 -j DNAT/--dport 8081 -j DNAT/' rules > changed")
    let same = try box.portcullis("diff", "iptables:rules", "iptables:rules")
    #expect(same.code == 0 && same.output == "Nothing changes: proved for every packet of 1 host (IPv4).\n", "\(same)")
    let changed = try box.portcullis("diff", "iptables:rules", "iptables:changed")
    #expect(
      changed.code == 1 && changed.output.contains("8080/tcp") && changed.output.contains("8081/tcp"), "\(changed)")
    #expect(try box.portcullis("diff", "iptables:rules", "ip6tables:rules").code == 2)
    #expect(try box.portcullis("diff", "iptables:rules", "manifests:rules").code == 2)
  }

  @Test func momentsAreToldToTheSecond() throws {
    let box = try Sandbox()
    func rules(_ match: String) -> String {
      """
      *filter
      :INPUT DROP [0:0]
      -A INPUT -p tcp -m tcp --dport 22 \(match) -j ACCEPT
      COMMIT

      """
    }
    try box.write(rules("-m time --datestop 2027-03-01T12:30:00"), to: "old")
    try box.write(rules(""), to: "new")
    let outcome = try box.portcullis("diff", "iptables:old", "iptables:new", "--today", "2026-11-22")
    #expect(outcome.code == 1 && outcome.output.contains("from 2027-03-01 12:30:01 UTC on"), "\(outcome)")
  }

  // MARK: - Manifests

  private static let owner = "owner a { contact \"a@acme.example\" }\n"

  private static func policy(_ audience: String) -> String {
    """
    \(owner)
    service web { owner a; purpose "Web"; port 8443/tcp; expose to internet; uses db }
    service db { owner a; purpose "Data"; port 5432/tcp; expose to \(audience) }
    cluster prod {
      pods 10.42.0.0/16
      workload web { namespace shop; pods app=web; publish nodeport 30010 }
      workload db { namespace shop; pods app=db }
    }

    """
  }

  /// Returns a folder with a policy, and the manifests that were made of it in `out/clusters/prod`.
  private func cluster() throws -> Sandbox {
    let box = try Sandbox()
    try box.write(Self.policy("web"), to: "p.port")
    #expect(try box.portcullis("compile", "p.port", "--all", "--output", "out").code == 0)
    return box
  }

  @Test func manifestsAreComparedWithThePolicy() throws {
    let box = try cluster()
    let folder = "out/clusters/prod"
    let own = try box.portcullis("diff", "p.port", "--cluster", "prod", "manifests:\(folder)")
    #expect(own.code == 0 && own.output == "Nothing changes: proved for every packet of 1 cluster.\n", "\(own)")
    // Without a kustomization, every file counts; one file may hold all objects.
    _ = try box.shell("for f in \(folder)/*/*.yaml; do echo ---; cat $f; done > all.yaml; mkdir d; cp all.yaml d")
    #expect(try box.portcullis("diff", "manifests:all.yaml", "p.port").code == 0)
    #expect(try box.portcullis("diff", "manifests:d", "manifests:\(folder)").code == 0)

    _ = try box.shell("sed -i 's/ app: web$/ app: other/' d/all.yaml")
    let changed = try box.portcullis(
      "diff", "p.port", "--cluster", "prod", "manifests:d", "--exit-code", "--format", "json")
    #expect(changed.code == 4, "\(changed)")
    let json = try JSONSerialization.jsonObject(with: Data(changed.output.utf8)) as? [String: Any]
    #expect(json?["clusters"] as? Int == 1 && json?["hosts"] as? Int == 0)
    let rows = try #require(json?["changes"] as? [[String: Any]])
    let witnesses = rows.compactMap { $0["witness"] as? [String: String] }
    #expect(
      witnesses.contains {
        ($0["packet"] ?? "").hasPrefix("5432/tcp from a pod app=web of `shop`")
          && ($0["before"] ?? "").hasPrefix("open (db, p.port:")
      },
      "\(witnesses)")
    #expect(witnesses.contains { ($0["after"] ?? "").contains("d/all.yaml:87: NetworkPolicy `") }, "\(witnesses)")
  }

  @Test func everyNodePortOfManifestsThatChangesIsTold() throws {
    let box = try Sandbox()
    func manifest(_ ports: [Int]) -> String {
      """
      apiVersion: v1
      kind: Service
      metadata: {name: web, namespace: shop}
      spec:
        type: NodePort
        selector: {app: web}
        ports:

      """
        + ports.map { "  - {name: p\($0), protocol: TCP, port: \($0), targetPort: 8080, nodePort: \($0)}\n" }.joined()
    }
    try box.write(manifest([30001]), to: "old.yaml")
    try box.write(manifest([30001, 30002, 30003]), to: "new.yaml")
    let outcome = try box.portcullis("diff", "manifests:old.yaml", "manifests:new.yaml")
    for port in [30002, 30003] {
      #expect(outcome.output.contains("\(port)/tcp from anywhere to a node: leads nowhere"), "\(outcome)")
    }
    #expect(!outcome.output.contains("30001/tcp from"), "\(outcome)")
  }

  @Test func whatManifestsHaveThatIsNotKnownIsNamed() throws {
    let box = try cluster()
    try box.write("apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: x}\n", to: "d/odd.yml")
    _ = try box.shell("cp out/clusters/prod/*/*.yaml d")
    let outcome = try box.portcullis("diff", "p.port", "manifests:d")
    #expect(
      outcome.code == 1 && outcome.output.contains("Not known here: odd.yml: CiliumNetworkPolicy `x`"), "\(outcome)")
    #expect(!outcome.output.contains("Nothing changes"))
    let answer = try box.portcullis(
      "explain", "manifests:d", "--from", "shop/app=web", "--to", "shop/app=db", "--port", "5432/tcp")
    #expect(answer.code == 0 && answer.output.hasPrefix("accept: "), "\(answer)")
    #expect(answer.output.contains("Not known here: odd.yml"), "\(answer)")
  }

  @Test func manifestsAreExplained() throws {
    let box = try cluster()
    let place = "manifests:out/clusters/prod"
    let open = try box.portcullis(
      "explain", place, "--from", "shop/app=web", "--to", "shop/app=db", "--port", "5432/tcp")
    #expect(open.code == 0 && open.output.hasPrefix("accept: shop/app=web to shop/app=db, 5432/tcp"), "\(open)")
    #expect(open.output.contains("  --> out/clusters/prod/shop/networkpolicy-allow-db.yaml:2\n"), "\(open)")
    #expect(open.output.contains("| NetworkPolicy `allow-db`, spec.ingress[0]"), "\(open)")
    // The name of a Service will do; its port is not that of the pods.
    let named = try box.portcullis("explain", place, "--from", "192.0.2.7", "--to", "shop/web", "--port", "8443/tcp")
    #expect(named.code == 0 && named.output.hasPrefix("accept: "), "\(named)")
    let closed = try document(
      box.shell("\"$P\" explain \(place) --from 192.0.2.7 --to shop/app=db --port 5432/tcp --format json"))
    #expect(closed["verdict"] as? String == "drop" && closed["reason"] as? String == "closed")
    let nearest = try #require(closed["nearest"] as? [[String: Any]])
    #expect(nearest.first?["sentence"] as? String == "This rule lets 5432/tcp through, but not from 192.0.2.7.")
    let egress = try document(
      box.shell("\"$P\" explain \(place) --from shop/app=db --to 192.0.2.7 --port 25/tcp --format json"))
    #expect(egress["verdict"] as? String == "drop" && egress["reason"] as? String == "egress")
    let free = try box.portcullis(
      "explain", place, "--from", "games/app=x", "--to", "games/app=y", "--port", "1/udp")
    #expect(free.output.hasPrefix("accept: ") && free.output.contains("No NetworkPolicy limits"), "\(free)")
  }

  @Test func whatTheNetworkPluginDecidesIsSaid() throws {
    let box = try Sandbox()
    try box.write(
      """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: blocks, namespace: shop}
      spec:
        podSelector: {matchLabels: {app: db}}
        ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: cart, namespace: shop}
      spec: {template: {metadata: {labels: {app: cart, tier: back}}, spec: {containers: [{name: c}]}}}

      """, to: "m.yaml")
    let outcome = try box.portcullis(
      "explain", "manifests:m.yaml", "--from", "shop/cart", "--to", "shop/app=db", "--port", "5432/tcp")
    #expect(outcome.code == 0 && outcome.output.hasPrefix("accept or drop: "), "\(outcome)")
    #expect(outcome.output.contains("(Calico: yes; Cilium: no)"), "\(outcome)")
  }

  // MARK: - Bad input

  @Test func whatCannotBeReadIsSaid() throws {
    let box = try cluster()
    try box.write("a: [1, 2\n", to: "broken/a.yaml")
    try box.write(
      "kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nmetadata: {name: x}\nspec: 3\n", to: "odd/a.yaml")
    try box.write(Data([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 0xff]), to: "binary/a.yaml")
    try box.write(Data([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 0xff]), to: "binary.save")
    try box.write("", to: "empty/notes.txt")
    _ = try box.shell(
      "mkdir huge; truncate -s 65M huge/a.yaml; truncate -s 65M huge.save; mkfifo pipe; mkdir gone; ln -s nowhere gone/a.yaml"
    )
    for (place, words) in [
      ("manifests:missing", "No such file"), ("manifests:", "manifests:FILE"), ("manifests:empty", "holds no"),
      ("manifests:broken", "a.yaml: line"), ("manifests:odd", "a mapping is expected"), ("manifests:binary", "UTF-8"),
      ("manifests:huge", "64 MiB"), ("manifests:gone", "leads nowhere"), ("manifests:pipe", "not a file"),
    ] {
      let diff = try box.portcullis("diff", "p.port", "--cluster", "prod", place)
      #expect(diff.code == 2 && (diff.error + diff.output).contains(words), "\(place): \(diff)")
      let explain = try box.portcullis(
        "explain", place, "--from", "shop/app=web", "--to", "shop/app=db", "--port", "5432/tcp")
      #expect(explain.code == 2 && explain.error.contains(words) && explain.output == "", "\(place): \(explain)")
    }
    for (place, words) in [
      ("iptables:missing", "No such file"), ("iptables:binary.save", "UTF-8"), ("iptables:huge.save", "64 MiB"),
      ("nft:p.port", "nft:p.port"), ("iptables:p.port", "line 1"), ("iptables:empty", "not a file"),
    ] {
      let explain = try box.portcullis(
        "explain", place, "--from", "192.0.2.7", "--to", "192.0.2.1", "--port", "5432/tcp")
      #expect(explain.code == 2 && explain.error.contains(words) && explain.output == "", "\(place): \(explain)")
    }
    for arguments in [
      ["p.port", "manifests:d", "--host", "h"], ["p.port", "manifests:out", "--cluster", "nowhere"],
      ["manifests:out", "manifests:out", "--cluster", "prod"], ["--against", "HEAD", "manifests:out"],
    ] {
      let outcome = try box.shell("\"$P\" diff " + arguments.joined(separator: " "))
      #expect(outcome.code == 2 && outcome.output == "", "\(arguments): \(outcome)")
    }
    for (from, to, port) in [
      ("shop/nobody", "shop/app=db", "1/tcp"), ("192.0.2.1", "192.0.2.2", "1/tcp"),
      ("shop/app=web", "shop/app=db", "8/icmp"),
      ("shop", "shop/app=db", "1/tcp"), ("shop/app=web,app=db", "shop/app=db", "1/tcp"),
    ] {
      let outcome = try box.portcullis(
        "explain", "manifests:out/clusters/prod", "--from", from, "--to", to, "--port", port)
      #expect(outcome.code == 2 && outcome.output == "" && !outcome.error.isEmpty, "\(from) \(to): \(outcome)")
    }
  }
}
