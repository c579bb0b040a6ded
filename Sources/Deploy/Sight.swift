import Netlink
import Nftables

/// What is known of our table, and whether that still holds.
///
/// The kernel refuses a transaction if any table changed since it was made, whosever it is. So a host on which somebody
/// writes all the time would never be changed if every refusal began the change anew. What counts is our table: as long as
/// it is as it was seen, what was planned and proved for it holds.
struct Sight {
  /// The table, or nothing if there is none.
  private(set) var table: LiveTable?

  /// The generation at which the table was so.
  private(set) var generation: UInt32

  /// The kernel.
  private let kernel: Kernel

  /// The changes since, if all of them are told.
  private var changes: ChangeEvents?

  /// What was carried out since the table was read.
  private var carriedOut: [Transaction] = []

  /// How often a transaction is tried while others change other tables.
  private static let mostTries = 1000

  /// From how many rules and elements on the kernel is not asked to tell a transaction, which would take it as long again.
  private static let large = 1000

  /// Looks at our table in `kernel`, unless it is still as it is `known`.
  ///
  /// With `elements` what sets held then they hold now, if they are the same ones; the caller has to see that it is so.
  init(of kernel: Kernel, knowing known: LiveTable? = nil, elements: LiveTable? = nil) throws(NetlinkError) {
    self.kernel = kernel
    changes = try kernel.changes()
    let before = try kernel.generation().number
    // Whoever read it waited for the change that made this generation; a later one would have raised it.
    // Elements go away by themselves without a change that the kernel counts.
    if let known, known.generation == before, !known.sets.contains(where: \.definition.hasTimeouts) {
      table = known
    } else {
      table = try kernel.table(named: Deployment.table, watching: changes, knowing: elements)
    }
    generation = table?.generation ?? before
  }

  /// Carries out `transaction`, which was made for the table as it is known.
  ///
  /// - Throws: `.stale` iff the table is not so any more; nothing was changed then.
  mutating func carryOut(_ transaction: Transaction) throws(NetlinkError) {
    if transaction.size >= Sight.large {
      changes = nil
      kernel.stopListening()
    }
    for attempt in 1... {
      do throws(NetlinkError) {
        try kernel.carryOut(transaction, generation: generation)
        break
      } catch {
        guard error == .stale, attempt < Sight.mostTries else { throw error }
        try affirm()
      }
    }
    // The kernel counts every change, whoever makes it.
    generation = Generation.after(generation)
    carriedOut.append(transaction)
    guard changes == nil else { return }
    // Whoever begins to listen may hear of a change of others that is just being told in part.
    changes = try kernel.changes()
    if try kernel.generation().number != generation { changes = nil }
  }

  /// Reads the table anew, if something was carried out since.
  ///
  /// - Throws: `.stale` iff somebody else changed it since.
  mutating func renew() throws(NetlinkError) {
    guard !carriedOut.isEmpty else { return }
    // What was made ready stands beside what was there.
    let isBeside = carriedOut.allSatisfy { $0.commands.allSatisfy(\.sparesElements) }
    var now = try Sight(of: kernel, elements: isBeside ? table : nil)
    // If anybody did anything since, it must have been to other tables: that is told, or the table itself shows it.
    if now.generation != generation, try !isSpared(until: now.generation) {
      now = try Sight(of: kernel)
      guard let read = now.table, read.isOutcome(of: carriedOut, on: table) else { throw .stale }
    }
    self = now
  }

  /// Returns `true` iff it is told of every change since, up to the generation `end`, that it was to other tables.
  ///
  /// That nothing is told does not mean that nothing was done.
  private func isSpared(until end: UInt32) throws(NetlinkError) -> Bool {
    guard let spared = try changes?.generation(since: generation, sparing: Deployment.table) else { return false }
    return Generation.isReached(end, by: spared)
  }

  /// Throws unless the table is still as it is known; then `generation` is that of now.
  private mutating func affirm() throws(NetlinkError) {
    if let spared = try changes?.generation(since: generation, sparing: Deployment.table), spared != generation {
      generation = spared
      return
    }
    // Changes were lost, or are not told: the table itself has to be looked at.
    guard carriedOut.isEmpty else { return try renew() }
    let now = try Sight(of: kernel)
    switch (table, now.table) {
    case (nil, nil): break
    case (let old?, let new?) where new.isUnchanged(since: old): break
    default: throw .stale
    }
    self = now
  }
}

extension Command {
  /// `true` iff sets that are there before and behind it hold what they held.
  fileprivate var sparesElements: Bool {
    switch self {
    case .addElements, .deleteElements: false
    // Handles begin anew in a new table: a set is no longer told by its own.
    case .createTable, .deleteTable: false
    default: true
    }
  }
}

extension Transaction {
  /// How many rules and elements it holds.
  fileprivate var size: Int {
    commands.reduce(0) { size, command in
      switch command {
      case .addRules(let rules, _, _): size + rules.count
      case .addSet(let set, _): size + set.elements.count
      case .addElements(let elements, _, _, _), .deleteElements(let elements, _): size + elements.count
      default: size + 1
      }
    }
  }
}
