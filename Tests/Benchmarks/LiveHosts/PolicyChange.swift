import Deploy
import Driver
import Firewalls
import Foundation
import Netlink
import Nftables
import Policies
import Syntax

/// A change of one line of a policy, carried out on a live host in turn with `nft -f` of the new ruleset.
enum PolicyChange {
  /// Measures the change from the policy in `folder` to that in `changed`, and back.
  ///
  /// `read, plan, prove and apply` is all that `portcullis apply` does with the kernel once the new policy is compiled and
  /// proved, and `plan, prove and apply` is it if the table was read before, such as while the policy was compiled.
  static func measure(_ folder: String, _ changed: String, _ rounds: Int, _ watch: inout Stopwatch) async throws {
    let before = try await HostPolicy(folder)
    let after = try await HostPolicy(changed)
    let rulesets = try [after.ruleset(), before.ruleset()]
    let files = rulesets.map { ruleset in
      Script([.ensure(Deployment.table), .delete(Deployment.table), .define(ruleset.table)]).text
    }
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("live-hosts-\(getpid()).nft")
    defer { try? FileManager.default.removeItem(at: file) }
    let deployment = Deployment(to: try Kernel())
    try deployment.change(by: { try .from($0, to: rulesets[1].table) }, proving: rulesets[1].prove)
    for _ in 0..<rounds {
      for ruleset in rulesets {
        let live = try watch.time("read") { try deployment.live() }
        _ = try watch.time("plan") { try Plan.from(live, to: ruleset.table) }
        try watch.time("plan, prove and apply") {
          try deployment.change(by: { try .from($0, to: ruleset.table) }, proving: ruleset.prove, knowing: live)
        }
        guard let live = try deployment.live(), live.ruleset.isLike(ruleset.table) else {
          throw Failure(how: "nothing applied")
        }
      }
      for ruleset in rulesets {
        try watch.time("read, plan, prove and apply") {
          try deployment.change(by: { try .from($0, to: ruleset.table) }, proving: ruleset.prove)
        }
      }
      for text in files {
        try text.write(to: file, atomically: false, encoding: .utf8)
        try watch.time("nft -f") { try run("/usr/sbin/nft", "-f", file.path) }
      }
    }
  }
}

/// A policy with the firewall of its first host.
struct HostPolicy {
  let pipeline: Pipeline
  let firewall: Firewall

  /// Reads the policy in the folder `path`.
  init(_ path: String) async throws {
    let folder = URL(fileURLWithPath: path, isDirectory: true)
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "port" }.sorted { $0.path < $1.path }
      .map { SourceFile(path: $0.lastPathComponent, bytes: try Array(Data(contentsOf: $0))) }
    var pipeline = Pipeline(Sources(files), on: CalendarDate(daysSinceEpoch: 20_780))
    await pipeline.prepare()
    guard pipeline.isSound, let firewall = pipeline.firewalls.first else {
      throw Failure(how: "\(pipeline.diagnostics)")
    }
    self.pipeline = pipeline
    self.firewall = firewall
  }

  /// Compiles and proves the ruleset.
  func ruleset() throws -> WantedRuleset {
    let (table, found) = NftablesBackend.table(for: firewall, sources: pipeline.sources)
    guard found.isEmpty else { throw Failure(how: "\(found)") }
    return try WantedRuleset(table, of: firewall)
  }
}
