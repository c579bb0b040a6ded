/// An object of a namespace, as a file describes it.
public enum Manifest: Hashable, Sendable {
  /// Who may connect to pods and to whom they may connect.
  case networkPolicy(NetworkPolicy)

  /// A stable name, address and port for pods.
  case service(Service)

  /// Host names and paths that the ingress controller leads to services.
  case ingress(Ingress)

  /// The kind as the API spells it.
  public var kind: String {
    switch self {
    case .networkPolicy: "NetworkPolicy"
    case .service: "Service"
    case .ingress: "Ingress"
    }
  }

  /// The group and version of the API that knows the kind.
  public var apiVersion: String {
    switch self {
    case .networkPolicy, .ingress: "networking.k8s.io/v1"
    case .service: "v1"
    }
  }

  /// What the object says of itself.
  public var metadata: Metadata {
    switch self {
    case .networkPolicy(let policy): policy.metadata
    case .service(let service): service.metadata
    case .ingress(let ingress): ingress.metadata
    }
  }

  /// The path of the file below the folder of the cluster: `NAMESPACE/KIND-NAME.yaml`, in lower case.
  public var path: String { "\(metadata.namespace)/\(kind.lowercased())-\(metadata.name).yaml" }

  /// The first line of every file, for people who find it.
  static let heading = "# Made by Portcullis. Change the policy, not this file.\n"

  /// The object as a mapping.
  public var yaml: YAML {
    let spec =
      switch self {
      case .networkPolicy(let policy): policy.spec
      case .service(let service): service.spec
      case .ingress(let ingress): ingress.spec
      }
    return .mapping([
      .init("apiVersion", .string(apiVersion)), .init("kind", .string(kind)),
      .init("metadata", metadata.yaml), .init("spec", spec),
    ])
  }

  /// The contents of the file.
  public var text: String {
    var bytes = Array(Manifest.heading.utf8)
    bytes.reserveCapacity(2048)
    yaml.write(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Creates the object that `text` describes; every field has to be understood.
  public init(_ text: String) throws(ManifestError) {
    try self.init(YAML(text))
  }

  /// Creates the object that `yaml` describes; every field has to be understood.
  public init(_ yaml: YAML) throws(ManifestError) {
    var fields = try Fields(yaml, at: "")
    let apiVersion = try fields.string("apiVersion")
    let kind = try fields.string("kind")
    let metadata = try Metadata(fields.value("metadata"), at: "metadata")
    let spec = try Fields(fields.value("spec"), at: "spec")
    try fields.end()
    switch kind {
    case "NetworkPolicy": self = .networkPolicy(try NetworkPolicy(metadata, spec: spec))
    case "Service": self = .service(try Service(metadata, spec: spec))
    case "Ingress": self = .ingress(try Ingress(metadata, spec: spec))
    default: throw ManifestError("kind", "`\(kind)` is not known")
    }
    guard apiVersion == self.apiVersion else {
      throw ManifestError("apiVersion", "`\(self.apiVersion)` is expected for a \(kind)")
    }
  }
}
