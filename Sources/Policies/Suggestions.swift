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
  private var budget = 2_000_000

  /// What was found before, by name and kinds.
  private var known: [String: Candidate?] = [:]

  /// Returns what `name` was meant to be: the nearest of the things of `kinds`, else of all kinds.
  mutating func nearest(to name: String, of kinds: Kinds, in names: NameTable) -> Candidate? {
    let key = "\(kinds.rawValue) \(name)"
    if let found = known[key] { return found }
    let found =
      candidate(for: name, of: kinds, in: names) ?? candidate(for: name, of: Kinds.all.subtracting(kinds), in: names)
    known[key] = .some(found)
    return found
  }

  /// Returns the nearest of the things of `kinds` to `name`; of equally near ones, the first.
  private mutating func candidate(for name: String, of kinds: Kinds, in names: NameTable) -> Candidate? {
    let declarations = kinds.kinds.map { names.declarations(of: $0) }
    budget -= declarations.reduce(0) { $0 + $1.count }
    guard budget >= 0, let found = Syntax.nearest(to: name, among: declarations.joined().lazy.map(\.name.value)),
      let meaning = names.meanings[found], let kind = meaning.kinds.intersection(kinds).kinds.first
    else { return nil }
    return Candidate(kind: kind, name: names.declarations(of: kind)[meaning[kind]].name)
  }
}
