/// How two diagrams become one, packet by packet.
enum Operation: UInt32 {
  /// The label of the first, or, where it has none, that of the second.
  case override
  /// The lowest of their labels.
  case least
  /// The label of the first where the second has one.
  case keep
  /// The label of the first where the second has none.
  case remove
  /// 1 where their labels differ.
  case differ
  /// A label for each pair of labels.
  case pair

  /// `true` iff the order of the two does not matter.
  @inline(__always) var isSymmetric: Bool { self == .least || self == .differ }
}

extension PacketSpace {
  /// Returns the combination of `a` and `b`.
  func combine(_ a: Ref, _ b: Ref, _ operation: Operation) throws(BudgetExceeded) -> Ref {
    if let known = shortcut(a, b, operation) { return known }
    let (a, b) = operation.isSymmetric && a.rawValue > b.rawValue ? (b, a) : (a, b)
    let key = Memo.hash(a, b, operation)
    let entry = memo[Int(truncatingIfNeeded: key) & (memo.count - 1)]
    if entry.operation == operation.rawValue, entry.a == a, entry.b == b { return entry.result }
    let result = try merge(a, b, operation)
    // The table may have grown since.
    memo[Int(truncatingIfNeeded: key) & (memo.count - 1)] = Memo(
      a: a, b: b, operation: operation.rawValue, result: result)
    return result
  }

  /// Walks the intervals of two diagrams, of which one at least is a node, side by side.
  private func merge(_ a: Ref, _ b: Ref, _ operation: Operation) throws(BudgetExceeded) -> Ref {
    let level = min(self.level(a), self.level(b))
    let splitsA = self.level(a) == level
    let splitsB = self.level(b) == level
    var i = splitsA ? Int(nodes[Int(a.node)].first) : 0
    var j = splitsB ? Int(nodes[Int(b.node)].first) : 0
    let endA = splitsA ? i + Int(nodes[Int(a.node)].count) : 1
    let endB = splitsB ? j + Int(nodes[Int(b.node)].count) : 1
    try spend(endA - i + endB - j)
    let base = scratch.count
    defer { scratch.truncate(to: base) }
    while i < endA, j < endB {
      let upper: UInt128
      let partA: Ref
      let partB: Ref
      switch (splitsA, splitsB) {
      case (true, true):
        let (x, y) = (edges[i], edges[j])
        (partA, partB) = (x.target, y.target)
        if x.upper == y.upper {
          upper = x.upper
          i += 1
          j += 1
        } else if x.upper < y.upper {
          upper = x.upper
          i += 1
        } else {
          upper = y.upper
          j += 1
        }
      case (true, false):
        (upper, partA, partB) = (edges[i].upper, edges[i].target, b)
        i += 1
      default:
        (upper, partA, partB) = (edges[j].upper, a, edges[j].target)
        j += 1
      }
      addEdge(upTo: upper, to: try combine(partA, partB, operation), base: base)
    }
    return try makeNode(at: level, from: base)
  }

  /// Returns the combination of `a` and `b` where it can be told without looking into both.
  @inline(__always) private func shortcut(_ a: Ref, _ b: Ref, _ operation: Operation) -> Ref? {
    switch operation {
    case .override:
      if a == b || b == .undefined || !hasUndefined(a) { return a }
      if a == .undefined { return b }
      return b.isLeaf && isOnly(b.label, in: a) ? b : nil
    case .least:
      if a == b || b == .undefined { return a }
      if a == .undefined { return b }
      if !hasUndefined(a), labelBounds(a).greatest <= labelBounds(b).least { return a }
      return !hasUndefined(b) && labelBounds(b).greatest <= labelBounds(a).least ? b : nil
    case .keep:
      if a == .undefined || b == .undefined { return .undefined }
      if a == b || !hasUndefined(b) { return a }
      return a.isLeaf && isOnly(a.label, in: b) ? b : nil
    case .remove:
      if a == .undefined || a == b || !hasUndefined(b) { return .undefined }
      return b == .undefined ? a : nil
    case .differ:
      if a == b { return .undefined }
      if a.isLeaf && b.isLeaf { return .everything }
      return a == .undefined && !hasUndefined(b) || b == .undefined && !hasUndefined(a) ? .everything : nil
    case .pair:
      return a.isLeaf && b.isLeaf ? Ref(label: pairNumber(a.label, b.label)) : nil
    }
  }

  /// Returns the label for the labels `a` and `b`; that of two packets without labels is 0.
  private func pairNumber(_ a: UInt32, _ b: UInt32) -> UInt32 {
    guard a != 0 || b != 0 else { return 0 }
    let key = UInt64(a) << 32 | UInt64(b)
    if let number = pairNumbers[key] { return number }
    pairs.append((a, b))
    pairNumbers[key] = UInt32(pairs.count - 1)
    return UInt32(pairs.count - 1)
  }

  /// Returns `diagram` with each label replaced by what `change` returns for it; packets without a label keep none, and
  /// labels that are not within the bounds `labels` stay.
  func replaceLabels(
    of diagram: Ref, within labels: ClosedRange<UInt32> = 0...UInt32.max, _ change: (UInt32) -> Ref
  ) throws(BudgetExceeded) -> Ref {
    try replaceLabels(of: diagram, within: labels, in: beginWalk(), change)
  }

  private func replaceLabels(
    of diagram: Ref, within labels: ClosedRange<UInt32>, in walk: UInt32, _ change: (UInt32) -> Ref
  ) throws(BudgetExceeded) -> Ref {
    if diagram.isLeaf {
      return diagram == .undefined || !labels.contains(diagram.label) ? diagram : change(diagram.label)
    }
    let node = nodes[Int(diagram.node)]
    if node.greatest < labels.lowerBound || node.least > labels.upperBound { return diagram }
    if let result = visited(diagram, in: walk) { return result }
    try spend(Int(node.count))
    let base = scratch.count
    defer { scratch.truncate(to: base) }
    for i in Int(node.first)..<Int(node.first + node.count) {
      let edge = edges[i]
      addEdge(upTo: edge.upper, to: try replaceLabels(of: edge.target, within: labels, in: walk, change), base: base)
    }
    let result = try makeNode(at: node.level, from: base)
    visit(diagram, in: walk, result: result)
    return result
  }

  /// Returns `diagram` for packets whose `field` is `value`, whatever that of a packet is.
  func fix(_ field: PacketField, to value: UInt128, in diagram: Ref) throws(BudgetExceeded) -> Ref {
    precondition(has(field) && value <= field.highest)
    return try fold(diagram, over: field, in: beginWalk()) { node throws(BudgetExceeded) in
      self.edge(of: node, for: value).target
    }
  }

  /// Returns the packets that have a label in `diagram` for some value of `field`.
  func forget(_ field: PacketField, in diagram: Ref) throws(BudgetExceeded) -> Ref {
    precondition(has(field))
    return try fold(diagram, over: field, in: beginWalk()) { node throws(BudgetExceeded) in
      try self.union(ofTargets: Int(node.first)..<Int(node.first + node.count))
    }
  }

  /// Returns the packets that have a label in one of the targets of the edges at `positions`.
  private func union(ofTargets positions: Range<Int>) throws(BudgetExceeded) -> Ref {
    guard positions.count > 1 else { return edges[positions.lowerBound].target }
    // By halves: one by one, the union that has grown would be walked each time.
    let middle = positions.lowerBound + positions.count / 2
    return try combine(
      union(ofTargets: positions.lowerBound..<middle), union(ofTargets: middle..<positions.upperBound), .override)
  }

  /// Returns `diagram` with what `change` returns in place of each node at `field`.
  private func fold(
    _ diagram: Ref, over field: PacketField, in walk: UInt32, _ change: (Node) throws(BudgetExceeded) -> Ref
  ) throws(BudgetExceeded) -> Ref {
    if level(diagram) > field.rawValue { return diagram }
    if let result = visited(diagram, in: walk) { return result }
    let node = nodes[Int(diagram.node)]
    let result: Ref
    if node.level == field.rawValue {
      result = try change(node)
    } else {
      try spend(Int(node.count))
      let base = scratch.count
      defer { scratch.truncate(to: base) }
      for i in Int(node.first)..<Int(node.first + node.count) {
        let edge = edges[i]
        addEdge(upTo: edge.upper, to: try fold(edge.target, over: field, in: walk, change), base: base)
      }
      result = try makeNode(at: node.level, from: base)
    }
    visit(diagram, in: walk, result: result)
    return result
  }

  /// Returns `diagram` for packets whose `field` is `distance` more than what it is for a packet; what would lie beyond
  /// the field's values has no label.
  func shift(_ field: PacketField, by distance: Int, in diagram: Ref) throws(BudgetExceeded) -> Ref {
    precondition(has(field))
    let highest = Int(field.highest)
    guard abs(distance) <= highest else { return .undefined }
    let moved = try fold(diagram, over: field, in: beginWalk()) { node throws(BudgetExceeded) in
      let base = self.scratch.count
      for i in Int(node.first)..<Int(node.first + node.count) {
        let edge = self.edges[i]
        let upper = Int(edge.upper) - distance
        if upper < 0 { continue }
        // The last one goes on to the end.
        let isLast = upper >= highest || i + 1 == Int(node.first + node.count)
        self.addEdge(upTo: isLast ? field.highest : UInt128(upper), to: edge.target, base: base)
        if isLast { break }
      }
      return try self.makeNode(at: node.level, from: base)
    }
    // Diagrams that do not look at the field end at its values as well.
    let values = UInt128(max(0, -distance))...UInt128(min(highest, highest - distance))
    return try combine(moved, set(field, in: self.values(values, of: field)).root, .keep)
  }

  /// Returns `true` iff `diagram` looks at one of `fields`.
  func looks(at fields: Set<UInt8>, in diagram: Ref) -> Bool {
    let walk = beginWalk()
    var waiting = [diagram]
    while let next = waiting.popLast() {
      guard !next.isLeaf, visited(next, in: walk) == nil else { continue }
      visit(next, in: walk)
      let node = nodes[Int(next.node)]
      if fields.contains(node.level) { return true }
      for i in Int(node.first)..<Int(node.first + node.count) { waiting.append(edges[i].target) }
    }
    return false
  }

  /// Returns the edge of `node` for `value`.
  func edge(of node: Node, for value: UInt128) -> Edge {
    var low = Int(node.first)
    var high = low + Int(node.count) - 1
    while low < high {
      let middle = (low + high) / 2
      if edges[middle].upper < value { low = middle + 1 } else { high = middle }
    }
    return edges[low]
  }
}
