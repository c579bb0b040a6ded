/// A set of values of one field that a space has seen before, by number.
public struct ValueSet: Hashable, Sendable {
  /// The number in the space; 0 is every value.
  let number: UInt32

  /// Every value.
  public static let all = ValueSet(number: 0)

  /// The value 1 alone: a condition holds.
  static let one = ValueSet(number: 1)

  /// No value.
  public static let none = ValueSet(number: 2)
}

/// The sets of values that the boxes of a space have as sides, each kept once.
///
/// Most are one interval, of which a ruleset has tens of thousands: so all intervals stand in one list, and to look one
/// up makes no list.
struct ValueSets {
  /// The intervals of all sets, set by set.
  private var intervals: [ClosedRange<UInt128>] = [0...UInt128.max, 1...1]
  /// Where the intervals of each set end, by number.
  private var ends: [Int] = [1, 2, 2]
  private var hashes: [UInt64]
  /// The numbers of the sets, each at or behind the position that its hash tells; 0 is nothing.
  private var slots = [UInt32](repeating: 0, count: 64)

  init() {
    hashes = [0, ValueSets.hash(intervals[1...]), ValueSets.hash([])]
    insert(1)
    insert(2)
  }

  /// The intervals of the set `number`, in order.
  subscript(number: UInt32) -> ArraySlice<ClosedRange<UInt128>> { intervals[positions(of: number)] }

  /// Where the intervals of the set `number` stand.
  private func positions(of number: UInt32) -> Range<Int> {
    (number == 0 ? 0 : ends[Int(number) - 1])..<ends[Int(number)]
  }

  /// Returns the number of the set that is `interval`.
  mutating func number(of interval: ClosedRange<UInt128>) -> UInt32 {
    let hash = scrambled(ValueSets.mixed(interval, into: 0))
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let number = slots[slot]
      let positions = positions(of: number)
      if hashes[Int(number)] == hash, positions.count == 1, intervals[positions.lowerBound] == interval {
        return number
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    intervals.append(interval)
    return add(hash, at: slot)
  }

  /// Returns the number of the set of `wanted`, which are in order and do not touch.
  mutating func number(of wanted: [ClosedRange<UInt128>]) -> UInt32 {
    let hash = ValueSets.hash(wanted[...])
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let number = slots[slot]
      if hashes[Int(number)] == hash, self[number] == wanted[...] { return number }
      slot = (slot + 1) & (slots.count - 1)
    }
    intervals.append(contentsOf: wanted)
    return add(hash, at: slot)
  }

  /// Returns the number of the set with the last intervals, whose hash is `hash`, and notes it at `slot`.
  private mutating func add(_ hash: UInt64, at slot: Int) -> UInt32 {
    ends.append(intervals.count)
    hashes.append(hash)
    let number = UInt32(ends.count - 1)
    slots[slot] = number
    if ends.count * 2 > slots.count {
      slots = Array(repeating: 0, count: slots.count * 4)
      for number in 1..<UInt32(ends.count) { insert(number) }
    }
    return number
  }

  /// Notes where the set `number` is.
  private mutating func insert(_ number: UInt32) {
    var slot = Int(truncatingIfNeeded: hashes[Int(number)]) & (slots.count - 1)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = number
  }

  /// Returns a number that is the same for equal sets.
  private static func hash(_ set: ArraySlice<ClosedRange<UInt128>>) -> UInt64 {
    var hash: UInt64 = 0
    for interval in set { hash = mixed(interval, into: hash) }
    return scrambled(hash)
  }

  @inline(__always) private static func mixed(_ interval: ClosedRange<UInt128>, into hash: UInt64) -> UInt64 {
    Edge(upTo: interval.upperBound, to: .undefined).mixed(
      into: Edge(upTo: interval.lowerBound, to: .undefined).mixed(into: hash))
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
    return ValueSet(number: valueSets.number(of: set.intervals))
  }

  /// Returns the values of the set `values`.
  public func intervals(of values: ValueSet) -> IntervalSet<UInt128> { IntervalSet(valueSets[values.number]) }

  /// Returns the values that are in both `a` and `b`, which are of `field`.
  public func intersection(_ a: ValueSet, _ b: ValueSet, of field: PacketField) -> ValueSet {
    if a == b || b == .all { return a }
    return a == .all ? b : values(intervals(of: a).intersection(intervals(of: b)), of: field)
  }

  /// Returns the values of the interval `range`, for a side of a box.
  public func values(_ range: ClosedRange<UInt128>, of field: PacketField) -> ValueSet {
    let highest = field.highest
    guard range.lowerBound <= highest else { return .none }
    if range.lowerBound == 0, range.upperBound >= highest { return .all }
    let whole = range.lowerBound...min(range.upperBound, highest)
    return ValueSet(number: valueSets.number(of: whole))
  }

  /// Returns the value `value` alone, for a side of a box.
  @inlinable public func value(_ value: some FixedWidthInteger & UnsignedInteger, of field: PacketField) -> ValueSet {
    values(UInt128(truncatingIfNeeded: value)...UInt128(truncatingIfNeeded: value), of: field)
  }

  /// Returns the values of `range`, for a side of a box.
  @inlinable public func values(
    _ range: ClosedRange<some FixedWidthInteger & UnsignedInteger>, of field: PacketField
  ) -> ValueSet {
    values(
      UInt128(truncatingIfNeeded: range.lowerBound)...UInt128(truncatingIfNeeded: range.upperBound), of: field)
  }

  /// Returns the IPv4 addresses of `set`, for a side of a box whose family is IPv4.
  ///
  /// Every address is every value, those above 32 bits too: such packets do not exist, and whoever compares or counts
  /// sets leaves them out first.
  public func values(_ set: IntervalSet<UInt32>, of field: PacketField) -> ValueSet {
    if set.isAll { return .all }
    if set.intervals.count == 1 { return values(set.intervals[0], of: field) }
    return values(
      IntervalSet(
        set.intervals.lazy.map {
          UInt128(truncatingIfNeeded: $0.lowerBound)...UInt128(truncatingIfNeeded: $0.upperBound)
        }), of: field)
  }
}
