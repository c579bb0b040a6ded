import Firewalls
import Foundation
import Kubernetes
import Packets
import Policies
import Support
import Syntax
import Testing

/// Whole policies, from their text to their manifests.
@Suite struct GoldenKubernetesTests {
  static let cases = ["everything", "shop"]

  /// Returns what becomes of the cluster `prod` of the policy in the folder `name`.
  static func compile(_ name: String) throws -> (compilation: Compilation, reading: Reading) {
    let text = try String(contentsOf: golden("\(name)/policy.port"), encoding: .utf8)
    let reading = Reading([("policy.port", text)])
    #expect(reading.diagnostics.allSatisfy { $0.severity < .error }, "\(reading.findings)")
    let cluster = try #require(reading.policy.cluster(named: "prod"))
    let firewall = Lowering(reading.policy).firewall(of: cluster, on: today)
    return (KubernetesBackend.compile(firewall, sources: reading.sources, today: today), reading)
  }

  @Test(arguments: cases) func manifestsStayAsTheyAre(name: String) throws {
    let (compilation, reading) = try Self.compile(name)
    for artefact in compilation.artefacts { expectGolden(artefact.text, at: golden("\(name)/\(artefact.path)")) }
    let findings = compilation.diagnostics.map { reading.text(of: $0) + "\n" }.joined(separator: "\n")
    expectGolden(findings, at: golden("\(name)/findings.txt"))
    try expectSound(compilation)
    // Nothing else lies in the folder.
    let expected = Set(compilation.artefacts.map(\.path)).union(["policy.port", "findings.txt"])
    let found = try FileManager.default.subpathsOfDirectory(atPath: golden(name).path)
      .filter { $0.contains(".") && !$0.hasSuffix(".observed") }
    #expect(Set(found) == expected)
  }

  @Test(arguments: cases) func schemasOfTheAPITakeThem(name: String) throws {
    let validator = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../.tools/kubernetes/bin/kubernetes-validate").standardizedFileURL
    try #require(
      FileManager.default.isExecutableFile(atPath: validator.path), "kubernetes-validate is missing: run `make setup`")
    let manifests = try Self.compile(name).compilation.artefacts.filter { $0.path != Kustomization.path }
    let process = Process()
    process.executableURL = validator
    process.arguments =
      ["--strict", "--quiet", "--no-warn"] + manifests.map { golden("\(name)/\($0.path)").path }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(text)")
  }

  @Test func goldenClustersMeanWhatTheySay() throws {
    for name in Self.cases {
      let (compilation, reading) = try Self.compile(name)
      let cluster = try #require(reading.policy.cluster(named: "prod"))
      let meaning = Meaning(firewall: Lowering(reading.policy).firewall(of: cluster, on: today), today: today)
      let policies = try compilation.artefacts.map { try readByYams($0.text) }
        .filter { $0["kind"] == .string("NetworkPolicy") }
      var pods = [
        Endpoint(address: "203.0.113.9"), Endpoint(address: "192.0.2.66"), Endpoint(address: "2001:db8:66::1"),
        Endpoint(address: "2001:db8:10::1"), Endpoint(address: "10.8.0.1"), Endpoint(address: "198.51.100.200"),
        Endpoint(address: "192.0.2.30"), Endpoint(address: "8.8.8.8"),
        Endpoint(address: "10.42.0.9", namespace: "kube-system", labels: ["k8s-app": "kube-dns"]),
        Endpoint(
          address: "10.42.0.8", namespace: "ingress-nginx", labels: ["app.kubernetes.io/name": "ingress-nginx"]),
        Endpoint(address: "fd42::77", namespace: "strange", labels: ["app": "db"]),
      ]
      for (i, workload) in meaning.firewall.workloads.enumerated() {
        pods.append(
          Endpoint(
            address: "10.42.1.\(i)", namespace: workload.namespace,
            labels: Dictionary(uniqueKeysWithValues: workload.labels.map { ($0.key, $0.value) })))
      }
      let traffic =
        meaning.firewall.workloads.flatMap { $0.ports.map(\.traffic) } + [udp(53), tcp(53), tcp(443), tcp(80), tcp(22)]
      for blocksMatchPods in [true, false] {
        let reachability = Reachability(policies: policies, blocksMatchPods: blocksMatchPods)
        for source in pods {
          for destination in pods {
            for traffic in traffic {
              let transport = ["tcp": "TCP", "udp": "UDP", "sctp": "SCTP"][traffic.transport.description] ?? ""
              let range = try #require(traffic.ports)
              for port in [range.lower, range.upper] {
                let packet = Traffic.ports(traffic.transport, .init(port))
                #expect(
                  reachability.allows(source, destination, transport, Int(port))
                    == meaning.allows(source, destination, packet), "\(name): \(source) → \(destination) \(packet)")
              }
            }
          }
        }
      }
    }
  }
}
