import ArgumentParser
import Driver
import Firewalls
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

      Exit codes: 0 nothing changes; 1 something does; 2 could not run. With --exit-code: 0 nothing changes, 3 traffic
      only closes, 4 traffic opens, or may have.

      Examples:
        portcullis diff main/policies policies
        portcullis diff --against origin/main policies
        portcullis diff --host web1 --format json old new
        portcullis diff --then 2027-04-01 policies
        portcullis diff policies --host web1 iptables:/etc/iptables/rules.v4
      """)

  /// How a difference is written.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text, json
  }

  @Argument(
    help: """
      The old and the new policy; with --against or --then, the one policy. With --host, one of them may be rules of \
      another program: iptables:FILE, ip6tables:FILE (as iptables-save writes them) or nft:FILE (nft -j list ruleset).
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

  @Option(help: "How the answer is written: text or json.")
  var format = Format.text

  @Flag(help: "Tell by the exit code whether traffic opens (4) or only closes (3).")
  var exitCode = false

  func validate() throws {
    if against != nil, then != nil { throw ValidationError("--against and --then exclude one another.") }
    if against != nil || then != nil {
      guard paths.count <= 1 else { throw ValidationError("With --against or --then there is one policy.") }
    } else if paths.count != 2 {
      throw ValidationError("Name the old and the new policy, or say --against GITREF or --then DATE.")
    }
    let foreign = paths.filter { ForeignRules.place($0) != nil }
    if !foreign.isEmpty {
      guard against == nil, then == nil, foreign.count == 1, host != nil else {
        throw ValidationError("Rules of another program are compared with the policy of one host: say --host NAME.")
      }
    }
    if let then, then < today ?? Terminal.today { throw ValidationError("--then is a day behind --today.") }
    if let against, against.isEmpty || against.hasPrefix("-") {
      throw ValidationError("`\(against)` is no Git commit.")
    }
  }

  func run() async throws {
    for (i, path) in paths.enumerated() {
      if let place = ForeignRules.place(path) { return try await compare(paths[1 - i], with: place, areOld: i == 0) }
    }
    let path = paths.last ?? "policies"
    let new = try await pipeline(PolicyFiles([path]), path)
    let difference: Difference
    let old: String
    if let then {
      let day = today ?? Terminal.today
      old = "\(path) on \(day)"
      difference = .between(ComparedPolicy(new, on: day), ComparedPolicy(new, on: then), host: try known(host, new))
    } else {
      let before: Pipeline
      if let against {
        old = "\(against):\(path)"
        before = try await pipeline(PolicyFiles(commit: against, path), old)
      } else {
        old = paths[0]
        before = try await pipeline(PolicyFiles([old]), old)
      }
      if let host, !before.firewalls.contains(where: { $0.name == host }) { _ = try known(host, new) }
      difference = .between(ComparedPolicy(before), ComparedPolicy(new), host: host)
    }
    try tell(difference, from: old, to: then.map { "\(path) on \($0)" } ?? path)
  }

  /// Compares the policy at `path` with the rules at `place`.
  private func compare(
    _ path: String, with place: (format: ForeignRules.Format, path: String), areOld: Bool
  ) async throws {
    let policy = ComparedPolicy(try await pipeline(PolicyFiles([path]), path))
    guard let host = try known(host, policy.pipeline) else { return }
    let rules = ForeignRules(place.format, path: place.path, text: try PolicyFiles.text(at: place.path))
    let name = "\(place.format.rawValue):\(place.path)"
    try tell(
      .between(policy, host: host, and: rules, areOld: areOld), from: areOld ? name : path, to: areOld ? path : name)
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

  /// Returns the resolved policy in `files`, unless it means nothing: then its findings are said and the run ends.
  private func pipeline(_ files: PolicyFiles, _ path: String) async throws -> Pipeline {
    var pipeline = Pipeline(files.sources, on: today ?? Terminal.today, found: files.diagnostics)
    await pipeline.prepare()
    guard pipeline.isSound else {
      let report = FindingsReport(
        version: Portcullis.version, title: nil, sources: pipeline.sources, diagnostics: pipeline.diagnostics,
        waived: [], checks: [], failing: .error)
      Terminal.say(render(report, as: .text, color: Terminal.hasColors))
      throw ExitCode.notRun
    }
    return pipeline
  }
}
