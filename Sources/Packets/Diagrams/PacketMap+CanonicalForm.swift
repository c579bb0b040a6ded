extension PacketMap {
  /// Bytes that are equal for equal maps of different spaces, and different for different ones, provided that the same
  /// conditions were named in the same order.
  ///
  /// The nodes stand in the order in which a walk meets them last, each with its level and its edges; numbers are as
  /// short as they can be.
  ///
  /// Conditions are known there by their positions in `conditions`, among which are all that the map looks at.
  public func canonicalForm(numbering conditions: [PacketField]) -> [UInt8] {
    var levels = (0..<UInt8(PacketField.count)).map { $0 }
    for (position, field) in conditions.enumerated() {
      while levels.count <= Int(field.rawValue) { levels.append(0) }
      levels[Int(field.rawValue)] = UInt8(PacketField.count + position)
    }
    return space.canonicalForm(of: root, levels)
  }
}

extension PacketSpace {
  /// Returns the canonical form of `diagram`, in which the level of each field is that of `levels`.
  fileprivate func canonicalForm(of diagram: Ref, _ levels: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var numbers: [UInt32: UInt128] = [:]
    func add(_ value: UInt128) {
      var rest = value
      while rest >= 0x80 {
        result.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      result.append(UInt8(rest))
    }
    // A label is even and a node odd.
    func add(_ target: Ref) {
      add(target.isLeaf ? UInt128(target.label) << 1 : (numbers[target.node] ?? 0) << 1 | 1)
    }
    // The depth of recursion is that of the diagram, which is the number of fields.
    func visit(_ ref: Ref) {
      guard !ref.isLeaf, numbers[ref.node] == nil else { return }
      let node = nodes[Int(ref.node)]
      let range = Int(node.first)..<Int(node.first) + Int(node.count)
      for i in range { visit(edges[i].target) }
      numbers[ref.node] = UInt128(numbers.count)
      result.append(levels[Int(node.level)])
      add(UInt128(node.count))
      var lower: UInt128 = 0
      for i in range {
        add(edges[i].upper - lower)
        add(edges[i].target)
        lower = edges[i].upper
      }
    }
    visit(diagram)
    add(diagram)
    return result
  }
}
