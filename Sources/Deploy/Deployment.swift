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

  /// How often a change begins anew when somebody else changes rules meanwhile.
  static let mostAttempts = 10

  /// What is told when a step is done, for tests that end the program there.
  public var hasDone: (Plan.Purpose) -> Void = { _ in }

  /// Creates the deployment to `kernel`.
  public init(to kernel: Kernel) { self.kernel = kernel }

  /// The table as it is, or nothing if there is none.
  public func live() throws(NetlinkError) -> LiveTable? { try kernel.table(named: Deployment.table) }

  /// Returns the steps that make the table do what `wanted` does, and the table for which they were made.
  public func plan(
    to wanted: Table, confirmingWithin seconds: Int? = nil
  ) throws(DeploymentError) -> (plan: Plan, live: LiveTable?) {
    do {
      guard let live = try live() else { return (.creating(wanted, confirmingWithin: seconds), nil) }
      return (try live.plan(to: wanted, confirmingWithin: seconds), live)
    } catch {
      throw DeploymentError(error)
    }
  }

  /// Carries out what `plan` returns for the table as it is, and again if somebody else changes rules meanwhile.
  ///
  /// - Parameters:
  ///   - plan: the steps for a table; an empty plan ends the change.
  ///   - prove: throws unless the ruleset that is ready in the kernel, read back, does what it should.
  /// - Returns: `true` iff something was changed.
  /// - Throws: what `plan` and `prove` throw, and why the kernel refused; the table judges as before then.
  @discardableResult
  public func change(
    by plan: (LiveTable?) throws -> Plan, proving prove: (Table) throws -> Void
  ) throws -> Bool {
    var hasChanged = false
    for attempt in 1... {
      let live = try live()
      let plan = try plan(live)
      if plan.isEmpty { return hasChanged }
      do {
        try carryOut(plan, from: live, prove)
        return true
      } catch NetlinkError.stale where attempt < Deployment.mostAttempts {
        // Nothing that somebody else changed is overwritten: the next plan is made of what is there now.
        hasChanged = true
      }
    }
    return hasChanged
  }

  /// Carries out `plan`, which was made for `live`.
  private func carryOut(_ plan: Plan, from live: LiveTable?, _ prove: (Table) throws -> Void) throws {
    var generation = try live?.generation ?? kernel.generation().number
    for step in plan.steps {
      if step.purpose == .clean { kernel.waitForPackets() }
      if step.purpose == .swap {
        let staged = try kernel.table(named: Deployment.table)
        guard (try staged?.generation ?? kernel.generation().number) == generation else { throw NetlinkError.stale }
        try prove(plan.outcome(of: step.transaction, on: staged))
      }
      try kernel.carryOut(step.transaction, generation: generation)
      // The kernel counts every change, whoever makes it.
      generation &+= 1
      hasDone(step.purpose)
    }
  }
}

/// Why a table cannot be changed.
public enum DeploymentError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kernel did not answer, or refused.
  case kernel(NetlinkError)

  /// There are no such steps.
  case planning(PlanningError)

  init(_ error: any Error) {
    switch error {
    case let error as NetlinkError: self = .kernel(error)
    case let error as PlanningError: self = .planning(error)
    default: self = .kernel(.malformed("\(error)"))
    }
  }

  /// Why, in a sentence without its full stop.
  public var description: String {
    switch self {
    case .kernel(let error): error.description
    case .planning(let error): error.description
    }
  }
}
