public import Firewalls
public import Syntax

/// The back end that makes a shell script which replaces a ruleset without one wrongly judged packet.
///
/// It holds the four transactions of `NftablesBackend.Replacement`, and puts the ruleset into the slot that does not
/// judge; what a run that was cut short left there is removed first.
public enum NftablesReplaceBackend: HostBackend {
  /// The name of the target.
  public static let name = "nftables-replace"

  /// `true`.
  public static let filtersPackets = true

  /// Returns the transactions of `replace.sh`, one behind the other.
  public static func parse(_ artefacts: [Artefact]) throws(UnreadableRuleset) -> (any ParsedRuleset)? {
    guard let file = artefacts.first else { return nil }
    var all = Script([])
    var isInside = false
    var text = ""
    for line in file.text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line == "END_OF_TRANSACTION" {
        do throws(ScriptError) { all.commands += try Script(parsing: text).commands } catch {
          throw UnreadableRuleset(message: "\(error)")
        }
        (isInside, text) = (false, "")
      } else if isInside {
        text += line + "\n"
      } else {
        isInside = line == "load <<'END_OF_TRANSACTION'"
      }
    }
    return all
  }

  /// Returns `replace.sh`, which runs under any POSIX shell with nft(8) and sed(1).
  public static func compile(_ firewall: Firewall, sources: Sources) -> Compilation {
    let (steps, diagnostics) = NftablesBackend.replacement(for: firewall, in: .a, sources: sources)
    // Only lines of commands name a table, and they begin with a letter; comments stand in lines that do not.
    var text = """
      #!/bin/sh
      # Replaces the firewall of \(NftablesBackend.printable(firewall.name)) while packets flow. Made by portcullis.
      set -eu
      export LC_ALL=C
      if nft list chain inet \(NftablesBackend.Slot.a.table) prerouting 2>/dev/null | grep -q 'goto judge'
      then new=\(NftablesBackend.Slot.b.table) old=\(NftablesBackend.Slot.a.table)
      else new=\(NftablesBackend.Slot.a.table) old=\(NftablesBackend.Slot.b.table)
      fi
      # What a run that was cut short left; the ruleset in the other slot judges.
      if nft list tables | grep -qx "table inet $new"
      then nft delete table inet $new
      fi
      load() {
        sed "/^[a-z]/{s/ \(NftablesBackend.Slot.a.table)/ NEW/;s/ \(NftablesBackend.Slot.b.table)/ $old/;s/ NEW/ $new/;}" |
          nft -f -
      }

      """
    for (step, script) in [
      ("stage", steps.stage), ("swap", steps.swap), ("retire", steps.retire), ("clean", steps.clean),
    ] {
      text += "# \(step)\nload <<'END_OF_TRANSACTION'\n\(script.text)END_OF_TRANSACTION\n"
    }
    return Compilation(artefacts: [Artefact(path: "replace.sh", text: text)], diagnostics: diagnostics)
  }
}
