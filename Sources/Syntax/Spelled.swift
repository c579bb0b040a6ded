/// A value and the place where it is written.
@frozen public struct Spelled<Value: Sendable>: Sendable {
  /// The value.
  public var value: Value

  /// Where it is written.
  public var span: Span

  /// Creates `value` as written at `span`.
  @inlinable public init(_ value: Value, at span: Span) {
    self.value = value
    self.span = span
  }
}

extension Spelled: Equatable where Value: Equatable {}
extension Spelled: Hashable where Value: Hashable {}

/// A word that names something.
public typealias Name = Spelled<String>
