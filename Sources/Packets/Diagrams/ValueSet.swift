/// A set of values of one field that a space has seen before, by number.
public struct ValueSet: Hashable, Sendable {
  /// The number in the space; 0 is every value.
  let number: UInt32

  /// Every value.
  public static let all = ValueSet(number: 0)

  /// The value 1 alone: a condition holds.
  static let one = ValueSet(number: 1)
}

/// The sets of values that the boxes of a space have as sides, each kept once.
struct ValueSets {
  private var numbers: [IntervalSet<UInt128>: UInt32] = [:]
  /// The sets by number.
  private(set) var sets: [IntervalSet<UInt128>] = [.all, IntervalSet(1...1)]

  init() { numbers[sets[1]] = 1 }

  /// Returns the number of `set`.
  mutating func number(of set: IntervalSet<UInt128>) -> UInt32 {
    if let number = numbers[set] { return number }
    sets.append(set)
    numbers[set] = UInt32(sets.count - 1)
    return UInt32(sets.count - 1)
  }
}

extension PacketSpace {
  /// Returns the values of `set`, for a side of a box in `field`.
  public func values(_ set: IntervalSet<UInt128>, of field: PacketField) -> ValueSet {
    let highest = field.highest
    let set =
      set.intervals.last.map { $0.upperBound <= highest } ?? true
      ? set : set.intersection(IntervalSet(0...highest))
    if set.intervals.count == 1, set.intervals[0] == 0...highest { return .all }
    return ValueSet(number: valueSets.number(of: set))
  }

  /// Returns the value `value` alone, for a side of a box.
  public func value(_ value: some FixedWidthInteger & UnsignedInteger, of field: PacketField) -> ValueSet {
    values(IntervalSet(UInt128(value)...UInt128(value)), of: field)
  }

  /// Returns the values of `range`, for a side of a box.
  public func values(
    _ range: ClosedRange<some FixedWidthInteger & UnsignedInteger>, of field: PacketField
  ) -> ValueSet {
    values(IntervalSet(UInt128(range.lowerBound)...UInt128(range.upperBound)), of: field)
  }

  /// Returns the IPv4 addresses of `set`, for a side of a box whose family is IPv4.
  ///
  /// Every address is every value, those above 32 bits too: such packets do not exist, and whoever compares or counts
  /// sets leaves them out first.
  public func values(_ set: IntervalSet<UInt32>, of field: PacketField) -> ValueSet {
    if set.isAll { return .all }
    return values(
      IntervalSet(set.intervals.lazy.map { UInt128($0.lowerBound)...UInt128($0.upperBound) }), of: field)
  }
}
