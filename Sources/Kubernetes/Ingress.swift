/// Host names and paths that the ingress controller leads to services (networking.k8s.io/v1).
public struct Ingress: Hashable, Sendable {
  /// What the object says of itself.
  public var metadata: Metadata

  /// The class of controllers that it is for; nothing means the cluster's default.
  public var className: String?

  /// What leads where.
  public var rules: [Rule]

  /// Paths of a host name.
  public struct Rule: Hashable, Sendable {
    /// The host name.
    public var host: String

    /// The paths with what is below them.
    public var paths: [Path]

    /// Creates the rule for `host`.
    public init(host: String, paths: [Path]) {
      self.host = host
      self.paths = paths
    }
  }

  /// A path with all that is below it, and where it leads.
  public struct Path: Hashable, Sendable {
    /// The path.
    public var path: String

    /// The name of the service.
    public var service: String

    /// The port of the service.
    public var port: UInt16

    /// Creates a path that leads to a port of a service.
    public init(_ path: String, service: String, port: UInt16) {
      self.path = path
      self.service = service
      self.port = port
    }
  }

  /// Creates an ingress.
  public init(_ metadata: Metadata, className: String?, rules: [Rule]) {
    self.metadata = metadata
    self.className = className
    self.rules = rules
  }
}

extension Ingress {
  /// What the ingress says, as a mapping.
  var spec: YAML {
    var fields: [YAML.Field] = []
    if let className { fields.append(.init("ingressClassName", .string(className))) }
    fields.append(.init("rules", .sequence(rules.map(\.yaml))))
    return .mapping(fields)
  }

  /// Creates the ingress that the fields of its spec describe.
  init(_ metadata: Metadata, spec: Fields) throws(ManifestError) {
    var spec = spec
    self.metadata = metadata
    if let name = spec.optional("ingressClassName") {
      guard case .string(let name) = name else {
        throw ManifestError(spec.path(of: "ingressClassName"), "a string is expected")
      }
      className = name
    }
    rules = []
    for (i, item) in (try spec.items("rules") ?? []).enumerated() {
      rules.append(try Rule(item, at: "\(spec.path).rules[\(i)]"))
    }
    try spec.end()
  }
}

extension Ingress.Rule {
  /// The rule as a mapping.
  fileprivate var yaml: YAML {
    .mapping([
      .init("host", .string(host)),
      .init("http", .mapping([.init("paths", .sequence(paths.map(\.yaml)))])),
    ])
  }

  /// Creates the rule that `yaml`, which stands at `path`, describes.
  fileprivate init(_ yaml: YAML, at path: String) throws(ManifestError) {
    var fields = try Fields(yaml, at: path)
    host = try fields.string("host")
    var http = try Fields(fields.value("http"), at: fields.path(of: "http"))
    paths = []
    for (i, item) in (try http.items("paths") ?? []).enumerated() {
      paths.append(try Ingress.Path(item, at: "\(http.path).paths[\(i)]"))
    }
    try http.end()
    try fields.end()
  }
}

extension Ingress.Path {
  /// The path as a mapping.
  fileprivate var yaml: YAML {
    let backend = YAML.mapping([
      .init("name", .string(service)), .init("port", .mapping([.init("number", .number(Int(port)))])),
    ])
    return .mapping([
      .init("backend", .mapping([.init("service", backend)])), .init("path", .string(path)),
      .init("pathType", .string("Prefix")),
    ])
  }

  /// Creates the path that `yaml`, which stands at `path`, describes.
  fileprivate init(_ yaml: YAML, at path: String) throws(ManifestError) {
    var fields = try Fields(yaml, at: path)
    var backend = try Fields(fields.value("backend"), at: fields.path(of: "backend"))
    var service = try Fields(backend.value("service"), at: backend.path(of: "service"))
    var port = try Fields(service.value("port"), at: service.path(of: "port"))
    guard let number = try port.port("number") else { throw ManifestError(port.path, "a number is expected") }
    try port.end()
    self.port = number
    self.service = try service.string("name")
    self.path = try fields.string("path")
    try fields.constant("pathType", "Prefix")
    try service.end()
    try backend.end()
    try fields.end()
  }
}
