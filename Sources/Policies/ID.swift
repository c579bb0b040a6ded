/// The position of an `Entity` among its kind in a policy.
@frozen public struct ID<Entity>: Hashable, Sendable, Comparable {
  /// The position, counted from 0.
  public let rawValue: Int

  /// Creates the identity of the entity at `rawValue`.
  @inlinable public init(_ rawValue: Int) { self.rawValue = rawValue }

  /// Returns `true` iff `a` comes before `b`.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
