public import Syntax

/// A file that a back end made.
public struct Artefact: Sendable, Hashable {
  /// The path below the folder of the host or cluster, such as `ruleset.nft`.
  public var path: String

  /// The contents.
  public var text: String

  /// Creates the file `path` with the contents `text`.
  public init(path: String, text: String) {
    self.path = path
    self.text = text
  }
}

/// What a back end made of a firewall, and what it could not.
public struct Compilation: Sendable {
  /// The files, by path; they are of no use if a diagnostic is an error.
  public var artefacts: [Artefact]

  /// What the target cannot express, each naming its line.
  public var diagnostics: [Diagnostic]

  /// Creates a result.
  public init(artefacts: [Artefact], diagnostics: [Diagnostic] = []) {
    self.artefacts = artefacts
    self.diagnostics = diagnostics
  }
}

/// A translator from the firewall of a host to files of one target.
public protocol HostBackend: Sendable {
  /// The name of the target after `--to`.
  static var name: String { get }

  /// Returns the files that make a host enforce `firewall`; `sources` is where comments find their lines.
  static func compile(_ firewall: Firewall, sources: Sources) -> Compilation
}

/// A translator from the firewall of a cluster to files of one target.
public protocol ClusterBackend: Sendable {
  /// The name of the target after `--to`.
  static var name: String { get }

  /// Returns the files that make a cluster enforce `firewall` on the day `today`.
  static func compile(_ firewall: ClusterFirewall, sources: Sources, today: CalendarDate) -> Compilation
}
