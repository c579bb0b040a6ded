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
  /// The sets by number.
  private(set) var sets: [IntervalSet<UInt128>] = [.all, IntervalSet(1...1)]
  private var hashes = [0, hash(IntervalSet(1...1))]
  /// The numbers of the sets, each at or behind the position that its hash tells; 0 is nothing.
  private var slots = [UInt32](repeating: 0, count: 64)

  init() { insert(1) }

  /// Returns the number of `set`.
  mutating func number(of set: IntervalSet<UInt128>) -> UInt32 {
    let hash = ValueSets.hash(set)
    var slot = hash & (slots.count - 1)
    while slots[slot] != 0 {
      let number = Int(slots[slot])
      if hashes[number] == hash, sets[number] == set { return slots[slot] }
      slot = (slot + 1) & (slots.count - 1)
    }
    sets.append(set)
    hashes.append(hash)
    let number = UInt32(sets.count - 1)
    slots[slot] = number
    if sets.count * 2 > slots.count {
      slots = Array(repeating: 0, count: slots.count * 4)
      for number in 1..<UInt32(sets.count) { insert(number) }
    }
    return number
  }

  /// Notes where the set `number` is.
  private mutating func insert(_ number: UInt32) {
    var slot = hashes[Int(number)] & (slots.count - 1)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = number
  }

  /// Returns a number that is the same for equal sets.
  private static func hash(_ set: IntervalSet<UInt128>) -> Int {
    var hash: UInt64 = 0
    for interval in set.intervals {
      hash = Edge(upTo: interval.lowerBound, to: .undefined).mixed(into: hash)
      hash = Edge(upTo: interval.upperBound, to: .undefined).mixed(into: hash)
    }
    return Int(truncatingIfNeeded: scrambled(hash) >> 1)
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
  @inlinable public func value(_ value: some FixedWidthInteger & UnsignedInteger, of field: PacketField) -> ValueSet {
    values(IntervalSet(UInt128(truncatingIfNeeded: value)...UInt128(truncatingIfNeeded: value)), of: field)
  }

  /// Returns the values of `range`, for a side of a box.
  @inlinable public func values(
    _ range: ClosedRange<some FixedWidthInteger & UnsignedInteger>, of field: PacketField
  ) -> ValueSet {
    values(
      IntervalSet(
        UInt128(truncatingIfNeeded: range.lowerBound)...UInt128(truncatingIfNeeded: range.upperBound)), of: field)
  }

  /// Returns the IPv4 addresses of `set`, for a side of a box whose family is IPv4.
  ///
  /// Every address is every value, those above 32 bits too: such packets do not exist, and whoever compares or counts
  /// sets leaves them out first.
  public func values(_ set: IntervalSet<UInt32>, of field: PacketField) -> ValueSet {
    if set.isAll { return .all }
    return values(
      IntervalSet(
        set.intervals.lazy.map {
          UInt128(truncatingIfNeeded: $0.lowerBound)...UInt128(truncatingIfNeeded: $0.upperBound)
        }), of: field)
  }
}
