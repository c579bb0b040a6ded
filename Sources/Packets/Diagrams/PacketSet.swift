/// A set of packets.
///
/// Two sets of one space are equal iff they have the same packets; that takes no time. Sets of different spaces must not
/// be combined.
public struct PacketSet {
  /// The arena that the set lives in.
  public let space: PacketSpace

  let root: Ref

  init(_ space: PacketSpace, _ root: Ref) {
    self.space = space
    self.root = root
  }

  /// `true` iff there is no packet in the set.
  public var isEmpty: Bool { root == .undefined }

  /// `true` iff every packet is in the set.
  public var isAll: Bool { root == .everything }

  /// Returns what is in `self`, in `other`, or in both.
  public func union(_ other: PacketSet) throws(BudgetExceeded) -> PacketSet { try combined(with: other, .override) }

  /// Returns what is in both `self` and `other`.
  public func intersection(_ other: PacketSet) throws(BudgetExceeded) -> PacketSet { try combined(with: other, .keep) }

  /// Returns what is in `self` and not in `other`.
  public func subtracting(_ other: PacketSet) throws(BudgetExceeded) -> PacketSet {
    try combined(with: other, .remove)
  }

  /// Returns what is in one of `self` and `other` alone.
  public func symmetricDifference(_ other: PacketSet) throws(BudgetExceeded) -> PacketSet {
    try subtracting(other).union(other.subtracting(self))
  }

  /// Returns what is not in `self`.
  public func complement() throws(BudgetExceeded) -> PacketSet { try space.everything.subtracting(self) }

  /// Returns `true` iff every packet of `self` is in `other`.
  public func isSubset(of other: PacketSet) throws(BudgetExceeded) -> Bool { try subtracting(other).isEmpty }

  /// Returns what is in the set when `field` is `value`, whatever it is for a packet.
  public func fixing(_ field: PacketField, to value: UInt128) throws(BudgetExceeded) -> PacketSet {
    PacketSet(space, try space.fix(field, to: value, in: root))
  }

  /// Returns the packets that are in the set for some value of `field`.
  public func forgetting(_ field: PacketField) throws(BudgetExceeded) -> PacketSet {
    PacketSet(space, try space.forget(field, in: root))
  }

  /// Returns the map that gives the label `label` to every packet of the set.
  public func labelled(_ label: UInt32) throws(BudgetExceeded) -> PacketMap {
    precondition(label > 0 && label < 0x8000_0000)
    return PacketMap(space, try space.replaceLabels(of: root) { _ in Ref(label: label) })
  }

  private func combined(with other: PacketSet, _ operation: Operation) throws(BudgetExceeded) -> PacketSet {
    precondition(space === other.space)
    return PacketSet(space, try space.combine(root, other.root, operation))
  }
}

extension PacketSet: Hashable {
  /// Returns `true` iff the sets are of one space and have the same packets.
  public static func == (a: Self, b: Self) -> Bool { a.space === b.space && a.root == b.root }

  /// Adds the set to `hasher`.
  public func hash(into hasher: inout Hasher) { hasher.combine(root) }
}

extension PacketSpace {
  /// No packet.
  public var nothing: PacketSet { PacketSet(self, .undefined) }

  /// Every packet.
  public var everything: PacketSet { PacketSet(self, .everything) }
}
