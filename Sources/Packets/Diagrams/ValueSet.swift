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
  private var ends: [UInt32] = [1, 2, 2]
  /// The numbers of the sets that are not in `narrow`, each at or behind the position that its hash tells.
  private var slots = [Slot](repeating: .free, count: 64)
  /// How many sets stand in `slots`.
  private var count = 1
  /// The numbers of the sets that are one interval below 2^32, as most are; to find one is one look at the memory.
  private var narrow = NarrowSets()
  /// The interval that was looked up last for each field, with its number: rules that stand together ask for the same.
  private var latest = [(interval: ClosedRange<UInt128>, number: UInt32)](
    repeating: (0...UInt128.max, 0), count: PacketField.count)

  init() {
    _ = narrow.number(of: 1...1, orNew: 1)
    ValueSets.insert(Slot(hash: ValueSets.hash([]), number: 2), into: &slots)
  }

  /// The intervals of the set `number`, in order.
  subscript(number: UInt32) -> ArraySlice<ClosedRange<UInt128>> { intervals[positions(of: number)] }

  /// Where the intervals of the set `number` stand.
  private func positions(of number: UInt32) -> Range<Int> {
    (number == 0 ? 0 : Int(ends[Int(number) - 1]))..<Int(ends[Int(number)])
  }

  /// Returns the number of the set that is `interval`, for a side in `field`.
  mutating func number(of interval: ClosedRange<UInt128>, in field: PacketField) -> UInt32 {
    let lane = Int(field.rawValue)
    guard lane < latest.count else { return number(of: interval) }
    if latest[lane].interval == interval { return latest[lane].number }
    let number = number(of: interval)
    latest[lane] = (interval, number)
    return number
  }

  private mutating func number(of interval: ClosedRange<UInt128>) -> UInt32 {
    guard interval.upperBound <= UInt32.max else { return number(of: [interval][...]) }
    let new = UInt32(ends.count)
    let number = narrow.number(of: interval, orNew: new)
    if number == new {
      intervals.append(interval)
      ends.append(UInt32(intervals.count))
    }
    return number
  }

  /// Returns the number of the set of `wanted`, which are in order and do not touch.
  mutating func number(of wanted: [ClosedRange<UInt128>]) -> UInt32 {
    wanted.count == 1 ? number(of: wanted[0]) : number(of: wanted[...])
  }

  private mutating func number(of wanted: ArraySlice<ClosedRange<UInt128>>) -> UInt32 {
    let hash = ValueSets.hash(wanted)
    var position = Int(hash) & (slots.count - 1)
    while slots[position].number != .max {
      let slot = slots[position]
      if slot.hash == hash, self[slot.number] == wanted { return slot.number }
      position = (position + 1) & (slots.count - 1)
    }
    let number = UInt32(ends.count)
    intervals.append(contentsOf: wanted)
    ends.append(UInt32(intervals.count))
    slots[position] = Slot(hash: hash, number: number)
    count += 1
    if count * 2 > slots.count {
      var larger = [Slot](repeating: .free, count: slots.count * 4)
      for slot in slots where slot.number != .max { ValueSets.insert(slot, into: &larger) }
      slots = larger
    }
    return number
  }

  /// Puts `new` into `slots`.
  private static func insert(_ new: Slot, into slots: inout [Slot]) {
    var slot = Int(new.hash) & (slots.count - 1)
    while slots[slot].number != .max { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = new
  }

  /// Returns a number that is the same for equal sets.
  private static func hash(_ set: ArraySlice<ClosedRange<UInt128>>) -> UInt32 {
    var hash: UInt64 = 0
    for interval in set { hash = mixed(interval, into: hash) }
    return UInt32(truncatingIfNeeded: scrambled(hash))
  }

  @inline(__always) private static func mixed(_ interval: ClosedRange<UInt128>, into hash: UInt64) -> UInt64 {
    Edge(upTo: interval.upperBound, to: .undefined).mixed(
      into: Edge(upTo: interval.lowerBound, to: .undefined).mixed(into: hash))
  }
}

/// The numbers of sets that are one interval below 2^32.
private struct NarrowSets {
  /// An interval, the lower end in the upper half, and the number of its set, which is 0 where there is none.
  private struct Place {
    var ends: UInt64
    var number: UInt32
  }

  /// The sets, each at or behind the position that the hash of its ends tells.
  private var slots = [Place](repeating: Place(ends: 0, number: 0), count: 64)
  private var count = 0

  /// Returns the number of the set that is `interval`; if there is none, it is `new` from now on.
  mutating func number(of interval: ClosedRange<UInt128>, orNew new: UInt32) -> UInt32 {
    let ends = UInt64(truncatingIfNeeded: interval.lowerBound << 32 | interval.upperBound)
    let position = position(of: ends)
    if slots[position].number != 0 { return slots[position].number }
    slots[position] = Place(ends: ends, number: new)
    count += 1
    if count * 2 > slots.count {
      let known = slots
      slots = Array(repeating: Place(ends: 0, number: 0), count: known.count * 2)
      for slot in known where slot.number != 0 { slots[self.position(of: slot.ends)] = slot }
    }
    return new
  }

  /// Returns where the set with `ends` is or belongs.
  private func position(of ends: UInt64) -> Int {
    var position = Int(truncatingIfNeeded: scrambled(ends)) & (slots.count - 1)
    while slots[position].number != 0, slots[position].ends != ends { position = (position + 1) & (slots.count - 1) }
    return position
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
    return ValueSet(number: valueSets.number(of: whole, in: field))
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
