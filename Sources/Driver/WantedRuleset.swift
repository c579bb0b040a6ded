public import Firewalls
public import Nftables

/// What a policy wants of a host, proved, and how it is proved that another ruleset does the same.
public struct WantedRuleset {
  /// The host's firewall.
  public let firewall: Firewall

  /// The ruleset.
  public let table: Table

  /// The one who proves.
  public let prover: Prover

  /// The ruleset with everything written out that its fields imply, which is what was proved.
  private let canonical: Table

  /// Proves that `table` does what `firewall` says.
  public init(_ table: Table, of firewall: Firewall) throws(UnprovedRuleset) {
    self.firewall = firewall
    self.table = table
    prover = Prover(firewall)
    canonical = table.canonical
    try proveAnew(canonical)
  }

  /// Throws unless `ruleset` does what the policy says, for every packet.
  ///
  /// What is the proved ruleset, rule by rule and element by element, does what that does.
  public func prove(_ ruleset: Table) throws(UnprovedRuleset) {
    if !ruleset.isLike(canonical) { try proveAnew(ruleset) }
  }

  /// Throws unless `ruleset`, of which nothing is known, does what the policy says, for every packet.
  private func proveAnew(_ ruleset: Table) throws(UnprovedRuleset) {
    let proof = prover.prove(Script([.define(ruleset)]))
    guard !proof.holds else { return }
    if let difference = proof.difference {
      throw UnprovedRuleset(
        description:
          "the ruleset would not do what the policy says: of \(difference.packet), the policy says \(difference.policy), "
          + "the ruleset \(difference.files); nothing judges by it. This is a fault of portcullis: please report it.")
    }
    throw UnprovedRuleset(
      description:
        "the ruleset cannot be proved to do what the policy says: \(proof.failure ?? ""); nothing judges by it")
  }
}

/// A ruleset is not proved to do what it should.
public struct UnprovedRuleset: Error, CustomStringConvertible {
  /// Why.
  public let description: String

  /// Creates the error.
  public init(description: String) { self.description = description }
}
