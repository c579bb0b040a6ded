extension PacketMap {
  /// Returns the map that gives each packet its label in that of `maps` which its label here numbers, counted from 1.
  ///
  /// Packets without a label here keep that of `rest`. It is what many calls of `restricted(to:)` and `overriding(_:)` make,
  /// in one walk: each interval is looked at once, however many maps there are.
  ///
  /// - Requires: no label is greater than the number of `maps`.
  public func choosing(among maps: [PacketMap], else rest: PacketMap) throws(BudgetExceeded) -> PacketMap {
    precondition(rest.space === space && maps.allSatisfy { $0.space === space })
    precondition(isEmpty || Int(space.labelBounds(root).greatest) <= maps.count)
    var choice = Choice(space: space)
    return PacketMap(
      space, try choice.choose(by: root, among: .init(rest: rest.root, lowest: 1, others: maps.map(\.root))))
  }
}

/// A walk through a map of numbers and the diagrams that they choose from.
private struct Choice {
  let space: PacketSpace
  /// What the walk made so far.
  private var known: [Question: Ref] = [:]

  /// Something for each number from which may be chosen.
  struct Numbered<Element: Hashable>: Hashable {
    /// What stands at 0: for packets without a number.
    var rest: Element
    /// The first number of `others`.
    var lowest: UInt32
    /// What stands at the numbers from `lowest` on.
    var others: [Element]

    subscript(number: UInt32) -> Element {
      get { number == 0 ? rest : others[Int(number - lowest)] }
      set { if number == 0 { rest = newValue } else { others[Int(number - lowest)] = newValue } }
    }
  }

  private struct Question: Hashable {
    var chooser: Ref
    var targets: Numbered<Ref>
  }

  init(space: PacketSpace) { self.space = space }

  /// Returns the diagram that is for each packet that of `targets` which its label in `chooser` numbers; none is 0.
  mutating func choose(by chooser: Ref, among targets: Numbered<Ref>) throws(BudgetExceeded) -> Ref {
    if chooser.isLeaf { return targets[chooser.label] }
    let question = Question(chooser: chooser, targets: targets)
    if let result = known[question] { return result }
    let (level, top) = (space.level(chooser), highestLevel(of: targets, numberedBy: chooser))
    // The edge of each target at which the walk stands, if it looks at the level of the walk.
    var places = empty(for: chooser, nil as Int?)
    forEachNumber(in: chooser) { number in
      let target = targets[number]
      if space.level(target) == min(level, top) { places[number] = Int(space.nodes[Int(target.node)].first) }
    }
    let base = space.scratch.count
    defer { space.scratch.truncate(to: base) }
    if level <= top {
      let node = space.nodes[Int(chooser.node)]
      var lower: UInt128 = 0
      for i in Int(node.first)..<Int(node.first + node.count) {
        let edge = space.edges[i]
        try addEdges(from: lower, upTo: edge.upper, by: edge.target, among: targets, at: &places, base: base)
        lower = edge.upper &+ 1
      }
    } else {
      let highest = PacketField(rawValue: top).highest
      try addEdges(from: 0, upTo: highest, by: chooser, among: targets, at: &places, base: base)
    }
    let result = try space.makeNode(at: min(level, top), from: base)
    known[question] = result
    return result
  }

  /// Adds the edges for the values from `lower` to `upper`, for all of which `chooser` chooses, to what stands at `places`
  /// of `targets`.
  private mutating func addEdges(
    from lower: UInt128, upTo upper: UInt128, by chooser: Ref, among targets: Numbered<Ref>,
    at places: inout Numbered<Int?>, base: Int
  ) throws(BudgetExceeded) {
    var lower = lower
    while true {
      var end = upper
      if chooser.isLeaf {
        try space.spend(1)
        let target = part(chooser.label, of: targets, from: lower, upTo: &end, at: &places)
        space.addEdge(upTo: end, to: target, base: base)
      } else {
        var parts = empty(for: chooser, Ref.undefined)
        // They are kept, so that their number bounds the memory too.
        try space.spend(16 * (parts.others.count + 1))
        forEachNumber(in: chooser) { number in
          parts[number] = part(number, of: targets, from: lower, upTo: &end, at: &places)
        }
        space.addEdge(upTo: end, to: try choose(by: chooser, among: parts), base: base)
      }
      if end == upper { return }
      lower = end + 1
    }
  }

  /// Returns what the target `number` is for values from `lower` on, and lowers `end` to the last value for which it is.
  private func part(
    _ number: UInt32, of targets: Numbered<Ref>, from lower: UInt128, upTo end: inout UInt128,
    at places: inout Numbered<Int?>
  ) -> Ref {
    guard var place = places[number] else { return targets[number] }
    while space.edges[place].upper < lower { place += 1 }
    places[number] = place
    end = min(end, space.edges[place].upper)
    return space.edges[place].target
  }

  /// Returns `element` for each number that `chooser`, a node, may give to packets.
  private func empty<Element>(for chooser: Ref, _ element: Element) -> Numbered<Element> {
    let labels = space.labelBounds(chooser)
    return Numbered(
      rest: element, lowest: labels.least,
      others: Array(repeating: element, count: Int(labels.greatest - labels.least) + 1))
  }

  /// Calls `body` for each number that `chooser`, a node, may give to packets, and for some that it does not.
  private func forEachNumber(in chooser: Ref, _ body: (UInt32) -> Void) {
    if space.hasUndefined(chooser) { body(0) }
    let labels = space.labelBounds(chooser)
    for number in labels.least...labels.greatest { body(number) }
  }

  /// Returns the level of the first field that one of `targets` looks at from which `chooser` chooses.
  private func highestLevel(of targets: Numbered<Ref>, numberedBy chooser: Ref) -> UInt8 {
    var level = Node.leafLevel
    forEachNumber(in: chooser) { level = min(level, space.level(targets[$0])) }
    return level
  }
}
