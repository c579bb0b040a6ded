extension PacketSpace {
  /// Returns the map that gives each packet the lowest label among those of the `boxes` that it is in.
  ///
  /// It takes all boxes at once, which is far faster than to add them one by one.
  public func map(of boxes: [PacketBox]) throws(BudgetExceeded) -> PacketMap {
    try map(of: boxes, over: unlabelled)
  }

  /// Returns the map that gives each packet the lowest label among those of the `boxes` that it is in, and others the
  /// label that they have in `rest`.
  ///
  /// It is `map(of: boxes).overriding(rest)`, made at once.
  public func map(of boxes: [PacketBox], over rest: PacketMap) throws(BudgetExceeded) -> PacketMap {
    precondition(rest.space === self)
    guard !boxes.isEmpty else { return rest }
    precondition(boxes.allSatisfy { Int($0.condition) < fieldCount })
    let sorted = boxes.sorted { $0.precedes($1) }
    return PacketMap(self, try build(sorted, at: 0, lower: 0, upper: sorted.count, over: rest.root))
  }

  /// Returns the packets that are in one of `boxes`, whatever their labels.
  public func set(of boxes: [PacketBox]) throws(BudgetExceeded) -> PacketSet {
    guard boxes.contains(where: { $0.label != 1 }) else { return PacketSet(self, try map(of: boxes).root) }
    return try map(
      of: boxes.map {
        var box = $0
        box.label = 1
        return box
      }
    ).domain
  }

  /// Returns the packets that are in `box`.
  public func set(of box: PacketBox) throws(BudgetExceeded) -> PacketSet { try set(of: [box]) }

  /// Returns the packets whose `field` has one of `values`.
  public func set(_ field: PacketField, in values: ValueSet) throws(BudgetExceeded) -> PacketSet {
    precondition(has(field))
    if Int(field.rawValue) >= PacketField.count {
      let base = scratch.count
      addCuts(of: values.number, at: field.rawValue, to: .everything, over: .undefined, base: base)
      return PacketSet(self, try makeNode(at: field.rawValue, from: base))
    }
    var box = PacketBox()
    box[field] = values
    return try set(of: box)
  }

  /// Returns the packets for which `condition` holds.
  public func set(when condition: PacketField) throws(BudgetExceeded) -> PacketSet {
    try set(condition, in: .one)
  }

  /// Returns the diagram from `level` on of the boxes from `lower` to before `upper`, whose sides before are equal, and of
  /// `rest` where no box is.
  private func build(
    _ boxes: [PacketBox], at level: UInt8, lower: Int, upper: Int, over rest: Ref
  ) throws(BudgetExceeded) -> Ref {
    let end = UInt8(PacketField.count + conditions.count)
    var level = level
    // They are sorted: if the last one takes every value of a field, all do.
    while level < end, boxes[upper - 1].side(level) == ValueSet.all.number { level += 1 }
    // The labels of equal boxes are in order.
    if level == end { return Ref(label: boxes[lower].label) }
    // What looks at fields before stands beside the boxes, and not below them.
    if self.level(rest) <= level {
      return try combine(
        build(boxes, at: level, lower: lower, upper: upper, over: .undefined), rest, .override)
    }
    if upper - lower == 1 { return try buildOne(boxes[lower], from: level, over: rest) }
    if boxes[lower].side(level) == boxes[upper - 1].side(level) {
      let target = try build(boxes, at: level + 1, lower: lower, upper: upper, over: rest)
      let base = scratch.count
      addCuts(of: boxes[lower].side(level), at: level, to: target, over: rest, base: base)
      return try makeNode(at: level, from: base)
    }

    var start = lower
    while boxes[start].side(level) == ValueSet.all.number { start += 1 }
    if start > lower {
      let everywhere = try build(boxes, at: level + 1, lower: lower, upper: start, over: .undefined)
      let others = try build(boxes, at: level, lower: start, upper: upper, over: .undefined)
      return try combine(combine(others, everywhere, .least), rest, .override)
    }
    var targets: [Ref] = []
    var pieces: [Piece] = []
    var parts: [Range<Int>] = []
    while start < upper {
      let side = boxes[start].side(level)
      var next = start + 1
      while next < upper, boxes[next].side(level) == side { next += 1 }
      for interval in valueSets[side] {
        pieces.append(Piece(lower: interval.lowerBound, upper: interval.upperBound, part: parts.count))
      }
      parts.append(start..<next)
      start = next
    }
    pieces.sort { $0.lower < $1.lower }
    // Where values overlap, the lowest label decides, and only then `rest`.
    let below = pieces[...].isDisjoint ? rest : .undefined
    targets.reserveCapacity(parts.count)
    for part in parts {
      targets.append(
        try build(boxes, at: level + 1, lower: part.lowerBound, upper: part.upperBound, over: below))
    }
    let base = scratch.count
    defer { scratch.truncate(to: base) }
    try addCuts(of: pieces, to: targets, at: level, over: below, base: base)
    let result = try makeNode(at: level, from: base)
    return below == rest ? result : try combine(result, rest, .override)
  }

  /// Returns the diagram from `level` on of one box, and of `rest`, which looks at later fields alone, where it is not.
  private func buildOne(_ box: PacketBox, from level: UInt8, over rest: Ref) throws(BudgetExceeded) -> Ref {
    let end = PacketField.count + conditions.count
    // Below the level at which `rest` begins, they stand side by side.
    let split = min(end, Int(self.level(rest)))
    var target = Ref(label: box.label)
    if rest.isLeaf {
      target = try buildOne(box, Int(level)..<end, to: target, over: rest)
    } else {
      target = try combine(buildOne(box, split..<end, to: target, over: .undefined), rest, .override)
      target = try buildOne(box, Int(level)..<split, to: target, over: rest)
    }
    return target
  }

  /// Returns the diagram that leads to `target` for what is in `box` by its fields at `levels`, and to `rest` otherwise.
  private func buildOne(
    _ box: PacketBox, _ levels: Range<Int>, to target: Ref, over rest: Ref
  ) throws(BudgetExceeded) -> Ref {
    var target = target
    for level in levels.reversed() {
      let side = box.side(UInt8(level))
      guard side != ValueSet.all.number else { continue }
      let base = scratch.count
      addCuts(of: side, at: UInt8(level), to: target, over: rest, base: base)
      target = try makeNode(at: UInt8(level), from: base)
    }
    return target
  }

  /// Adds edges to `target` for the values of the set `side`, and to `rest` for the others.
  private func addCuts(of side: UInt32, at level: UInt8, to target: Ref, over rest: Ref, base: Int) {
    let highest = PacketField(rawValue: level).highest
    var next: UInt128 = 0
    for interval in valueSets[side] {
      if interval.lowerBound > next { addEdge(upTo: interval.lowerBound - 1, to: rest, base: base) }
      addEdge(upTo: interval.upperBound, to: target, base: base)
      if interval.upperBound == highest { return }
      next = interval.upperBound + 1
    }
    addEdge(upTo: highest, to: rest, base: base)
  }

  /// Adds edges for `pieces`, which are sorted by where they begin, to the targets of their parts, and to `rest` for the
  /// other values; where pieces overlap, there is no rest.
  private func addCuts(
    of pieces: [Piece], to targets: [Ref], at level: UInt8, over rest: Ref, base: Int
  ) throws(BudgetExceeded) {
    try spend(pieces.count)
    let highest = PacketField(rawValue: level).highest
    var start = 0
    var end: UInt128?
    while start < pieces.count {
      // Those that overlap, maybe by way of others, are in one run.
      var upper = pieces[start].upper
      var next = start + 1
      while next < pieces.count, pieces[next].lower <= upper {
        upper = max(upper, pieces[next].upper)
        next += 1
      }
      if pieces[start].lower > end.map({ $0 + 1 }) ?? 0 {
        addEdge(upTo: pieces[start].lower - 1, to: rest, base: base)
      }
      if next == start + 1 {
        addEdge(upTo: upper, to: targets[pieces[start].part], base: base)
      } else {
        for edge in try cut(pieces[start..<next], to: targets, pieces[start].lower...upper) {
          addEdge(upTo: edge.upper, to: edge.target, base: base)
        }
      }
      end = upper
      start = next
    }
    if end != highest { addEdge(upTo: highest, to: rest, base: base) }
  }

  /// Returns the edges of the values `whole` for `pieces`, which are sorted by where they begin; where they overlap, the
  /// targets of their parts are combined.
  private func cut(
    _ pieces: ArraySlice<Piece>, to targets: [Ref], _ whole: ClosedRange<UInt128>
  ) throws(BudgetExceeded) -> [Edge] {
    var edges: [Edge] = []
    if pieces.isDisjoint {
      edges.reserveCapacity(2 * pieces.count + 1)
      for piece in pieces {
        if piece.lower > edges.last.map({ $0.upper + 1 }) ?? whole.lowerBound {
          edges.append(Edge(upTo: piece.lower - 1, to: .undefined))
        }
        edges.append(Edge(upTo: piece.upper, to: targets[piece.part]))
      }
      if edges.last?.upper != whole.upperBound { edges.append(Edge(upTo: whole.upperBound, to: .undefined)) }
      return edges
    }
    let middle = pieces.startIndex + pieces.count / 2
    let first = try cut(pieces[..<middle], to: targets, whole)
    let second = try cut(pieces[middle...], to: targets, whole)
    try spend(first.count + second.count)
    edges.reserveCapacity(first.count + second.count)
    var i = 0
    var j = 0
    while i < first.count, j < second.count {
      let target = try combine(first[i].target, second[j].target, .least)
      let upper = min(first[i].upper, second[j].upper)
      if let last = edges.last, last.target == target { edges.removeLast() }
      edges.append(Edge(upTo: upper, to: target))
      if first[i].upper == upper { i += 1 }
      if second[j].upper == upper { j += 1 }
    }
    return edges
  }
}

/// Values of a field that lead to the diagram of a part of the boxes.
struct Piece {
  let lower: UInt128
  let upper: UInt128
  let part: Int
}

extension ArraySlice<Piece> {
  /// `true` iff no two of the pieces, which are sorted by where they begin, overlap.
  fileprivate var isDisjoint: Bool {
    var i = startIndex + 1
    while i < endIndex {
      if self[i].lower <= self[i - 1].upper { return false }
      i += 1
    }
    return true
  }
}
