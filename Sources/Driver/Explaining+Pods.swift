import Firewalls
import Packets
import Policies
import Syntax

extension Pipeline {
  /// Returns what becomes of a connection to the pods of a workload, or from them.
  func explainPods(_ question: Question, _ lowering: Lowering) throws(UnanswerableQuestion) -> Explanation {
    if question.interface != nil { throw UnanswerableQuestion("pods have no interfaces that a policy knows") }
    let firewall = try cluster(of: question, lowering)
    do {
      return try PodExplainer(self, question, firewall, lowering).explanation()
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
  let lowering: Lowering
  let refusals: [PodRefusal]
  let universe: ClusterUniverse
  let meaning: ClusterMeaning

  init(
    _ pipeline: Pipeline, _ question: Question, _ firewall: ClusterFirewall, _ lowering: Lowering
  ) throws(BudgetExceeded) {
    self.pipeline = pipeline
    self.question = question
    self.firewall = firewall
    self.lowering = lowering
    refusals = lowering.refusals(in: firewall.cluster, on: pipeline.today)
    universe = try ClusterUniverse(
      pods: firewall.pods, selectors: firewall.selectors.union(refusals.flatMap(\.selectors)))
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
    // What is published shows other ports than the pods listen on.
    if case .pods(let pods) = target, !pods.ports.contains(where: { $0.traffic.contains(traffic) }),
      let way = way(to: pods, traffic, from: source), case .pods(_, let port) = way.target
    {
      traffic = .ports(traffic.transport, PortRange(port))
      steps = [.init("By \(way.door.words) it goes on to \(traffic) of the pods.")]
    }
    let asked = try universe.connections(from: number(of: source), to: number(of: target), traffic)
    guard !asked.isEmpty else {
      for case .address(let address) in [source, target] where !firewall.pods.isEmpty {
        guard firewall.pods.isEmpty(address.family) else { continue }
        let family = address.family == .ipv4 ? "IPv4" : "IPv6"
        throw UnanswerableQuestion("the pods of cluster `\(firewall.name)` have no \(family) addresses by the policy")
      }
      throw UnanswerableQuestion("there is no such connection, as far as the policy knows")
    }

    var accepted = try meaning.accepted.intersection(asked)
    for field in universe.space.conditionFields { accepted = try accepted.forgetting(field) }
    let rest = try asked.subtracting(accepted)
    var answers: [Explanation] = []
    if let packet = try universe.connection(of: accepted).map(timed) {
      var answer = self.accepted(packet, source, target, steps)
      answer.until = try end(of: .accept, packet, source, target)
      answers.append(answer)
    }
    if let packet = try universe.connection(of: rest).map(timed) {
      var answer = try refused(packet, traffic, source, target)
      answer.until = try end(of: .drop, packet, source, target)
      answers.append(answer)
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

  /// Returns the way by which `traffic` from `source` reaches `pods`, if it has one.
  private func way(to pods: PodFirewall, _ traffic: Traffic, from source: End) -> Entrance? {
    firewall.ways(to: pods, on: pipeline.today).first { way in
      if case .address(let address) = source, !way.sources.contains(address) { return false }
      return way.traffic?.contains(traffic) ?? false
    }
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
      return Explanation(.accept, .exposed, at: place(of: sender), [use(packet, of: sender, target)])
    }
    var steps = steps
    if case .pods(let sender) = source { steps.append(use(packet, of: sender, target)) }
    let admissions = pods.admissions.filter { holds(firewall.boxes(of: $0, to: pods, in: universe), packet) }
    // The one that holds longest says until when.
    guard
      let admission = admissions.first(where: { $0.until == nil })
        ?? admissions.max(by: { isSooner($0.until, $1.until) })
    else {
      // What nothing exposes to it, the ingress controller passes on because of what is published.
      let pages = pods.publications.first { if case .ingress = $0.kind { true } else { false } }
      let sentence = "The ingress controller passes requests on to \(pods.name)."
      return Explanation(
        .accept, .exposed, at: place(of: pods), [.init(sentence, at: (pages?.cause ?? pods.cause).span)] + steps)
    }
    let sentence = "Service \(pods.name) is exposed to \(source.name) here."
    return Explanation(.accept, .exposed, at: place(of: pods), [.init(sentence, at: admission.cause.span)] + steps)
  }

  /// Returns by which line `sender` may send `packet` to `target`.
  private func use(_ packet: PacketValues, of sender: PodFirewall, _ target: End) -> Explanation.Step {
    let uses = sender.departures.filter { holds(firewall.boxes(of: $0, from: sender, in: universe), packet) }
    let use = uses.first { $0.until == nil } ?? uses.max { isSooner($0.until, $1.until) }
    return .init("\(sender.name) uses \(question.port) at \(target.name).", at: (use?.cause ?? sender.cause).span)
  }

  private func isSooner(_ one: CalendarDate?, _ other: CalendarDate?) -> Bool {
    guard let one else { return false }
    return other.map { one < $0 } ?? true
  }

  /// Returns the last day on which `verdict` is still what becomes of `packet`, if there is one.
  private func end(
    of verdict: Verdict, _ packet: PacketValues, _ source: End, _ target: End
  ) throws(BudgetExceeded) -> CalendarDate? {
    let policy = pipeline.policy
    var ends = policy.blocks.compactMap { $0.provenance.until?.value }
    if verdict == .accept, case .pods(let sender) = source { ends += sender.departures.compactMap(\.until) }
    if verdict == .accept, case .pods(let pods) = target {
      ends += pods.admissions.compactMap(\.until)
      ends += policy[pods.service].exposures.compactMap { $0.provenance.until?.value }
    }
    for end in Set(ends.filter { pipeline.today <= $0 }).sorted() {
      let day = CalendarDate(daysSinceEpoch: end.daysSinceEpoch + 1)
      let later = try lowering.firewall(of: firewall.cluster, on: day).meaning(in: universe, on: day)
      var accepted = try later.accepted
      for field in universe.space.conditionFields { accepted = try accepted.forgetting(field) }
      if accepted.contains(packet) != (verdict == .accept) { return end }
    }
    return nil
  }

  /// Returns why `packet`, which is of `traffic`, is refused.
  private func refused(
    _ packet: PacketValues, _ traffic: Traffic, _ source: End, _ target: End
  ) throws(BudgetExceeded) -> Explanation {
    if case .pods(let sender) = source, !meaning.departing.contains(packet) {
      let preposition = if case .pods = target { "of" } else { "at" }
      return Explanation(
        .drop, .egress, at: place(of: sender),
        [.init("\(sender.name) does not use \(traffic) \(preposition) \(target.name).", at: sender.cause.span)])
    }
    guard case .pods(let pods) = target else { preconditionFailure("what is outside refuses nothing here") }
    if let block = block(refusing: packet, to: pods) {
      return Explanation(
        .drop, .blocked, at: place(of: pods),
        [.init("This block refuses \(source.name), whatever is exposed.", at: block.provenance.span)])
    }
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
    for admission in pods.admissions where result.nearest.count < 3 {
      // The same connection to a port that is open.
      let open = admission.traffic.first { open in
        guard let port = open.ports?.lower, !open.contains(traffic) else { return false }
        var other = packet
        other[.transport] = UInt128(open.transport.rawValue)
        other[.destinationPort] = UInt128(port)
        return holds(firewall.boxes(of: admission, to: pods, in: universe), other)
      }
      if let open {
        let sentence = "\(pods.name) is exposed to \(source.name) on \(open), but not on \(traffic)."
        result.nearest.append(.init(sentence, at: admission.cause.span))
      }
    }
    return result
  }

  /// Returns the block that refuses `packet`, which an exposure of `pods` would let in without it, if there is one.
  private func block(refusing packet: PacketValues, to pods: PodFirewall) -> Block? {
    let workloads = pipeline.policy[firewall.cluster].workloads
    guard let workload = workloads.first(where: { $0.service == pods.service }) else { return nil }
    for line in lowering.lines(to: workload, in: firewall.cluster, on: pipeline.today, among: refusals)
    where holds(universe.boxes(of: line), packet) {
      for refusal in refusals where line.blocks.contains(refusal.block) {
        let block = pipeline.policy.blocks[refusal.block]
        let until = block.provenance.until?.value
        if holds(universe.boxes(of: refusal, until: until, on: line), packet) { return block }
      }
    }
    return nil
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
