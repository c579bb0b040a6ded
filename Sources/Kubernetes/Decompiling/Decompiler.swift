import Firewalls
import Packets

/// The way from manifests back to what they make a cluster do, by the documentation of the Kubernetes API.
///
/// It knows nothing of how manifests are made here. What has no meaning here is named.
struct Decompiler {
  /// What is known so far.
  var rules = ClusterRules()

  /// The pods that the manifests run, with the names of their ports.
  private(set) var templates: [PodTemplate] = []

  /// The services, by namespace and name.
  var services: [ObjectName: ForeignService] = [:]

  /// The ways that are taken, each with the object that took it.
  private var taken: [Entrance: String] = [:]
  private var doors: [Way: Entrance] = [:]

  /// The name of an object of a namespace.
  struct ObjectName: Hashable {
    var namespace: String
    var name: String
  }

  private struct Way: Hashable {
    var door: Door
    var traffic: Traffic?
  }

  /// Pods that a manifest runs.
  struct PodTemplate {
    var namespace: String
    var labels: [String: String]
    var ports: [(name: String, transport: TransportProtocol, number: UInt16)]
  }

  /// Kinds that neither open nor close connections.
  private static let silent: Set = [
    "ConfigMap", "Secret", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding",
    "PersistentVolume", "PersistentVolumeClaim", "StorageClass", "HorizontalPodAutoscaler", "PodDisruptionBudget",
    "LimitRange", "ResourceQuota", "PriorityClass", "CustomResourceDefinition", "Event", "Node", "Lease",
    "IngressClass",
    "ControllerRevision", "Endpoints", "EndpointSlice",
  ]

  /// Adds what `objects` say.
  mutating func read(_ objects: [ForeignObject]) throws(ManifestError) {
    defer { rules.namedPods.sort { ($0.namespace, $0.name, $0.kind) < ($1.namespace, $1.name, $1.kind) } }
    // Names are looked up in all objects, whatever their order.
    for object in objects { try collect(object) }
    for object in objects {
      switch object.kind {
      case "NetworkPolicy" where isIn("networking.k8s.io/v1", object): try readPolicy(object)
      case "Ingress" where isIn("networking.k8s.io/v1", object): try readIngress(object)
      case "Service" where isIn("v1", object): readService(object)
      case "NetworkPolicy", "Ingress", "Service":
        unknown("\(object.words): the API `\(object.apiVersion)` is not known")
      case "Namespace", "Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job",
        "CronJob":
        continue
      case let kind where !Decompiler.silent.contains(kind):
        unknown("\(object.words): objects of this kind are not known, and may open or close connections")
      default: continue
      }
    }
  }

  /// Notes that `words` have no meaning here.
  mutating func unknown(_ words: String) { rules.unknowns.append(words) }

  /// Notes the fields of `fields` that were not asked for, and returns `true` iff there are any.
  @discardableResult
  mutating func nameUnknown(_ fields: ForeignFields) -> Bool {
    for path in fields.unknown { unknown("\(path): the field is not known") }
    return !fields.unknown.isEmpty
  }

  /// Returns the namespace of `object`; kubectl takes that of its context if none is said, which is not known.
  mutating func namespace(of object: ForeignObject) -> String {
    if let namespace = object.namespace { return namespace }
    unknown("\(object.words): it has no namespace; `default` is assumed")
    return "default"
  }

  /// Adds `entrance`, which `object` makes.
  mutating func add(_ entrance: Entrance, of object: ForeignObject) {
    let way = Way(door: entrance.door, traffic: entrance.traffic)
    if let other = doors[way], other != entrance {
      unknown("\(object.words): what \(taken[other] ?? "another object") leads elsewhere is led anew")
      return
    }
    doors[way] = entrance
    taken[entrance] = object.words
    var entrance = entrance
    entrance.origin = object.origin()
    rules.entrances.append(entrance)
  }

  private func isIn(_ apiVersion: String, _ object: ForeignObject) -> Bool { object.apiVersion == apiVersion }

  /// Notes what other objects may refer to in `object`.
  private mutating func collect(_ object: ForeignObject) throws(ManifestError) {
    var content = object.content
    switch object.kind {
    case "Namespace":
      rules.namespaces[object.name] = object.labels.filter { $0.key != PodSelector.namespaceNameLabel }
    case "Service" where object.apiVersion == "v1":
      let service = try ForeignService(object, namespace: namespace(of: object))
      services[ObjectName(namespace: service.namespace, name: object.name)] = service
      if service.pods != nil { name(try selectorLabels(content), of: object) }
    case "Pod":
      try collectPods(content.fields("spec"), object.labels, of: object)
    case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob":
      var spec = try content.fields("spec")
      if object.kind == "CronJob" {
        var job = try spec.fields("jobTemplate")
        spec = try job.fields("spec")
      }
      var template = try spec.fields("template")
      var metadata = try template.fields("metadata")
      try collectPods(template.fields("spec"), metadata.strings("labels"), of: object)
    default: break
    }
  }

  /// Notes the ports of the pods with `labels` that `spec` describes.
  private mutating func collectPods(
    _ spec: ForeignFields, _ labels: [String: String], of object: ForeignObject
  ) throws(ManifestError) {
    var spec = spec
    if try spec.boolean("hostNetwork") == true {
      unknown("\(object.words): its pods use the network of their nodes, where no policy selects them")
      return
    }
    var template = PodTemplate(namespace: object.namespace ?? "default", labels: labels, ports: [])
    for var container in try spec.mappings("containers") + spec.mappings("initContainers") {
      for var port in try container.mappings("ports") {
        let transport = try port.transport("protocol")
        if let host = try port.port("hostPort") {
          unknown("\(object.words): it opens port \(host)/\(transport) of its nodes")
        }
        if let name = try port.string("name"), let number = try port.port("containerPort") {
          template.ports.append((name, transport, number))
        }
      }
    }
    templates.append(template)
    name(labels, of: object)
  }

  /// Notes that the pods with `labels` are those of `object`.
  private mutating func name(_ labels: [String: String], of object: ForeignObject) {
    rules.namedPods.append(
      .init(kind: object.kind, namespace: object.namespace ?? "default", name: object.name, labels: labels))
  }

  /// Returns the labels that a service whose fields are `content` selects its pods by.
  private func selectorLabels(_ content: ForeignFields) throws(ManifestError) -> [String: String] {
    var content = content
    var spec = try content.fields("spec")
    return try spec.strings("selector")
  }

  /// Returns the ports that pods of `selector` which the manifests run call `name`, or nothing if they run none.
  func ports(named name: String, _ transport: TransportProtocol, of selector: PodSelector) -> [(PodSelector, UInt16)]? {
    let running = templates.filter { template in
      selector.conditions.allSatisfy { attribute, values in
        switch attribute {
        case .namespace: values.contains(template.namespace)
        case .label(let key): values.contains(template.labels[key])
        case .namespaceLabel(let key): values.contains(rules.namespaces[template.namespace]?[key])
        }
      }
    }
    guard !running.isEmpty else { return nil }
    return running.compactMap { template in
      guard let port = template.ports.first(where: { $0.name == name && $0.transport == transport }) else { return nil }
      return (
        selector.intersection(PodSelector(namespace: template.namespace, labels: template.labels)), port.number
      )
    }
  }
}
