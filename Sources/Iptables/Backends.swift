public import Firewalls
import Packets
public import Syntax

/// The translator to what iptables-restore reads, which enforces the IPv4 part of a firewall.
public enum IPv4Backend: HostBackend {
  /// The name of the target.
  public static let name = "iptables"

  /// Returns `iptables.save`, which makes a host enforce the IPv4 part of `firewall`.
  public static func compile(_ firewall: Firewall, sources: Sources) -> Compilation {
    Compiler.compilation(of: firewall, .ipv4, sources: sources)
  }

  /// Returns the tables that make a host enforce the IPv4 part of `firewall`, and what they cannot say.
  public static func ruleset(of firewall: Firewall, sources: Sources) -> (Ruleset, [Diagnostic]) {
    var compiler = Compiler(firewall, .ipv4, sources: sources)
    return (compiler.ruleset(), compiler.diagnostics)
  }

  /// `true`.
  public static let filtersPackets = true

  /// Returns the tables of `iptables.save`.
  public static func parse(_ artefacts: [Artefact]) throws(UnreadableRuleset) -> (any ParsedRuleset)? {
    artefacts.first.map { SavedTables(file: $0, family: .ipv4) }
  }
}

/// The translator to what ip6tables-restore reads, which enforces the IPv6 part of a firewall.
public enum IPv6Backend: HostBackend {
  /// The name of the target.
  public static let name = "ip6tables"

  /// Returns `ip6tables.save`, which makes a host enforce the IPv6 part of `firewall`.
  public static func compile(_ firewall: Firewall, sources: Sources) -> Compilation {
    Compiler.compilation(of: firewall, .ipv6, sources: sources)
  }

  /// Returns the tables that make a host enforce the IPv6 part of `firewall`, and what they cannot say.
  public static func ruleset(of firewall: Firewall, sources: Sources) -> (Ruleset, [Diagnostic]) {
    var compiler = Compiler(firewall, .ipv6, sources: sources)
    return (compiler.ruleset(), compiler.diagnostics)
  }

  /// `true`.
  public static let filtersPackets = true

  /// Returns the tables of `ip6tables.save`.
  public static func parse(_ artefacts: [Artefact]) throws(UnreadableRuleset) -> (any ParsedRuleset)? {
    artefacts.first.map { SavedTables(file: $0, family: .ipv6) }
  }
}

extension Compiler {
  /// Returns the save file that makes a host enforce the part of `firewall` for `family`.
  fileprivate static func compilation(of firewall: Firewall, _ family: AddressFamily, sources: Sources) -> Compilation {
    var compiler = Compiler(firewall, family, sources: sources)
    let ruleset = compiler.ruleset()
    let program = family == .ipv4 ? "iptables" : "ip6tables"
    let header =
      [
        "The \(family == .ipv4 ? "IPv4" : "IPv6") firewall of \(plain(firewall.name)), compiled by portcullis; do not edit.",
        "",
        "\(program)-restore < \(program).save replaces these tables: "
          + ruleset.tables.map(\.name).joined(separator: ", ") + ".",
        "docs/iptables.md says how to restore it beside the rules of other programs.",
      ]
    return Compilation(
      artefacts: [Artefact(path: "\(program).save", text: ruleset.text(header: header, inserting: true))],
      diagnostics: compiler.diagnostics.sorted(by: Diagnostic.precedes))
  }
}
