import CNetfilter

/// Somebody's change of tables.
public struct ChangeEvent: Hashable, Sendable {
  /// The generation since, and the process that made the change.
  public var generation: Generation

  /// The names of the tables that were touched, in order.
  public var tables: [String]

  /// Creates an event.
  public init(generation: Generation, tables: [String]) {
    self.generation = generation
    self.tables = tables
  }
}

/// Changes of tables as they happen; those before it was made are not among them.
public final class ChangeEvents {
  /// Where they are received.
  private let socket: any NetfilterSocket

  /// The tables of the change that is being told.
  private var tables: Set<String> = []

  /// The changes that are complete and not yet returned.
  private var complete: [ChangeEvent] = []

  /// `true` iff changes came faster than they were read.
  private(set) var hasLost = false

  /// Listens through `socket`, which receives the group of nf_tables (`NFNLGRP_NFTABLES`).
  public init(_ socket: any NetfilterSocket) { self.socket = socket }

  /// Listens to this namespace, or to the one that the file at `namespace` stands for.
  public convenience init(namespace: String? = nil) throws(NetlinkError) {
    let socket = try NetlinkSocket(.netfilter, inNamespace: namespace)
    try socket.join(Int(NFNLGRP_NFTABLES.rawValue))
    self.init(socket)
  }

  /// Returns the next change, or nothing if there is none within so many `milliseconds`.
  ///
  /// `.lostAnswers` says that changes came faster than they were read: what is known must be read anew.
  public func next(within milliseconds: Int32) throws(NetlinkError) -> ChangeEvent? {
    // A change of a large table is told in many messages, each of which may take as long.
    var left = 100_000
    while complete.isEmpty, left > 0 {
      left -= 1
      do throws(NetlinkError) {
        for message in try Message.all(in: try socket.receive(within: milliseconds)) { try add(message) }
      } catch {
        if error == .lostAnswers {
          tables = []
          hasLost = true
        }
        guard error == .timedOut else { throw error }
        return nil
      }
    }
    return complete.isEmpty ? nil : complete.removeFirst()
  }

  /// Returns the generation now, if all changes since the generation `since` were of other tables than those with the name
  /// `table`; else nothing, as if changes were lost.
  ///
  /// They must have been listened to before `since` was read from the kernel.
  public func generation(since: UInt32, sparing table: String) throws(NetlinkError) -> UInt32? {
    try drain()
    // Of a change that was told in part, it is not known which tables it touched.
    guard !hasLost, tables.isEmpty else { return nil }
    var generation = since
    for change in complete where !Generation.isReached(change.generation.number, by: since) {
      guard change.generation.number == Generation.after(generation), !change.tables.contains(table) else { return nil }
      generation = change.generation.number
    }
    return generation
  }

  /// Takes note of all that was told so far.
  func drain() throws(NetlinkError) {
    while !hasLost {
      do throws(NetlinkError) {
        for message in try Message.all(in: try socket.receive(within: 0)) { try add(message) }
        if complete.count > 100_000 { hasLost = true }
      } catch {
        if error == .timedOut { break }
        guard error == .lostAnswers else { throw error }
        hasLost = true
      }
    }
  }

  /// Takes note of `message`.
  private func add(_ message: Message) throws(NetlinkError) {
    guard Int32(message.type >> 8) == NFNL_SUBSYS_NFTABLES else { return }
    if UInt32(message.type & 255) == UInt32(NFT_MSG_NEWGEN.rawValue) {
      complete.append(ChangeEvent(generation: try Generation(message), tables: tables.sorted()))
      tables = []
      return
    }
    // The first attribute of every object of nf_tables is the name of its table.
    guard tables.count < 10_000, let name = try message.attributes(after: 4).table().text(1) else {
      // A table that is left out would count as spared.
      hasLost = true
      return
    }
    tables.insert(name)
  }
}
