import Firewalls
import Packets

/// An object as a manifest of whatever origin describes it.
struct ForeignObject {
  /// The file.
  var file: String

  /// The line of the file in which it begins, counted from 1.
  var line: Int

  /// The group and version of the API.
  var apiVersion: String

  /// The kind.
  var kind: String

  /// The name.
  var name: String

  /// The namespace, if it is said.
  var namespace: String?

  /// The labels.
  var labels: [String: String]

  /// The annotations.
  var annotations: [String: String]

  /// The fields beside the metadata.
  var content: ForeignFields

  /// Creates the object that `yaml`, which begins in the line `line` of the file `file`, describes.
  init(_ yaml: YAML, in file: String, line: Int) throws(ManifestError) {
    var fields = try ForeignFields(yaml, at: "\(file):")
    apiVersion = try fields.string("apiVersion") ?? ""
    guard let kind = try fields.string("kind"), !kind.isEmpty else { throw ManifestError(file, "`kind` is missing") }
    self.kind = kind
    var metadata = try fields.fields("metadata")
    name = try metadata.string("name") ?? ""
    namespace = try metadata.string("namespace")
    labels = try metadata.strings("labels")
    annotations = try metadata.strings("annotations")
    (self.file, self.line) = (file, line)
    content = fields
  }

  /// What the object is called in words.
  var words: String { "\(file): \(kind) `\(name)`" }

  /// Returns where the field at `path` of the object stands, or the object itself.
  func origin(_ path: String = "") -> ClusterRules.Origin {
    .init(
      file: file, line: line, kind: kind, namespace: namespace ?? "default", name: name,
      owner: annotations["portcullis/owner"], path: path)
  }
}

/// The fields of a mapping of whatever origin, while it is read: what is not asked for is unknown.
struct ForeignFields {
  /// The path of the mapping.
  let path: String

  private var rest: [String: YAML] = [:]

  /// Starts to read the mapping `yaml` at `path`; nothing is a mapping without fields.
  init(_ yaml: YAML?, at path: String) throws(ManifestError) {
    self.path = path
    switch yaml {
    case .mapping(let fields)?: for field in fields { rest[field.key] = field.value }
    case .null?, nil: break
    default: throw ManifestError(path, "a mapping is expected")
    }
  }

  /// Returns the path of the field `key`.
  func path(of key: String) -> String { path.hasSuffix(":") ? "\(path) \(key)" : "\(path).\(key)" }

  /// The paths of the fields that were not asked for, sorted.
  var unknown: [String] { rest.keys.sorted().map { path(of: $0) } }

  /// Removes the fields `keys`, which say nothing about connections.
  mutating func skip(_ keys: String...) { for key in keys { rest[key] = nil } }

  /// Removes and returns the value of the field `key`, unless it is null.
  mutating func value(_ key: String) -> YAML? {
    let value = rest.removeValue(forKey: key)
    return value == .null ? nil : value
  }

  /// Removes and returns the string in the field `key`, if there is one.
  mutating func string(_ key: String) throws(ManifestError) -> String? {
    guard let value = value(key) else { return nil }
    guard case .string(let string) = value else { throw ManifestError(path(of: key), "a string is expected") }
    return string
  }

  /// Removes and returns the truth value in the field `key`, if there is one.
  mutating func boolean(_ key: String) throws(ManifestError) -> Bool? {
    guard let value = value(key) else { return nil }
    guard case .boolean(let boolean) = value else {
      throw ManifestError(path(of: key), "`true` or `false` is expected")
    }
    return boolean
  }

  /// Removes and returns the port in the field `key`, if there is one.
  mutating func port(_ key: String) throws(ManifestError) -> UInt16? {
    guard let value = value(key) else { return nil }
    guard case .number(let number) = value, let port = UInt16(exactly: number), port > 0 else {
      throw ManifestError(path(of: key), "a port from 1 to 65535 is expected")
    }
    return port
  }

  /// A port by its number or by the name that pods give it.
  enum PortName: Hashable {
    case number(UInt16)
    case name(String)
  }

  /// Removes and returns the port or the name of one in the field `key`, if there is one.
  mutating func portName(_ key: String) throws(ManifestError) -> PortName? {
    if case .string(let name)? = rest[key] {
      rest[key] = nil
      return .name(name)
    }
    return try port(key).map { .number($0) }
  }

  /// Removes and returns the protocol in the field `key`; it is TCP if there is none.
  mutating func transport(_ key: String) throws(ManifestError) -> TransportProtocol {
    switch try string(key) {
    case "TCP", nil: return .tcp
    case "UDP": return .udp
    case "SCTP": return .sctp
    case let name?: throw ManifestError(path(of: key), "`\(name)` is not TCP, UDP or SCTP")
    }
  }

  /// Removes and returns the items of the list in the field `key`, if there is one.
  mutating func items(_ key: String) throws(ManifestError) -> [YAML]? {
    guard let value = value(key) else { return nil }
    guard case .sequence(let items) = value else { throw ManifestError(path(of: key), "a list is expected") }
    return items
  }

  /// Removes and returns the strings of the list in the field `key`, if there is one.
  mutating func list(_ key: String) throws(ManifestError) -> [String]? {
    try items(key).map { items throws(ManifestError) in try YAML.strings(of: items, at: path(of: key)) }
  }

  /// Removes and returns the mapping of strings in the field `key`, or none.
  mutating func strings(_ key: String) throws(ManifestError) -> [String: String] {
    let place = path(of: key)
    let inner = try ForeignFields(value(key), at: place)
    var strings: [String: String] = [:]
    for (name, value) in inner.rest {
      guard case .string(let string) = value else { throw ManifestError("\(place).\(name)", "a string is expected") }
      strings[name] = string
    }
    return strings
  }

  /// Removes and returns the mapping in the field `key`; no field is a mapping without fields.
  mutating func fields(_ key: String) throws(ManifestError) -> ForeignFields {
    try ForeignFields(value(key), at: path(of: key))
  }

  /// Removes and returns the mappings of the list in the field `key`, or none.
  mutating func mappings(_ key: String) throws(ManifestError) -> [ForeignFields] {
    let place = path(of: key)
    var result: [ForeignFields] = []
    for (i, item) in (try items(key) ?? []).enumerated() {
      result.append(try ForeignFields(item, at: "\(place)[\(i)]"))
    }
    return result
  }
}
