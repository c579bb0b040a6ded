import Syntax

/// Finds the name that was meant where an unknown one is written.
///
/// Looking for a neighbour costs time in the number of names, so that the whole of it is bounded: a policy whose names
/// are all wrong gets suggestions for the first of them only.
struct Suggestions {
  /// A thing with a similar name.
  struct Candidate {
    /// The kind of the thing.
    let kind: EntityKind
    /// Its name, where it is declared.
    let name: Name
  }

  /// How many names may still be compared.
  private var budget = 4_000_000

  /// What was found before, by name and kinds.
  private var known: [String: Candidate?] = [:]

  /// Returns what `name` was meant to be: the nearest of the things of `kinds`, else of all kinds.
  mutating func nearest(to name: String, of kinds: Kinds, in names: NameTable) -> Candidate? {
    let key = "\(kinds.rawValue) \(name)"
    if let found = known[key] { return found }
    let wanted = Array(name.utf8)
    let found =
      nearest(to: wanted, of: kinds, in: names) ?? nearest(to: wanted, of: Kinds.all.subtracting(kinds), in: names)
    known[key] = .some(found)
    return found
  }

  /// Returns the nearest of the things of `kinds` to `wanted`; of equally near ones, the first.
  private mutating func nearest(to wanted: [UInt8], of kinds: Kinds, in names: NameTable) -> Candidate? {
    var best: Candidate?
    var limit = greatestDistance(for: wanted.count)
    for kind in kinds.kinds {
      let declarations = names.declarations(of: kind)
      guard declarations.count <= budget else { return nil }
      budget -= declarations.count
      for declaration in declarations where limit >= 1 {
        let other = declaration.name.value.utf8
        guard abs(other.count - wanted.count) <= limit else { continue }
        let distance = editDistance(wanted, Array(other))
        if distance <= limit {
          best = Candidate(kind: kind, name: declaration.name)
          limit = distance - 1
        }
      }
    }
    return best
  }

  /// Returns the word of `words` that is nearest to `word`, if one is near; of equally near ones, the first.
  static func nearest(to word: String, among words: some Sequence<String>) -> String? {
    let wanted = Array(word.utf8)
    var limit = greatestDistance(for: wanted.count)
    var best: String?
    for other in words where limit >= 1 && abs(other.utf8.count - wanted.count) <= limit {
      let distance = editDistance(wanted, Array(other.utf8))
      if distance <= limit {
        best = other
        limit = distance - 1
      }
    }
    return best
  }
}

/// Returns how far from a word of `count` letters another one may be and still be meant by it.
private func greatestDistance(for count: Int) -> Int { count < 4 ? 1 : count < 9 ? 2 : 3 }

/// Returns how many letters are put in, left out, exchanged or swapped with their neighbour to get from `a` to `b`.
///
/// Words above 64 letters are compared by their first ones.
func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  let a = a.prefix(64)
  let b = b.prefix(64)
  var before = [Int](repeating: 0, count: b.count + 1)
  var last = Array(0...b.count)
  var row = last
  for i in 0..<a.count {
    row[0] = i + 1
    for j in 0..<b.count {
      let same = a[i] == b[j]
      row[j + 1] = min(last[j] + (same ? 0 : 1), last[j + 1] + 1, row[j] + 1)
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { row[j + 1] = min(row[j + 1], before[j - 1] + 1) }
    }
    (before, last, row) = (last, row, before)
  }
  return last[b.count]
}
