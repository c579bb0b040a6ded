public import Policies
public import Syntax

/// A policy that was read from text, and what is wrong with it.
public struct Reading: Sendable {
  /// The policy.
  public var policy: Policy

  /// The files.
  public var sources: Sources

  /// The trees of the files.
  public var trees: [Tree]

  /// What the parser and the resolver found, in the order of the text.
  public var diagnostics: [Diagnostic]

  /// Reads the policy whose `files` have the given paths and texts.
  public init(_ files: [(path: String, text: String)]) {
    sources = Sources(files.map { SourceFile(path: $0.path, text: $0.text) })
    trees = []
    diagnostics = []
    for (i, file) in sources.files.enumerated() {
      let (tree, found) = parse(file, at: UInt32(i))
      trees.append(tree)
      diagnostics += found
    }
    let (policy, found) = resolve(trees)
    self.policy = policy
    diagnostics = (diagnostics + found).sorted(by: Diagnostic.precedes)
  }

  /// What was found, in a form that tests compare: each with its places, their texts, and all that it says.
  public var findings: String { diagnostics.map { text(of: $0) }.joined(separator: "\n") }

  /// Returns `diagnostic` with its places, their texts, and all that it says.
  public func text(of diagnostic: Diagnostic) -> String {
    func place(_ span: Span) -> String {
      let location = sources.location(of: span)
      let text = sources.text(of: span).split(separator: "\n", omittingEmptySubsequences: false)
      let shown = text.count > 1 ? "\(text[0])..." : "\(text.first ?? "")"
      return "\(sources.files.count > 1 ? location.path + ":" : "")\(location.line):\(location.column) «\(shown)»"
    }
    var lines = ["\(diagnostic.severity.name)[\(diagnostic.code)] \(diagnostic.message)"]
    lines.append("  at \(place(diagnostic.primary.span)) \(diagnostic.primary.text)")
    for label in diagnostic.secondary { lines.append("  and \(place(label.span)) \(label.text)") }
    if let reason = diagnostic.reason { lines.append("  because: \(reason)") }
    if let help = diagnostic.help { lines.append("  help: \(help)") }
    for fix in diagnostic.fixes {
      lines.append("  fix: \(place(fix.span)) becomes «\(fix.replacement)» (\(fix.safety.rawValue))")
    }
    return lines.joined(separator: "\n")
  }
}

/// Returns the policy that `text` declares, its source and what is wrong with it.
public func policy(_ text: String) -> (policy: Policy, sources: Sources, diagnostics: [Diagnostic]) {
  let reading = Reading([("policy.port", text)])
  return (reading.policy, reading.sources, reading.diagnostics)
}

/// What is wrong with a policy that a test takes to be clean.
public struct UncleanPolicy: Error, CustomStringConvertible {
  /// All that was found.
  public let description: String
}

/// Returns the policy that `text` declares.
///
/// - Throws: `UncleanPolicy` if anything worse than a note was found.
public func cleanPolicy(_ text: String) throws -> Policy {
  let reading = Reading([("policy.port", text)])
  guard reading.diagnostics.allSatisfy({ $0.severity == .note }) else {
    throw UncleanPolicy(description: reading.findings)
  }
  return reading.policy
}

extension Policy {
  /// Returns the service called `name`, or nothing if there is none.
  public func service(named name: String) -> ID<Service>? {
    services.firstIndex { $0.name.value == name }.map { ID($0) }
  }

  /// Returns the host called `name`, or nothing if there is none.
  public func host(named name: String) -> ID<Host>? { hosts.firstIndex { $0.name.value == name }.map { ID($0) } }

  /// Returns the zone called `name`, or nothing if there is none.
  public func zone(named name: String) -> ID<Zone>? { zones.firstIndex { $0.name.value == name }.map { ID($0) } }

  /// Returns the cluster called `name`, or nothing if there is none.
  public func cluster(named name: String) -> ID<Cluster>? {
    clusters.firstIndex { $0.name.value == name }.map { ID($0) }
  }
}
