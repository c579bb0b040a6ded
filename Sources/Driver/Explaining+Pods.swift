import Firewalls
import Packets
import Policies
import Syntax

extension Pipeline {
  /// Returns what becomes of a connection to the pods of a workload.
  func explainPods(_ question: Question, _ lowering: Lowering) throws(UnanswerableQuestion) -> Explanation {
    let firewall = try cluster(of: question, lowering)
    let destination = try workload(question.destination, in: firewall)
    let address = Address(question.source)
    let source = address == nil ? try workload(question.source, in: firewall) : nil
    var traffic = try question.traffic(address?.family ?? .ipv4)
    var steps: [Explanation.Step] = []
    // A Service shows the public port; the pods listen on the other one.
    if !destination.ports.contains(where: { $0.traffic.contains(traffic) }),
      let port = destination.ports.first(where: { p in
        p.traffic.transport == traffic.transport && p.publicPort == traffic.ports?.lower
      })
    {
      traffic = port.traffic
      steps = [.init("The Service sends it on to \(traffic) of the pods.")]
    }

    if let source {
      let open = source.departures.first { d in
        isOpen(d.until) && (d.traffic?.contains { $0.contains(traffic) } ?? true)
          && d.peers.contains { matches($0, destination, nil) }
      }
      if open == nil {
        return Explanation(
          .drop, .egress, at: place(of: source),
          [.init("\(source.name) does not use \(traffic) of \(destination.name).", at: source.cause.span)])
      }
    }
    let admission = destination.admissions.first { a in
      isOpen(a.until) && a.traffic.contains { $0.contains(traffic) }
        && a.peers.contains { matches($0, source, address) } && !(address.map(a.exceptions.contains) ?? false)
        && !a.refusedPods.contains { matches($0, source, nil) && source != nil }
    }
    let who = address?.description ?? source?.name ?? question.source
    var result: Explanation
    if let admission {
      let sentence = "Service \(destination.name) is exposed to \(who) here."
      result = Explanation(
        .accept, .exposed, at: place(of: destination), [.init(sentence, at: admission.cause.span)] + steps)
      result.until = admission.until
    } else {
      let sentence = "Nothing exposes \(traffic) of \(destination.name) to \(who)."
      result = Explanation(.drop, .closed, at: place(of: destination), [.init(sentence, at: destination.cause.span)])
      for a in destination.admissions.filter({ a in a.traffic.contains { $0.contains(traffic) } }).prefix(3) {
        let sentence =
          isOpen(a.until)
          ? "\(destination.name) is exposed on \(traffic), but not to \(who)."
          : "\(destination.name) was exposed here until \(a.until.map(\.description) ?? "")."
        result.nearest.append(.init(sentence, at: a.cause.span))
      }
    }
    let service = policy[destination.service]
    result.service = service.name.value
    result.owner = service.owner.map { policy[$0].name.value }
    result.contact = service.owner.flatMap { policy[$0].contact }
    return result
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

  /// Returns the workload that `name` means: `namespace/service`, or `service` if only one namespace runs it.
  private func workload(_ name: String, in firewall: ClusterFirewall) throws(UnanswerableQuestion) -> PodFirewall {
    let found = firewall.workloads.filter { "\($0.namespace)/\($0.name)" == name || $0.name == name }
    guard found.count == 1, let only = found.first else {
      let problem = found.isEmpty ? "is no workload" : "runs in several namespaces"
      throw UnanswerableQuestion("`\(name)` \(problem) of cluster `\(firewall.name)`; say `NAMESPACE/SERVICE`")
    }
    return only
  }

  /// Returns `true` iff what holds until `end` holds today.
  private func isOpen(_ end: CalendarDate?) -> Bool { end.map { today <= $0 } ?? true }

  /// Returns how `workload` is named as a place.
  private func place(of workload: PodFirewall) -> String { "workload \(workload.namespace)/\(workload.name)" }

  /// Returns `true` iff `peer` is the pods of `workload`, or holds `address`.
  private func matches(_ peer: Peer, _ workload: PodFirewall?, _ address: Address?) -> Bool {
    switch peer {
    case .everyone: return true
    case .addresses(let set): return address.map(set.contains) ?? false
    case .pods(let namespace, let labels):
      guard let workload, workload.namespace == namespace else { return false }
      return labels.allSatisfy { label in
        workload.labels.contains { $0.key == label.key && $0.value == label.value }
      }
    }
  }
}
