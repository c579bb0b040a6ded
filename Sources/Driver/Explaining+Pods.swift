import Firewalls
import Packets
import Policies
import Syntax

extension Pipeline {
  /// Returns what becomes of a connection to the pods of a workload, or from them.
  func explainPods(_ question: Question, _ lowering: Lowering) throws(UnanswerableQuestion) -> Explanation {
    let firewall = try cluster(of: question, lowering)
    do {
      return try PodExplainer(self, question, firewall).explanation()
    } catch let error as UnanswerableQuestion {
      throw error
    } catch let error as BudgetExceeded {
      throw UnanswerableQuestion("the sets of packets are too complex: \(UnreadableRuleset(error).message)")
    } catch {
      throw UnanswerableQuestion("\(error)")
    }
  }

  /// Returns the firewall of the cluster that `question` names, or of the only one.
  private func cluster(
    of question: Question, _ lowering: Lowering
  ) throws(UnanswerableQuestion) -> ClusterFirewall {
    guard let name = question.cluster else {
      guard policy.clusters.count == 1 else {
        throw UnanswerableQuestion("the policy has \(policy.clusters.count) clusters; name one with `--cluster`")
      }
      return lowering.firewall(of: ID<Cluster>(0), on: today)
    }
    guard let index = policy.clusters.firstIndex(where: { $0.name.value == name }) else {
      throw UnanswerableQuestion("`\(name)` is no cluster of the policy")
    }
    return lowering.firewall(of: ID<Cluster>(index), on: today)
  }
}

/// The answer to a question about the pods of a policy: what the meaning of the cluster's firewall says of a connection, and
/// which line says so.
private struct PodExplainer {
  /// An end of a connection.
  enum End {
    case address(Address)
    case pods(PodFirewall)

    var name: String {
      switch self {
      case .address(let address): address.description
      case .pods(let workload): workload.name
      }
    }
  }

  let pipeline: Pipeline
  let question: Question
  let firewall: ClusterFirewall
  let universe: ClusterUniverse
  let meaning: ClusterMeaning

  init(_ pipeline: Pipeline, _ question: Question, _ firewall: ClusterFirewall) throws(BudgetExceeded) {
    self.pipeline = pipeline
    self.question = question
    self.firewall = firewall
    universe = try ClusterUniverse(pods: firewall.pods, selectors: firewall.selectors)
    meaning = try firewall.meaning(in: universe, on: pipeline.today)
  }

  func explanation() throws -> Explanation {
    let source = try end(question.source)
    let target = try end(question.destination)
    let family: AddressFamily = if case .address(let address) = source { address.family } else { .ipv4 }
    var traffic = try question.traffic(family)
    guard traffic.ports != nil else {
      throw UnanswerableQuestion("no policy for pods says anything of ICMP, which is up to the network plugin")
    }
    var steps: [Explanation.Step] = []
    // A Service shows the public port; the pods listen on the other one.
    if case .pods(let pods) = target, !pods.ports.contains(where: { $0.traffic.contains(traffic) }),
      let port = pods.ports.first(where: {
        $0.traffic.transport == traffic.transport && $0.publicPort == traffic.ports?.lower
      })
    {
      traffic = port.traffic
      steps = [.init("The Service sends it on to \(traffic) of the pods.")]
    }
    let asked = try universe.connections(from: number(of: source), to: number(of: target), traffic)
    guard !asked.isEmpty else { throw UnanswerableQuestion("there is no such connection, as far as the policy knows") }

    var accepted = try meaning.accepted.intersection(asked)
    for field in universe.space.conditionFields { accepted = try accepted.forgetting(field) }
    let rest = try asked.subtracting(accepted)
    var answers: [Explanation] = []
    if let packet = try universe.connection(of: accepted) {
      answers.append(self.accepted(timed(packet), source, target, steps))
    }
    if let packet = try universe.connection(of: rest) {
      answers.append(refused(packet, traffic, source, target))
    }
    guard var result = answers.first else { throw UnanswerableQuestion("there is no such connection") }
    if answers.count > 1 {
      result.others = answers.dropFirst().map { Explanation.Outcome($0.verdict, $0.steps) }
      result.dependencies = ["the addresses of the pods, some of which the policy names"]
    }
    // What a workload may not send is for its own owner, whom its line names.
    if result.reason == .egress { return result }
    for case .pods(let pods) in [source, target] { describe(pods, in: &result) }
    return result
  }

  // MARK: - Ends

  /// Returns the end that `name` means: an address, `namespace/service`, or `service` if only one namespace runs it.
  private func end(_ name: String) throws(UnanswerableQuestion) -> End {
    if let address = Address(name) {
      if firewall.pods.contains(address) {
        throw UnanswerableQuestion("`\(name)` is an address of pods; say which: `NAMESPACE/SERVICE`")
      }
      return .address(address)
    }
    let found = firewall.workloads.filter { "\($0.namespace)/\($0.name)" == name || $0.name == name }
    guard found.count == 1, let only = found.first else {
      let problem = found.isEmpty ? "is no workload" : "runs in several namespaces"
      throw UnanswerableQuestion("`\(name)` \(problem) of cluster `\(firewall.name)`; say `NAMESPACE/SERVICE`")
    }
    return .pods(only)
  }

  /// Returns `end` as connections have it.
  private func number(of end: End) throws(UnanswerableQuestion) -> ClusterUniverse.End {
    switch end {
    case .address(let address): return .outside(address)
    case .pods(let pods):
      let labels = Dictionary(pods.labels.map { ($0.key, $0.value) }) { first, _ in first }
      guard let number = universe.kinds.number(ofPodsIn: pods.namespace, with: labels) else {
        throw UnanswerableQuestion("there can be no pods of `\(pods.namespace)/\(pods.name)`")
      }
      return .pods(number)
    }
  }

  // MARK: - Reasons

  /// Returns `packet` on the day that is asked about.
  private func timed(_ packet: PacketValues) -> PacketValues {
    var packet = packet
    packet[.time] = UInt128(max(0, pipeline.today.daysSinceEpoch)) * 86_400
    return packet
  }

  private func holds(_ boxes: [PacketBox], _ packet: PacketValues) -> Bool {
    boxes.contains { universe.space.contains(packet, in: $0) }
  }

  /// Returns why `packet` is accepted; `steps` say how it comes there.
  private func accepted(
    _ packet: PacketValues, _ source: End, _ target: End, _ steps: [Explanation.Step]
  ) -> Explanation {
    guard case .pods(let pods) = target else {
      guard case .pods(let sender) = source else { preconditionFailure("no end is a pod") }
      let use = sender.departures.first { holds(firewall.boxes(of: $0, from: sender, in: universe), packet) }
      let sentence = "\(sender.name) uses \(question.port) at \(target.name)."
      var result = Explanation(
        .accept, .exposed, at: place(of: sender), [.init(sentence, at: (use?.cause ?? sender.cause).span)])
      result.until = use?.until
      return result
    }
    let admission = pods.admissions.first { holds(firewall.boxes(of: $0, to: pods, in: universe), packet) }
    guard let admission else {
      // What nothing exposes to it, the ingress controller passes on because of what is published.
      let pages = pods.publications.first { if case .ingress = $0.kind { true } else { false } }
      let sentence = "The ingress controller passes requests on to \(pods.name)."
      return Explanation(
        .accept, .exposed, at: place(of: pods), [.init(sentence, at: (pages?.cause ?? pods.cause).span)] + steps)
    }
    let sentence = "Service \(pods.name) is exposed to \(source.name) here."
    var result = Explanation(
      .accept, .exposed, at: place(of: pods), [.init(sentence, at: admission.cause.span)] + steps)
    result.until = admission.until
    return result
  }

  /// Returns why `packet`, which is of `traffic`, is refused.
  private func refused(_ packet: PacketValues, _ traffic: Traffic, _ source: End, _ target: End) -> Explanation {
    if case .pods(let sender) = source, !meaning.departing.contains(packet) {
      let preposition = if case .pods = target { "of" } else { "at" }
      return Explanation(
        .drop, .egress, at: place(of: sender),
        [.init("\(sender.name) does not use \(traffic) \(preposition) \(target.name).", at: sender.cause.span)])
    }
    guard case .pods(let pods) = target else { preconditionFailure("what is outside refuses nothing here") }
    let sentence = "Nothing exposes \(traffic) of \(pods.name) to \(source.name)."
    var result = Explanation(.drop, .closed, at: place(of: pods), [.init(sentence, at: pods.cause.span)])
    for admission in pods.admissions.filter({ $0.traffic.contains { $0.contains(traffic) } }).prefix(3) {
      let isOpen = admission.until.map { pipeline.today <= $0 } ?? true
      let sentence =
        isOpen
        ? "\(pods.name) is exposed on \(traffic), but not to \(source.name)."
        : "\(pods.name) was exposed here until \(admission.until.map(\.description) ?? "")."
      result.nearest.append(.init(sentence, at: admission.cause.span))
    }
    return result
  }

  /// Returns how `workload` is named as a place.
  private func place(of workload: PodFirewall) -> String { "workload \(workload.namespace)/\(workload.name)" }

  /// Adds to `result` whom to ask about `pods`.
  private func describe(_ pods: PodFirewall, in result: inout Explanation) {
    let service = pipeline.policy[pods.service]
    result.service = service.name.value
    result.owner = service.owner.map { pipeline.policy[$0].name.value }
    result.contact = service.owner.flatMap { pipeline.policy[$0].contact }
  }
}
