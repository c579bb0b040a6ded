import ArgumentParser
import Driver
import Firewalls
import Policies
import Reports
import Syntax

/// `portcullis compile`.
struct CompileCommand: ParsableCommand {
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

  func run() throws {
    let pipeline = try policy.soundPipeline(failing: failure.failing)
    if let output {
      let files = try accepted(pipeline.compileAll(), of: pipeline)
      let (written, removed) = try OutputFolder(output).keep(files)
      Terminal.say("\(files.count) files: \(written) written, \(removed) removed\n")
    } else if let host {
      guard let index = pipeline.policy.hosts.firstIndex(where: { $0.name.value == host }) else {
        Terminal.fail("`\(host)` is no host of the policy; those are \(list(pipeline.policy.hosts.map(\.name.value)))")
      }
      for target in Targets.requestable where target.name == to {
        let files = try accepted(pipeline.compile(ID<Host>(index), to: target), of: pipeline)
        for file in files { try Terminal.print(file.text) }
      }
    } else if let cluster {
      guard let index = pipeline.policy.clusters.firstIndex(where: { $0.name.value == cluster }) else {
        let names = list(pipeline.policy.clusters.map(\.name.value))
        Terminal.fail("`\(cluster)` is no cluster of the policy; those are \(names)")
      }
      for target in Targets.clusters where target.name == to ?? "kubernetes" {
        let files = try accepted(pipeline.compile(ID<Cluster>(index), to: target), of: pipeline)
        // The list of the files means nothing in a stream of them.
        let manifests = files.filter { $0.path != "kustomization.yaml" }
        try Terminal.print(manifests.map { $0.text.hasPrefix("---\n") ? $0.text : "---\n" + $0.text }.joined())
      }
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
