/// The places of elements among one another, as the bytes of their keys tell them.
///
/// A hundred thousand elements come in no order, and are compared with those of a policy in the order of their keys.
struct KeyOrder {
  /// Keys of up to twelve bytes, each with its position behind it, so that one number holds both.
  private var short: [UInt128] = []

  /// Longer keys, of up to 32 bytes, as two numbers, and their positions.
  private var long: [(high: UInt128, low: UInt128, position: Int)] = []

  /// How many keys there are.
  var count: Int { short.count + long.count }

  /// Adds the key at `extent` of `bytes` behind the others; all have one length.
  mutating func append(_ bytes: Span<UInt8>, _ extent: Extent) {
    if extent.count <= 12, short.count <= UInt32.max {
      short.append(bytes.wide(extent) << 32 | UInt128(short.count))
    } else {
      let middle = max(extent.lowerBound, extent.upperBound - 16)
      long.append((bytes.wide(extent.lowerBound..<middle), bytes.wide(middle..<extent.upperBound), long.count))
    }
  }

  /// Returns the positions of the keys in their order, or nothing if they stand in it.
  consuming func positions() -> [Int]? {
    if long.isEmpty {
      if zip(short, short.dropFirst()).allSatisfy({ $0 < $1 }) { return nil }
      short.sort()
      return short.map { Int(truncatingIfNeeded: $0 & 0xffff_ffff) }
    }
    if zip(long, long.dropFirst()).allSatisfy({ ($0.high, $0.low) <= ($1.high, $1.low) }) { return nil }
    return long.sorted { ($0.high, $0.low) < ($1.high, $1.low) }.map(\.position)
  }
}

extension Array {
  /// Puts the element at each of `positions`, which are all of them, at the place at which that position stands.
  ///
  /// Elements are moved and never copied, which would count the references that each of them holds.
  mutating func arrange(by positions: [Int]) {
    precondition(positions.count == count)
    var positions = positions
    var elements = mutableSpan
    for start in elements.indices {
      // The elements that wait for one another's places are a circle.
      var place = start
      while positions[place] != start {
        let next = positions[place]
        elements.swapAt(place, next)
        positions[place] = place
        place = next
      }
      positions[place] = place
    }
  }
}
