extension PortRegistry {
  /// Returns at most `count` registered names that `name` may have been meant to be, the nearest first.
  ///
  /// A name is near if a letter changed, added, left out or swapped with its neighbour for every four makes it so.
  public func names(near name: String, count: Int = 3) -> [String] {
    let wanted = name.utf8.map(loweredASCII)
    let most = max(1, wanted.count / 4)
    guard !wanted.isEmpty, wanted.count <= 32 else { return [] }
    let wantedLetters = letterBits(of: wanted.span)
    let text = byName.utf8.span
    var found: [(distance: Int, name: String)] = []
    var rows = EditDistance()
    var line = 0
    while line < text.count {
      let end = PortRegistry.endOfWord(at: line, in: text)
      if abs(end - line - wanted.count) <= most {
        let candidate = text.extracting(line..<end)
        // Each edit changes at most two of the letters that a name has.
        if (letterBits(of: candidate) ^ wantedLetters).nonzeroBitCount <= 2 * most,
          let distance = rows.distance(from: wanted.span, to: candidate, atMost: most), distance > 0
        {
          found.append((distance, String(byName.utf8Slice(line..<end))))
        }
      }
      line = PortRegistry.startOfNextLine(at: end, in: text)
    }
    // The table is in the order of the names, and the sort keeps it.
    return found.sorted { $0.distance < $1.distance }.prefix(count).map(\.name)
  }
}

/// Returns which letters and digits occur in `name`, a bit each.
private func letterBits(of name: borrowing Span<UInt8>) -> UInt64 {
  var result: UInt64 = 0
  for i in name.indices { result |= 1 << UInt64(loweredASCII(name[i]) & 63) }
  return result
}

/// Counts the edits that make one name of another (Damerau and Levenshtein, neighbours swapped at most once).
private struct EditDistance {
  /// The last three rows of the table.
  private var rows: [[Int]] = [[], [], []]

  /// Returns the number of edits from `a` to `b` in lower case, or nothing if it is above `most`.
  mutating func distance(from a: borrowing Span<UInt8>, to b: borrowing Span<UInt8>, atMost most: Int) -> Int? {
    rows[0] = Array(0...b.count)
    rows[1] = rows[0]
    rows[2] = rows[0]
    for i in 0..<a.count {
      // `before` is the row above the last one; it is overwritten last.
      let (before, last, now) = (i % 3, (i + 1) % 3, (i + 2) % 3)
      if i == 0 { rows[last] = Array(0...b.count) }
      rows[now][0] = i + 1
      var least = i + 1
      let x = loweredASCII(a[i])
      for j in 0..<b.count {
        let y = loweredASCII(b[j])
        var edits = min(rows[last][j] + (x == y ? 0 : 1), rows[last][j + 1] + 1, rows[now][j] + 1)
        if i > 0, j > 0, x == loweredASCII(b[j - 1]), y == loweredASCII(a[i - 1]) {
          edits = min(edits, rows[before][j - 1] + 1)
        }
        rows[now][j + 1] = edits
        least = min(least, edits)
      }
      if least > most { return nil }
    }
    let result = rows[(a.count + 1) % 3][b.count]
    return result <= most ? result : nil
  }
}
