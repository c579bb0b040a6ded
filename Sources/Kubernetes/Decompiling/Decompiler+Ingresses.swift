import Firewalls
import Packets

extension Decompiler {
  /// What annotations of ingress-nginx begin with.
  private static let nginx = "nginx.ingress.kubernetes.io/"

  /// Adds what the Ingress `object` (networking.k8s.io/v1) says.
  mutating func readIngress(_ object: ForeignObject) throws(ManifestError) {
    let namespace = namespace(of: object)
    var content = object.content
    var spec = try content.fields("spec")
    content.skip("status")
    // Which certificate is shown says nothing of who may connect.
    spec.skip("tls")
    let controller = try spec.string("ingressClassName") ?? object.annotations["kubernetes.io/ingress.class"]
    let sources = try sources(of: object)
    let fallback = spec.value("defaultBackend")
    if let fallback {
      let path = spec.path(of: "defaultBackend")
      let target = try backend(ForeignFields(fallback, at: path), in: namespace)
      let door = Door.web(controller: controller, host: nil, path: nil, isExact: false)
      add(Entrance(door, nil, from: sources, to: target), of: object)
    }
    for var rule in try spec.mappings("rules") {
      let host = try rule.string("host")
      var http = try rule.fields("http")
      let paths = try http.mappings("paths")
      if paths.isEmpty {
        // What is asked of the host goes to the default backend.
        var target = Entrance.Target.unknown("leads to the default of the controller")
        if let fallback {
          target = try backend(ForeignFields(fallback, at: spec.path(of: "defaultBackend")), in: namespace)
        }
        let door = Door.web(controller: controller, host: host, path: nil, isExact: false)
        add(Entrance(door, nil, from: sources, to: target), of: object)
      }
      for var item in paths {
        let path = try item.string("path") ?? "/"
        let type = try item.string("pathType")
        let target = try backend(item.fields("backend"), in: namespace)
        if type != "Prefix", type != "Exact" {
          unknown(
            "\(item.path): what `pathType` \(type ?? "(none)") means is up to the controller; `Prefix` is assumed")
        }
        let isExact = type == "Exact"
        let door = Door.web(
          controller: controller, host: host, path: !isExact && path.hasSuffix("/") ? String(path.dropLast()) : path,
          isExact: isExact)
        add(Entrance(door, nil, from: sources, to: target), of: object)
        nameUnknown(item)
      }
      nameUnknown(http)
      nameUnknown(rule)
    }
    nameUnknown(spec)
    nameUnknown(content)
  }

  /// Returns whom the annotations of `object` let in, as ingress-nginx reads them.
  private mutating func sources(of object: ForeignObject) throws(ManifestError) -> AddressSet {
    var result = AddressSet.all
    for (key, text) in object.annotations.sorted(by: { $0.key < $1.key }) where key.hasPrefix(Decompiler.nginx) {
      var blocks: [Prefix] = []
      switch key.dropFirst(Decompiler.nginx.count) {
      case "whitelist-source-range", "allowlist-source-range":
        for word in Decompiler.words(of: text) {
          blocks.append(try Decompiler.source(word, at: "\(object.file): \(key)"))
        }
        result = result.intersection(AddressSet(blocks))
      case "denylist-source-range":
        for word in Decompiler.words(of: text) {
          blocks.append(try Decompiler.source(word, at: "\(object.file): \(key)"))
        }
        result = result.subtracting(AddressSet(blocks))
      default: unknown("\(object.words): the annotation `\(key)` is not known")
      }
    }
    return result
  }

  /// Returns the block or the single address that is written as `text`.
  private static func source(_ text: String, at path: String) throws(ManifestError) -> Prefix {
    if let address = Address(text) { return Prefix(containing: address, length: address.family.width) }
    return try block(text, at: path)
  }

  /// Returns where `backend` of an ingress in `namespace` leads.
  private mutating func backend(
    _ backend: ForeignFields, in namespace: String
  ) throws(ManifestError) -> Entrance.Target {
    var backend = backend
    if backend.value("resource") != nil { return .unknown("leads to a resource that is not a service") }
    var service = try backend.fields("service")
    guard let name = try service.string("name") else { throw ManifestError(service.path, "`name` is missing") }
    var port = try service.fields("port")
    let number = try port.port("number")
    let portName = try port.string("name")
    nameUnknown(port)
    nameUnknown(service)
    nameUnknown(backend)
    guard let found = services[ObjectName(namespace: namespace, name: name)] else {
      return .unknown("leads to the service `\(name)` of `\(namespace)`, which is not here")
    }
    let shown = found.ports.first { port in
      port.transport == .tcp && (number.map { $0 == port.number } ?? (portName == port.name && portName != nil))
    }
    guard let shown else {
      return .unknown("leads to a port that the service `\(name)` of `\(namespace)` does not have")
    }
    return target(of: shown, in: found)
  }
}
