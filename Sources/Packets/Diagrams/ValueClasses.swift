/// The values of fields from 0 to a highest one, told apart only where packets differ.
///
/// Values are of one class iff nothing that was looked at so far distinguishes them.
public struct ValueClasses {
  /// The class of each value; the numbers say nothing but which values are of one class.
  public private(set) var numbers: [Int]

  private var next = 1

  /// Creates one class of the `count` lowest values.
  public init(count: Int) { numbers = Array(repeating: 0, count: count) }

  /// Tells the values of `set` apart from the others.
  public mutating func refine(by set: IntervalSet<UInt128>) {
    var split: [Int: Int] = [:]
    for interval in set.intervals { move(interval, &split) }
  }

  /// Tells values of `field` apart for which `map` gives packets different labels.
  public mutating func refine(by map: PacketMap, in field: PacketField) {
    // Every node of a diagram can be reached, and different nodes are different maps.
    map.space.forEachNode(of: map.root, at: field.rawValue) { edges in
      var totals: [Ref: UInt128] = [:]
      for (range, target) in edges { totals[target, default: 0] += UInt128(clipped(range).count) }
      // Those that lead where most lead stay together.
      let usual = totals.max { ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue) }?.key
      var splits: [Ref: [Int: Int]] = [:]
      for (range, target) in edges where target != usual { move(range, &splits[target, default: [:]]) }
    }
  }

  private func clipped(_ range: ClosedRange<UInt128>) -> Range<Int> {
    let end = UInt128(numbers.count)
    return Int(min(range.lowerBound, end))..<Int(min(range.upperBound, end - 1)) + 1
  }

  /// Moves the values of `range` to other classes, which `split` names by their old ones.
  private mutating func move(_ range: ClosedRange<UInt128>, _ split: inout [Int: Int]) {
    guard range.lowerBound < UInt128(numbers.count) else { return }
    for value in clipped(range) {
      let old = numbers[value]
      if split[old] == nil {
        split[old] = next
        next += 1
      }
      numbers[value] = split[old] ?? old
    }
  }
}

extension PacketSpace {
  /// Calls `body` with the edges of each node of `diagram` at `level`, which cover all values in order.
  fileprivate func forEachNode(
    of diagram: Ref, at level: UInt8, _ body: ([(range: ClosedRange<UInt128>, target: Ref)]) -> Void
  ) {
    var seen: Set<Ref> = [diagram]
    var waiting = [diagram]
    while let next = waiting.popLast() {
      guard !next.isLeaf else { continue }
      let node = nodes[Int(next.node)]
      guard node.level <= level else { continue }
      let positions = Int(node.first)..<Int(node.first) + Int(node.count)
      if node.level == level {
        var lower: UInt128 = 0
        var list: [(range: ClosedRange<UInt128>, target: Ref)] = []
        for i in positions {
          list.append((lower...edges[i].upper, edges[i].target))
          if edges[i].upper != .max { lower = edges[i].upper + 1 }
        }
        body(list)
      } else {
        for i in positions where seen.insert(edges[i].target).inserted { waiting.append(edges[i].target) }
      }
    }
  }
}
