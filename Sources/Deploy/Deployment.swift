public import Netlink
public import Nftables

/// The table of a host, which is changed step by step.
///
/// Whatever happens between two steps, the table judges by its old ruleset or by its new one; what a change that was cut
/// short left behind is removed by the next one.
public struct Deployment {
  /// The kernel that has the table.
  public let kernel: Kernel

  /// The name of the table.
  public static let table = NftablesBackend.table

  /// How often a change begins anew when somebody else changes the table meanwhile.
  static let mostAttempts = 10

  /// Creates the deployment to `kernel`.
  public init(to kernel: Kernel) { self.kernel = kernel }

  /// The table as it is, or nothing if there is none.
  public func live() throws(NetlinkError) -> LiveTable? {
    try kernel.table(named: Deployment.table, watching: kernel.changes())
  }

  /// Returns `known` if the table is still so, or else the table as it is.
  public func live(knowing known: LiveTable?) throws(NetlinkError) -> LiveTable? {
    try Sight(of: kernel, knowing: known).table
  }

  /// Carries out what `plan` returns for the table as it is, and again if somebody else changes it meanwhile.
  ///
  /// - Parameters:
  ///   - plan: the steps for a table; an empty plan ends the change.
  ///   - prove: throws unless the ruleset that is ready in the kernel, read back, does what it should.
  ///   - known: the table as it was read before, which is not read again if nobody changed any rules since.
  /// - Returns: `true` iff another ruleset judges now.
  /// - Throws: what `plan` and `prove` throw, and why the kernel refused; the table judges as before then.
  @discardableResult
  public func change(
    by plan: (LiveTable?) throws -> Plan, proving prove: (Table) throws -> Void, knowing known: LiveTable? = nil
  ) throws -> Bool {
    var hasSwapped = false
    for attempt in 1... {
      var sight = try Sight(of: kernel, knowing: attempt == 1 ? known : nil)
      let plan = try plan(sight.table)
      do {
        try carryOut(plan, &sight, prove, &hasSwapped)
        if !plan.steps.contains(where: { $0.purpose == .swap }) { try affirmLeft(plan, &sight, prove) }
        break
      } catch let error as NetlinkError {
        // Nothing that somebody else changed is overwritten: the next plan is made of what is there now.
        guard error == .stale, attempt < Deployment.mostAttempts else {
          // What is left over then judges nothing, and is removed by the next change; what is not understood may.
          if hasSwapped, try !plan.leavesNothingUnknown || live()?.unknowns.isEmpty ?? true { break }
          throw error
        }
      }
    }
    return hasSwapped
  }

  /// Carries out the one transaction that `make` returns for the table as it is, and again if somebody else changes it
  /// meanwhile.
  ///
  /// - Returns: `true` iff there is a table, and `make` returned something for it.
  func carryOut(_ make: (LiveTable) -> Transaction?) throws(NetlinkError) -> Bool {
    for attempt in 1... {
      var sight = try Sight(of: kernel)
      guard let live = sight.table, let transaction = make(live) else { return false }
      do throws(NetlinkError) {
        try sight.carryOut(transaction)
        return true
      } catch {
        guard error == .stale, attempt < Deployment.mostAttempts else { throw error }
      }
    }
    return false
  }

  /// Carries out `plan`, which was made for what is in `sight`.
  private func carryOut(
    _ plan: Plan, _ sight: inout Sight, _ prove: (Table) throws -> Void, _ hasSwapped: inout Bool
  ) throws {
    for step in plan.steps {
      if step.purpose == .clean { kernel.waitForPackets() }
      if step.purpose == .swap {
        try sight.renew()
        let outcome = plan.outcome(of: step.transaction, on: sight.table)
        try prove(outcome.ruleset)
        guard !plan.leavesNothingUnknown || outcome.unknowns.isEmpty else {
          throw StrangeOutcome(unknowns: outcome.unknowns)
        }
      }
      try sight.carryOut(step.transaction)
      guard step.purpose == .swap else { continue }
      hasSwapped = true
      if step.transaction.commands.contains(.createTable) { try affirmNew(&sight, prove) }
    }
  }

  /// Throws unless the table, which `plan` leaves to judge as it does, does what it should.
  private func affirmLeft(_ plan: Plan, _ sight: inout Sight, _ prove: (Table) throws -> Void) throws {
    try sight.renew()
    guard let left = sight.table else { return }
    try affirm(left, isAnew: false, mayBeStrange: !plan.leavesNothingUnknown, prove)
  }

  /// Reads the table, which was made anew at once and could not be read before it judged, and throws unless it does what it
  /// should.
  private func affirmNew(_ sight: inout Sight, _ prove: (Table) throws -> Void) throws {
    do throws(NetlinkError) { try sight.renew() } catch {
      if error == .stale { throw error }
      throw UnprovedTable(isAnew: true, reason: "it could not be read back: \(error)")
    }
    guard let made = sight.table else { throw NetlinkError.stale }
    try affirm(made, isAnew: true, mayBeStrange: false, prove)
  }

  /// Throws unless `table`, which judges, does what it should, and is understood unless it `mayBeStrange`.
  private func affirm(
    _ table: LiveTable, isAnew: Bool, mayBeStrange: Bool, _ prove: (Table) throws -> Void
  ) throws {
    guard mayBeStrange || table.unknowns.isEmpty else {
      let unknowns = table.unknowns.prefix(5).joined(separator: ", ")
      throw UnprovedTable(isAnew: isAnew, reason: "it has what is not understood: \(unknowns)")
    }
    do { try prove(table.ruleset) } catch { throw UnprovedTable(isAnew: isAnew, reason: "\(error)") }
  }
}

/// A table that could not be proved before, since it was made anew at once or left as it was, judges and does not do what it
/// should.
public struct UnprovedTable: Error, Hashable, Sendable, CustomStringConvertible {
  /// `true` iff it was made anew.
  public var isAnew: Bool

  /// What was found.
  public var reason: String

  /// Why, in words.
  public var description: String {
    "the table \(isAnew ? "was made anew" : "is left as it was") and judges, but what the kernel has is not proved: \(reason)"
  }
}

/// What the kernel has ready is not understood as a whole, so that nothing can be proved of it.
public struct StrangeOutcome: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is not understood.
  public var unknowns: [String]

  /// Why, in words.
  public var description: String {
    "the kernel has what is not understood, so that nothing can be proved of it: "
      + "\(unknowns.prefix(5).joined(separator: ", ")); nothing judges by it"
  }
}
