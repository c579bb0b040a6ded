public import Firewalls
public import Syntax

/// The back end that makes text for nft(8).
public enum NftablesBackend: HostBackend {
  /// The name of the target.
  public static let name = "nftables"

  /// The name of the table that `ruleset.nft` makes.
  public static let table = "portcullis"

  /// Returns `ruleset.nft`, one transaction that loads the ruleset of `firewall` or replaces the one before it.
  public static func compile(_ firewall: Firewall, sources: Sources) -> Compilation {
    let (table, diagnostics) = Compiler.table(named: table, for: firewall, sources: sources)
    let script = replacement(by: table, for: firewall)
    return Compilation(artefacts: [Artefact(path: "ruleset.nft", text: script.text)], diagnostics: diagnostics)
  }

  /// `true`.
  public static let filtersPackets = true

  /// Returns the transaction of `ruleset.nft`.
  public static func parse(_ artefacts: [Artefact]) throws(UnreadableRuleset) -> (any ParsedRuleset)? {
    guard let file = artefacts.first else { return nil }
    do throws(ScriptError) { return try Script(parsing: file.text) } catch {
      throw UnreadableRuleset(message: "\(error)")
    }
  }

  /// Returns the table that enforces `firewall`, and what cannot be expressed.
  public static func table(for firewall: Firewall, sources: Sources) -> (Table, [Diagnostic]) {
    Compiler.table(named: table, for: firewall, sources: sources)
  }

  /// Returns the transaction that loads `table` whether there is one already or not, and removes staged ones.
  public static func replacement(by table: Table, for firewall: Firewall) -> Script {
    let old = [table.name] + Slot.allCases.map(\.table)
    return Script(
      notes: ["The firewall of \(printable(firewall.name)), made by portcullis. Load it with: nft -f ruleset.nft"],
      old.flatMap { [.ensure($0), .delete($0)] } + [.define(table)])
  }

  /// Returns `name` with nothing in it that could end a comment.
  static func printable(_ name: String) -> String {
    String(decoding: Assembly.printable(name).prefix(255), as: UTF8.self)
  }

  /// One of two places for a ruleset, so that the next one can be made ready beside the one that judges.
  public enum Slot: String, Sendable, CaseIterable {
    /// The places.
    case a, b

    /// The name of the table in the slot.
    public var table: String { "\(NftablesBackend.table)_\(rawValue)" }

    /// The other slot.
    public var other: Slot { self == .a ? .b : .a }
  }

  /// The four transactions that replace a ruleset without one wrongly judged packet, each loaded by itself.
  public struct Replacement: Sendable {
    /// Makes the new ruleset ready in its slot, where it judges nothing; it fails if the slot is taken.
    public var stage: Script

    /// Lets the new ruleset judge what the old one accepts.
    public var swap: Script

    /// Lets no packet into the old ruleset any more, be it in the other slot or loaded from `ruleset.nft`.
    ///
    /// Its sets stay: a packet that is being judged goes on by the old rules, but looks into sets as they are *now*. So do
    /// all rules but those of the chains with hooks, because the sets that stand inside of rules go with them.
    public var retire: Script

    /// Removes what is left of the old ruleset.
    public var clean: Script
  }

  /// The chains with hooks that a table may have.
  static let baseChains = ["prerouting", "redirecting", "postrouting", "output"]

  /// Returns the four transactions that put the ruleset of `firewall` into `slot`, and what cannot be expressed.
  ///
  /// Between `swap` and `retire` both rulesets judge, and what both accept is accepted. So a packet that both accept is
  /// never lost, and one that both refuse never gets in, in whatever order the kernel asks them.
  public static func replacement(
    for firewall: Firewall, in slot: Slot, sources: Sources
  ) -> (Replacement, [Diagnostic]) {
    var (table, diagnostics) = Compiler.table(named: slot.table, for: firewall, sources: sources)
    var entries: [Script.Command] = []
    for i in table.chains.indices where table.chains[i].hook != nil {
      precondition(baseChains.contains(table.chains[i].name))
      let chain = table.chains[i]
      entries += chain.rules.map { .append($0, chain: chain.name, table: slot.table) }
      table.chains[i].rules = []
    }
    let old = [NftablesBackend.table, slot.other.table]
    let note = "The firewall of \(printable(firewall.name)), made by portcullis, in slot \(slot.rawValue)"
    return (
      Replacement(
        stage: Script(notes: ["\(note): step 1 of 4."], [.create(slot.table), .define(table)]),
        swap: Script(notes: ["\(note): step 2 of 4."], entries),
        retire: Script(
          notes: ["\(note): step 3 of 4."],
          old.flatMap { table in
            [.define(Table(table, chains: baseChains.map { Chain($0) }))]
              + baseChains.map { .flush(chain: $0, table: table) }
          }),
        clean: Script(notes: ["\(note): step 4 of 4."], old.flatMap { [.ensure($0), .delete($0)] })),
      diagnostics
    )
  }
}
