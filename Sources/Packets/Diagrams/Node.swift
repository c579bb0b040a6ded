/// A diagram: a node of a space, or a label.
struct Ref: Hashable, BitwiseCopyable {
  /// The number of the node, or the label behind the highest bit.
  let rawValue: UInt32

  /// The node `number`.
  @inline(__always) init(node number: UInt32) { rawValue = number }

  /// The label `label`, which is below 2^31; 0 is none.
  @inline(__always) init(label: UInt32) { rawValue = label | 0x8000_0000 }

  /// No packet has a label.
  static let undefined = Ref(label: 0)

  /// Every packet has the label 1.
  static let everything = Ref(label: 1)

  @inline(__always) var isLeaf: Bool { rawValue >= 0x8000_0000 }
  @inline(__always) var label: UInt32 { rawValue & 0x7fff_ffff }
  @inline(__always) var node: UInt32 { rawValue }
}

/// The values of a field behind those of the edge before, up to `upper`, lead to `target`.
struct Edge: BitwiseCopyable {
  // In halves, so that an edge takes 24 bytes in place of 32.
  private let high: UInt64
  private let low: UInt64
  let target: Ref

  @inline(__always) init(upTo upper: UInt128, to target: Ref) {
    high = UInt64(truncatingIfNeeded: upper >> 64)
    low = UInt64(truncatingIfNeeded: upper)
    self.target = target
  }

  @inline(__always) var upper: UInt128 { UInt128(high) << 64 | UInt128(low) }

  @inline(__always) func isEqual(to other: Edge) -> Bool {
    low == other.low && high == other.high && target == other.target
  }

  @inline(__always) func mixed(into hash: UInt64) -> UInt64 {
    var h = (hash ^ low) &* 0x9e37_79b9_7f4a_7c15
    h ^= h >> 32
    h = (h ^ (high &* 0xd6e8_feb8_6659_fd93 &+ UInt64(target.rawValue))) &* 0x2545_f491_4f6c_dd1d
    return h ^ h >> 29
  }
}

/// One field cut into intervals.
struct Node: BitwiseCopyable {
  /// Where its edges begin.
  let first: UInt32
  let count: UInt32
  /// The lowest and the highest label that it gives to packets.
  let least: UInt32
  let greatest: UInt32
  let level: UInt8
  /// `true` iff it leaves some packet without a label.
  let hasUndefined: Bool

  static let leafLevel: UInt8 = .max
}

/// The result of an operation that was carried out.
struct Memo: BitwiseCopyable {
  let a: Ref
  let b: Ref
  let operation: UInt32
  let result: Ref

  /// Returns a number for the operation `operation` on `a` and `b`; others may have the same.
  @inline(__always) static func hash(_ a: Ref, _ b: Ref, _ operation: Operation) -> UInt64 {
    scrambled(UInt64(a.rawValue) << 32 | UInt64(b.rawValue)) &+ UInt64(operation.rawValue)
  }

  static let none = Memo(a: .undefined, b: .undefined, operation: .max, result: .undefined)
}

/// Where a node is found by what it consists of.
struct Slot: BitwiseCopyable {
  let hash: UInt32
  /// The number of the node, or the highest one if there is none.
  let number: UInt32

  static let free = Slot(hash: 0, number: .max)
}

/// What the walk `walk` through a diagram made of a node.
struct Visit: BitwiseCopyable {
  let walk: UInt32
  let result: Ref
}

extension Storage where Element == Edge {
  /// Returns a number for `count` edges from `start` of a node at `level`; different ones may have the same.
  func hash(at start: Int, count: Int, level: UInt8) -> UInt32 {
    var h = UInt64(level) &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(count)
    for i in start..<start + count { h = self[i].mixed(into: h) }
    return UInt32(truncatingIfNeeded: scrambled(h))
  }

  /// Returns `true` iff `count` edges from `start` are those of `other` from `position`.
  func isEqual(at start: Int, to other: Storage<Edge>, at position: Int, count: Int) -> Bool {
    for i in 0..<count where !self[start + i].isEqual(to: other[position + i]) { return false }
    return true
  }
}

/// Returns `value` with every bit depending on all of its bits (the finalizer of MurmurHash3).
@inline(__always) func scrambled(_ value: UInt64) -> UInt64 {
  var h = value
  h ^= h >> 33
  h = h &* 0xff51_afd7_ed55_8ccd
  h ^= h >> 33
  h = h &* 0xc4ce_b9fe_1a85_ec53
  return h ^ h >> 33
}
