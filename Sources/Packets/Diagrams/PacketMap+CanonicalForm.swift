extension PacketMap {
  /// Bytes that are equal for equal maps of different spaces, and different for different ones, provided that the same
  /// conditions were named in the same order.
  ///
  /// The nodes stand in the order in which a walk meets them last, each with its level and its edges; numbers are as
  /// short as they can be.
  ///
  /// Conditions are known there by their positions in `conditions`, among which are all that the map looks at. Of the fields
  /// that `names` is for, the values are known by it.
  public func canonicalForm(numbering conditions: [PacketField], naming names: ValueNames? = nil) -> [UInt8] {
    var levels = (0..<UInt8(PacketField.count)).map { $0 }
    for (position, field) in conditions.enumerated() {
      while levels.count <= Int(field.rawValue) { levels.append(0) }
      levels[Int(field.rawValue)] = UInt8(PacketField.count + position)
    }
    return space.canonicalForm(of: root, levels, names)
  }
}

/// Numbers for the low values of fields, by which canonical forms know them.
public struct ValueNames {
  /// The fields.
  public var fields: Set<PacketField>

  /// The number of each value from 0 on, or nothing if another value, for which packets do not differ, stands for it too.
  ///
  /// No two values have one number; higher values than these have no label in maps.
  public var names: [UInt32?]

  /// Creates the names of values of `fields`.
  public init(of fields: Set<PacketField>, _ names: [UInt32?]) {
    self.fields = fields
    self.names = names
  }

  /// Returns `edges`, whose values are known by the names.
  fileprivate func renamed(_ edges: [(upper: UInt128, target: Ref)]) -> [(upper: UInt128, target: Ref)] {
    let others = edges.last?.target ?? .undefined
    var named: [(name: UInt128, target: Ref)] = []
    var lower: UInt128 = 0
    for (upper, target) in edges where upper != .max {
      if target != others {
        for value in lower..<min(upper + 1, UInt128(names.count)) {
          if let name = names[Int(value)] { named.append((UInt128(name), target)) }
        }
      }
      lower = upper + 1
    }
    named.sort { $0.name < $1.name }
    var result: [(upper: UInt128, target: Ref)] = []
    var next: UInt128 = 0
    for (name, target) in named {
      if next < name { result.append((name - 1, others)) }
      if let last = result.last, last.target == target {
        result[result.count - 1].upper = name
      } else {
        result.append((name, target))
      }
      next = name + 1
    }
    return result + [(.max, others)]
  }
}

extension PacketSpace {
  /// Returns the canonical form of `diagram`, in which the level of each field is that of `levels`.
  fileprivate func canonicalForm(of diagram: Ref, _ levels: [UInt8], _ names: ValueNames?) -> [UInt8] {
    var result: [UInt8] = []
    // What the walk makes of a node is its number.
    let walk = beginWalk()
    var count: UInt32 = 0
    func add(_ value: UInt128) {
      if value < 0x80 { return result.append(UInt8(value)) }
      var rest = value
      while rest >= 0x80 {
        result.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      result.append(UInt8(rest))
    }
    // A label is even and a node odd.
    func add(_ target: Ref) {
      let number = target.isLeaf ? target.label : visited(target, in: walk)?.node ?? 0
      add(UInt128(number) << 1 | (target.isLeaf ? 0 : 1))
    }
    // The depth of recursion is that of the diagram, which is the number of fields.
    func number(_ ref: Ref) {
      guard !ref.isLeaf, visited(ref, in: walk) == nil else { return }
      let node = nodes[Int(ref.node)]
      let range = Int(node.first)..<Int(node.first) + Int(node.count)
      if let names, names.fields.contains(PacketField(rawValue: node.level)) {
        let renamed = names.renamed(range.map { (edges[$0].upper, edges[$0].target) })
        for edge in renamed { number(edge.target) }
        begin(ref, count: renamed.count)
        var lower: UInt128 = 0
        for edge in renamed { addEdge(edge.upper, edge.target, &lower) }
        return
      }
      for i in range { number(edges[i].target) }
      begin(ref, count: range.count)
      var lower: UInt128 = 0
      for i in range { addEdge(edges[i].upper, edges[i].target, &lower) }
    }
    func begin(_ ref: Ref, count edges: Int) {
      visit(ref, in: walk, result: Ref(node: count))
      count += 1
      result.append(levels[Int(nodes[Int(ref.node)].level)])
      add(UInt128(edges))
    }
    func addEdge(_ upper: UInt128, _ target: Ref, _ lower: inout UInt128) {
      add(upper - lower)
      add(target)
      lower = upper
    }
    number(diagram)
    add(diagram)
    return result
  }
}
