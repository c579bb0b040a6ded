import Packets

extension Service {
  /// What the service says, as a mapping, with what the server would fill in.
  var spec: YAML {
    var fields: [YAML.Field] = []
    if case .loadBalancer = kind { fields.append(.init("allocateLoadBalancerNodePorts", .boolean(true))) }
    if let local = isLocal { fields.append(.init("externalTrafficPolicy", .string(local ? "Local" : "Cluster"))) }
    fields.append(.init("internalTrafficPolicy", .string("Cluster")))
    // Both families where the cluster has both; a cluster of one family takes it as that one.
    fields.append(.init("ipFamilyPolicy", .string("PreferDualStack")))
    if case .loadBalancer(_, let sources) = kind, !sources.isEmpty {
      fields.append(.init("loadBalancerSourceRanges", .sequence(sources.map { .string($0.cidr) })))
    }
    fields.append(.init("ports", .sequence(ports.map(\.yaml))))
    fields.append(.init("selector", .strings(selector)))
    fields.append(.init("sessionAffinity", .string("None")))
    fields.append(.init("type", .string(typeName)))
    return .mapping(fields)
  }

  /// `true` iff only pods of the same node answer to what comes from outside; nothing if nothing does.
  private var isLocal: Bool? {
    switch kind {
    case .clusterIP: nil
    case .nodePort(let local), .loadBalancer(let local, _): local
    }
  }

  /// The kind as the API spells it.
  private var typeName: String {
    switch kind {
    case .clusterIP: "ClusterIP"
    case .nodePort: "NodePort"
    case .loadBalancer: "LoadBalancer"
    }
  }

  /// Creates the service that the fields of its spec describe.
  init(_ metadata: Metadata, spec: Fields) throws(ManifestError) {
    var spec = spec
    self.metadata = metadata
    kind = try Service.kind(&spec)
    try spec.constant("internalTrafficPolicy", "Cluster")
    try spec.constant("ipFamilyPolicy", "PreferDualStack")
    try spec.constant("sessionAffinity", "None")
    selector = try spec.mapping("selector")
    ports = []
    for (i, item) in (try spec.items("ports") ?? []).enumerated() {
      ports.append(try Port(item, at: "\(spec.path).ports[\(i)]"))
    }
    try spec.end()
  }

  /// Removes the fields of `spec` that say how a service is reached and returns what they say.
  private static func kind(_ spec: inout Fields) throws(ManifestError) -> Kind {
    let type = try spec.string("type")
    if type == "ClusterIP" { return .clusterIP }
    let policy = try spec.string("externalTrafficPolicy")
    guard policy == "Local" || policy == "Cluster" else {
      throw ManifestError(spec.path(of: "externalTrafficPolicy"), "`Cluster` or `Local` is expected")
    }
    if type == "NodePort" { return .nodePort(local: policy == "Local") }
    guard type == "LoadBalancer" else { throw ManifestError(spec.path(of: "type"), "`\(type)` is not known") }
    guard case .boolean(true) = try spec.value("allocateLoadBalancerNodePorts") else {
      throw ManifestError(spec.path(of: "allocateLoadBalancerNodePorts"), "`true` is expected")
    }
    var sources: [Prefix] = []
    for text in try spec.strings("loadBalancerSourceRanges") ?? [] {
      sources.append(try Prefix(cidr: text, at: spec.path(of: "loadBalancerSourceRanges")))
    }
    return .loadBalancer(local: policy == "Local", sources: sources)
  }
}

extension Service.Port {
  /// The port as a mapping.
  fileprivate var yaml: YAML {
    var fields = [YAML.Field("name", .string(name))]
    if let nodePort { fields.append(.init("nodePort", .number(Int(nodePort)))) }
    fields.append(.init("port", .number(Int(port))))
    fields.append(.init("protocol", .string(transport.kubernetesName ?? "TCP")))
    fields.append(.init("targetPort", .number(Int(target))))
    return .mapping(fields)
  }

  /// Creates the port that `yaml`, which stands at `path`, describes.
  fileprivate init(_ yaml: YAML, at path: String) throws(ManifestError) {
    var fields = try Fields(yaml, at: path)
    name = try fields.string("name")
    nodePort = try fields.port("nodePort")
    guard let port = try fields.port("port"), let target = try fields.port("targetPort") else {
      throw ManifestError(path, "`port` and `targetPort` are expected")
    }
    self.port = port
    self.target = target
    transport = try TransportProtocol(kubernetesName: fields.string("protocol"), at: fields.path(of: "protocol"))
    try fields.end()
  }
}
