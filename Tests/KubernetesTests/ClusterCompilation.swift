import Firewalls
import Kubernetes
import Packets
import Policies
import Syntax
import Testing

/// Tests that compile one cluster.
protocol ClusterCompilation {}

extension ClusterCompilation {
  func compile(_ firewall: ClusterFirewall) -> Compilation {
    KubernetesBackend.compile(firewall, sources: lines, today: today)
  }

  func codes(_ firewall: ClusterFirewall) -> [String] {
    compile(firewall).diagnostics.map { "\($0.severity.name) \($0.code) \($0.primary.span.lower / 10 + 1)" }
  }

  /// Returns the file at `path` as Yams reads it.
  func file(_ path: String, of firewall: ClusterFirewall) throws -> YAML {
    let compilation = compile(firewall)
    try expectSound(compilation)
    return try readByYams(try #require(compilation.artefacts.first { $0.path == path }).text)
  }

  func policy(_ change: (inout PodFirewall) -> Void) throws -> YAML {
    try file("web/networkpolicy-allow-shop.yaml", of: cluster(workload(change: change)))
  }
}
