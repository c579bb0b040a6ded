import Packets

extension NetworkPolicy {
  /// What the policy says, as a mapping.
  ///
  /// `policyTypes` is always written: without it, a policy that has no `egress` would leave egress open.
  var spec: YAML {
    var fields: [YAML.Field] = []
    if !egress.isEmpty { fields.append(.init("egress", .sequence(egress.map { $0.yaml(peers: "to") }))) }
    if !ingress.isEmpty { fields.append(.init("ingress", .sequence(ingress.map { $0.yaml(peers: "from") }))) }
    fields.append(.init("podSelector", Self.selector(podLabels)))
    fields.append(.init("policyTypes", .sequence([.string("Ingress"), .string("Egress")])))
    return .mapping(fields)
  }

  /// Creates the policy that the fields of its spec describe.
  init(_ metadata: Metadata, spec: Fields) throws(ManifestError) {
    var spec = spec
    self.metadata = metadata
    ingress = []
    for (i, item) in (try spec.items("ingress") ?? []).enumerated() {
      ingress.append(try Rule(item, peers: "from", at: "\(spec.path).ingress[\(i)]"))
    }
    egress = []
    for (i, item) in (try spec.items("egress") ?? []).enumerated() {
      egress.append(try Rule(item, peers: "to", at: "\(spec.path).egress[\(i)]"))
    }
    podLabels = try Self.labels(spec.value("podSelector"), at: spec.path(of: "podSelector"))
    guard try spec.strings("policyTypes") == ["Ingress", "Egress"] else {
      throw ManifestError(spec.path(of: "policyTypes"), "both directions are expected")
    }
    try spec.end()
  }

  /// Returns the selector of what has `labels`.
  fileprivate static func selector(_ labels: [String: String]) -> YAML {
    labels.isEmpty ? .mapping([]) : .mapping([.init("matchLabels", .strings(labels))])
  }

  /// Returns the labels of the selector `yaml` at `path`.
  fileprivate static func labels(_ yaml: YAML, at path: String) throws(ManifestError) -> [String: String] {
    var fields = try Fields(yaml, at: path)
    let labels = try fields.mapping("matchLabels")
    try fields.end()
    return labels
  }
}

extension NetworkPolicy.Rule {
  /// Returns the rule as a mapping whose field `key` has the peers.
  fileprivate func yaml(peers key: String) -> YAML {
    var fields: [YAML.Field] = []
    if let peers { fields.append(.init(key, .sequence(peers.map(\.yaml)))) }
    if let ports { fields.append(.init("ports", .sequence(ports.map(\.yaml)))) }
    return .mapping(fields)
  }

  /// Creates the rule that `yaml`, which stands at `path`, describes; its field `key` has the peers.
  fileprivate init(_ yaml: YAML, peers key: String, at path: String) throws(ManifestError) {
    var fields = try Fields(yaml, at: path)
    var peers: [NetworkPolicy.Peer]?
    if let items = try fields.items(key) {
      var list: [NetworkPolicy.Peer] = []
      for (i, item) in items.enumerated() { list.append(try .init(item, at: "\(path).\(key)[\(i)]")) }
      peers = list
    }
    var ports: [NetworkPolicy.Ports]?
    if let items = try fields.items("ports") {
      var list: [NetworkPolicy.Ports] = []
      for (i, item) in items.enumerated() { list.append(try .init(item, at: "\(path).ports[\(i)]")) }
      ports = list
    }
    try fields.end()
    self.init(peers: peers, ports: ports)
  }
}

extension NetworkPolicy.Peer {
  /// The peer as a mapping.
  fileprivate var yaml: YAML {
    switch self {
    case .addresses(let block, let except):
      var fields = [YAML.Field("cidr", .string(block.cidr))]
      if !except.isEmpty { fields.append(.init("except", .sequence(except.map { .string($0.cidr) }))) }
      return .mapping([.init("ipBlock", .mapping(fields))])
    case .pods(let pods, let namespaces):
      // Both selectors stand in one item, which means that both must match; two items would mean either.
      var fields = [YAML.Field("namespaceSelector", NetworkPolicy.selector(namespaces))]
      if !pods.isEmpty { fields.append(.init("podSelector", NetworkPolicy.selector(pods))) }
      return .mapping(fields)
    }
  }

  /// Creates the peer that `yaml`, which stands at `path`, describes.
  fileprivate init(_ yaml: YAML, at path: String) throws(ManifestError) {
    var fields = try Fields(yaml, at: path)
    if let block = fields.optional("ipBlock") {
      var inner = try Fields(block, at: fields.path(of: "ipBlock"))
      let prefix = try Prefix(cidr: inner.string("cidr"), at: inner.path(of: "cidr"))
      var except: [Prefix] = []
      for text in try inner.strings("except") ?? [] {
        except.append(try Prefix(cidr: text, at: inner.path(of: "except")))
      }
      try inner.end()
      self = .addresses(prefix, except: except)
    } else {
      let namespaces = try fields.value("namespaceSelector")
      let pods = fields.optional("podSelector") ?? .mapping([])
      self = .pods(
        try NetworkPolicy.labels(pods, at: fields.path(of: "podSelector")),
        namespaces: try NetworkPolicy.labels(namespaces, at: fields.path(of: "namespaceSelector")))
    }
    try fields.end()
  }
}

extension NetworkPolicy.Ports {
  /// The ports as a mapping.
  fileprivate var yaml: YAML {
    var fields: [YAML.Field] = []
    if let range {
      if !range.isSingle { fields.append(.init("endPort", .number(Int(range.upper)))) }
      fields.append(.init("port", .number(Int(range.lower))))
    }
    fields.append(.init("protocol", .string(transport.kubernetesName ?? "TCP")))
    return .mapping(fields)
  }

  /// Creates the ports that `yaml`, which stands at `path`, describes.
  fileprivate init(_ yaml: YAML, at path: String) throws(ManifestError) {
    var fields = try Fields(yaml, at: path)
    let lower = try fields.port("port")
    let upper = try fields.port("endPort")
    transport = try TransportProtocol(
      kubernetesName: fields.string("protocol"), at: fields.path(of: "protocol"))
    try fields.end()
    guard let lower else {
      guard upper == nil else { throw ManifestError(path, "`endPort` needs `port`") }
      range = nil
      return
    }
    guard lower <= upper ?? lower else { throw ManifestError(path, "`endPort` is below `port`") }
    range = PortRange(from: lower, through: upper ?? lower)
  }
}

extension Prefix {
  /// The block as `address/length`, which the API wants for single addresses too.
  var cidr: String { "\(address)/\(length)" }

  /// Creates the block that `text` in the field at `path` names, without bits behind its length.
  init(cidr text: String, at path: String) throws(ManifestError) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = Address(parts[0]), let length = Int(parts[1]), String(length) == parts[1],
      (0...address.family.width).contains(length)
    else { throw ManifestError(path, "`\(text)` is not a block of addresses") }
    self.init(containing: address, length: length)
    guard self.address == address else { throw ManifestError(path, "`\(text)` has bits behind its length") }
  }
}
