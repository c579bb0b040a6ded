public import ArgumentParser
import Checks
import Driver
import Policies
public import Reports
public import Syntax

extension CalendarDate: ExpressibleByArgument {
  /// Creates the day written `2026-12-31`.
  public init?(argument: String) { self.init(argument) }
}

extension ReportFormat: ExpressibleByArgument {}

/// How an answer is written.
enum AnswerFormat: String, CaseIterable, ExpressibleByArgument {
  case text, json
}

/// What fails a run.
struct FailureOptions: ParsableArguments {
  @Flag(help: "Let warnings fail the run too.")
  var strict = false

  /// The least severity that fails the run.
  var failing: Severity { strict ? .warning : .error }
}

/// What every command that reads a policy takes.
struct PolicyOptions: ParsableArguments {
  @Argument(help: "The policy: a file, or a folder of `*.port` files.", completion: .file(extensions: ["port"]))
  var path = "policies"

  @Option(help: ArgumentHelp("Judge the policy as on this day (default: today, UTC).", valueName: "yyyy-mm-dd"))
  var today: CalendarDate?

  /// Reads the policy and goes the way to its firewalls; `isIncomplete` says that something could not be read.
  func prepared() async -> (pipeline: Pipeline, isIncomplete: Bool) {
    let files = PolicyFiles([path])
    var pipeline = Pipeline(files.sources, on: today ?? Terminal.today, found: files.diagnostics)
    await pipeline.prepare()
    return (pipeline, files.isIncomplete)
  }

  /// Returns the report of what `pipeline` found, which fails from the severity `failing` on.
  func report(_ pipeline: Pipeline, failing: Severity = .error) -> FindingsReport {
    FindingsReport(
      version: Portcullis.version,
      title: pipeline.policy.settings.title.isEmpty ? nil : pipeline.policy.settings.title,
      sources: pipeline.sources, diagnostics: pipeline.diagnostics,
      waived: pipeline.waived.map { w in
        .init(
          w.diagnostic, because: w.waiver.provenance.because ?? "",
          until: w.waiver.provenance.until.map { "\($0.value)" }, ticket: w.waiver.provenance.ticket)
      },
      // What does not resolve is not judged.
      checks: pipeline.lowering == nil ? [] : Check.all.map { $0.described }, failing: failing)
  }

  /// Returns the policy with its firewalls, unless it means nothing: then its findings are said and the run ends.
  func resolvedPipeline() async throws -> Pipeline {
    let (pipeline, _) = await prepared()
    if pipeline.lowering == nil {
      Terminal.say(render(report(pipeline), as: .text, color: Terminal.hasColors))
      throw ExitCode.notRun
    }
    return pipeline
  }

  /// Returns the judged policy and what `work` makes of it while it is judged, unless something of the severity `failing`
  /// is wrong with it: then its findings are said and the run ends.
  ///
  /// Findings that fail nothing are for `check` to say.
  func soundPipeline<Product: Sendable>(
    failing: Severity, meanwhile work: @escaping @Sendable (Pipeline) async throws -> Product
  ) async throws -> (Pipeline, Product) {
    let prepared = try await resolvedPipeline()
    async let product = work(prepared)
    var pipeline = prepared
    await pipeline.check()
    let report = report(pipeline, failing: failing)
    if report.fails {
      Terminal.say(render(report, as: .text, color: Terminal.hasColors))
      throw ExitCode.found
    }
    return (pipeline, try await product)
  }
}

extension Pipeline {
  /// Returns the policy in `files` as it is on the day `today`, resolved and not judged, unless it means nothing: then its
  /// findings are said and the run ends.
  static func resolved(_ files: PolicyFiles, on today: CalendarDate?) async throws -> Pipeline {
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

extension Check {
  /// The check as reports describe it.
  var described: FindingsReport.Check {
    .init(
      name: name, summary: summary, help: "What it does: \(page.what)\n\nWhy it matters: \(page.why)",
      markdown: """
        **What it does**

        \(page.what)

        **Why it matters**

        \(page.why)

        **Example**

        ```port
        \(policies.example)
        ```

        **Use instead**

        ```port
        \(policies.instead)
        ```
        """, severity: severity)
  }
}
