import Packets

extension [NamedSet.Element] {
  /// The positions of the elements in the order of their keys, or nothing if they stand in it.
  public var order: [Int]? {
    for i in indices.dropFirst() where NamedSet.Element.precedes(self[i], self[i - 1]) {
      return indices.sorted { NamedSet.Element.precedes(self[$0], self[$1]) }
    }
    return nil
  }

  /// The elements in the order of their keys.
  public var ordered: [NamedSet.Element] {
    guard let order else { return self }
    return order.map { self[$0] }
  }

  /// Returns the elements that are not among `others`, and those of `others` that are not here, comments apart; both lists are
  /// in the order of their keys.
  ///
  /// Chains count by the names that the policy's ruleset has for them.
  func differences(from others: Self) -> (here: Self, there: Self) {
    var (here, there): (Self, Self) = ([], [])
    var (i, j) = (0, 0)
    while i < count || j < others.count {
      if i < count, j < others.count, self[i].hasKey(of: others[j]) {
        if !self[i].value.isLike(others[j].value) {
          here.append(self[i])
          there.append(others[j])
        }
        i += 1
        j += 1
      } else if j == others.count || i < count && NamedSet.Element.precedes(self[i], others[j]) {
        here.append(self[i])
        i += 1
      } else {
        there.append(others[j])
        j += 1
      }
    }
    return (here, there)
  }
}

extension NamedSet.Element {
  /// Returns `true` iff the key of `a` stands before that of `b`, which is in the same set.
  public static func precedes(_ a: NamedSet.Element, _ b: NamedSet.Element) -> Bool {
    for i in 0..<Swift.min(a.key.count, b.key.count) {
      let order = Datum.compare(a.key[i], b.key[i])
      if order != 0 { return order < 0 }
    }
    return a.key.count < b.key.count
  }
}

extension NamedSet.Element {
  /// Returns `true` iff both elements have one key, which is asked often of all elements of a table.
  func hasKey(of other: NamedSet.Element) -> Bool {
    guard key.count == other.key.count else { return false }
    for i in key.indices where !Datum.areEqual(key[i], other.key[i]) { return false }
    return true
  }
}

extension NamedSet.Element.Value {
  /// Returns `true` iff the values are equal, chains by the names that the policy's ruleset has for them.
  func isLike(_ other: Self) -> Bool {
    switch (self, other) {
    case (.none, .none): return true
    case (.verdict(let a), .verdict(let b)):
      return a == b || Renaming.logical.verdict(a) == Renaming.logical.verdict(b)
    default: return self == other
    }
  }
}

extension Datum {
  /// Returns a number below zero iff `a`, which is of the type of `b`, stands before it, and zero iff neither does.
  fileprivate static func compare(_ a: Datum, _ b: Datum) -> Int {
    switch (a, b) {
    case (.address(let a), .address(let b)): compare(a.value, b.value)
    case (.port(let a), .port(let b)): Int(a) - Int(b)
    case (.transport(let a), .transport(let b)): Int(a.rawValue) - Int(b.rawValue)
    default: precedes(a, b) ? -1 : precedes(b, a) ? 1 : 0
    }
  }

  /// Returns `true` iff both are equal; of what most keys are made of, no references are counted.
  fileprivate static func areEqual(_ a: Datum, _ b: Datum) -> Bool {
    switch (a, b) {
    case (.address(let a), .address(let b)): a == b
    case (.addresses(let a), .addresses(let b)): a == b
    case (.port(let a), .port(let b)): a == b
    case (.transport(let a), .transport(let b)): a == b
    default: a == b
    }
  }

  private static func compare(_ a: UInt128, _ b: UInt128) -> Int { a < b ? -1 : a == b ? 0 : 1 }
}
