/// One packet of a set: a value for each field and condition.
public struct PacketValues: Hashable, Sendable {
  /// The values, by the number of the field; beyond the fields of every space, the last one is not 0.
  private var values: [UInt128]

  init(_ values: [UInt128]) {
    self.values = values
    trim()
  }

  /// The value of `field`.
  public subscript(field: PacketField) -> UInt128 {
    get { Int(field.rawValue) < values.count ? values[Int(field.rawValue)] : 0 }
    set {
      while values.count <= Int(field.rawValue) { values.append(0) }
      values[Int(field.rawValue)] = newValue
      trim()
    }
  }

  private mutating func trim() {
    while values.count > PacketField.count, values.last == 0 { values.removeLast() }
  }

  /// Creates the packet all of whose values are 0.
  public init() { values = Array(repeating: 0, count: PacketField.count) }
}

/// Packets whose fields have values of one set each; fields that are not named have any.
public struct PacketRegion: Hashable, Sendable {
  /// The values of the fields that matter.
  public var sides: [PacketField: IntervalSet<UInt128>]

  /// The label of the packets.
  public var label: UInt32
}

extension PacketMap {
  /// Returns the label of `packet`, or 0 if it has none.
  public func label(of packet: PacketValues) -> UInt32 { space.label(of: packet, in: root) }

  /// The map as regions that have no packet in common, in an order that depends on the packets alone.
  ///
  /// There may be very many; a region is made when it is asked for.
  public var regions: PacketRegions { PacketRegions(space, root) }
}

extension PacketSet {
  /// Returns `true` iff `packet` is in the set.
  public func contains(_ packet: PacketValues) -> Bool { space.label(of: packet, in: root) != 0 }

  /// The packet of the set whose values are the lowest, the first fields first, or nothing if the set is empty.
  public var witness: PacketValues? { space.lowest(in: root).map { PacketValues($0) } }

  /// The set as regions that have no packet in common, in an order that depends on the packets alone.
  public var regions: PacketRegions { PacketRegions(space, root) }

  /// Returns the values that `field` has in the packets of the set.
  public func values(of field: PacketField) -> IntervalSet<UInt128> { space.values(of: field, in: root) }

  /// The number of packets, conditions counted as fields; exact up to 2^53, else rounded.
  public var count: Double {
    var known: [Ref: Double] = [:]
    return space.count(of: root, from: 0, known: &known)
  }

  /// The number of nodes and edges of the set's diagram.
  public var size: (nodes: Int, edges: Int) { space.size(of: root) }
}

extension PacketMap {
  /// The number of nodes and edges of the map's diagram.
  public var size: (nodes: Int, edges: Int) { space.size(of: root) }
}

extension PacketSpace {
  var fieldCount: Int { PacketField.count + conditions.count }

  func label(of packet: PacketValues, in diagram: Ref) -> UInt32 {
    var at = diagram
    while !at.isLeaf {
      let node = nodes[Int(at.node)]
      at = edge(of: node, for: packet[PacketField(rawValue: node.level)]).target
    }
    return at.label
  }

  func lowest(in diagram: Ref) -> [UInt128]? {
    guard diagram != .undefined else { return nil }
    var values = [UInt128](repeating: 0, count: fieldCount)
    var at = diagram
    while !at.isLeaf {
      let node = nodes[Int(at.node)]
      var i = Int(node.first)
      var lower: UInt128 = 0
      while edges[i].target == .undefined {
        lower = edges[i].upper + 1
        i += 1
      }
      values[Int(node.level)] = lower
      at = edges[i].target
    }
    return values
  }

  /// Calls `enter` once for each node that can be reached from `diagram` through nodes for which it returns `true`, and
  /// `meet` for each label there, maybe often.
  private func walk(_ diagram: Ref, meet: (Ref) -> Void, enter: (Node) -> Bool) {
    if diagram.isLeaf { return meet(diagram) }
    let walk = beginWalk()
    var waiting = [diagram]
    visit(diagram, in: walk)
    while let next = waiting.popLast() {
      let node = nodes[Int(next.node)]
      guard enter(node) else { continue }
      for i in Int(node.first)..<Int(node.first + node.count) {
        let target = edges[i].target
        if target.isLeaf {
          meet(target)
        } else if visited(target, in: walk) == nil {
          visit(target, in: walk)
          waiting.append(target)
        }
      }
    }
  }

  /// Returns the labels that `diagram` gives to packets, in order.
  func labels(of diagram: Ref) -> [UInt32] {
    // There are few mostly, which neighbours have in turn: two that were just met are looked up in no set.
    var labels: Set<UInt32> = []
    var last = (Ref.undefined, Ref.undefined)
    walk(
      diagram,
      meet: { leaf in
        guard leaf != last.0, leaf != last.1, leaf != .undefined else { return }
        labels.insert(leaf.label)
        last = (leaf, last.0)
      }, enter: { _ in true })
    return labels.sorted()
  }

  func size(of diagram: Ref) -> (nodes: Int, edges: Int) {
    var size = (nodes: 0, edges: 0)
    walk(
      diagram, meet: { _ in },
      enter: { node in
        size.nodes += 1
        size.edges += Int(node.count)
        return true
      })
    return size
  }

  func values(of field: PacketField, in diagram: Ref) -> IntervalSet<UInt128> {
    guard diagram != .undefined else { return IntervalSet() }
    var parts: [ClosedRange<UInt128>] = []
    var isAny = false
    // A path to a label that does not look at the field allows every value of it.
    let meet = { (leaf: Ref) in if leaf != .undefined { isAny = true } }
    walk(diagram, meet: meet) { node in
      if node.level < field.rawValue { return true }
      if node.level > field.rawValue {
        isAny = true
        return false
      }
      var lower: UInt128 = 0
      for i in Int(node.first)..<Int(node.first + node.count) {
        let edge = edges[i]
        if edge.target != .undefined { parts.append(lower...edge.upper) }
        if edge.upper != .max { lower = edge.upper + 1 }
      }
      return false
    }
    return isAny ? IntervalSet(0...field.highest) : IntervalSet(parts)
  }

  /// Returns how many values there are for the fields from `first` to before `end`.
  private func size(from first: Int, to end: Int) -> Double {
    var size = 1.0
    for level in first..<end { size *= Double(PacketField(rawValue: UInt8(level)).highest) + 1 }
    return size
  }

  /// Returns how many packets have a label in `diagram`, the fields before `level` apart.
  func count(of diagram: Ref, from level: Int, known: inout [Ref: Double]) -> Double {
    guard !diagram.isLeaf else { return diagram == .undefined ? 0 : size(from: level, to: fieldCount) }
    let node = nodes[Int(diagram.node)]
    let before = size(from: level, to: Int(node.level))
    if let result = known[diagram] { return before * result }
    var sum = 0.0
    var lower: UInt128 = 0
    for i in Int(node.first)..<Int(node.first + node.count) {
      let edge = edges[i]
      let each = count(of: edge.target, from: Int(node.level) + 1, known: &known)
      sum += each * (Double(edge.upper - lower) + 1)
      if edge.upper != .max { lower = edge.upper + 1 }
    }
    known[diagram] = sum
    return before * sum
  }
}

/// The regions of a map, one after the other.
public struct PacketRegions: Sequence, IteratorProtocol {
  private let space: PacketSpace
  private var waiting: [(diagram: Ref, sides: [PacketField: IntervalSet<UInt128>])]

  init(_ space: PacketSpace, _ root: Ref) {
    self.space = space
    waiting = root == .undefined ? [] : [(root, [:])]
  }

  /// Returns the next region.
  public mutating func next() -> PacketRegion? {
    while let (diagram, sides) = waiting.popLast() {
      if diagram.isLeaf { return PacketRegion(sides: sides, label: diagram.label) }
      let node = space.nodes[Int(diagram.node)]
      var order: [Ref] = []
      var values: [Ref: [ClosedRange<UInt128>]] = [:]
      var lower: UInt128 = 0
      for i in Int(node.first)..<Int(node.first + node.count) {
        let edge = space.edges[i]
        if edge.target != .undefined {
          if values[edge.target] == nil { order.append(edge.target) }
          values[edge.target, default: []].append(lower...edge.upper)
        }
        if edge.upper != .max { lower = edge.upper + 1 }
      }
      for target in order.reversed() {
        var more = sides
        more[PacketField(rawValue: node.level)] = IntervalSet(values[target, default: []])
        waiting.append((target, more))
      }
    }
    return nil
  }
}
