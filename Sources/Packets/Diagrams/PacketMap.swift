/// What becomes of packets: a label for each packet of a set.
///
/// Labels are positive numbers whose meaning the creator of the map decides. Two maps of one space are equal iff they give
/// every packet the same label; that takes no time.
public struct PacketMap {
  /// The arena that the map lives in.
  public let space: PacketSpace

  let root: Ref

  init(_ space: PacketSpace, _ root: Ref) {
    self.space = space
    self.root = root
  }

  /// `true` iff no packet has a label.
  public var isEmpty: Bool { root == .undefined }

  /// The label that every packet has, or nothing if there are several, or packets without any.
  public var onlyLabel: UInt32? { root.isLeaf && root != .undefined ? root.label : nil }

  /// The packets that have a label.
  public var domain: PacketSet {
    get throws(BudgetExceeded) {
      PacketSet(space, try space.replaceLabels(of: root) { _ in .everything })
    }
  }

  /// Returns the packets that have one of `labels`.
  public func packets(labelled labels: Set<UInt32>) throws(BudgetExceeded) -> PacketSet {
    PacketSet(space, try space.replaceLabels(of: root) { labels.contains($0) ? .everything : .undefined })
  }

  /// Returns the packets that have the label `label`.
  public func packets(labelled label: UInt32) throws(BudgetExceeded) -> PacketSet {
    PacketSet(space, try space.replaceLabels(of: root) { $0 == label ? .everything : .undefined })
  }

  /// Returns the map with each label replaced by what `change` returns for it; 0 takes it away.
  ///
  /// - Requires: labels are below 2^31.
  public func relabelled(_ change: (UInt32) -> UInt32) throws(BudgetExceeded) -> PacketMap {
    // Far more often than not, nothing changes, or little; to see that makes no nodes.
    let changing = labels.filter { change($0) != $0 }
    guard let first = changing.first, let last = changing.last else { return self }
    return PacketMap(
      space,
      try space.replaceLabels(of: root, within: first...last) {
        let label = change($0)
        precondition(label < 0x8000_0000)
        return Ref(label: label)
      })
  }

  /// Returns the map with the labels of `other` where this one has none.
  public func overriding(_ other: PacketMap) throws(BudgetExceeded) -> PacketMap {
    try combined(with: other.root, of: other.space, .override)
  }

  /// Returns the map of the packets of `set` alone.
  public func restricted(to set: PacketSet) throws(BudgetExceeded) -> PacketMap {
    try combined(with: set.root, of: set.space, .keep)
  }

  /// Returns the map without the packets of `set`.
  public func removing(_ set: PacketSet) throws(BudgetExceeded) -> PacketMap {
    try combined(with: set.root, of: set.space, .remove)
  }

  /// Returns the packets to which `self` and `other` give different labels, or only one of them gives any.
  public func differing(from other: PacketMap) throws(BudgetExceeded) -> PacketSet {
    PacketSet(space, try combined(with: other.root, of: other.space, .differ).root)
  }

  /// Returns the map of each packet to the pair of its labels in `self` and `other`, which `PacketSpace.pair` tells.
  public func paired(with other: PacketMap) throws(BudgetExceeded) -> PacketMap {
    try combined(with: other.root, of: other.space, .pair)
  }

  /// Returns the labels for packets whose `field` is `value`, whatever it is for a packet.
  public func fixing(_ field: PacketField, to value: UInt128) throws(BudgetExceeded) -> PacketMap {
    PacketMap(space, try space.fix(field, to: value, in: root))
  }

  /// Returns the labels for packets whose `field` is `distance` more than what it is for a packet; what would lie beyond
  /// the field's values has no label.
  ///
  /// - Requires: the values of `field` fit 32 bits.
  public func shifting(_ field: PacketField, by distance: Int) throws(BudgetExceeded) -> PacketMap {
    precondition(field.highest <= UInt128(UInt32.max))
    return distance == 0 ? self : PacketMap(space, try space.shift(field, by: distance, in: root))
  }

  /// Returns `true` iff the label of some packet depends on one of `fields`.
  public func looks(at fields: Set<PacketField>) -> Bool {
    space.looks(at: Set(fields.map(\.rawValue)), in: root)
  }

  /// Returns `true` iff two packets that differ in `field` alone have different labels.
  public func depends(on field: PacketField) throws(BudgetExceeded) -> Bool {
    var seen = space.nothing
    for label in labels {
      let some = try packets(labelled: label).forgetting(field)
      if try !seen.intersection(some).isEmpty { return true }
      seen = try seen.union(some)
    }
    return false
  }

  /// The labels that packets have, in order.
  public var labels: [UInt32] { space.labels(of: root) }

  /// Returns the combination with the diagram `other` of the space `space`.
  private func combined(
    with other: Ref, of space: PacketSpace, _ operation: Operation
  ) throws(BudgetExceeded) -> PacketMap {
    precondition(space === self.space)
    return PacketMap(space, try space.combine(root, other, operation))
  }
}

extension PacketMap: Hashable {
  /// Returns `true` iff the maps are of one space and give every packet the same label.
  public static func == (a: Self, b: Self) -> Bool { a.space === b.space && a.root == b.root }

  /// Adds the map to `hasher`.
  public func hash(into hasher: inout Hasher) { hasher.combine(root) }
}

extension PacketSpace {
  /// The map that gives no packet a label.
  public var unlabelled: PacketMap { PacketMap(self, .undefined) }

  /// Returns the labels that the label `number` of a map of pairs stands for; 0 is none.
  public func pair(_ number: UInt32) -> (UInt32, UInt32) { pairs[Int(number)] }
}
