public import Packets
public import Syntax

/// What the pods of a cluster accept, what they may send, and how they are reached, whatever enforces it.
public struct ClusterMeaning {
  /// What the sets and labels are about.
  public let universe: ClusterUniverse

  /// The connections that the receiving end lets in.
  public var admitted: PacketSet

  /// The connections that the sending end may open.
  public var departing: PacketSet

  /// How pods are reached by other addresses and ports than their own; the labels are outcomes.
  public var entrances: PacketMap

  /// Creates a meaning; what cannot exist is removed from it.
  init(
    _ universe: ClusterUniverse, admitted: PacketSet, departing: PacketSet, entrances: PacketMap
  ) throws(BudgetExceeded) {
    self.universe = universe
    self.admitted = try admitted.intersection(universe.possible)
    self.departing = try departing.intersection(universe.possible)
    self.entrances = entrances
  }

  /// Returns the meaning for the connections of `set` alone.
  public func restricted(to set: PacketSet) throws(BudgetExceeded) -> ClusterMeaning {
    var result = self
    result.admitted = try admitted.intersection(set)
    result.departing = try departing.intersection(set)
    result.entrances = try entrances.restricted(to: set)
    return result
  }

  /// Returns what it is at the beginning of `day`, whatever the moment of a connection.
  public func on(_ day: CalendarDate) throws(BudgetExceeded) -> ClusterMeaning {
    let moment = UInt128(max(day.daysSinceEpoch, 0)) * 86_400
    var result = self
    result.admitted = try admitted.fixing(.time, to: moment)
    result.departing = try departing.fixing(.time, to: moment)
    result.entrances = try entrances.fixing(.time, to: moment)
    return result
  }

  /// The connections that come about: both ends allow them.
  public var accepted: PacketSet {
    get throws(BudgetExceeded) { try admitted.intersection(departing) }
  }

  /// Returns `true` iff the same becomes of every connection at either end and by every way; both must be of one universe.
  public func isEqual(to other: ClusterMeaning) -> Bool {
    admitted == other.admitted && departing == other.departing && entrances == other.entrances
  }

  /// A connection that two meanings treat differently.
  public struct Difference: Hashable, Sendable {
    /// The connection, in words.
    public var packet: String

    /// What becomes of it by the first meaning, in words.
    public var first: String

    /// What becomes of it by the second meaning, in words.
    public var second: String

    /// The connection itself, unless it is one to a door.
    public var values: PacketValues?
  }

  /// Returns a connection that `self` and `other` treat differently, or nothing if there is none.
  public func difference(from other: ClusterMeaning) throws(BudgetExceeded) -> Difference? {
    guard !isEqual(to: other) else { return nil }
    let differing = try admitted.symmetricDifference(other.admitted)
      .union(departing.symmetricDifference(other.departing))
    if let packet = try universe.example(of: differing) {
      return Difference(
        packet: universe.text(of: packet), first: fate(of: packet), second: other.fate(of: packet), values: packet)
    }
    guard let packet = try universe.example(of: entrances.differing(from: other.entrances), throughDoors: true) else {
      return nil
    }
    return Difference(
      packet: universe.textOfWay(packet), first: universe.text(ofOutcome: entrances.label(of: packet)),
      second: universe.text(ofOutcome: other.entrances.label(of: packet)))
  }

  /// Returns what becomes of the connection `packet`, in words.
  func fate(of packet: PacketValues) -> String {
    switch (departing.contains(packet), admitted.contains(packet)) {
    case (true, true): "open"
    case (true, false): "closed by the receiving end"
    case (false, true): "closed by the sending end"
    case (false, false): "closed by both ends"
    }
  }
}
