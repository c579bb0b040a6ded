/// A set of interfaces, by their names.
public enum InterfaceSet: Hashable, Sendable {
  /// These, in ascending order.
  case only([String])

  /// All but these, which are in ascending order; those that the policy does not know are among them.
  case except([String])

  /// Every interface.
  public static let any = InterfaceSet.except([])

  /// `true` iff the set has every interface.
  public var isAny: Bool { self == .any }

  /// `true` iff the set has no interface.
  public var isEmpty: Bool { self == .only([]) }

  /// Returns `true` iff the interface `name` is in the set; a packet whose interface is not known is on `nil`, which
  /// is in no set that names its members.
  public func contains(_ name: String?) -> Bool {
    switch self {
    case .only(let names): name.map(names.contains) ?? false
    case .except(let names): name.map { !names.contains($0) } ?? true
    }
  }

  /// Returns what is in both `self` and `other`.
  public func intersection(_ other: Self) -> Self {
    switch (self, other) {
    case (.only(let a), .only(let b)): .only(a.filter(b.contains))
    case (.only(let a), .except(let b)), (.except(let b), .only(let a)): .only(a.filter { !b.contains($0) })
    case (.except(let a), .except(let b)): .except(a == b ? a : Set(a).union(b).sorted())
    }
  }

  /// What is not in the set.
  public var complement: Self {
    switch self {
    case .only(let names): .except(names)
    case .except(let names): .only(names)
    }
  }

  /// Returns what is in `self`, in `other`, or in both.
  public func union(_ other: Self) -> Self { complement.intersection(other.complement).complement }

  /// Returns what is in `self` and not in `other`.
  public func subtracting(_ other: Self) -> Self { intersection(other.complement) }

  /// Returns `true` iff every interface of `self` is in `other`.
  public func isSubset(of other: Self) -> Bool { subtracting(other).isEmpty }
}

extension InterfaceSet: Comparable {
  /// Returns `true` iff `a` stands before `b` in output: sets that name their members first, then by the names.
  public static func < (a: Self, b: Self) -> Bool {
    switch (a, b) {
    case (.only(let x), .only(let y)), (.except(let x), .except(let y)): x.lexicographicallyPrecedes(y)
    case (.only, .except): true
    case (.except, .only): false
    }
  }
}
