import Foundation
import Testing

/// What `portcullis diff` tells of clusters, by policies and by manifests.
@Suite struct ClusterDiffTests {
  /// Returns a policy with the cluster `prod`, in which the statements of `web` and of `db` are as told.
  private static func policy(_ web: String, _ db: String, publish: String = "") -> String {
    """
    owner a { contact "a@acme.example" }
    service web { owner a; purpose "Web"; port 8443/tcp; \(web); uses db }
    service db { owner a; purpose "Data"; port 5432/tcp; \(db) }
    cluster prod {
      pods 10.42.0.0/16
      workload web { namespace shop; pods app=web; \(publish) }
      workload db { namespace shop; pods app=db }
    }

    """
  }

  private static let lapsing = policy(
    "expose to 203.0.113.0/24", "expose to web; expose to 198.51.100.7 until 2027-01-31")

  /// Returns a folder with the policy `text`, and the manifests that were made of it on 22 November 2026 in `out`.
  private func compiled(_ text: String) throws -> Sandbox {
    let box = try Sandbox()
    try box.write(text, to: "p.port")
    let made = try box.portcullis("compile", "p.port", "--all", "--output", "out", "--today", "2026-11-22")
    #expect(made.code == 0, "\(made)")
    return box
  }

  private func document(_ outcome: Sandbox.Outcome) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any], "\(outcome)")
  }

  private func diff(_ box: Sandbox, _ arguments: String, on day: String = "2026-11-22") throws -> [String: Any] {
    try document(box.shell("\"$P\" diff \(arguments) --today \(day) --format json"))
  }

  private func rows(_ document: [String: Any], _ member: String = "changes") throws -> [[String: Any]] {
    try #require(document[member] as? [[String: Any]])
  }

  private func cause(_ row: [String: Any]) -> String {
    guard let cause = row["cause"] as? [String: Any] else { return "none" }
    return "\(cause["subject"] ?? "") \(cause["path"] ?? ""):\(cause["line"] ?? "") \(cause["text"] ?? "")"
  }

  @Test func manifestsAreComparedAtEveryMoment() throws {
    let box = try compiled(Self.lapsing)
    let folder = "manifests:out/clusters/prod"
    // On the day they are right; what they leave open later is told, and is no change of the day.
    let text = try box.portcullis("diff", "p.port", folder, "--today", "2026-11-22", "--exit-code")
    #expect(text.code == 0, "\(text)")
    #expect(text.output.hasPrefix("Nothing changes on 2026-11-22: proved for every packet of 1 cluster.\n"), "\(text)")
    #expect(text.output.contains("Manifests know no time."), "\(text)")
    let today = try diff(box, "p.port \(folder)")
    #expect(today["equal"] as? Bool == true)
    let later = try rows(today, "later")
    #expect(later.count == 1 && later[0]["kind"] as? String == "opens", "\(later)")
    #expect(later[0]["flows"] as? [String] == ["5432/tcp from 198.51.100.7 to a pod app=db of `shop`"])
    #expect(later[0]["conditions"] as? [String] == ["from 2027-02-01 on"])
    #expect(try rows(diff(box, "\(folder) p.port"), "later").first?["kind"] as? String == "closes")

    let past = try diff(box, "p.port \(folder)", on: "2027-02-01")
    #expect(try rows(past).map { $0["kind"] as? String } == ["opens"])
    #expect(try rows(past, "later").isEmpty)

    // What the manifests lack is told with its end.
    _ = try box.shell("sed -i 's/198.51.100.7/198.51.100.9/' out/clusters/prod/shop/networkpolicy-allow-db.yaml")
    let lacking = try rows(diff(box, "p.port \(folder)"))
    let closed = try #require(lacking.first { $0["kind"] as? String == "closes" })
    #expect(closed["conditions"] as? [String] == ["until the end of 2027-01-31"])
    #expect(lacking.count == 2, "\(lacking)")
  }

  @Test func rowsOfManifestsAreGroupedByTheirObjects() throws {
    let box = try compiled(Self.policy("expose to 203.0.113.0/24; expose to 192.0.2.7", "expose to web"))
    _ = try box.shell(
      """
      cp -r out/clusters/prod/shop d
      sed -i 's/203.0.113.0/203.0.112.0/; s/192.0.2.7/192.0.2.8/' d/networkpolicy-allow-web.yaml
      sed -i 's/app: web/app: wab/' d/networkpolicy-allow-db.yaml
      """)
    let changed = try rows(diff(box, "p.port manifests:d"))
    let opened = changed.filter { $0["kind"] as? String == "opens" }
    #expect(
      opened.map(cause) == [
        "NetworkPolicy shop/allow-web d/networkpolicy-allow-web.yaml:2 spec.ingress[0], spec.ingress[1]"
      ], "\(opened)")
    #expect((opened.first?["flows"] as? [String])?.first?.contains("203.0.112.0/24") == true, "\(opened)")
    #expect((opened.first?["cause"] as? [String: Any])?["owner"] as? String == "a", "\(opened)")
    // What the policy opens and the manifests do not is told by the line of the policy.
    let closed = changed.filter { $0["kind"] as? String == "closes" }
    #expect(closed.count == 3 && closed.allSatisfy { cause($0).contains(" p.port:") }, "\(closed.map(cause))")
    let oneEnd = changed.filter { $0["kind"] as? String == "oneEnd" }
    #expect(
      oneEnd.map(cause) == ["NetworkPolicy shop/allow-db d/networkpolicy-allow-db.yaml:2 spec.ingress[0]"], "\(oneEnd)")
  }

  @Test func objectsOfAListHaveLines() throws {
    func list(_ port: Int) -> String {
      """
      # What a cluster says of itself.
      apiVersion: v1
      kind: List
      items:
      - apiVersion: v1
        kind: ConfigMap
        metadata: {name: c, namespace: shop}
      - apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: db, namespace: shop}
        spec:
          podSelector: {matchLabels: {app: db}}
          ingress:
          - ports: [{port: \(port)}]

      """
    }
    let box = try Sandbox()
    try box.write(list(5432), to: "old.yaml")
    try box.write(list(5433), to: "new.yaml")
    let changed = try rows(diff(box, "manifests:old.yaml manifests:new.yaml"))
    #expect(
      changed.map(cause) == [
        "NetworkPolicy shop/db new.yaml:8 spec.ingress[0]", "NetworkPolicy shop/db old.yaml:8 spec.ingress[0]",
      ], "\(changed)")
    // What closes a pod that was open is the object that does.
    try box.write("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n", to: "open.yaml")
    let closing = try rows(diff(box, "manifests:open.yaml manifests:new.yaml"))
    #expect(closing.map { $0["kind"] as? String } == ["closes"])
    #expect(closing.map(cause) == ["NetworkPolicy shop/db new.yaml:8 NetworkPolicy `db`"], "\(closing)")
  }

  @Test func whatLapsesInAClusterIsToldForALaterDay() throws {
    let box = try Sandbox()
    try box.write(Self.lapsing, to: "p.port")
    #expect(try rows(diff(box, "p.port --then 2027-01-31")).isEmpty)
    let later = try rows(diff(box, "p.port --then 2027-02-01"))
    #expect(later.map { $0["kind"] as? String } == ["closes"])
    #expect(later.first?["flows"] as? [String] == ["5432/tcp from 198.51.100.7 to a pod app=db of `shop`"])
    #expect(later.map(cause).first?.hasPrefix("db p.port:3 ") == true, "\(later)")
    #expect((later.first?["conditions"] as? [String])?.isEmpty == true)
    let one = try box.shell("\"$P\" diff p.port --then 2027-02-01 --cluster prod --today 2026-11-22 --exit-code")
    #expect(one.code == 3, "\(one)")
  }

  @Test func longRowsAreCut() throws {
    func policy(_ rest: String) -> String {
      let services = (0..<15).map {
        "service s\($0) { owner a; purpose \"S\"; port 8443/tcp; expose to 203.0.113.0/24 }\n"
      }
      let workloads = (0..<15).map { "workload s\($0) { namespace shop; pods app=s\($0) }\n" }
      return "owner a { contact \"a@acme.example\" }\n" + services.joined() + "cluster prod { pods 10.42.0.0/16\n"
        + workloads.joined() + "}\n" + rest
    }
    let box = try Sandbox()
    try box.write(policy(""), to: "old.port")
    try box.write(policy("block 203.0.113.7\n"), to: "new.port")
    let blocked = try rows(diff(box, "old.port new.port"))
    #expect(blocked.count == 1, "\(blocked)")
    #expect((blocked.first?["flows"] as? [String])?.count == 12 && blocked.first?["cut"] as? Bool == true)
    #expect(try box.portcullis("diff", "old.port", "new.port").output.contains("    and more\n"))

    func ports(_ publication: String) -> String {
      """
      owner a { contact "a@acme.example" }
      service s { owner a; purpose "S"; port 1000-2099/tcp; expose to internet }
      cluster prod { pods 10.42.0.0/16; workload s { namespace shop; pods app=s; \(publication) } }

      """
    }
    try box.write(ports(""), to: "old.port")
    try box.write(ports("publish cluster"), to: "new.port")
    let ways = try rows(diff(box, "old.port new.port"))
    #expect(ways.map { $0["kind"] as? String } == ["opens", "opens"])
    #expect(ways.allSatisfy { $0["cut"] as? Bool == true }, "\(ways)")
    #expect((ways.first?["flows"] as? [String])?.count == 12)
    #expect(ways.last?["reason"] as? String == "more ways to pods change than are told")
    #expect((ways.last?["flows"] as? [String])?.first?.hasPrefix("2000/tcp from anywhere") == true, "\(ways)")
  }

  @Test func whatOneEndAloneChangesOpensNothing() throws {
    let box = try Sandbox()
    let policy = Self.policy("expose to 203.0.113.0/24", "expose to 198.51.100.7")
    try box.write(policy, to: "old.port")
    try box.write(policy.replacingOccurrences(of: "; uses db", with: ""), to: "new.port")
    for (old, new) in [("old.port", "new.port"), ("new.port", "old.port")] {
      let outcome = try box.portcullis("diff", old, new, "--exit-code")
      #expect(outcome.output.contains("Changes at one end alone"), "\(outcome)")
      let changed = try rows(diff(box, "\(old) \(new)")).filter {
        ($0["flows"] as? [String])?.contains { $0.hasPrefix("5432/tcp") } ?? false
      }
      #expect(changed.map { $0["kind"] as? String } == ["oneEnd"], "\(changed)")
    }
  }

  @Test func hostsThatSayTheSameAreToldTogether() throws {
    func policy(_ audience: String, _ address: String = "192.0.2.1") -> String {
      "owner a { contact \"a@acme.example\" }\n"
        + "service web { owner a; purpose \"Web\"; port 8443/tcp; expose to \(audience) }\n"
        + "service own { owner a; purpose \"Own\"; port 9443/tcp; expose to h1 }\n"
        + "host h1 { address \(address); runs web; runs own }\n"
        + (2...60).map { "host h\($0) { address 192.0.2.\($0); runs web; runs own }\n" }.joined()
    }
    let box = try Sandbox()
    try box.write(policy("10.0.0.0/8"), to: "old.port")
    try box.write(policy("10.0.0.0/8, 203.0.113.0/24"), to: "new.port")
    let opened = try rows(diff(box, "old.port new.port"))
    #expect(opened.count == 1 && (opened.first?["places"] as? [String])?.count == 60, "\(opened)")
    #expect((opened.first?["places"] as? [String])?.last == "host h9")
    // A host whose own declaration is the cause is told with packets to itself.
    try box.write(policy("10.0.0.0/8", "192.0.2.1, 192.0.2.201"), to: "new.port")
    let moved = try rows(diff(box, "old.port new.port"))
    #expect(moved.allSatisfy { cause($0).hasPrefix("host h1 ") }, "\(moved.map(cause))")
    #expect(moved.count == 1 && (moved.first?["places"] as? [String])?.count == 60, "\(moved)")
  }

  @Test func aStatementOfSeveralLinesIsQuotedWhole() throws {
    func policy(_ until: String) -> String {
      Self.policy(
        "expose to 203.0.113.0/24", "expose  to web,\n    192.0.2.7\n    until \(until)\n    ticket \"N-1\"\n")
    }
    let box = try Sandbox()
    try box.write(policy("2027-01-31"), to: "old.port")
    try box.write(policy("2027-02-28"), to: "new.port")
    let changed = try rows(diff(box, "old.port new.port"))
    #expect(
      changed.contains {
        cause($0).hasSuffix("expose  to web, 192.0.2.7 until 2027-02-28 ticket \"N-1\"")
      }, "\(changed.map(cause))")
  }

  @Test func waysOpenCloseAndLeadElsewhere() throws {
    let box = try Sandbox()
    func policy(_ publish: String, _ port: Int = 8443) -> String {
      Self.policy("expose to 203.0.113.0/24", "expose to web", publish: publish)
        .replacingOccurrences(of: "8443/tcp", with: "\(port)/tcp")
    }
    try box.write(policy("publish nodeport 30001"), to: "old.port")
    try box.write(policy("publish nodeport 30002"), to: "moved.port")
    try box.write(policy("publish nodeport 30001", 9443), to: "other.port")
    let moved = try rows(diff(box, "old.port moved.port"))
    #expect(moved.map { $0["kind"] as? String } == ["opens", "closes"], "\(moved)")
    #expect((moved[0]["flows"] as? [String])?.first?.hasPrefix("30002/tcp from anywhere to a node") == true)
    let other = try rows(diff(box, "old.port other.port")).filter {
      ($0["flows"] as? [String])?.contains { $0.contains("to a node") } ?? false
    }
    #expect(other.map { $0["kind"] as? String } == ["translates"], "\(other)")
  }

  @Test func newAndGoneClustersAreToldInFull() throws {
    let box = try Sandbox()
    let policy = Self.policy("expose to 203.0.113.0/24", "expose to web", publish: "publish nodeport 30001")
    try box.write(policy, to: "with.port")
    try box.write(String(policy.prefix(upTo: policy.range(of: "cluster prod")!.lowerBound)), to: "without.port")
    let new = try diff(box, "without.port with.port")
    #expect(new["addedClusters"] as? [String] == ["prod"])
    let opened = try rows(new)
    #expect(opened.allSatisfy { $0["kind"] as? String == "opens" }, "\(opened)")
    let flows = opened.flatMap { $0["flows"] as? [String] ?? [] }
    for words in [
      "8443/tcp from 203.0.113.0/24 to a pod app=web of `shop`",
      "5432/tcp from a pod app=web of `shop` to a pod app=db of `shop`",
    ] { #expect(flows.contains(words), "\(flows)") }
    #expect(flows.contains { $0.hasPrefix("30001/tcp from anywhere to a node") }, "\(flows)")
    let witnesses = opened.compactMap { ($0["witness"] as? [String: String])?["before"] }
    #expect(witnesses.contains("the cluster is not in the policy"), "\(witnesses)")
    let gone = try rows(diff(box, "with.port without.port"))
    #expect(gone.allSatisfy { $0["kind"] as? String == "closes" } && gone.count == opened.count, "\(gone)")
    let closing = try box.portcullis("diff", "with.port", "without.port", "--exit-code")
    #expect(closing.code == 3 && closing.output.contains("Cluster prod is gone: all"), "\(closing)")
    #expect(try box.portcullis("diff", "without.port", "with.port", "--exit-code").code == 4)
  }

  @Test func whatEveryNetworkPluginDoesIsToldOnce() throws {
    func manifest(_ length: Int, _ port: String = "80") -> String {
      """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: web, namespace: shop}
      spec:
        podSelector: {matchLabels: {app: web}}
        ingress:
        - from: [{ipBlock: {cidr: 10.0.0.0/\(length)}}]
          ports: [{port: \(port)}]

      """
    }
    let box = try Sandbox()
    for port in ["80", "http"] {
      try box.write(manifest(8, port), to: "old.yaml")
      try box.write(manifest(9, port), to: "new.yaml")
      let closed = try rows(diff(box, "manifests:old.yaml manifests:new.yaml"))
      #expect(closed.map { $0["kind"] as? String } == ["closes", "closes"], "\(closed)")
      let conditions = closed.map { row in
        (row["conditions"] as? [String] ?? []).filter { $0.hasPrefix("where the network plugin") }
      }
      let plugin = "where the network plugin finds pods in blocks of addresses (such as Calico)"
      #expect(conditions == [[], [plugin + ", from pods in 10.128.0.0/9"]], "\(closed)")
      #expect((closed.first?["flows"] as? [String])?.first?.contains("from 10.128.0.0/9 to a pod app=web") == true)
    }
    // What the manifests leave open says so, at both ends.
    try box.write(Self.policy("expose to 203.0.113.0/24", "expose to web"), to: "p.port")
    let opened = try rows(diff(box, "p.port manifests:new.yaml")).filter { $0["cause"] is NSNull }
    #expect(
      opened.map { $0["reason"] as? String } == opened.map { _ in "nothing in the manifests limits these pods" })
    let both = opened.filter { $0["kind"] as? String == "opens" }
    #expect(both.count == 2 && both.allSatisfy { ($0["conditions"] as? [String])?.isEmpty == true }, "\(both)")
  }

  @Test func whatAControllerPassesOnHasItsPublicationAsCause() throws {
    func policy(_ publish: String) -> String {
      Self.policy("expose to internet", "expose to web", publish: publish)
        .replacingOccurrences(of: "expose to internet;", with: "expose to 192.0.2.0/24;")
        .replacingOccurrences(
          of: "pods 10.42.0.0/16",
          with: "pods 10.42.0.0/16\n  ingress namespace ing pods app.kubernetes.io/name=ingress-nginx")
    }
    let box = try Sandbox()
    try box.write(policy(""), to: "old.port")
    try box.write(policy("publish ingress \"shop.acme.example\" \"/\""), to: "new.port")
    let opened = try rows(diff(box, "old.port new.port"))
    let passed = opened.filter {
      ($0["flows"] as? [String])?.contains { $0.contains("app.kubernetes.io/name=ingress-nginx of `ing` to") } ?? false
    }
    #expect(passed.count == 1 && cause(passed[0]).hasPrefix("web new.port:7 "), "\(opened)")
    let witness = try #require(passed.first?["witness"] as? [String: String])
    #expect(witness["after"] == "open (web, new.port:7:48)")
  }

  @Test func whatAnAddressOfPodsMeansIsNotCalledEqual() throws {
    let box = try Sandbox()
    let policy = Self.policy("expose to 10.43.0.0/16", "expose to web")
    try box.write(policy, to: "old.port")
    try box.write(policy.replacingOccurrences(of: "pods 10.42.0.0/16", with: "pods 10.43.0.0/16"), to: "new.port")
    let outcome = try box.portcullis("diff", "old.port", "new.port", "--exit-code")
    #expect(outcome.code == 4 && !outcome.output.contains("proved"), "\(outcome)")
    #expect(
      outcome.output.contains(
        "Not known here: the addresses of the pods of the cluster `prod` change from 10.42.0.0/16 to 10.43.0.0/16; "
          + "both sides are compared with all of these\n"), "\(outcome)")
    #expect(try diff(box, "old.port new.port")["equal"] as? Bool == false)
    // The same addresses in other words are the same.
    try box.write(
      policy.replacingOccurrences(of: "pods 10.42.0.0/16", with: "pods 10.42.0.0/17, 10.42.128.0/17"), to: "new.port")
    let same = try box.portcullis("diff", "old.port", "new.port", "--exit-code")
    #expect(same.code == 0 && same.output.hasPrefix("Nothing changes: proved"), "\(same)")
  }

  @Test func theFirstAndTheLastWorkloadOfANamespaceAreTheReason() throws {
    let box = try Sandbox()
    let with = Self.policy("expose to 203.0.113.0/24", "expose to 198.51.100.7")
      .replacingOccurrences(of: "workload db { namespace shop;", with: "workload db { namespace data;")
    try box.write(with, to: "with.port")
    let line = "  workload db { namespace data; pods app=db }\n"
    try box.write(
      with.replacingOccurrences(of: line, with: "").replacingOccurrences(of: "; uses db", with: ""), to: "without.port")
    func reasons(_ sides: String, _ kind: String) throws -> Set<String> {
      Set(try rows(diff(box, sides)).filter { $0["kind"] as? String == kind }.compactMap { $0["reason"] as? String })
    }
    #expect(
      try reasons("without.port with.port", "closes")
        == ["a workload of the policy is in the namespace of these pods now"])
    #expect(
      try reasons("with.port without.port", "opens")
        == ["no workload of the policy is in the namespace of these pods any longer"])
  }

  @Test func whatIsWrongTodayIsNotToldForLater() throws {
    // What the manifests lack for good, one line of the policy opens until a day and another one from then on.
    let exposures = "expose to 192.0.2.0/24 until 2027-01-01; expose to 192.0.2.0/23"
    let box = try compiled(Self.policy(exposures, "expose to web", publish: "publish loadbalancer"))
    _ = try box.shell(
      """
      cp -r out/clusters/prod/shop d
      sed -i 's|192.0.2.0/2[34]|192.0.3.0/24|' d/*.yaml
      """)
    for (sides, kind) in [("p.port manifests:d", "closes"), ("manifests:d p.port", "opens")] {
      let document = try diff(box, sides)
      #expect(try rows(document, "later").isEmpty, "\(document)")
      let told = try rows(document).filter { $0["kind"] as? String == kind }
      #expect(
        told.contains { ($0["flows"] as? [String])?.contains { $0.contains("192.0.2.0/24") } ?? false }, "\(told)")
    }
  }

  @Test func theAgeOfALineIsToldWhereItsPathDoesNot() throws {
    let box = try compiled(Self.policy("expose to 203.0.113.0/24", "expose to web"))
    let other = Self.policy("expose to 203.0.113.7", "expose to web")
    try box.write(other, to: "p.port")
    for folder in ["out", "out/"] {
      let told = try box.portcullis("diff", "manifests:\(folder)", "p.port").output
      #expect(told.contains("because of NetworkPolicy shop/allow-web at out/"), "\(told)")
      #expect(!told.contains("(manifests:"), "\(told)")
    }
  }
}
