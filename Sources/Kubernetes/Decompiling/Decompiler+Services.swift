import Firewalls
import Packets

/// A Service (v1) as a manifest of whatever origin describes it.
struct ForeignService {
  /// A port of it.
  struct Port {
    var name: String?
    var transport: TransportProtocol
    var number: UInt16
    var target: ForeignFields.PortName
    var nodePort: UInt16?
  }

  var namespace: String
  var type: String
  /// The pods; nothing if the service selects none.
  var pods: PodSelector?
  var externalName: String?
  var isHeadless: Bool
  var ports: [Port] = []
  var traits: Set<Entrance.Trait> = []
  /// What else there is to say of what comes from outside.
  var outerTraits: Set<Entrance.Trait> = []
  var externalAddresses: [Address] = []
  var balanced = AddressSet.all
  var hasNodePorts: Bool
  var healthPort: UInt16?
  /// The fields that are not known.
  var unknown: [String]

  /// Reads the service `object`, which is in `namespace`.
  init(_ object: ForeignObject, namespace: String) throws(ManifestError) {
    self.namespace = namespace
    var content = object.content
    var spec = try content.fields("spec")
    content.skip("status")
    type = try spec.string("type") ?? "ClusterIP"
    guard ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"].contains(type) else {
      throw ManifestError(spec.path(of: "type"), "`\(type)` is not known")
    }
    let labels = try spec.strings("selector")
    pods = labels.isEmpty ? nil : PodSelector(namespace: namespace, labels: labels)
    externalName = try spec.string("externalName")
    isHeadless = try spec.string("clusterIP") == "None"
    for var item in try spec.mappings("ports") {
      guard let number = try item.port("port") else { throw ManifestError(item.path, "`port` is missing") }
      item.skip("appProtocol")
      ports.append(
        Port(
          name: try item.string("name"), transport: try item.transport("protocol"), number: number,
          target: try item.portName("targetPort") ?? .number(number), nodePort: try item.port("nodePort")))
      if let path = item.unknown.first { throw ManifestError(path, "the field is not known") }
    }
    if isHeadless { traits.insert(.headless) }
    if try ForeignService.isLocal(&spec, "internalTrafficPolicy") { traits.insert(.sameNode) }
    if try ForeignService.isLocal(&spec, "externalTrafficPolicy") { outerTraits.insert(.keepsClient) }
    switch try spec.string("sessionAffinity") {
    case "ClientIP"?: traits.insert(.sticky)
    case "None"?, nil: break
    case let word?: throw ManifestError(spec.path(of: "sessionAffinity"), "`\(word)` is not known")
    }
    // What is not said is one family.
    switch try spec.string("ipFamilyPolicy") {
    case "PreferDualStack"?, "RequireDualStack"?: break
    case "SingleStack"?, nil: traits.insert(.oneFamily)
    case let word?: throw ManifestError(spec.path(of: "ipFamilyPolicy"), "`\(word)` is not known")
    }
    for text in try spec.list("externalIPs") ?? [] {
      guard let address = Address(text) else {
        throw ManifestError(spec.path(of: "externalIPs"), "`\(text)` is not an address")
      }
      externalAddresses.append(address)
    }
    let allocates = try spec.boolean("allocateLoadBalancerNodePorts") ?? true
    hasNodePorts = type == "NodePort" || type == "LoadBalancer" && allocates
    var ranges = try spec.list("loadBalancerSourceRanges") ?? []
    let annotation = "service.beta.kubernetes.io/load-balancer-source-ranges"
    if ranges.isEmpty, let text = object.annotations[annotation] { ranges = Decompiler.words(of: text) }
    if !ranges.isEmpty {
      var blocks: [Prefix] = []
      for text in ranges { blocks.append(try Decompiler.block(text, at: spec.path(of: "loadBalancerSourceRanges"))) }
      balanced = AddressSet(blocks)
    }
    healthPort = try spec.port("healthCheckNodePort")
    spec.skip(
      "clusterIPs", "ipFamilies", "sessionAffinityConfig", "publishNotReadyAddresses", "loadBalancerIP",
      "loadBalancerClass", "trafficDistribution")
    unknown = spec.unknown + content.unknown
  }

  private static func isLocal(_ spec: inout ForeignFields, _ key: String) throws(ManifestError) -> Bool {
    switch try spec.string(key) {
    case "Local"?: return true
    case "Cluster"?, nil: return false
    case let word?: throw ManifestError(spec.path(of: key), "`\(word)` is neither `Cluster` nor `Local`")
    }
  }
}

extension Decompiler {
  /// Adds what the Service `object` says.
  mutating func readService(_ object: ForeignObject) {
    let namespace = object.namespace ?? "default"
    guard let service = services[ObjectName(namespace: namespace, name: object.name)] else { return }
    for path in service.unknown { unknown("\(path): the field is not known") }
    let door = Door.service(namespace: namespace, name: object.name)
    if service.type == "ExternalName" {
      let words = "leads to the name `\(service.externalName ?? "")`, outside the cluster's rules"
      return add(Entrance(door, nil, to: .unknown(words)), of: object)
    }
    let outer = service.outerTraits.union(service.traits.intersection([.sticky, .oneFamily]))
    for port in service.ports {
      let target = target(of: port, in: service)
      let shown = Traffic.ports(port.transport, PortRange(port.number))
      add(Entrance(door, shown, to: target, traits: service.traits), of: object)
      if let node = port.nodePort, service.type != "ClusterIP" {
        add(Entrance(.node, .ports(port.transport, PortRange(node)), to: target, traits: outer), of: object)
      } else if service.hasNodePorts {
        let picked = Door.pickedNodePort(namespace: namespace, name: object.name)
        add(Entrance(picked, shown, to: target, traits: outer), of: object)
      }
      if service.type == "LoadBalancer" {
        let balancer = Door.balancer(namespace: namespace, name: object.name)
        add(Entrance(balancer, shown, from: service.balanced, to: target, traits: outer), of: object)
      }
      for address in service.externalAddresses {
        add(Entrance(.address(address), shown, to: target, traits: outer), of: object)
      }
    }
    if let port = service.healthPort {
      let words = "leads to what tells whether the node has pods of `\(object.name)`"
      add(Entrance(.node, .ports(.tcp, PortRange(port)), to: .unknown(words)), of: object)
    }
  }

  /// Returns where `port` of `service` leads.
  func target(of port: ForeignService.Port, in service: ForeignService) -> Entrance.Target {
    guard let pods = service.pods else { return .unknown("leads to addresses that are told elsewhere (EndpointSlice)") }
    // A headless service translates nothing.
    if service.isHeadless { return .pods(pods, port: port.number) }
    switch port.target {
    case .number(let number): return .pods(pods, port: number)
    case .name(let name):
      let numbers = Set((ports(named: name, port.transport, of: pods) ?? []).map(\.1))
      if numbers.count == 1, let number = numbers.first { return .pods(pods, port: number) }
      return .unknown("leads to the port that its pods call `\(name)`")
    }
  }

  /// Returns the words of `text`, which stand between commas.
  static func words(of text: String) -> [String] {
    text.split(separator: ",").map { word in
      let bytes = word.utf8.drop { $0 == UInt8(ascii: " ") }
      let rest = bytes.reversed().drop { $0 == UInt8(ascii: " ") }.reversed()
      return String(decoding: rest, as: UTF8.self)
    }.filter { !$0.isEmpty }
  }
}
