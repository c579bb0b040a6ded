/// Ranges of one number line, each with decisions, that become disjoint.
struct Flattening {
  /// A range with its decisions.
  struct Piece {
    /// The lowest value.
    var lower: UInt128

    /// The highest value.
    var upper: UInt128

    /// The decisions, in ascending order.
    var decisions: [Int32]
  }

  /// The disjoint ranges, in ascending order.
  private(set) var pieces: [Piece] = []

  /// Creates the disjoint ranges of `blocks`, each decided by all that cover it; ranges that touch and are decided
  /// alike become one.
  ///
  /// - Requires: of two blocks that have a value in common, one holds the other; `blocks` are in ascending order, the
  ///   larger of two that begin together first; `limit` is how many decisions a range may have.
  init(_ blocks: [Piece], limit: Int) {
    var open: [Piece] = []
    var cursor: UInt128 = 0
    var isAtEnd = false
    func close(_ pieces: inout [Piece]) {
      let top = open.removeLast()
      if !isAtEnd, cursor <= top.upper {
        Flattening.append(Piece(lower: cursor, upper: top.upper, decisions: top.decisions), to: &pieces)
      }
      if top.upper == .max { isAtEnd = true } else if !isAtEnd { cursor = max(cursor, top.upper + 1) }
    }
    for block in blocks {
      while let top = open.last, top.upper < block.lower { close(&pieces) }
      if let top = open.last {
        if cursor < block.lower {
          Flattening.append(Piece(lower: cursor, upper: block.lower - 1, decisions: top.decisions), to: &pieces)
        }
        var inner = block
        inner.decisions = Array(Set(top.decisions + block.decisions).sorted().prefix(limit))
        open.append(inner)
      } else {
        open.append(block)
      }
      cursor = block.lower
    }
    while !open.isEmpty { close(&pieces) }
  }

  /// Appends `piece` to `pieces`, whose last it may lengthen.
  private static func append(_ piece: Piece, to pieces: inout [Piece]) {
    if let last = pieces.last, last.upper + 1 == piece.lower, last.decisions == piece.decisions {
      pieces[pieces.count - 1].upper = piece.upper
    } else {
      pieces.append(piece)
    }
  }
}
