import Firewalls
import Packets

extension ForeignRuleset {
  /// Returns the reading of the file `name` among `artefacts`, which a back end made, or nothing if it is not there.
  ///
  /// A line that is not understood makes it unreadable; a match or a target that is not becomes an unknown.
  static func read(
    _ artefacts: [Artefact], _ name: String, _ family: AddressFamily, in universe: Universe
  ) throws(UnreadableRuleset) -> RulesetReading? {
    guard let artefact = artefacts.first(where: { $0.path == name }) else { return nil }
    let ruleset: ForeignRuleset
    do throws(BudgetExceeded) {
      ruleset = try ForeignRuleset(artefact.text, family, in: universe)
    } catch {
      throw UnreadableRuleset(error)
    }
    if let problem = ruleset.problems.first {
      throw UnreadableRuleset(message: "\(name):\(problem.line): \(problem.words)")
    }
    return RulesetReading(
      ruleset.chains, of: [family], unknowns: ruleset.unknown.map { "\(name):\($0.line): \($0.words)" })
  }
}
