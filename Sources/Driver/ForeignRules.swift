public import Firewalls
import Iptables
import Nftables
import Packets
import Policies
import Syntax

/// Rules of whatever origin that stand in place of a policy.
public struct ForeignRules: Sendable {
  /// Who wrote them.
  public enum Format: String, Sendable, CaseIterable {
    /// iptables-save, or what iptables-restore reads.
    case iptables
    /// The same for IPv6.
    case ip6tables
    /// `nft -j list ruleset`.
    case nft
    /// Manifests of Kubernetes, which are rules of a cluster and not of a host.
    case manifests
  }

  /// Who wrote them.
  public var format: Format

  /// Where they were.
  public var path: String

  /// The files, with paths below `path`; rules of a host are one.
  public var files: [Artefact]

  /// Creates the rules of a host, which stand in one file.
  public init(_ format: Format, path: String, text: String) {
    self.init(format, path: path, files: [Artefact(path: path, text: text)])
  }

  /// The rules, if they were read already.
  private var ruleset: (any ParsedRuleset)?

  /// Creates the rules of a host that were read already from `path`; `unknowns` is what was not understood.
  public init(_ ruleset: any ParsedRuleset, path: String, unknowns: [String] = []) {
    self.init(.nft, path: path, files: [])
    self.ruleset = ruleset
    self.unknowns = unknowns
  }

  /// The rules that judge together, if these are several.
  private var parts: [ForeignRules] = []

  /// Creates the rules of one host that several `parts` are, all of which its packets meet; `path` names them all.
  ///
  /// Chains and rules of iptables are told by the path of their part. Which of two chains at one hook and priority the
  /// kernel enters first is not known of several parts, and is said to be unknown where it matters.
  public init(joining parts: [ForeignRules], path: String) {
    self.init(.nft, path: path, files: [])
    self.parts = parts
  }

  /// What was not understood when they were read.
  private var unknowns: [String] = []

  /// Creates rules that stand in `files`.
  public init(_ format: Format, path: String, files: [Artefact]) {
    self.format = format
    self.path = path
    self.files = files
  }

  /// How the rules are named on the command line.
  public var name: String { "\(format.rawValue):\(path)" }

  /// Returns the format and the path that `argument`, such as `iptables:FILE`, names, or nothing if it names a policy.
  public static func place(_ argument: String) -> (format: Format, path: String)? {
    for format in Format.allCases where argument.hasPrefix("\(format.rawValue):") {
      return (format, String(argument.dropFirst(format.rawValue.utf8.count + 1)))
    }
    return nil
  }

  /// Returns what the rules make a host do.
  func read(in universe: Universe) throws(UnreadableRuleset) -> RulesetReading {
    if let ruleset {
      var reading = try ruleset.reading(in: universe)
      reading.unknowns += unknowns
      return reading
    }
    if let first = parts.first {
      var whole = try first.read(in: universe)
      for part in parts.dropFirst() {
        var reading = try part.read(in: universe)
        if part.format != .nft { reading.chains.name(after: part.path) }
        whole.unknowns += whole.chains.rivals(in: reading.chains).map {
          "which of the chains \($0.0) and \($0.1) comes first, at one hook and priority"
        }
        whole.chains.join(reading.chains)
        whole.families.formUnion(reading.families)
        whole.unknowns += reading.unknowns
      }
      return whole
    }
    guard let text = files.first?.text, format != .manifests else {
      throw UnreadableRuleset(message: "\(path) holds no rules of a host")
    }
    if format == .nft { return try RulesetListing.read(text, in: universe) }
    let family: AddressFamily = format == .iptables ? .ipv4 : .ipv6
    let ruleset: ForeignRuleset
    do throws(BudgetExceeded) { ruleset = try ForeignRuleset(text, family, in: universe) } catch {
      throw UnreadableRuleset(error)
    }
    if let problem = ruleset.problems.first {
      throw UnreadableRuleset(message: "\(path), line \(problem.line): \(problem.words)")
    }
    return RulesetReading(
      ruleset.chains, of: [family], unknowns: ruleset.unknown.map { "\(path), line \($0.line): \($0.words)" })
  }
}

extension HookedChains {
  /// Puts `program`, whose rules these are, before the names of chains and the texts of rules.
  fileprivate mutating func name(after program: String) {
    for i in chains.indices {
      chains[i].name = "\(program) \(chains[i].name)"
      for j in chains[i].rules.indices {
        chains[i].rules[j].text = "\(program): \(chains[i].rules[j].text)"
        chains[i].rules[j].line = nil
      }
    }
  }
}
