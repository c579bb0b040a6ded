import Foundation
import Kubernetes

/// What the API server (1.36) and kustomize refuse, by their documentation and by trial; told of what Yams reads.
struct Validation {
  /// What would be refused.
  private(set) var refusals: [String] = []

  /// Judges the file at `path`.
  init(_ manifest: YAML, at path: String) {
    let known = ["apiVersion", "kind", "metadata", "spec"]
    expect(Set(manifest.fields.keys) == Set(known), "fields \(manifest.fields.keys.sorted())")
    let kind = manifest["kind"]?.string ?? ""
    metadata(manifest["metadata"] ?? .mapping([]), kind)
    let spec = manifest["spec"] ?? .mapping([])
    let name = manifest["metadata.name"]?.string ?? ""
    let namespace = manifest["metadata.namespace"]?.string ?? ""
    expect(path == "\(namespace)/\(kind.lowercased())-\(name).yaml", "path \(path)")
    switch (manifest["apiVersion"]?.string ?? "", kind) {
    case ("v1", "Service"): service(spec)
    case ("networking.k8s.io/v1", "NetworkPolicy"): policy(spec)
    case ("networking.k8s.io/v1", "Ingress"): ingress(spec)
    default: expect(false, "kind \(kind)")
    }
    nothingIsEmpty(manifest, at: "")
  }

  private mutating func expect(_ condition: Bool, _ what: String) { if !condition { refusals.append(what) } }

  private mutating func known(_ value: YAML, _ keys: String..., at path: String) {
    for key in value.fields.keys where !keys.contains(key) { expect(false, "unknown field \(path).\(key)") }
  }

  /// An empty list is never what is meant: it opens, or keeps a cluster out of sync.
  private mutating func nothingIsEmpty(_ value: YAML, at path: String) {
    switch value {
    case .sequence(let items):
      expect(!items.isEmpty, "\(path) is empty")
      for item in items { nothingIsEmpty(item, at: path) }
    case .mapping(let fields):
      for field in fields { nothingIsEmpty(field.value, at: "\(path).\(field.key)") }
    default: break
    }
  }

  private mutating func metadata(_ metadata: YAML, _ kind: String) {
    known(metadata, "name", "namespace", "labels", "annotations", at: "metadata")
    let name = metadata["name"]?.string ?? ""
    if kind == "Service" {
      expect(name.count <= 63 && name.wholeMatch(of: /[a-z]([-a-z0-9]*[a-z0-9])?/) != nil, "name \(name)")
    } else {
      expect(isSubdomain(name), "name \(name)")
    }
    expect(isLabel(metadata["namespace"]?.string ?? ""), "namespace")
    labels(metadata["labels"] ?? .mapping([]))
    var size = 0
    for (key, value) in (metadata["annotations"] ?? .mapping([])).fields {
      // The key of an annotation may have capitals only behind the slash; it is judged in lower case.
      expect(isQualified(key.lowercased()), "annotation \(key)")
      expect(value.string != nil, "annotation \(key) is no string")
      size += key.utf8.count + (value.string?.utf8.count ?? 0)
    }
    expect(size <= 262_144, "annotations of \(size) bytes")
  }

  private mutating func labels(_ labels: YAML) {
    for (key, value) in labels.fields {
      expect(isQualified(key), "label \(key)")
      let text = value.string ?? "/"
      let isValue = text.isEmpty || text.wholeMatch(of: /[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?/) != nil
      expect(text.utf8.count <= 63 && isValue, "label \(key)=\(text)")
    }
  }

  private mutating func policy(_ spec: YAML) {
    known(spec, "podSelector", "policyTypes", "ingress", "egress", at: "spec")
    expect(spec["podSelector"] != nil, "podSelector is required")
    selector(spec["podSelector"] ?? .mapping([]))
    expect(spec["policyTypes"]?.items == [.string("Ingress"), .string("Egress")], "policyTypes")
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
      for rule in spec[direction]?.items ?? [] {
        known(rule, peers, "ports", at: direction)
        for peer in rule[peers]?.items ?? [] { self.peer(peer) }
        for port in rule["ports"]?.items ?? [] { policyPort(port) }
      }
    }
  }

  private mutating func selector(_ selector: YAML) {
    known(selector, "matchLabels", at: "selector")
    labels(selector["matchLabels"] ?? .mapping([]))
  }

  private mutating func peer(_ peer: YAML) {
    known(peer, "ipBlock", "namespaceSelector", "podSelector", at: "peer")
    guard let block = peer["ipBlock"] else {
      expect(!peer.fields.isEmpty, "a peer is empty")
      for key in ["namespaceSelector", "podSelector"] { if let selector = peer[key] { self.selector(selector) } }
      return
    }
    expect(peer.fields.count == 1, "ipBlock stands beside selectors")
    known(block, "cidr", "except", at: "ipBlock")
    guard let outer = network(block["cidr"]?.string ?? "") else { return expect(false, "cidr \(block)") }
    for except in block["except"]?.items ?? [] {
      guard let inner = network(except.string ?? "") else {
        expect(false, "except \(except)")
        continue
      }
      let isInside =
        inner.octets.count == outer.octets.count && inner.length > outer.length
        && masked(inner.octets, outer.length) == outer.octets
      expect(isInside, "except \(except) is not strictly in \(block)")
    }
  }

  private mutating func policyPort(_ port: YAML) {
    known(port, "protocol", "port", "endPort", at: "port")
    expect(["TCP", "UDP", "SCTP"].contains(port["protocol"]?.string), "protocol \(port)")
    if let lower = port["port"] { expect((1...65535).contains(lower.number ?? 0), "port \(port)") }
    if let upper = port["endPort"] {
      expect((port["port"]?.number ?? 65536) < (upper.number ?? 0) && upper.number ?? 0 <= 65535, "endPort \(port)")
    }
  }

  private mutating func service(_ spec: YAML) {
    known(
      spec, "allocateLoadBalancerNodePorts", "externalTrafficPolicy", "internalTrafficPolicy", "ipFamilyPolicy",
      "loadBalancerSourceRanges", "ports", "selector", "sessionAffinity", "type", at: "spec")
    let type = spec["type"]?.string ?? ""
    expect(["ClusterIP", "NodePort", "LoadBalancer"].contains(type), "type \(type)")
    expect((spec["externalTrafficPolicy"] != nil) == (type != "ClusterIP"), "externalTrafficPolicy of a \(type)")
    expect((spec["allocateLoadBalancerNodePorts"] != nil) == (type == "LoadBalancer"), "allocation of a \(type)")
    if let ranges = spec["loadBalancerSourceRanges"] {
      expect(type == "LoadBalancer", "loadBalancerSourceRanges of a \(type)")
      for range in ranges.items { expect(network(range.string ?? "") != nil, "range \(range)") }
    }
    expect(!(spec["selector"]?.fields.isEmpty ?? true), "selector")
    labels(spec["selector"] ?? .mapping([]))
    let ports = spec["ports"]?.items ?? []
    expect(!ports.isEmpty, "ports")
    var numbers: Set<String> = []
    var names: Set<String> = []
    var nodePorts: Set<String> = []
    for port in ports {
      known(port, "name", "nodePort", "port", "protocol", "targetPort", at: "port")
      let transport = port["protocol"]?.string ?? ""
      expect(["TCP", "UDP", "SCTP"].contains(transport), "protocol \(transport)")
      expect(isLabel(port["name"]?.string ?? ""), "name of port \(port)")
      expect(names.insert(port["name"]?.string ?? "").inserted, "name of port twice")
      for key in ["port", "targetPort"] { expect((1...65535).contains(port[key]?.number ?? 0), "\(key) \(port)") }
      expect(numbers.insert("\(port["port"]?.number ?? 0)/\(transport)").inserted, "port twice \(port)")
      if let node = port["nodePort"] {
        expect(type != "ClusterIP" && (1...65535).contains(node.number ?? 0), "nodePort of a \(type)")
        expect(nodePorts.insert("\(node.number ?? 0)/\(transport)").inserted, "nodePort twice \(port)")
      }
    }
  }

  private mutating func ingress(_ spec: YAML) {
    known(spec, "ingressClassName", "rules", at: "spec")
    if let name = spec["ingressClassName"] { expect(isSubdomain(name.string ?? ""), "ingressClassName") }
    expect(!(spec["rules"]?.items ?? []).isEmpty, "rules")
    for rule in spec["rules"]?.items ?? [] {
      known(rule, "host", "http", at: "rule")
      let host = rule["host"]?.string ?? ""
      expect(isSubdomain(host.hasPrefix("*.") ? String(host.dropFirst(2)) : host), "host \(host)")
      expect(!(rule["http.paths"]?.items ?? []).isEmpty, "paths")
      for path in rule["http.paths"]?.items ?? [] {
        known(path, "backend", "path", "pathType", at: "path")
        expect(path["pathType"]?.string == "Prefix", "pathType")
        let text = path["path"]?.string ?? ""
        let isAbsolute = text.hasPrefix("/") && !text.contains("//") && !text.contains("/./") && !text.contains("/../")
        expect(
          isAbsolute && !text.hasSuffix("/.") && !text.hasSuffix("/..") && !text.lowercased().contains("%2f"),
          "path \(text)")
        let service = path["backend.service"] ?? .mapping([])
        expect(isLabel(service["name"]?.string ?? ""), "backend \(service)")
        expect((1...65535).contains(service["port.number"]?.number ?? 0), "backend \(service)")
      }
    }
  }

  private func isLabel(_ text: String) -> Bool {
    text.utf8.count <= 63 && text.wholeMatch(of: /[a-z0-9]([-a-z0-9]*[a-z0-9])?/) != nil
  }

  private func isSubdomain(_ text: String) -> Bool {
    text.utf8.count <= 253
      && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isLabel(String($0)) }
  }

  private func isQualified(_ key: String) -> Bool {
    let parts = key.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard let name = parts.last, parts.count <= 2, name.utf8.count <= 63 else { return false }
    return name.wholeMatch(of: /[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?/) != nil
      && (parts.count == 1 || isSubdomain(parts[0]))
  }

  /// Returns the block `cidr` if the server takes it: in full, without bits behind its length or leading zeros.
  private func network(_ cidr: String) -> (octets: [UInt8], length: Int)? {
    let parts = cidr.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, let length = Int(parts[1]), String(length) == parts[1] else { return nil }
    var octets = [UInt8](repeating: 0, count: parts[0].contains(":") ? 16 : 4)
    let family = parts[0].contains(":") ? AF_INET6 : AF_INET
    guard unsafe inet_pton(family, parts[0], &octets) == 1, (0...octets.count * 8).contains(length) else { return nil }
    let isMapped = octets.count == 16 && octets.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
    return masked(octets, length) == octets && !isMapped ? (octets, length) : nil
  }

  private func masked(_ octets: [UInt8], _ length: Int) -> [UInt8] {
    octets.enumerated().map { i, octet in
      let kept = min(max(length - 8 * i, 0), 8)
      return octet & UInt8(truncatingIfNeeded: 0xff00 >> kept)
    }
  }
}
