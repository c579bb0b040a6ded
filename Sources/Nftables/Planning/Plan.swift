/// How a live table becomes another one, step by step, without one wrongly judged packet on the way.
///
/// The kernel takes the chains' rules and the elements of exact sets of one transaction at once. A new set, and the
/// elements of one with intervals, it fills a little later, and what is deleted is gone at once for packets that are still
/// being judged by the old rules. So what is new is made ready first, where nothing leads to it; then one transaction
/// changes the rules of the chains with hooks; and what is old is removed when no packet is left in it.
public struct Plan: Hashable, Sendable {
  /// What a step is for.
  public enum Purpose: String, Hashable, Sendable {
    /// To remove what a change that was cut short left; nothing leads to it.
    case tidy

    /// To make ready what is new, where nothing leads to it.
    case stage

    /// To let what is new judge.
    case swap

    /// To remove what is old, once no packet is left in it.
    case clean
  }

  /// A transaction with its purpose.
  public struct Step: Hashable, Sendable {
    /// What it is for.
    public var purpose: Purpose

    /// What it does.
    public var transaction: Transaction

    /// Creates a step.
    init(_ purpose: Purpose, _ transaction: Transaction) {
      self.purpose = purpose
      self.transaction = transaction
    }
  }

  /// The steps, in their order; before `clean`, all packets that are being judged must have left.
  public var steps: [Step]

  /// What changes, as a person reads it: objects of the ruleset by their own names.
  public var changes: [ObjectChange]

  /// Why all of the table is made anew at once, each reason with its place; nothing if it is changed step by step.
  public var reasons: [String] = []

  /// `true` iff all that is not understood of the table is gone, once the steps are carried out.
  public var leavesNothingUnknown = false

  /// The plan that does nothing.
  public static let nothing = Plan([])

  /// `true` iff nothing is to be done.
  public var isEmpty: Bool { steps.isEmpty }

  /// Creates a plan, without the steps that do nothing.
  init(_ steps: [Step], changes: [ObjectChange] = []) {
    self.steps = steps.filter { !$0.transaction.commands.isEmpty }
    self.changes = changes
  }
}

/// What changes of one chain or set.
public struct ObjectChange: Hashable, Sendable {
  /// What kind of object it is.
  public enum Kind: String, Hashable, Sendable {
    /// The kinds; an object is a counter or the like, which is never ours.
    case chain, set, map, object
  }

  /// The kind.
  public var kind: Kind

  /// The name in the policy's ruleset.
  public var name: String

  /// The rules or elements that are new, as nft(8) writes them.
  public var added: [String]

  /// The rules or elements that are gone, as nft(8) writes them.
  public var removed: [String]

  /// Creates a change.
  init(_ kind: Kind, _ name: String, added: [String], removed: [String]) {
    self.kind = kind
    self.name = name
    self.added = added
    self.removed = removed
  }
}

/// Why there is no plan.
public enum PlanningError: Error, Hashable, Sendable {
  /// A change waits to be confirmed.
  case pending

  /// No change waits to be confirmed.
  case notPending

  /// The table is as no ruleset of ours is, in these ways, so that it cannot come back.
  case odd([String])
}

extension PlanningError: CustomStringConvertible {
  /// Why, in words.
  public var description: String {
    switch self {
    case .pending: "a change waits to be confirmed; confirm it or roll it back first"
    case .notPending: "no change waits to be confirmed"
    case .odd(let oddities):
      "the table is not as we left it (\(oddities.joined(separator: ", "))), so that it cannot come back by itself"
    }
  }
}
