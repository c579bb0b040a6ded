import ArgumentParser
import Driver
import Firewalls
import Policies
import Reports
import Syntax

/// `portcullis compile`.
struct CompileCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compile",
    abstract: "Translate a policy to what hosts and clusters load.",
    discussion: """
      One artefact goes to standard output; --all writes every one below --output, each at once, and removes the
      files of an earlier run that are no longer wanted. Nothing is written if anything is wrong.

      Examples:
        portcullis compile --host web1 --to nftables
        portcullis compile --cluster prod | kubectl apply --server-side -f -
        portcullis compile --all --output build
      """)

  @OptionGroup var policy: PolicyOptions

  @OptionGroup var failure: FailureOptions

  @Option(help: "The host.")
  var host: String?

  @Option(help: "The cluster.")
  var cluster: String?

  @Option(help: "The target: \(Targets.names.joined(separator: ", ")).")
  var to: String?

  @Flag(help: "Compile every host and cluster to every target.")
  var all = false

  @Option(help: "The folder that --all writes to; it is made if it is missing.", completion: .directory)
  var output: String?

  func validate() throws {
    guard [host != nil, cluster != nil, all].filter({ $0 }).count == 1 else {
      throw ValidationError("Say one of --host NAME, --cluster NAME and --all.")
    }
    if all != (output != nil) { throw ValidationError("--all and --output DIR go together.") }
    if output == "" { throw ValidationError("--output needs the path of a folder.") }
    if all, to != nil { throw ValidationError("--all compiles to every target; leave --to out.") }
    if host != nil, to == nil {
      throw ValidationError("Say the target with --to: \(Targets.requestable.map { $0.name }.joined(separator: ", ")).")
    }
    if let to, host != nil, !Targets.requestable.contains(where: { $0.name == to }) {
      let names = Targets.requestable.map { $0.name }.joined(separator: ", ")
      throw ValidationError("`\(to)` is no target of a host; those are \(names).")
    }
    if let to, cluster != nil, !Targets.clusters.contains(where: { $0.name == to }) {
      let names = Targets.clusters.map { $0.name }.joined(separator: ", ")
      throw ValidationError("`\(to)` is no target of a cluster; those are \(names).")
    }
  }

  func run() async throws {
    let (host, cluster, to) = (host, cluster, to)
    let (pipeline, compilation) = try await policy.soundPipeline(failing: failure.failing) { pipeline in
      await pipeline.compilation(ofHost: host, orCluster: cluster, to: to)
    }
    guard let compilation else {
      let known = host == nil ? pipeline.policy.clusters.map(\.name.value) : pipeline.policy.hosts.map(\.name.value)
      let kind = host == nil ? "cluster" : "host"
      Terminal.fail("`\(host ?? cluster ?? "")` is no \(kind) of the policy; those are \(list(known))")
    }
    let files = try accepted(compilation, of: pipeline)
    if let output {
      let (written, removed) = try OutputFolder(output).keep(files)
      Terminal.say("\(files.count) files: \(written) written, \(removed) removed\n")
    } else if cluster != nil {
      // The list of the files means nothing in a stream of them, but for what it says of all.
      let meaning = files.first { $0.path == "kustomization.yaml" }?.text.split(separator: "\n")
        .first { $0.hasPrefix("# Meaning: ") }
      if let meaning { try Terminal.print(meaning + "\n") }
      let manifests = files.filter { $0.path != "kustomization.yaml" }
      try Terminal.print(manifests.map { $0.text.hasPrefix("---\n") ? $0.text : "---\n" + $0.text }.joined())
    } else {
      for file in files { try Terminal.print(file.text) }
    }
    Terminal.leave(holding: pipeline)
  }

  /// Returns the files of `compilation` unless the target could not express something.
  private func accepted(_ compilation: Compilation, of pipeline: Pipeline) throws -> [Artefact] {
    var report = policy.report(pipeline, failing: failure.failing)
    report.diagnostics = compilation.diagnostics
    report.waived = []
    if !compilation.diagnostics.isEmpty { Terminal.say(render(report, as: .text, color: Terminal.hasColors)) }
    if report.fails { throw ExitCode.found }
    return compilation.artefacts
  }

  /// Returns `names` as a list of moderate length.
  private func list(_ names: [String]) -> String {
    if names.isEmpty { return "none" }
    return names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", and \(names.count - 10) more" : "")
  }
}

extension Pipeline {
  /// Returns the files of the target `name` for the host or the cluster, or all files if neither is named; nothing if
  /// the policy has no such host or cluster.
  fileprivate func compilation(
    ofHost host: String?, orCluster cluster: String?, to name: String?
  ) async -> Compilation? {
    if let host {
      guard let index = policy.hosts.firstIndex(where: { $0.name.value == host }),
        let target = Targets.requestable.first(where: { $0.name == name })
      else { return nil }
      return await compile(ID<Host>(index), to: target)
    }
    if let cluster {
      guard let index = policy.clusters.firstIndex(where: { $0.name.value == cluster }),
        let target = Targets.clusters.first(where: { $0.name == name ?? "kubernetes" })
      else { return nil }
      return compile(ID<Cluster>(index), to: target)
    }
    return await compileAll()
  }
}
