extension PacketMap {
  /// Returns the map that gives each packet the label that it has in one of `maps`, namely in that whose position,
  /// counted from 1, is its label here; packets without a label here keep that of `rest`.
  ///
  /// It is what many calls of `restricted(to:)` and `overriding(_:)` make, in one walk: each interval is looked at once,
  /// however many maps there are.
  public func choosing(among maps: [PacketMap], else rest: PacketMap) throws(BudgetExceeded) -> PacketMap {
    precondition(rest.space === space && maps.allSatisfy { $0.space === space })
    precondition(isEmpty || Int(space.labelBounds(root).greatest) <= maps.count)
    var choice = Choosing(space: space)
    return PacketMap(space, try choice.choose(by: root, among: [rest.root] + maps.map(\.root)))
  }
}

/// A walk through a map of numbers and the diagrams that they choose from.
private struct Choosing {
  let space: PacketSpace
  /// What the walk made so far.
  private var known: [Question: Ref] = [:]

  private struct Question: Hashable {
    var chooser: Ref
    var targets: [Ref]
  }

  init(space: PacketSpace) { self.space = space }

  /// Returns the diagram that is for each packet that of `targets` at which its label in `chooser` points; none is 0.
  mutating func choose(by chooser: Ref, among targets: [Ref]) throws(BudgetExceeded) -> Ref {
    if chooser.isLeaf { return targets[Int(chooser.label)] }
    let question = Question(chooser: chooser, targets: targets)
    if let result = known[question] { return result }
    let numbers = numbers(in: chooser)
    try space.spend(numbers.count)
    var level = space.level(chooser)
    for number in numbers { level = min(level, space.level(targets[number])) }
    // The edge of each target at which the walk stands, if it looks at this level.
    var places: [Int?] = Array(repeating: nil, count: targets.count)
    for number in numbers where space.level(targets[number]) == level {
      places[number] = Int(space.nodes[Int(targets[number].node)].first)
    }
    let base = space.scratch.count
    defer { space.scratch.truncate(to: base) }
    if space.level(chooser) == level {
      let node = space.nodes[Int(chooser.node)]
      var lower: UInt128 = 0
      for i in Int(node.first)..<Int(node.first + node.count) {
        let edge = space.edges[i]
        try addEdges(from: lower, upTo: edge.upper, by: edge.target, among: targets, at: &places, base: base)
        lower = edge.upper &+ 1
      }
    } else {
      let highest = PacketField(rawValue: level).highest
      try addEdges(from: 0, upTo: highest, by: chooser, among: targets, at: &places, base: base)
    }
    let result = try space.makeNode(at: level, from: base)
    known[question] = result
    return result
  }

  /// Adds the edges for the values from `lower` to `upper`, for all of which `chooser` chooses, to what stands at `places`
  /// of `targets`.
  private mutating func addEdges(
    from lower: UInt128, upTo upper: UInt128, by chooser: Ref, among targets: [Ref], at places: inout [Int?], base: Int
  ) throws(BudgetExceeded) {
    let numbers = numbers(in: chooser)
    var lower = lower
    while true {
      var end = upper
      // Of one target alone, no list is needed.
      var only = targets[numbers.lowerBound]
      var parts: [Ref] = numbers.count > 1 ? Array(repeating: .undefined, count: targets.count) : []
      for number in numbers {
        var part = targets[number]
        if var place = places[number] {
          try space.spend(1)
          while space.edges[place].upper < lower { place += 1 }
          places[number] = place
          part = space.edges[place].target
          end = min(end, space.edges[place].upper)
        }
        if numbers.count > 1 { parts[number] = part } else { only = part }
      }
      space.addEdge(upTo: end, to: numbers.count > 1 ? try choose(by: chooser, among: parts) : only, base: base)
      if end == upper { return }
      lower = end + 1
    }
  }

  /// The numbers that `chooser` may give to packets, with some that it does not.
  private func numbers(in chooser: Ref) -> ClosedRange<Int> {
    if chooser.isLeaf { return Int(chooser.label)...Int(chooser.label) }
    let labels = space.labelBounds(chooser)
    return (space.hasUndefined(chooser) ? 0 : Int(labels.least))...Int(labels.greatest)
  }
}
