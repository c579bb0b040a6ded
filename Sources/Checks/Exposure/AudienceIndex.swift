import Packets

/// Which of many audiences have addresses of another one in them.
struct AudienceIndex {
  /// An interval of addresses of one family, and the position of its audience.
  private struct Entry {
    var lower: UInt128
    var upper: UInt128
    var audience: Int
  }

  /// The audiences.
  private let audiences: [AddressSet]

  /// The intervals of each family, by their lower bounds.
  private let four, six: [Entry]

  /// The highest upper bound of the intervals up to each.
  private let highestFour, highestSix: [UInt128]

  /// Creates the index of `audiences`.
  init(_ audiences: [AddressSet]) {
    self.audiences = audiences
    four = AudienceIndex.entries(audiences) { set in
      set.ipv4.intervals.map { (UInt128($0.lowerBound), UInt128($0.upperBound)) }
    }
    six = AudienceIndex.entries(audiences) { set in set.ipv6.intervals.map { ($0.lowerBound, $0.upperBound) } }
    highestFour = AudienceIndex.highest(four)
    highestSix = AudienceIndex.highest(six)
  }

  /// Returns the intervals of `audiences` by their lower bounds.
  private static func entries(_ audiences: [AddressSet], _ parts: (AddressSet) -> [(UInt128, UInt128)]) -> [Entry] {
    var result: [Entry] = []
    for (i, audience) in audiences.enumerated() {
      for (lower, upper) in parts(audience) { result.append(Entry(lower: lower, upper: upper, audience: i)) }
    }
    return result.sorted { ($0.lower, $0.audience) < ($1.lower, $1.audience) }
  }

  /// Returns the highest upper bound of `entries` up to each.
  private static func highest(_ entries: [Entry]) -> [UInt128] {
    var last: UInt128 = 0
    return entries.map { entry in
      last = max(last, entry.upper)
      return last
    }
  }

  /// Returns the audiences that have the lowest address of the one at `position`, in order.
  func candidates(for position: Int) -> [Int] {
    let audience = audiences[position]
    if let first = audience.ipv4.intervals.first {
      return AudienceIndex.holders(of: UInt128(first.lowerBound), among: four, highestFour)
    }
    return audience.ipv6.intervals.first.map { AudienceIndex.holders(of: $0.lowerBound, among: six, highestSix) } ?? []
  }

  /// Returns the audiences that have an address in common with `set`, in order.
  func neighbours(of set: AddressSet) -> [Int] {
    var result = Set<Int>()
    for interval in set.ipv4.intervals {
      result.formUnion(
        AudienceIndex.holders(
          of: UInt128(interval.lowerBound), through: UInt128(interval.upperBound), among: four, highestFour))
    }
    for interval in set.ipv6.intervals {
      result.formUnion(
        AudienceIndex.holders(of: interval.lowerBound, through: interval.upperBound, among: six, highestSix))
    }
    return result.sorted()
  }

  /// Returns the audiences of the intervals among `entries` that hold `value`, in order.
  private static func holders(of value: UInt128, among entries: [Entry], _ highest: [UInt128]) -> [Int] {
    holders(of: value, through: value, among: entries, highest).sorted()
  }

  /// Returns the audiences of the intervals among `entries` that hold a value from `lower` to `upper`.
  private static func holders(
    of lower: UInt128, through upper: UInt128, among entries: [Entry], _ highest: [UInt128]
  ) -> [Int] {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].lower <= upper { low = middle + 1 } else { high = middle }
    }
    var result: [Int] = []
    while low > 0, highest[low - 1] >= lower {
      low -= 1
      if entries[low].upper >= lower { result.append(entries[low].audience) }
    }
    return result
  }
}
