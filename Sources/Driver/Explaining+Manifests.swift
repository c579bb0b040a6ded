import Firewalls
import Kubernetes
import Packets

extension ForeignRules {
  /// Returns what the manifests make a cluster do.
  func clusterRules() throws(UnreadableRuleset) -> ClusterRules {
    guard let rules = try KubernetesBackend.read(files) else {
      throw UnreadableRuleset(message: "it holds no manifests")
    }
    return rules
  }

  /// Returns what the manifests make of the connection between pods, or pods and others, that `question` is about.
  func explainPods(_ question: Question) throws(UnanswerableQuestion) -> Explanation {
    try answer { try ManifestExplainer(self, question).explanation() }
  }

  /// Returns the quotation of what stands at `origin`.
  func quotation(of origin: ClusterRules.Origin) -> Explanation.Quotation {
    let file = origin.file == path ? path : path.hasSuffix("/") ? path + origin.file : "\(path)/\(origin.file)"
    return Explanation.Quotation(path: file, line: origin.line, text: origin.words)
  }
}

/// The answer to a question about manifests.
private struct ManifestExplainer {
  /// An end of a connection, with its name.
  struct End {
    var name: String
    var end: ClusterUniverse.End
    /// The end as it was asked about: `namespace/name`.
    var namespace: String?
  }

  let manifests: ForeignRules
  let question: Question
  let rules: ClusterRules
  let universe: ClusterUniverse
  var assumptions: [String] = []

  init(_ manifests: ForeignRules, _ question: Question) throws {
    self.manifests = manifests
    self.question = question
    rules = try manifests.clusterRules()
    universe = try ClusterUniverse(
      pods: AddressSet(), selectors: rules.selectors, namespaces: rules.namespaces)
  }

  func explanation() throws -> Explanation {
    var explainer = self
    return try explainer.answer()
  }

  private mutating func answer() throws -> Explanation {
    let source = try end(question.source)
    let target = try end(question.destination)
    if source.namespace == nil, target.namespace == nil {
      throw UnanswerableQuestion("one end is a pod: say `NAMESPACE/NAME`, or `NAMESPACE/LABEL=VALUE`")
    }
    let asked = try question.traffic(.ipv4)
    guard asked.ports != nil else { throw UnanswerableQuestion("manifests say nothing of ICMP between pods") }
    let (traffic, step) = try translated(asked, to: target)
    let connections = try universe.connections(from: source.end, to: target.end, traffic)
    guard !connections.isEmpty else { throw UnanswerableQuestion("there is no such connection") }

    // Whether a block of addresses has the pods with such addresses in it is up to the network plugin.
    var maps: [PacketMap] = []
    for blocksHavePods in [false, true] {
      let accepted = try rules.meaning(in: universe, blocksHavePods: blocksHavePods).accepted.intersection(connections)
      maps.append(
        try accepted.labelled(Verdict.accept.label).overriding(connections.labelled(Verdict.drop.label)))
    }
    var outcomes: [Explanation.Outcome] = []
    var reason = Explanation.Reason.default
    for verdict in [Verdict.accept, .drop] {
      for (map, blocksHavePods) in zip(maps, [false, true]) {
        guard let packet = try universe.connection(of: map.packets(labelled: verdict.label)) else { continue }
        let (steps, why) = try self.steps(verdict, packet, source, target, blocksHavePods)
        if outcomes.isEmpty { reason = why }
        outcomes.append(Explanation.Outcome(verdict, steps + step))
        break
      }
    }
    guard let first = outcomes.first else { throw UnanswerableQuestion("there is no such connection") }
    var result = Explanation(first.verdict, reason, at: manifests.name, first.steps)
    result.others = Array(outcomes.dropFirst())
    result.dependencies = try dependencies(of: maps)
    if first.verdict != .accept, let packet = try universe.connection(of: connections) {
      let isSent = reason == .egress
      result.nearest = try nearest(to: packet, traffic, isSent ? .egress : .ingress, isSent ? target : source)
    }
    result.assumptions = assumptions
    result.unknowns = rules.unknowns
    return result
  }

  /// Returns the port of pods that `traffic` to `target` reaches, with a sentence if a Service sends it there.
  private func translated(
    _ traffic: Traffic, to target: End
  ) throws(UnanswerableQuestion) -> (Traffic, [Explanation.Step]) {
    guard let namespace = target.namespace, let name = question.destination.split(separator: "/").last else {
      return (traffic, [])
    }
    let door = Door.service(namespace: namespace, name: String(name))
    let advice = "ask about a port of the pods, as `\(namespace)/LABEL=VALUE,...`"
    var ports = Set<UInt16>()
    for entrance in rules.entrances where entrance.door == door && entrance.traffic?.contains(traffic) ?? false {
      switch entrance.target {
      case .pods(_, let port): ports.insert(port)
      case .unknown(let words):
        throw UnanswerableQuestion(
          "where the Service `\(name)` of `\(namespace)` sends \(traffic) is not known here: \(words); \(advice)")
      }
    }
    guard ports.count < 2 else {
      throw UnanswerableQuestion(
        "the Service `\(name)` of `\(namespace)` sends \(traffic) to different ports of its pods; \(advice)")
    }
    guard let port = ports.first, .ports(traffic.transport, PortRange(port)) != traffic else { return (traffic, []) }
    let reached = Traffic.ports(traffic.transport, PortRange(port))
    return (reached, [.init("The Service `\(name)` of `\(namespace)` sends \(traffic) on to \(reached) of its pods.")])
  }

  // MARK: - Ends

  /// Returns the end that `text` names: an address, `namespace/name`, or `namespace/label=value,...`.
  private mutating func end(_ text: String) throws -> End {
    if let address = Address(text) {
      // Manifests do not say which addresses pods have.
      assumptions.append("\(text) is taken for an address outside the cluster.")
      return End(name: text, end: .outside(address))
    }
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      throw UnanswerableQuestion(
        "`\(text)` is neither an address nor `NAMESPACE/NAME` nor `NAMESPACE/LABEL=VALUE`")
    }
    let labels = try parts[1].contains("=") ? self.labels(parts[1], of: text) : labels(named: parts[1], in: parts[0])
    if rules.namespaces[parts[0]] == nil, rules.selectors.contains(where: \.looksAtNamespaceLabels) {
      let words = "Namespace `\(parts[0])` is taken to have no label but its name, since no manifest describes it."
      if !assumptions.contains(words) { assumptions.append(words) }
    }
    guard
      let number = universe.kinds.number(
        ofPodsIn: parts[0], with: labels, namespaceLabels: rules.namespaces[parts[0]] ?? [:])
    else { throw UnanswerableQuestion("there can be no pods `\(text)`") }
    return End(name: text, end: .pods(number), namespace: parts[0])
  }

  /// Returns the labels that `list` writes, which is part of `text`.
  private func labels(_ list: String, of text: String) throws -> [String: String] {
    var labels: [String: String] = [:]
    for word in list.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard sides.count == 2, !sides[0].isEmpty, labels.updateValue(sides[1], forKey: sides[0]) == nil else {
        throw UnanswerableQuestion("`\(text)` has no list of different labels, such as `shop/app=web,tier=front`")
      }
    }
    return labels
  }

  /// Returns the labels of the pods that are called `name` in `namespace`: those of what runs them, or else those that a
  /// service of that name selects.
  private mutating func labels(named name: String, in namespace: String) throws -> [String: String] {
    let all = rules.namedPods.filter { $0.namespace == namespace && $0.name == name }
    let running = Set(all.filter { $0.kind != "Service" }.map(\.labels))
    if running.count == 1, let only = running.first { return only }
    guard let service = all.first(where: { $0.kind == "Service" }), running.isEmpty else {
      let words = running.isEmpty ? "is run or selected by no manifest" : "names pods of different labels"
      throw UnanswerableQuestion(
        "`\(namespace)/\(name)` \(words) of \(manifests.path); say `\(namespace)/LABEL=VALUE,...`")
    }
    let selected = Set(
      rules.namedPods.filter { pods in
        pods.kind != "Service" && pods.namespace == namespace
          && service.labels.allSatisfy { pods.labels[$0.key] == $0.value }
      }.map(\.labels))
    if selected.count == 1, let only = selected.first { return only }
    let words = service.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    assumptions.append("The pods of the Service `\(name)` of `\(namespace)` are taken to have no label but `\(words)`.")
    return service.labels
  }

  // MARK: - Reasons

  /// Returns why `packet` meets `verdict`, and which kind of thing decides.
  private func steps(
    _ verdict: Verdict, _ packet: PacketValues, _ source: End, _ target: End, _ blocksHavePods: Bool
  ) throws(BudgetExceeded) -> ([Explanation.Step], Explanation.Reason) {
    let departing = try ends(packet, .egress, source, "sends to \(target.name)", blocksHavePods)
    let admitted = try ends(packet, .ingress, target, "takes from \(source.name)", blocksHavePods)
    if verdict == .accept {
      let isGranted = admitted.isGranted || target.namespace == nil && departing.isGranted
      let steps = target.namespace == nil ? departing.steps : admitted.steps + departing.steps
      return (steps, isGranted ? .exposed : .default)
    }
    return departing.isOpen ? (admitted.steps, .closed) : (departing.steps, .egress)
  }

  /// Returns what the manifests say of the end of `packet` that `direction` judges, which is `end`.
  private func ends(
    _ packet: PacketValues, _ direction: ClusterRules.Direction, _ end: End, _ what: String, _ blocksHavePods: Bool
  ) throws(BudgetExceeded) -> (steps: [Explanation.Step], isOpen: Bool, isGranted: Bool) {
    guard end.namespace != nil else { return ([], true, false) }
    let isolations = rules.isolations(of: packet, direction, in: universe)
    if isolations.isEmpty {
      return ([.init("No NetworkPolicy limits what \(end.name) \(what).")], true, false)
    }
    let grants = try rules.grants(of: packet, direction, in: universe, blocksHavePods: blocksHavePods)
    if grants.isEmpty {
      let steps = isolations.prefix(4).map { isolation in
        Explanation.Step(
          "This NetworkPolicy closes what \(end.name) \(what), but for what some policy lets through, and none does.",
          quoting: manifests.quotation(of: isolation.origin))
      }
      return (steps, false, false)
    }
    var origins: [ClusterRules.Origin] = []
    for grant in grants where !origins.contains(grant.origin) { origins.append(grant.origin) }
    let steps = origins.prefix(4).map { origin in
      Explanation.Step("This rule lets through what \(end.name) \(what).", quoting: manifests.quotation(of: origin))
    }
    return (steps, true, true)
  }

  /// Returns the rules that come nearest to letting `packet`, which is of `traffic`, through at the end that `direction`
  /// judges; `other` is the other end.
  private func nearest(
    to packet: PacketValues, _ traffic: Traffic, _ direction: ClusterRules.Direction, _ other: End
  ) throws(BudgetExceeded) -> [Explanation.Step] {
    var (here, elsewhere): ([Explanation.Step], [Explanation.Step]) = ([], [])
    for grant in rules.grants where grant.direction == direction {
      var everyone = grant
      everyone.peers = nil
      var everything = grant
      everything.ports = nil
      let from = direction == .ingress ? "from" : "to"
      if try rules.holds(everyone, packet, in: universe) {
        let sentence = "This rule lets \(traffic) through, but not \(from) \(other.name)."
        here.append(.init(sentence, quoting: manifests.quotation(of: grant.origin)))
      } else if try rules.holds(everything, packet, in: universe) {
        let sentence = "This rule is for connections \(from) \(other.name), but not for \(traffic)."
        elsewhere.append(.init(sentence, quoting: manifests.quotation(of: grant.origin)))
      }
    }
    return Array((here + elsewhere).prefix(3))
  }

  /// Returns what decides which verdict of `maps` it is: those of a plugin that does not look for pods in blocks of
  /// addresses, and of one that does.
  private func dependencies(of maps: [PacketMap]) throws(BudgetExceeded) -> [String] {
    var words: [String] = []
    if maps[0] != maps[1] {
      words.append(
        "whether blocks of addresses have pods in them, as the network plugin has it (Calico: yes; Cilium: no)")
    }
    func depends(on field: PacketField) throws(BudgetExceeded) -> Bool {
      for map in maps where try map.depends(on: field) { return true }
      return false
    }
    if try depends(on: .source) { words.append("the address of \(question.source)") }
    if try depends(on: .destination) { words.append("the address of \(question.destination)") }
    for (field, condition) in zip(universe.space.conditionFields, universe.space.conditions)
    where try depends(on: field) {
      words.append(ForeignRules.words(of: condition))
    }
    return words
  }
}
