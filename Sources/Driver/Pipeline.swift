public import Checks
public import Firewalls
public import Policies
public import Syntax

/// The way of a policy from its files to its findings: the phases are the methods, in their order.
public struct Pipeline: Sendable {
  /// The files of the policy.
  public let sources: Sources

  /// The day on which it is judged, in UTC.
  public let today: CalendarDate

  /// The trees of the files, once they are parsed, without their tokens.
  public private(set) var trees: [Tree] = []

  /// The policy, once it is resolved.
  public private(set) var policy = Policy()

  /// The firewalls of its hosts and clusters, once they are derived, which needs a policy that is sound.
  public private(set) var lowering: Lowering?

  /// What was found so far.
  public private(set) var diagnostics: [Diagnostic]

  /// The firewall of each host, by its position.
  public private(set) var firewalls: [Firewall] = []

  /// What was found and is accepted for a time.
  public private(set) var waived: [Judgements.Waived] = []

  /// `true` iff some of the text is missing, so that what it might have declared must not be missed.
  private var isIncomplete: Bool

  /// Creates the way of the policy in `sources`; `found` is what was found while they were read.
  public init(_ sources: Sources, on today: CalendarDate, found: [Diagnostic] = []) {
    self.sources = sources
    self.today = today
    diagnostics = found
    isIncomplete = found.contains { $0.severity == .error }
  }

  /// `true` iff nothing that was found so far is an error.
  public var isSound: Bool { !diagnostics.contains { $0.severity == .error } }

  /// Goes the whole way.
  public mutating func run() async {
    await prepare()
    if lowering != nil { await check() }
  }

  /// Goes the way to the firewalls, as far as the policy is sound.
  public mutating func prepare() async {
    await parseAll()
    resolveNames()
    if isSound { lower() }
  }

  /// Parses all files, at the same time.
  public mutating func parseAll() async {
    let files = sources.files
    let parsed = await withTaskGroup(of: (Int, Tree, [Diagnostic]).self) { group in
      for (i, file) in files.enumerated() {
        group.addTask {
          var (tree, found) = parse(file, at: UInt32(i))
          // They are most of the memory of a tree, and nobody writes it again.
          tree.tokens = []
          return (i, tree, found)
        }
      }
      var results: [(Tree, [Diagnostic])?] = Array(repeating: nil, count: files.count)
      for await (i, tree, found) in group { results[i] = (tree, found) }
      return results.compactMap { $0 }
    }
    trees = parsed.map(\.0)
    diagnostics += parsed.flatMap(\.1)
    isIncomplete = isIncomplete || !isSound
  }

  /// The most errors of resolution that are kept; a person mends the first ones, and later ones often come from them.
  private static let errorLimit = 100

  /// Resolves the names of all trees.
  ///
  /// Of a policy that is incomplete only that is found which more text could not mend.
  public mutating func resolveNames() {
    let found: [Diagnostic]
    (policy, found) = resolve(trees)
    let lasting: Set = ["duplicate-name", "duplicate-settings", "duplicate-workload", "reserved-name"]
    let told = isIncomplete ? found.filter { lasting.contains($0.code) } : found
    let errors = told.filter { $0.severity == .error }.sorted(by: Diagnostic.precedes)
    diagnostics += told.filter { $0.severity != .error } + errors.prefix(Pipeline.errorLimit)
    guard let next = errors.dropFirst(Pipeline.errorLimit).first else { return }
    let count = errors.count - Pipeline.errorLimit
    diagnostics.append(
      Diagnostic(
        .error, "too-many-errors",
        count == 1 ? "one more error of this kind is not shown" : "\(count) more errors like these are not shown",
        at: .init(Span(file: next.primary.span.file, lower: next.primary.span.lower, upper: next.primary.span.lower)),
        help: "Mend the first ones; others may come from them."))
  }

  /// Derives the firewall of each host and cluster.
  ///
  /// - Requires: the policy is sound.
  public mutating func lower() {
    precondition(isSound)
    let lowering = Lowering(policy)
    firewalls = policy.hosts.indices.map { lowering.firewall(of: ID($0)) }
    self.lowering = lowering
  }

  /// Runs every check.
  ///
  /// - Requires: the firewalls are derived.
  public mutating func check() async {
    guard let lowering else { preconditionFailure("checked before it was lowered") }
    let judgements = await Check.judge(Inspection(lowering, firewalls: firewalls, today: today))
    diagnostics += judgements.findings
    waived = judgements.waived
  }
}
