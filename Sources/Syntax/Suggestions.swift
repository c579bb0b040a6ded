/// Returns that one of `candidates` which was most likely meant by `word`, or nothing if none is near.
///
/// Near is at most a third of the letters wrong, where two letters exchanged count once. Of equally near ones the
/// first in the alphabet is taken. Words of more than 64 bytes are near to nothing.
public func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
  let letters = Array(word.lowercased().utf8)
  guard (1...64).contains(letters.count) else { return nil }
  var best: (distance: Int, text: String)?
  for candidate in candidates {
    let other = Array(candidate.utf8)
    let limit = max(1, max(letters.count, other.count) / 3)
    guard abs(letters.count - other.count) <= limit, other.count <= 64 else { continue }
    let distance = editDistance(letters, other)
    guard distance <= limit, distance < min(letters.count, other.count) else { continue }
    if let b = best, (b.distance, b.text) <= (distance, candidate) { continue }
    best = (distance, candidate)
  }
  return best?.text
}

/// Returns how many insertions, deletions, replacements and exchanges of neighbours make `b` of `a`.
public func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var beforeLast: [Int] = []
  var last = Array(0...b.count)
  for i in 1...max(1, a.count) where i <= a.count {
    var row = [i]
    for j in 1...max(1, b.count) where j <= b.count {
      var cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { cost = min(cost, beforeLast[j - 2] + 1) }
      row.append(cost)
    }
    (beforeLast, last) = (last, row)
  }
  return last[b.count]
}
