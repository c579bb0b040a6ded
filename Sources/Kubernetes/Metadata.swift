/// What every object of a namespace says of itself.
public struct Metadata: Hashable, Sendable {
  /// The name.
  public var name: String

  /// The namespace.
  public var namespace: String

  /// Short words that objects are selected by.
  public var labels: [String: String]

  /// Text for people and programs; it selects nothing.
  public var annotations: [String: String]

  /// Creates the metadata of the object `name` in `namespace`.
  public init(
    name: String, namespace: String, labels: [String: String] = [:], annotations: [String: String] = [:]
  ) {
    self.name = name
    self.namespace = namespace
    self.labels = labels
    self.annotations = annotations
  }

  /// Creates the metadata that `yaml`, which stands at `path`, describes.
  init(_ yaml: YAML, at path: String) throws(ManifestError) {
    var fields = try Fields(yaml, at: path)
    annotations = try fields.mapping("annotations")
    labels = try fields.mapping("labels")
    name = try fields.string("name")
    namespace = try fields.string("namespace")
    try fields.end()
  }

  /// The metadata as a mapping.
  var yaml: YAML {
    var fields: [YAML.Field] = []
    if !annotations.isEmpty { fields.append(.init("annotations", .strings(annotations))) }
    if !labels.isEmpty { fields.append(.init("labels", .strings(labels))) }
    fields.append(.init("name", .string(name)))
    fields.append(.init("namespace", .string(namespace)))
    return .mapping(fields)
  }
}
