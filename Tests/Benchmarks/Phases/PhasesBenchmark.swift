import Driver
import Firewalls
import Foundation
import Iptables
import Kubernetes
import Nftables
import Policies
import Syntax

/// Measures what each phase of a compile takes, one after the other, and writes it as JSON: `phases TIMES FOLDER`.
///
/// The program itself does some of them at the same time, so that it takes less than their sum.
@main
struct PhasesBenchmark {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3, let times = Int(arguments[1]) else {
      FileHandle.standardError.write(Data("usage: phases TIMES FOLDER\n".utf8))
      exit(2)
    }
    let folder = URL(fileURLWithPath: arguments[2], isDirectory: true)
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "port" }.sorted { $0.path < $1.path }
      .map { SourceFile(path: $0.lastPathComponent, bytes: try Array(Data(contentsOf: $0))) }
    var watch = Stopwatch()
    for _ in 0..<max(1, times) { try await run(files, &watch) }
    print(watch.text)
  }

  /// Goes through all phases once.
  private static func run(_ files: [SourceFile], _ watch: inout Stopwatch) async throws {
    let start = ContinuousClock().now
    var pipeline = Pipeline(Sources(files), on: CalendarDate(daysSinceEpoch: 20_780))
    await pipeline.prepare()
    watch.note("read", since: start)
    guard pipeline.isSound, let lowering = pipeline.lowering else { throw Unsound(text: "\(pipeline.diagnostics)") }
    let checking = ContinuousClock().now
    await pipeline.check()
    watch.note("check", since: checking)
    if let firewall = pipeline.firewalls.first, !firewall.openings.isEmpty {
      let prover = watch.time("meaning of the policy") { Prover(firewall) }
      _ = watch.time("fingerprint") { prover.fingerprint() }
      for target in [NftablesBackend.self, IPv4Backend.self, IPv6Backend.self] as [any HostBackend.Type] {
        let made = watch.time("\(target.name), compile") { target.compile(firewall, sources: pipeline.sources) }
        let proof = watch.time("\(target.name), prove") { prover.prove(made.artefacts, of: target) }
        guard proof?.holds == true else { throw Unsound(text: "\(target.name): \(String(describing: proof))") }
      }
    }
    if let cluster = pipeline.policy.clusters.indices.first {
      let firewall = lowering.firewall(of: ID(cluster), on: pipeline.today)
      let made = watch.time("kubernetes, compile") {
        KubernetesBackend.compile(firewall, sources: pipeline.sources, today: pipeline.today)
      }
      let proof = watch.time("kubernetes, prove") {
        Pipeline.prove(made.artefacts, of: KubernetesBackend.self, mean: firewall, on: pipeline.today)
      }
      guard proof?.holds == true else { throw Unsound(text: "kubernetes: \(String(describing: proof))") }
    }
  }

  /// A policy or an output that cannot be measured, since something is wrong with it.
  struct Unsound: Error {
    var text: String
  }
}

/// What was measured, by phase.
struct Stopwatch {
  private var runs: [String: [Duration]] = [:]
  private var order: [String] = []

  /// Notes that `phase` took the time since `start`.
  mutating func note(_ phase: String, since start: ContinuousClock.Instant) {
    if runs[phase] == nil { order.append(phase) }
    runs[phase, default: []].append(ContinuousClock().now - start)
  }

  /// Does `work`, which is `phase`.
  mutating func time<Result>(_ phase: String, _ work: () -> Result) -> Result {
    let start = ContinuousClock().now
    let result = work()
    note(phase, since: start)
    return result
  }

  /// The medians in milliseconds, as JSON.
  var text: String {
    let medians = order.map { phase in
      let sorted = runs[phase, default: []].sorted()
      return "\"\(phase)\": \(sorted[sorted.count / 2] / .milliseconds(1))"
    }
    return "{" + medians.joined(separator: ", ") + "}"
  }
}
