public import Packets
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

  /// Adds the comment `line` behind the first one of the file.
  ///
  /// - Requires: lines of the file that begin with `# ` are comments, there is one, and `line` is one line.
  public mutating func note(_ line: String) {
    var start = text.startIndex
    while let end = text.utf8[start...].firstIndex(of: UInt8(ascii: "\n")) {
      let next = text.utf8.index(after: end)
      guard text.utf8[start...].starts(with: "# ".utf8) else {
        start = next
        continue
      }
      text.insert(contentsOf: "# \(line)\n", at: next)
      return
    }
    preconditionFailure("\(path) begins with no comment")
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

  /// `true` iff the files filter packets, so that `parse` tells what they mean; comments in them begin with `#`.
  static var filtersPackets: Bool { get }

  /// Returns the ruleset in the files of a compilation, or nothing if they do not filter packets.
  ///
  /// It reads the files as the target does, and knows nothing of how they were made.
  static func parse(_ artefacts: [Artefact]) throws(UnreadableRuleset) -> (any ParsedRuleset)?
}

/// A ruleset that was read, of which packets it judges is still to be worked out.
public protocol ParsedRuleset: Sendable {
  /// Returns what the ruleset makes a host do.
  func reading(in universe: Universe) throws(UnreadableRuleset) -> RulesetReading
}

extension HostBackend {
  /// `false`: the target does not filter packets.
  public static var filtersPackets: Bool { false }

  /// Returns nothing: the target does not filter packets.
  public static func parse(_ artefacts: [Artefact]) throws(UnreadableRuleset) -> (any ParsedRuleset)? { nil }

  /// Returns what the files of a compilation make a host do, or nothing if they do not filter packets.
  public static func read(_ artefacts: [Artefact], in universe: Universe) throws(UnreadableRuleset) -> RulesetReading? {
    try parse(artefacts)?.reading(in: universe)
  }
}

/// A translator from the firewall of a cluster to files of one target.
public protocol ClusterBackend: Sendable {
  /// The name of the target after `--to`.
  static var name: String { get }

  /// Returns the files that make a cluster enforce `firewall` on the day `today`.
  static func compile(_ firewall: ClusterFirewall, sources: Sources, today: CalendarDate) -> Compilation

  /// Returns what the files of a compilation make a cluster do, or nothing if they neither open nor close anything.
  ///
  /// It reads the files as the target does, and knows nothing of how they were made.
  static func read(_ artefacts: [Artefact]) throws(UnreadableRuleset) -> ClusterRules?
}

/// What the reader of a target found in files of it.
public struct RulesetReading {
  /// The chains that packets meet.
  public var chains: HookedChains

  /// The families of the packets that the files are about; of others they say nothing.
  public var families: Set<AddressFamily>

  /// What has no meaning here, each with its line; packets may match it or not.
  public var unknowns: [String]

  /// Creates a reading.
  public init(
    _ chains: HookedChains, of families: Set<AddressFamily> = [.ipv4, .ipv6], unknowns: [String] = []
  ) {
    self.chains = chains
    self.families = families
    self.unknowns = unknowns
  }
}

/// Files of a target cannot be read.
public struct UnreadableRuleset: Error, Hashable, Sendable {
  /// Why, in words.
  public var message: String

  /// `true` iff the reason is that sets of packets are too complex, and nothing is wrong with the files.
  public var isTooComplex = false

  /// Creates the error.
  public init(message: String) { self.message = message }

  /// Creates the error that a ruleset is too complex.
  public init(_ error: BudgetExceeded) {
    message = "it has more than \(error.limit) \(error.resource)"
    isTooComplex = true
  }
}
