/// What `kubectl apply --kustomize` makes of a folder.
public struct Kustomization: Hashable, Sendable {
  /// The labels that every object gets; no selector does, since that would change what policies mean.
  public var labels: [String: String]

  /// The paths of the files of objects, in order.
  public var resources: [String]

  /// The path of the file below the folder of the cluster.
  public static let path = "kustomization.yaml"

  private static let apiVersion = "kustomize.config.k8s.io/v1beta1"

  /// Creates the description of a folder.
  public init(labels: [String: String], resources: [String]) {
    self.labels = labels
    self.resources = resources
  }

  /// Creates the description that `text` holds; every field has to be understood.
  public init(_ text: String) throws(ManifestError) {
    var fields = try Fields(YAML(text), at: "")
    try fields.constant("apiVersion", Self.apiVersion)
    try fields.constant("kind", "Kustomization")
    labels = [:]
    for (i, item) in (try fields.items("labels") ?? []).enumerated() {
      var entry = try Fields(item, at: "labels[\(i)]")
      guard case .boolean(false) = try entry.value("includeSelectors") else {
        throw ManifestError(entry.path(of: "includeSelectors"), "`false` is expected")
      }
      labels.merge(try entry.mapping("pairs")) { $1 }
      try entry.end()
    }
    resources = try fields.strings("resources") ?? []
    try fields.end()
  }

  /// The contents of the file.
  public var text: String {
    var fields = [
      YAML.Field("apiVersion", .string(Self.apiVersion)), YAML.Field("kind", .string("Kustomization")),
    ]
    if !labels.isEmpty {
      fields.append(
        .init(
          "labels",
          .sequence([.mapping([.init("includeSelectors", .boolean(false)), .init("pairs", .strings(labels))])])))
    }
    if !resources.isEmpty { fields.append(.init("resources", .sequence(resources.map { .string($0) }))) }
    return Manifest.heading + YAML.mapping(fields).text
  }
}
