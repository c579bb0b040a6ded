/// The fields of a mapping while it is read, so that none is read twice and none is overlooked.
struct Fields {
  /// The path of the mapping.
  let path: String

  /// The fields that are not read yet.
  private var rest: [String: YAML] = [:]

  /// Starts to read the mapping `yaml` at `path`.
  init(_ yaml: YAML, at path: String) throws(ManifestError) {
    guard case .mapping(let fields) = yaml else { throw ManifestError(path, "a mapping is expected") }
    self.path = path
    for field in fields { rest[field.key] = field.value }
  }

  /// Returns the path of the field `key`.
  func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// Removes and returns the value of the field `key`, if there is one.
  mutating func optional(_ key: String) -> YAML? { rest.removeValue(forKey: key) }

  /// Removes and returns the value of the field `key`.
  mutating func value(_ key: String) throws(ManifestError) -> YAML {
    guard let value = optional(key) else { throw ManifestError(path(of: key), "the field is missing") }
    return value
  }

  /// Removes and returns the string in the field `key`.
  mutating func string(_ key: String) throws(ManifestError) -> String {
    guard case .string(let string) = try value(key) else { throw ManifestError(path(of: key), "a string is expected") }
    return string
  }

  /// Removes the field `key`, which holds the string `expected` or nothing else.
  mutating func constant(_ key: String, _ expected: String) throws(ManifestError) {
    let found = try string(key)
    guard found == expected else { throw ManifestError(path(of: key), "`\(expected)` is expected, not `\(found)`") }
  }

  /// Removes and returns the number in the field `key`, if there is one.
  mutating func port(_ key: String) throws(ManifestError) -> UInt16? {
    guard let value = optional(key) else { return nil }
    guard case .number(let number) = value, let port = UInt16(exactly: number), port > 0 else {
      throw ManifestError(path(of: key), "a port from 1 to 65535 is expected")
    }
    return port
  }

  /// Removes and returns the items of the list in the field `key`, if there is one; it has items.
  mutating func items(_ key: String) throws(ManifestError) -> [YAML]? {
    guard let value = optional(key) else { return nil }
    guard case .sequence(let items) = value, !items.isEmpty else {
      throw ManifestError(path(of: key), "a list with items is expected")
    }
    return items
  }

  /// Removes and returns the strings of the list in the field `key`, if there is one; it has items.
  mutating func strings(_ key: String) throws(ManifestError) -> [String]? {
    try items(key).map { items throws(ManifestError) in try YAML.strings(of: items, at: path(of: key)) }
  }

  /// Removes and returns the mapping of strings in the field `key`, or none if there is no such field.
  mutating func mapping(_ key: String) throws(ManifestError) -> [String: String] {
    guard let value = optional(key) else { return [:] }
    guard case .mapping(let fields) = value else { throw ManifestError(path(of: key), "a mapping is expected") }
    var strings: [String: String] = [:]
    for field in fields {
      guard case .string(let string) = field.value else {
        throw ManifestError("\(path(of: key)).\(field.key)", "a string is expected")
      }
      strings[field.key] = string
    }
    return strings
  }

  /// Ends the reading.
  func end() throws(ManifestError) {
    guard let unknown = rest.keys.min() else { return }
    throw ManifestError(path(of: unknown), "the field is not known")
  }
}

extension YAML {
  /// Returns `items`, which are at `place`, as strings.
  static func strings(of items: [YAML], at place: String) throws(ManifestError) -> [String] {
    var strings: [String] = []
    for item in items {
      guard case .string(let string) = item else { throw ManifestError(place, "a string is expected") }
      strings.append(string)
    }
    return strings
  }
}
