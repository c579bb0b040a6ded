import ArgumentParser
import Driver
import Firewalls
import Policies
import Reports
import Syntax

/// `portcullis diff`.
struct DiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Say exactly which traffic a change opens and closes.",
    discussion: """
      Both policies are turned into exact sets of packets, so that nothing is missed and nothing is guessed: what opens,
      what closes, by which line, with a packet as a witness. If nothing is printed as changed, nothing changes.

      Exit codes: 0 nothing changes; 1 something does; 2 could not run. With --exit-code: 0 nothing changes, 3 no
      traffic opens, 4 traffic opens, or may have.

      Examples:
        portcullis diff main/policies policies
        portcullis diff --against origin/main policies
        portcullis diff --host web1 --format json old new
        portcullis diff --then 2027-04-01 policies
        portcullis diff policies --host web1 iptables:/etc/iptables/rules.v4
        portcullis diff policies --cluster prod manifests:deploy/
      """)

  @Argument(
    help: """
      The old and the new policy; with --against or --then, the one policy. With --host, one of them may be rules of \
      another program: iptables:FILE, ip6tables:FILE (as iptables-save writes them) or nft:FILE (nft -j list ruleset); \
      with --cluster, Kubernetes manifests: manifests:DIR. Two of one kind are compared without a policy.
      """,
    completion: .file(extensions: ["port"]))
  var paths: [String] = []

  @Option(help: ArgumentHelp("Compare with the policy in this Git commit.", valueName: "gitref"))
  var against: String?

  @Option(help: ArgumentHelp("Compare the policy on --today with itself on this day.", valueName: "yyyy-mm-dd"))
  var then: CalendarDate?

  @Option(help: ArgumentHelp("Leave out what is past on this day (default: today, UTC).", valueName: "yyyy-mm-dd"))
  var today: CalendarDate?

  @Option(help: "Compare this host alone.")
  var host: String?

  @Option(help: "Compare this cluster alone.")
  var cluster: String?

  @Option(help: "How the answer is written: text or json.")
  var format = AnswerFormat.text

  @Flag(help: "Tell by the exit code whether traffic opens (4) or not (3).")
  var exitCode = false

  func validate() throws {
    if against != nil, then != nil { throw ValidationError("--against and --then exclude one another.") }
    if against != nil || then != nil {
      guard paths.count <= 1 else { throw ValidationError("With --against or --then there is one policy.") }
    } else if paths.count != 2 {
      throw ValidationError("Name the old and the new policy, or say --against GITREF or --then DATE.")
    }
    let foreign = paths.compactMap { ForeignRules.place($0)?.format }
    if !foreign.isEmpty {
      guard against == nil, then == nil else { throw ValidationError("--against and --then are for policies alone.") }
      let areManifests = foreign.map { $0 == .manifests }
      if foreign.count == 2 {
        guard areManifests[0] == areManifests[1] else {
          throw ValidationError("Manifests are rules of a cluster, and the others of a host.")
        }
        guard host == nil, cluster == nil else { throw ValidationError("--host and --cluster are for policies.") }
      } else if areManifests[0] ? host != nil : host == nil || cluster != nil {
        throw ValidationError(
          areManifests[0]
            ? "Manifests are compared with the policy of one cluster: say --cluster NAME."
            : "Rules of another program are compared with the policy of one host: say --host NAME.")
      }
    }
    if host != nil, cluster != nil { throw ValidationError("--host and --cluster exclude one another.") }
    if let then, then < today ?? Terminal.today { throw ValidationError("--then is a day behind --today.") }
    if let against, against.isEmpty || against.hasPrefix("-") {
      throw ValidationError("`\(against)` is no Git commit.")
    }
  }

  func run() async throws {
    let foreign = try paths.map { try ForeignRules.place($0).map { try ForeignRules(at: $0) } }
    if paths.count == 2, let old = foreign[0], let new = foreign[1] {
      return try tell(.between(old, new, on: today ?? Terminal.today), from: old.name, to: new.name)
    }
    for (i, rules) in foreign.enumerated() {
      if let rules { return try await compare(paths[1 - i], with: rules, areOld: i == 0) }
    }
    let path = paths.last ?? "policies"
    let new = try await Pipeline.resolved(PolicyFiles([path]), on: today)
    let difference: Difference
    let old: String
    if let then {
      let day = today ?? Terminal.today
      old = "\(path) on \(day)"
      difference = .between(
        ComparedPolicy(new, on: day), ComparedPolicy(new, on: then), host: try known(host, new),
        cluster: try cluster.map { try known(cluster: $0, new) })
    } else {
      let before: Pipeline
      if let against {
        old = "\(against):\(path)"
        before = try await Pipeline.resolved(PolicyFiles(commit: against, path), on: today)
      } else {
        old = paths[0]
        before = try await Pipeline.resolved(PolicyFiles([old]), on: today)
      }
      if let cluster, !before.policy.clusters.contains(where: { $0.name.value == cluster }) {
        _ = try known(cluster: cluster, new)
      }
      if let host, !before.firewalls.contains(where: { $0.name == host }) { _ = try known(host, new) }
      difference = .between(ComparedPolicy(before), ComparedPolicy(new), host: host, cluster: cluster)
    }
    try tell(difference, from: old, to: then.map { "\(path) on \($0)" } ?? path)
  }

  /// Compares the policy at `path` with `rules`.
  private func compare(_ path: String, with rules: ForeignRules, areOld: Bool) async throws {
    let policy = ComparedPolicy(try await Pipeline.resolved(PolicyFiles([path]), on: today))
    let difference: Difference
    if rules.format == .manifests {
      difference = .between(policy, cluster: try known(cluster: cluster, policy.pipeline), and: rules, areOld: areOld)
    } else {
      guard let host = try known(host, policy.pipeline) else { return }
      difference = .between(policy, host: host, and: rules, areOld: areOld)
    }
    try tell(difference, from: areOld ? rules.name : path, to: areOld ? path : rules.name)
  }

  /// Prints `difference`, and ends the run as it wants.
  private func tell(_ difference: Difference, from old: String, to new: String) throws {
    let report = DifferenceReport(difference, from: old, to: new)
    try Terminal.print(format == .json ? report.json : report.text(color: Terminal.outputHasColors))
    if !difference.failures.isEmpty { throw ExitCode.notRun }
    guard !difference.isEmpty else { return }
    if exitCode { throw ExitCode(difference.opens ? 4 : 3) }
    throw ExitCode.found
  }

  /// Returns `host`, unless `pipeline` has no such one.
  private func known(_ host: String?, _ pipeline: Pipeline) throws -> String? {
    guard let host, !pipeline.firewalls.contains(where: { $0.name == host }) else { return host }
    Terminal.fail("`\(host)` is no host of the policy")
  }

  /// Returns the name `cluster`, or that of the only cluster of `pipeline`, if it has such a one.
  private func known(cluster: String?, _ pipeline: Pipeline) throws -> String {
    let names = pipeline.policy.clusters.map(\.name.value)
    if let cluster {
      if names.contains(cluster) { return cluster }
      Terminal.fail("`\(cluster)` is no cluster of the policy")
    }
    if names.count == 1 { return names[0] }
    Terminal.fail("the policy has \(names.count) clusters; name one with `--cluster`")
  }
}
