/// A set of unsigned integers, kept as the fewest closed intervals in ascending order.
///
/// - Invariant: no two intervals overlap or touch.
@frozen public struct IntervalSet<Element: FixedWidthInteger & UnsignedInteger & Sendable>: Hashable, Sendable {
  /// The intervals of the set.
  public let intervals: [ClosedRange<Element>]

  /// Creates the empty set.
  @inlinable public init() { intervals = [] }

  /// Creates the set of everything from the lower to the upper bound of `interval`.
  @inlinable public init(_ interval: ClosedRange<Element>) { intervals = [interval] }

  /// Creates the union of `parts`.
  @inlinable public init(_ parts: some Sequence<ClosedRange<Element>>) {
    var sorted = Array(parts)
    // Most are disjoint and in order already, and take no second list.
    var isDisjoint = true
    for i in sorted.indices.dropFirst() {
      let last = sorted[i - 1].upperBound
      guard last != .max, sorted[i].lowerBound > last + 1 else {
        isDisjoint = false
        break
      }
    }
    if isDisjoint {
      self.init(disjoint: sorted)
      return
    }
    sorted.sort { $0.lowerBound < $1.lowerBound }
    var merged: [ClosedRange<Element>] = []
    merged.reserveCapacity(sorted.count)
    for part in sorted {
      guard let last = merged.last, last.upperBound == .max || part.lowerBound <= last.upperBound + 1 else {
        merged.append(part)
        continue
      }
      if part.upperBound > last.upperBound { merged[merged.count - 1] = last.lowerBound...part.upperBound }
    }
    self.init(disjoint: merged)
  }

  /// Creates the set of `intervals`, which are known to obey the invariant.
  @usableFromInline init(disjoint intervals: [ClosedRange<Element>]) { self.intervals = intervals }

  /// Every value there is.
  @inlinable public static var all: Self { Self(Element.min...Element.max) }

  /// `true` iff the set has no element.
  @inlinable public var isEmpty: Bool { intervals.isEmpty }

  /// `true` iff the set has every element.
  @inlinable public var isAll: Bool {
    intervals.count == 1 && intervals[0].lowerBound == .min && intervals[0].upperBound == .max
  }

  /// Returns `true` iff `element` is in the set.
  @inlinable public func contains(_ element: Element) -> Bool { intersects(element...element) }

  /// Returns `true` iff an element of `interval` is in the set.
  @inlinable public func intersects(_ interval: ClosedRange<Element>) -> Bool {
    var low = 0
    var high = intervals.count
    while low < high {
      let middle = (low + high) / 2
      if intervals[middle].upperBound < interval.lowerBound { low = middle + 1 } else { high = middle }
    }
    return low < intervals.count && intervals[low].lowerBound <= interval.upperBound
  }

  /// Returns what is in `self`, in `other`, or in both.
  @inlinable public func union(_ other: Self) -> Self {
    if isEmpty { return other }
    if other.isEmpty { return self }
    return Self(intervals + other.intervals)
  }

  /// Returns what is in both `self` and `other`.
  @inlinable public func intersection(_ other: Self) -> Self {
    var result: [ClosedRange<Element>] = []
    var i = 0
    var j = 0
    while i < intervals.count && j < other.intervals.count {
      let a = intervals[i]
      let b = other.intervals[j]
      let lower = max(a.lowerBound, b.lowerBound)
      let upper = min(a.upperBound, b.upperBound)
      if lower <= upper { result.append(lower...upper) }
      if a.upperBound < b.upperBound { i += 1 } else { j += 1 }
    }
    return Self(disjoint: result)
  }

  /// Returns what is not in `self`.
  @inlinable public var complement: Self {
    var result: [ClosedRange<Element>] = []
    var next = Element.min
    for interval in intervals {
      if interval.lowerBound > next { result.append(next...(interval.lowerBound - 1)) }
      if interval.upperBound == .max { return Self(disjoint: result) }
      next = interval.upperBound + 1
    }
    result.append(next...(.max))
    return Self(disjoint: result)
  }

  /// Returns what is in `self` and not in `other`.
  @inlinable public func subtracting(_ other: Self) -> Self {
    isEmpty || other.isEmpty ? self : intersection(other.complement)
  }

  /// Returns `true` iff `self` and `other` have an element in common.
  @inlinable public func intersects(_ other: Self) -> Bool {
    var i = 0
    var j = 0
    while i < intervals.count && j < other.intervals.count {
      if intervals[i].overlaps(other.intervals[j]) { return true }
      if intervals[i].upperBound < other.intervals[j].upperBound { i += 1 } else { j += 1 }
    }
    return false
  }

  /// Returns `true` iff every element of `self` is in `other`.
  @inlinable public func isSubset(of other: Self) -> Bool {
    var j = 0
    for a in intervals {
      while j < other.intervals.count && other.intervals[j].upperBound < a.lowerBound { j += 1 }
      guard j < other.intervals.count, other.intervals[j].lowerBound <= a.lowerBound,
        a.upperBound <= other.intervals[j].upperBound
      else { return false }
    }
    return true
  }
}
