import Firewalls
import Packets

extension Decompiler {
  /// Adds what the NetworkPolicy `object` (networking.k8s.io/v1) says.
  mutating func readPolicy(_ object: ForeignObject) throws(ManifestError) {
    let namespace = namespace(of: object)
    var content = object.content
    var spec = try content.fields("spec")
    content.skip("status")
    var pods = try selector(spec.fields("podSelector")) { .label($0) }
    pods.require(.namespace, .any(of: [namespace]))
    // "If no policyTypes are specified on a NetworkPolicy then by default Ingress will always be set and Egress will be
    // set if the NetworkPolicy has any egress rules."
    let ingress = try spec.mappings("ingress")
    let egress = try spec.mappings("egress")
    var types = try spec.list("policyTypes") ?? []
    if types.isEmpty { types = egress.isEmpty ? ["Ingress"] : ["Ingress", "Egress"] }
    for type in types {
      switch type {
      case "Ingress":
        rules.isolations.append(.init(pods, .ingress, origin: object.origin()))
        for rule in ingress { try readRule(rule, of: object, .ingress, pods, namespace) }
      case "Egress":
        rules.isolations.append(.init(pods, .egress, origin: object.origin()))
        for rule in egress { try readRule(rule, of: object, .egress, pods, namespace) }
      default: throw ManifestError(spec.path(of: "policyTypes"), "`\(type)` is not a direction")
      }
    }
    nameUnknown(spec)
    nameUnknown(content)
  }

  /// Adds what `rule` of a policy in `namespace` for `pods` grants.
  private mutating func readRule(
    _ rule: ForeignFields, of object: ForeignObject, _ direction: ClusterRules.Direction, _ pods: PodSelector,
    _ namespace: String
  ) throws(ManifestError) {
    var rule = rule
    var peers: [ClusterRules.Peer] = []
    for peer in try rule.mappings(direction == .ingress ? "from" : "to") {
      peers.append(try self.peer(peer, in: namespace))
    }
    let ports = try rule.mappings("ports")
    // A rule that says more than is understood may grant less.
    let condition = nameUnknown(rule) ? "the rest of \(rule.path)" : nil
    // An empty list has everyone, or every port.
    let grant = ClusterRules.Grant(
      pods, direction, peers: peers.isEmpty ? nil : peers, ports: ports.isEmpty ? nil : [], condition: condition,
      origin: object.origin(String(rule.path.dropFirst(object.file.utf8.count + 2))))
    if ports.isEmpty { rules.grants.append(grant) }
    for port in ports { try readPorts(port, of: grant) }
  }

  /// Adds `grant` for the ports that `port` describes.
  private mutating func readPorts(_ port: ForeignFields, of grant: ClusterRules.Grant) throws(ManifestError) {
    var port = port
    var grant = grant
    let transport = try port.transport("protocol")
    let lower = try port.portName("port")
    let upper = try port.port("endPort")
    if nameUnknown(port) { grant.condition = "the rest of \(port.path)" }
    switch lower {
    case nil:
      if upper != nil { throw ManifestError(port.path, "`endPort` needs `port`") }
      grant.ports = [.init(transport, .all)]
      rules.grants.append(grant)
    case .number(let lower)?:
      guard lower <= upper ?? lower else { throw ManifestError(port.path, "`endPort` is below `port`") }
      grant.ports = [.init(transport, PortRange(from: lower, through: upper ?? lower))]
      rules.grants.append(grant)
    case .name(let name)?:
      if upper != nil { throw ManifestError(port.path, "`endPort` goes with a number alone") }
      grantNamed(name, transport, grant, at: port.path)
    }
  }

  /// Adds `grant` for what the accepting pods call `name`.
  private mutating func grantNamed(
    _ name: String, _ transport: TransportProtocol, _ grant: ClusterRules.Grant, at path: String
  ) {
    // Names are those of the containers of whoever accepts; addresses outside have none.
    var isKnown = true
    if grant.direction == .ingress {
      let ports = ports(named: name, transport, of: grant.pods)
      isKnown = ports != nil
      for (pods, number) in ports ?? [] {
        var part = grant
        part.pods = pods
        part.ports = [.init(transport, PortRange(number))]
        rules.grants.append(part)
      }
    } else {
      for peer in grant.peers ?? [.pods(PodSelector())] {
        guard case .pods(let selector) = peer else { continue }
        let ports = ports(named: name, transport, of: selector)
        isKnown = isKnown && ports != nil
        for (pods, number) in ports ?? [] {
          var part = grant
          part.peers = [.pods(pods)]
          part.ports = [.init(transport, PortRange(number))]
          rules.grants.append(part)
        }
      }
    }
    if isKnown { return }
    unknown("\(path): no manifest here runs the pods that call a port `\(name)`")
    var part = grant
    part.ports = [.init(transport, .all)]
    // It is the same question in other files, since it is about the same pods.
    let origin = grant.origin
    part.condition = "the port is called `\(name)` (\(origin.kind) \(origin.namespace)/\(origin.name), \(origin.path))"
    rules.grants.append(part)
  }

  /// Returns the other end that `peer` of a policy in `namespace` describes.
  private mutating func peer(
    _ peer: ForeignFields, in namespace: String
  ) throws(ManifestError) -> ClusterRules.Peer {
    var peer = peer
    let block = peer.value("ipBlock")
    let pods = peer.value("podSelector")
    let namespaces = peer.value("namespaceSelector")
    if let path = peer.unknown.first { throw ManifestError(path, "this kind of peer is not known") }
    if let block {
      guard pods == nil, namespaces == nil else { throw ManifestError(peer.path, "`ipBlock` stands alone") }
      return .addresses(try addresses(ForeignFields(block, at: peer.path(of: "ipBlock"))))
    }
    guard pods != nil || namespaces != nil else { throw ManifestError(peer.path, "a peer is expected") }
    var result = try selector(ForeignFields(pods, at: peer.path(of: "podSelector"))) { .label($0) }
    // Both selectors in one item must match; without one for namespaces, it is the policy's own.
    if let namespaces {
      let there = try selector(ForeignFields(namespaces, at: peer.path(of: "namespaceSelector"))) {
        .namespaceLabel($0)
      }
      result = result.intersection(there)
    } else {
      result.require(.namespace, .any(of: [namespace]))
    }
    return .pods(result)
  }

  /// Returns the addresses that `block` describes.
  private func addresses(_ block: ForeignFields) throws(ManifestError) -> AddressSet {
    var block = block
    guard let cidr = try block.string("cidr") else { throw ManifestError(block.path, "`cidr` is missing") }
    let whole = try Decompiler.block(cidr, at: block.path(of: "cidr"))
    var taken: [Prefix] = []
    for text in try block.list("except") ?? [] {
      taken.append(try Decompiler.block(text, at: block.path(of: "except")))
    }
    if let path = block.unknown.first { throw ManifestError(path, "the field is not known") }
    return AddressSet([whole]).subtracting(AddressSet(taken))
  }

  /// Returns the block of addresses that is written as `text`; bits behind its length count for nothing.
  static func block(_ text: String, at path: String) throws(ManifestError) -> Prefix {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = Address(parts[0]), let length = Int(parts[1]), String(length) == parts[1],
      (0...address.family.width).contains(length)
    else { throw ManifestError(path, "`\(text)` is not a block of addresses") }
    return Prefix(containing: address, length: length)
  }

  /// Returns the selection that the label selector `fields` describes, whose keys are `attribute`s.
  func selector(
    _ fields: ForeignFields, _ attribute: (String) -> PodAttribute
  ) throws(ManifestError) -> PodSelector {
    var fields = fields
    var result = PodSelector()
    for (key, value) in try fields.strings("matchLabels") { result.require(attribute(key), .any(of: [value])) }
    for var expression in try fields.mappings("matchExpressions") {
      guard let key = try expression.string("key") else { throw ManifestError(expression.path, "`key` is missing") }
      let values = Set(try expression.list("values") ?? [])
      let word = try expression.string("operator")
      if let path = expression.unknown.first { throw ManifestError(path, "the field is not known") }
      switch word {
      case "In" where !values.isEmpty: result.require(attribute(key), .any(of: values))
      // What has no such label is selected too.
      case "NotIn" where !values.isEmpty: result.require(attribute(key), .none(of: values))
      case "Exists" where values.isEmpty: result.require(attribute(key), .present)
      case "DoesNotExist" where values.isEmpty: result.require(attribute(key), .absent)
      default: throw ManifestError(expression.path, "the operator and its values do not go together")
      }
    }
    if let path = fields.unknown.first { throw ManifestError(path, "the field is not known") }
    return result
  }
}
