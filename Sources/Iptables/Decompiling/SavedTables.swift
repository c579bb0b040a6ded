import Firewalls
import Packets

/// A file that iptables-restore or ip6tables-restore reads, which a back end made.
struct SavedTables: ParsedRuleset {
  let file: Artefact
  let family: AddressFamily

  /// Returns what the tables make a host do with packets of the family.
  ///
  /// A line that is not understood makes them unreadable; a match or a target that is not becomes an unknown.
  func reading(in universe: Universe) throws(UnreadableRuleset) -> RulesetReading {
    let ruleset: ForeignRuleset
    do throws(BudgetExceeded) {
      ruleset = try ForeignRuleset(file.text, family, in: universe)
    } catch {
      throw UnreadableRuleset(error)
    }
    if let problem = ruleset.problems.first {
      throw UnreadableRuleset(message: "\(file.path):\(problem.line): \(problem.words)")
    }
    return RulesetReading(
      ruleset.chains, of: [family], unknowns: ruleset.unknown.map { "\(file.path):\($0.line): \($0.words)" })
  }
}
