import Packets

/// Which of many lines do nothing that the others do not do without them.
///
/// At each of several places (hosts, pods) a line has packets that it decides, and packets that it could decide instead of
/// another line. A line of which everything is covered by all the others, at every place, is dead; of several that cover
/// each other, the last ones are. So all dead lines may be removed at once.
struct Coverage {
  /// A line.
  struct Line {
    /// What it decides, by place.
    var decided: [Int: [PacketBox]] = [:]

    /// What it would decide instead of others, by place.
    var covered: [Int: [PacketBox]] = [:]
  }

  /// The lines.
  private let lines: [Line]

  /// The packets that matter, by place.
  private let masks: [PacketSet]

  private let space: PacketSpace

  /// The positions of the lines that may be dead, in order.
  private let suspects: [Int]

  /// The positions of the dead lines.
  private(set) var dead = Set<Int>()

  /// The positions of the suspects that decide nothing that matters, at any place.
  private(set) var idle = Set<Int>()

  /// Creates the search for dead lines among those of `lines` at the positions `suspects`, which are in order, as far as
  /// packets of `masks` go, one for each place.
  init(
    of lines: [Line], suspects: [Int], within masks: [PacketSet], in space: PacketSpace
  ) throws(BudgetExceeded) {
    self.lines = lines
    self.masks = masks
    self.suspects = suspects
    self.space = space
    guard !suspects.isEmpty else { return }
    let suspected = Set(suspects)
    let others = lines.indices.filter { !suspected.contains($0) }
    let wanted = Set(suspects.flatMap { lines[$0].decided.keys })
    let outside = try sets(of: others, \.covered, at: wanted)
    _ = try keep(0, suspects.count, outside: meeting([outside], 0, suspects.count))
  }

  /// Returns what the lines at `positions` decide or cover, by place, of `places` if they are some.
  private func sets(
    of positions: some Sequence<Int>, _ part: KeyPath<Line, [Int: [PacketBox]]>, at places: Set<Int>? = nil
  ) throws(BudgetExceeded) -> [Int: PacketSet] {
    var boxes: [Int: [PacketBox]] = [:]
    for position in positions {
      for (place, some) in lines[position][keyPath: part] where places?.contains(place) ?? true {
        boxes[place, default: []] += some
      }
    }
    var result: [Int: PacketSet] = [:]
    for (place, boxes) in boxes { result[place] = try space.set(of: boxes) }
    return result
  }

  /// Returns what is in one of `parts` and is decided by the suspects from `lower` to before `upper`.
  private func meeting(
    _ parts: [[Int: PacketSet]], _ lower: Int, _ upper: Int
  ) throws(BudgetExceeded) -> [Int: PacketSet] {
    var result: [Int: PacketSet] = [:]
    for (place, decided) in try sets(of: suspects[lower..<upper], \.decided) {
      var all = space.nothing
      for part in parts { all = try part[place].map { (set) throws(BudgetExceeded) in try all.union(set) } ?? all }
      result[place] = try all.intersection(decided)
    }
    return result
  }

  /// Finds the dead ones among the suspects from `lower` to before `upper`, where others cover `outside`; returns what
  /// the living ones cover.
  ///
  /// The later half is judged first, while the earlier one is still there: so the last of equals is the dead one. What
  /// lies outside is cut down to what the half decides, so that the work grows little faster than the lines.
  private mutating func keep(
    _ lower: Int, _ upper: Int, outside: [Int: PacketSet]
  ) throws(BudgetExceeded) -> [Int: PacketSet] {
    if upper - lower == 1 {
      let position = suspects[lower]
      var isIdle = true
      var isCovered = true
      for (place, decided) in try sets(of: [position], \.decided) where isCovered {
        let mine = try decided.intersection(masks[place])
        guard !mine.isEmpty else { continue }
        isIdle = false
        isCovered = try mine.isSubset(of: outside[place] ?? space.nothing)
      }
      if isIdle { idle.insert(position) }
      if isCovered, !isIdle { dead.insert(position) }
      return isCovered ? [:] : try sets(of: [position], \.covered)
    }
    let middle = (lower + upper) / 2
    let earlier = try sets(of: suspects[lower..<middle], \.covered)
    let last = try keep(middle, upper, outside: meeting([outside, earlier], middle, upper))
    let first = try keep(lower, middle, outside: meeting([outside, last], lower, middle))
    var result = first
    for (place, set) in last { result[place] = try result[place]?.union(set) ?? set }
    return result
  }

  /// Returns the positions of living lines among `candidates` that together cover the dead one at `position`: a single
  /// one if one does.
  func covers(of position: Int, among candidates: [Int]) throws(BudgetExceeded) -> [Int] {
    var rests: [(place: Int, set: PacketSet)] = []
    for (place, decided) in try sets(of: [position], \.decided) {
      let rest = try decided.intersection(masks[place])
      if !rest.isEmpty { rests.append((place, rest)) }
    }
    rests.sort { $0.place < $1.place }
    let places = Set(rests.map(\.place))
    var helpers: [(position: Int, covered: [Int: PacketSet])] = []
    for other in candidates where other != position && !dead.contains(other) && !idle.contains(other) {
      let covered = try sets(of: [other], \.covered, at: places)
      if covered.isEmpty { continue }
      var isEnough = true
      for rest in rests where isEnough {
        isEnough = try rest.set.isSubset(of: covered[rest.place] ?? space.nothing)
      }
      if isEnough { return [other] }
      helpers.append((other, covered))
    }
    var result = Set<Int>()
    for helper in helpers {
      for i in rests.indices {
        guard let covered = helper.covered[rests[i].place] else { continue }
        let remaining = try rests[i].set.subtracting(covered)
        if remaining != rests[i].set { result.insert(helper.position) }
        rests[i].set = remaining
      }
    }
    return result.sorted()
  }
}

extension PacketBox {
  /// Returns the box of what a line decides, or of what it covers, that says by a field which lines do not look at
  /// whether it is logged: what is logged covers what is not, but not the other way round.
  func logging(_ isLogged: Bool, covers: Bool, in space: PacketSpace) -> PacketBox {
    var box = self
    box[.hopLimit] =
      isLogged && covers
      ? space.values(0...UInt8(1), of: .hopLimit) : space.value(UInt8(isLogged ? 1 : 0), of: .hopLimit)
    return box
  }
}
