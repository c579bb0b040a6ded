import Packets

/// Which of many lines do nothing that the others do not do without them.
///
/// Each line has packets that it decides, and packets that it could decide in the place of another line. A line of which
/// everything is covered by all the others is dead; of several that cover each other, the last ones are.
struct Coverage {
  /// A line.
  struct Line {
    /// What it decides.
    var decided: [PacketBox] = []

    /// What it would decide for others.
    var covered: [PacketBox] = []
  }

  /// The lines.
  private let lines: [Line]

  /// What lines decide beyond this does not matter.
  private let mask: PacketSet

  private var space: PacketSpace { mask.space }

  /// The positions of the lines that may be dead, in order.
  private let suspects: [Int]

  /// The positions of the dead lines.
  private(set) var dead = Set<Int>()

  /// Creates the search for dead lines among those of `lines` at the positions `suspects`, which are in order, as far as
  /// packets of `mask` go.
  init(of lines: [Line], suspects: [Int], within mask: PacketSet) throws(BudgetExceeded) {
    self.lines = lines
    self.mask = mask
    self.suspects = suspects
    guard !suspects.isEmpty else { return }
    let suspected = Set(suspects)
    let others = lines.indices.filter { !suspected.contains($0) }
    let outside = try space.set(of: others.flatMap { lines[$0].covered })
    _ = try keep(0, suspects.count, outside: outside.intersection(decided(0, suspects.count)))
  }

  /// Returns what the suspects from `lower` to before `upper` decide.
  private func decided(_ lower: Int, _ upper: Int) throws(BudgetExceeded) -> PacketSet {
    try space.set(of: suspects[lower..<upper].flatMap { lines[$0].decided })
  }

  /// Finds the dead ones among the suspects from `lower` to before `upper`, where others cover `outside`; returns what
  /// the living ones cover.
  ///
  /// The later half is judged first, while the earlier one is still there: so the last of equals is the dead one. What
  /// lies outside is cut down to what the half decides, so that the work grows little faster than the lines.
  private mutating func keep(
    _ lower: Int, _ upper: Int, outside: PacketSet
  ) throws(BudgetExceeded) -> PacketSet {
    if upper - lower == 1 {
      let position = suspects[lower]
      let mine = try decided(lower, upper).intersection(mask)
      // What decides nothing at all is dead for another reason.
      let isCovered = try mine.isSubset(of: outside)
      if isCovered, !mine.isEmpty {
        dead.insert(position)
        return space.nothing
      }
      return try space.set(of: lines[position].covered)
    }
    let middle = (lower + upper) / 2
    let earlier = try space.set(of: suspects[lower..<middle].flatMap { lines[$0].covered })
    let last = try keep(middle, upper, outside: outside.union(earlier).intersection(decided(middle, upper)))
    let first = try keep(lower, middle, outside: outside.union(last).intersection(decided(lower, middle)))
    return try first.union(last)
  }

  /// Returns the positions of living lines among `candidates` that together cover the dead one at `position`: a single
  /// one if one does.
  func covers(of position: Int, among candidates: [Int]) throws(BudgetExceeded) -> [Int] {
    var rest = try space.set(of: lines[position].decided).intersection(mask)
    var helpers: [(position: Int, covered: PacketSet)] = []
    for other in candidates where other != position && !dead.contains(other) {
      let covered = try space.set(of: lines[other].covered).intersection(rest)
      if covered == rest { return [other] }
      if !covered.isEmpty { helpers.append((other, covered)) }
    }
    var result: [Int] = []
    for helper in helpers {
      let remaining = try rest.subtracting(helper.covered)
      if remaining == rest { continue }
      result.append(helper.position)
      rest = remaining
    }
    return result
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
