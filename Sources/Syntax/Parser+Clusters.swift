import Packets

// Clusters and their workloads.

extension Parser {
  /// Reads `cluster NAME { ... }`.
  mutating func readCluster() throws(Failure) {
    let start = take()
    var d = ClusterDeclaration(span: start, name: try readName("a cluster"))
    try readBlock(of: .cluster, named: d.name.value, into: &d) { (p, d) throws(Failure) in
      let place = p.span
      switch p.keyword {
      case .pods:
        p.advance()
        d.pods += try p.readList("the addresses of pods") { (p) throws(Failure) in
          guard p.kind == .word, p.looksLikeAddress(p.current) else {
            return try p.fail("the addresses of the pods, such as `10.42.0.0/16`")
          }
          return try p.readAddressRange()
        }
      case .nodes:
        p.advance()
        d.nodes += try p.readTerms("a host, a group or an address", [.addresses, .hosts])
      case .nodeports:
        p.advance()
        d.nodePorts = p.once(d.nodePorts, try p.readPortRange("ports such as `30000-32767`"), .nodeports, at: place)
      case .allot:
        p.advance()
        let ports = try p.readPortRange("ports such as `30100-30199`")
        try p.expect(.to, "and the owner of the ports")
        let owner = try p.readName("an owner")
        d.allotments.append(AllotStatement(span: p.span(from: place), ports: ports, owner: owner))
      case .ingress:
        p.advance()
        let selection = try p.readPodSelection()
        if let first = d.ingress {
          p.findings.add(.givenTwice("ingress", at: place, first: first.span))
        } else {
          d.ingress = selection
        }
      case .workload:
        d.workloads.append(try p.readWorkload())
        return
      default: try p.failUnknownStatement(of: .cluster)
      }
      p.endStatement()
    }
    d.span = span(from: start)
    tree.clusters.append(d)
  }

  /// Reads `namespace NAME pods KEY=VALUE, ...`.
  private mutating func readPodSelection() throws(Failure) -> PodSelection {
    let start = span
    try expect(.namespace, "and the namespace of the ingress controller")
    let namespace = try readNamespace()
    try expect(.pods, "and the labels of the controller's pods")
    let labels = try readPodLabels()
    return PodSelection(span: span(from: start), namespace: namespace, labels: labels)
  }

  /// Returns the name of a namespace: a DNS label (RFC 1123).
  private mutating func readNamespace() throws(Failure) -> Name {
    let name = try readName("a namespace")
    if name.value.utf8.count > 63 || name.value.utf8.contains(UInt8(ascii: ".")) {
      findings.add(.notANamespace(shortened(name.value), at: name.span))
      throw Failure()
    }
    return name
  }

  /// Returns the labels `KEY=VALUE, ...` that stand here.
  private mutating func readPodLabels() throws(Failure) -> [PodLabel] {
    try readList("a label") { (p) throws(Failure) in
      guard p.kind == .word else { return try p.fail("a label such as `app=shop`") }
      let place = p.span
      let text = p.word
      guard let equals = text.firstIndex(of: UInt8(ascii: "=")),
        Parser.isLabelKey(text[..<equals]), Parser.isLabelPart(text[(equals + 1)...], mayBeEmpty: true)
      else {
        p.findings.add(.notALabel(shortened(p.text), at: place))
        throw Failure()
      }
      p.advance()
      return PodLabel(
        span: place, key: String(decoding: text[..<equals], as: UTF8.self),
        value: String(decoding: text[(equals + 1)...], as: UTF8.self))
    }
  }

  /// Returns `true` iff `key` is the key of a label: a name, with a DNS name and `/` in front of it or not
  /// (Kubernetes, "Labels and Selectors").
  private static func isLabelKey(_ key: ArraySlice<UInt8>) -> Bool {
    guard let slash = key.firstIndex(of: UInt8(ascii: "/")) else { return isLabelPart(key, mayBeEmpty: false) }
    let prefix = key[..<slash]
    return (1...253).contains(prefix.count)
      && prefix.allSatisfy { $0.isLowercase || $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
      && isLabelPart(key[(slash + 1)...], mayBeEmpty: false)
  }

  /// Returns `true` iff `part` has at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at either end.
  private static func isLabelPart(_ part: ArraySlice<UInt8>, mayBeEmpty: Bool) -> Bool {
    guard let first = part.first, let last = part.last else { return mayBeEmpty }
    func isAlphanumeric(_ b: UInt8) -> Bool { b.isLowercase || b.isUppercase || b.isDigit }
    return part.count <= 63 && isAlphanumeric(first) && isAlphanumeric(last)
      && part.allSatisfy { isAlphanumeric($0) || [0x2d, 0x2e, 0x5f].contains($0) }
  }

  /// Reads `workload SERVICE { ... }`.
  private mutating func readWorkload() throws(Failure) -> WorkloadDeclaration {
    let start = take()
    var d = WorkloadDeclaration(span: start, service: try readName("a service"))
    try readBlock(of: .workload, named: d.service.value, into: &d) { (p, d) throws(Failure) in
      let place = p.span
      switch p.keyword {
      case .namespace:
        p.advance()
        d.namespace = p.once(d.namespace, try p.readNamespace(), .namespace, at: place)
      case .pods:
        p.advance()
        d.labels += try p.readPodLabels()
      case .publish: d.publications.append(try p.readPublication())
      default: try p.failUnknownStatement(of: .workload)
      }
      p.endStatement()
    }
    d.span = span(from: start)
    return d
  }

  /// Reads `publish [PORT, ...] cluster`, `nodeport N`, `loadbalancer [nodeport N]` or
  /// `ingress "HOST" ["PATH"]`.
  private mutating func readPublication() throws(Failure) -> PublishStatement {
    let start = take()
    var ports: [Name] = []
    if keyword?.isPublication != true, kind == .word {
      let words = ["cluster", "nodeport", "loadbalancer", "ingress"]
      let isAlone = tokens[indexBehindTrivia(from: position + 1)].kind != .comma && isLastWord
      if isAlone {
        return try fail(
          "how the service is published: `cluster`, `nodeport`, `loadbalancer` or `ingress`", among: words)
      }
      ports = try readList("the name of a port") { (p) throws(Failure) in try p.readName("a port") }
    }
    let published: PublishStatement.Kind
    switch keyword {
    case .cluster:
      advance()
      published = .cluster
    case .loadbalancer:
      advance()
      published = .loadBalancer(nodePort: keyword == .nodeport ? try readNodePort() : nil)
    case .nodeport: published = .nodePort(try readNodePort())
    case .ingress:
      advance()
      let host = try readString("the host name")
      let path: Spelled<String>? = kind == .string ? try readString("the path") : nil
      published = .ingress(host: host, path: path)
    default:
      return try fail(
        "how the service is published: `cluster`, `nodeport`, `loadbalancer` or `ingress`",
        among: ["cluster", "nodeport", "loadbalancer", "ingress"])
    }
    return PublishStatement(span: span(from: start), ports: ports, kind: published)
  }

  /// Reads `nodeport N`.
  private mutating func readNodePort() throws(Failure) -> Spelled<UInt16> {
    advance()
    let number = try readNumber("the number of the node port", atMost: 65535)
    return Spelled(UInt16(number.value), at: number.span)
  }

  /// `true` iff no word that says how a service is published follows in the statement.
  private var isLastWord: Bool {
    let next = tokens[indexBehindTrivia(from: position + 1)].kind
    return next != .word || keyword(at: indexBehindTrivia(from: position + 1))?.isPublication != true
  }
}
