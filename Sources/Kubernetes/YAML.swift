/// A value of YAML, as far as manifests have such values.
///
/// What is written here is a subset of YAML 1.2: no anchors, tags, comments behind values, flow collections with content,
/// or strings over several lines. `YAMLStream` reads what others write.
public enum YAML: Hashable, Sendable {
  /// A string.
  case string(String)

  /// A whole number; what is written here is not negative.
  case number(Int)

  /// A number that is not whole or too big, as it is written.
  case decimal(String)

  /// Nothing.
  case null

  /// `true` or `false`.
  case boolean(Bool)

  /// Keys with values, in the order in which they are written.
  case mapping([Field])

  /// Values in order.
  case sequence([YAML])

  /// A key of a mapping with its value.
  public struct Field: Hashable, Sendable {
    /// The key.
    public var key: String

    /// The value.
    public var value: YAML

    /// Creates a field.
    public init(_ key: String, _ value: YAML) {
      self.key = key
      self.value = value
    }
  }

  /// Returns the mapping of `strings`, in the order of their keys.
  public static func strings(_ strings: [String: String]) -> YAML {
    if strings.count == 1, let (key, value) = strings.first { return .mapping([Field(key, .string(value))]) }
    return .mapping(strings.sorted { $0.key < $1.key }.map { Field($0.key, .string($0.value)) })
  }
}

/// Something that is not the YAML or the manifest that is expected.
public struct ManifestError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where: the number of a line, or the path of a field.
  public var place: String

  /// What is wrong there.
  public var message: String

  /// Creates the error `message` at `place`.
  public init(_ place: String, _ message: String) {
    self.place = place
    self.message = message
  }

  /// The place and what is wrong there.
  public var description: String { "\(place): \(message)" }
}
