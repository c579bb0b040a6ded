/// Packets whose fields have values of one set each, with a label.
public struct PacketBox: Sendable {
  /// The label of the packets; below 2^31, and not 0.
  public var label: UInt32

  /// The sets of values by field; lanes without a field are 0.
  var sides = SIMD16<UInt32>()

  /// The condition that must hold, or 0 if none.
  private(set) var condition: UInt8 = 0

  /// Creates the box of every packet, with the label `label`.
  ///
  /// - Requires: `label` is positive and below 2^31.
  public init(label: UInt32 = 1) {
    precondition(label > 0 && label < 0x8000_0000)
    self.label = label
  }

  /// The values of `field`, which is not a condition.
  public subscript(field: PacketField) -> ValueSet {
    get { ValueSet(number: sides[Int(field.rawValue)]) }
    set {
      precondition(Int(field.rawValue) < PacketField.count)
      sides[Int(field.rawValue)] = newValue.number
    }
  }

  /// `true` iff every packet is in it.
  public var isEverything: Bool { condition == 0 && sides == .zero }

  /// Returns the box of those packets for which `condition` holds.
  ///
  /// - Requires: the box has no condition yet.
  public func when(_ condition: PacketField) -> PacketBox {
    precondition(self.condition == 0 && Int(condition.rawValue) >= PacketField.count)
    var box = self
    box.condition = condition.rawValue
    return box
  }

  /// The number of the values at `level`.
  @inline(__always) func side(_ level: UInt8) -> UInt32 {
    Int(level) < PacketField.count
      ? sides[Int(level)] : level == condition ? ValueSet.one.number : ValueSet.all.number
  }

  /// Returns `true` iff `self` stands before `other` when boxes are sorted by their sides, from the first level on.
  func precedes(_ other: PacketBox) -> Bool {
    let differ = sides .!= other.sides
    if any(differ) {
      for lane in 0..<PacketField.count where sides[lane] != other.sides[lane] {
        return sides[lane] < other.sides[lane]
      }
    }
    if condition == other.condition { return label < other.label }
    // At the level of each condition, the boxes that do not ask for it stand first.
    return condition == 0 || other.condition != 0 && condition > other.condition
  }
}

extension PacketSpace {
  /// Returns `true` iff `packet` is in `box`.
  public func contains(_ packet: PacketValues, in box: PacketBox) -> Bool {
    for level in 0..<UInt8(fieldCount) where box.side(level) != ValueSet.all.number {
      let field = PacketField(rawValue: level)
      guard valueSets[box.side(level)].contains(where: { $0.contains(packet[field]) }) else { return false }
    }
    return true
  }
}
