import Firewalls
import Packets
import Policies
import Syntax

extension Compiler {
  /// Adds the policy that opens what `workload` accepts and what it may connect to.
  mutating func addPolicy(for workload: PodFirewall) {
    var annotations: [String: String] = [:]
    var lapses: [CalendarDate] = []
    let ingress = admitted(by: workload) + admittedFromIngress(by: workload)
    let egress = departing(from: workload)
    for (direction, rules) in [("ingress", ingress), ("egress", egress)] {
      for (i, rule) in rules.enumerated() {
        annotations[Annotation.rule(direction, i)] = rule.reason
        if let until = rule.until { lapses.append(until) }
      }
    }
    annotations[Annotation.until] = lapses.min()?.description
    // The prefix keeps it apart from `default-deny`, whatever the name of the workload.
    let policy = NetworkPolicy(
      metadata("allow-\(workload.name)", for: workload, annotations),
      podLabels: Dictionary(workload.labels.map { ($0.key, $0.value) }) { first, _ in first },
      ingress: ingress.map(\.rule), egress: egress.map(\.rule))
    add(.networkPolicy(policy), for: workload.cause)
  }

  /// A rule with what it comes from.
  private struct Explained {
    /// The rule.
    var rule: NetworkPolicy.Rule

    /// Where it comes from and why.
    var reason: String

    /// The last day on which it holds.
    var until: CalendarDate?
  }

  /// Returns the rules for what `workload` accepts by its exposures.
  private mutating func admitted(by workload: PodFirewall) -> [Explained] {
    var rules: [Explained] = []
    for admission in workload.admissions where !hasLapsed(admission.until) {
      report(admission, of: workload)
      let ports = ports(of: admission.traffic, for: admission.cause)
      guard !ports.isEmpty else { continue }
      let source: PeerList
      do {
        source = try peers(
          admission.peers, without: admission.exceptions, refusing: admission.refusedPods, for: admission.cause)
      } catch {
        diagnostics.append(error.diagnostic)
        continue
      }
      guard source != .nobody else { continue }
      var reason = line(of: admission.cause)
      if let until = admission.until { reason += " until \(until)" }
      if let because = admission.because { reason += " because \"\(because)\"" }
      if let ticket = admission.ticket { reason += " ticket \"\(ticket)\"" }
      rules.append(
        Explained(
          rule: NetworkPolicy.Rule(peers: source.peers, ports: ports), reason: reason, until: admission.until))
    }
    return rules
  }

  /// Reports what of `admission` the cluster leaves undone.
  private mutating func report(_ admission: Admission, of workload: PodFirewall) {
    if let limit = admission.limit, !isLimitedByNodes(admission, of: workload) {
      diagnostics.append(.unenforcedLimit(limit, of: workload, at: admission.cause))
    }
    if admission.logged { diagnostics.append(.unenforcedLog(of: workload, at: admission.cause)) }
    if let until = admission.until {
      diagnostics.append(.unenforcedUntil(until, of: workload, at: admission.cause))
    }
  }

  /// Returns `true` iff the firewalls of the nodes enforce the limit of `admission`, since its ports are published on
  /// NodePorts and in no other way.
  private func isLimitedByNodes(_ admission: Admission, of workload: PodFirewall) -> Bool {
    guard firewall.nodesAreHosts else { return false }
    return admission.traffic.allSatisfy { traffic in
      let ways = workload.publications.filter { $0.ports.contains { workload.ports[$0].traffic.overlaps(traffic) } }
      return !ways.isEmpty && ways.allSatisfy { Way($0.kind) == .nodeport }
    }
  }

  /// Returns the rules for what the ingress controller passes on to `workload`; where the policy exposes a port to the
  /// controller itself, that is among the exposures.
  private mutating func admittedFromIngress(by workload: PodFirewall) -> [Explained] {
    guard let controller = firewall.ingress else { return [] }
    let peer = NetworkPolicy.Peer.pods(
      Dictionary(controller.labels.map { ($0.key, $0.value) }) { first, _ in first },
      namespaces: [Compiler.namespaceLabel: controller.namespace.value])
    return workload.publications.compactMap { publication in
      guard case .ingress(let host, _) = publication.kind, !publication.audience.isEmpty,
        !isExposedToController(publication, of: workload)
      else { return nil }
      let ports = Set(publication.ports.compactMap { policyPorts(workload.ports[$0].traffic) }).sorted()
      guard !ports.isEmpty else { return nil }
      return Explained(
        rule: NetworkPolicy.Rule(peers: [peer], ports: ports),
        reason: "\(line(of: publication.cause)) through the ingress controller for \(host.value)", until: nil)
    }
  }

  /// Returns the rules for what `workload` may connect to, with DNS if there is anything.
  private mutating func departing(from workload: PodFirewall) -> [Explained] {
    var rules: [Explained] = []
    for departure in workload.departures where !hasLapsed(departure.until) {
      let ports = departure.traffic.map { traffic in self.ports(of: traffic, for: departure.cause) }
      if let ports, ports.isEmpty { continue }
      let target: PeerList
      do {
        target = try peers(departure.peers, for: departure.cause)
      } catch {
        diagnostics.append(error.diagnostic)
        continue
      }
      guard target != .nobody else { continue }
      let reason = line(of: departure.cause) + (departure.until.map { " until \($0)" } ?? "")
      rules.append(
        Explained(
          rule: NetworkPolicy.Rule(peers: target.peers, ports: ports), reason: reason, until: departure.until))
    }
    guard !rules.isEmpty else { return [] }
    let dns = NetworkPolicy.Rule(
      peers: [.pods(["k8s-app": "kube-dns"], namespaces: [Compiler.namespaceLabel: "kube-system"])],
      ports: [.init(.tcp, PortRange(53)), .init(.udp, PortRange(53))])
    return rules + [Explained(rule: dns, reason: "names are looked up before anything is used", until: nil)]
  }

  /// Returns `true` iff what holds until the end of `until` holds no more.
  func hasLapsed(_ until: CalendarDate?) -> Bool { until.map { $0 < today } ?? false }

  /// Returns the ports of a policy for `traffic`; what has none is reported.
  private mutating func ports(of traffic: [Traffic], for cause: Cause) -> [NetworkPolicy.Ports] {
    var result: [NetworkPolicy.Ports] = []
    for traffic in traffic {
      if let ports = policyPorts(traffic) {
        if !result.contains(ports) { result.append(ports) }
      } else {
        diagnostics.append(.inexpressible(traffic, at: cause))
      }
    }
    return result.sorted()
  }

  /// Returns the ports of a policy for `traffic`, if there are any.
  func policyPorts(_ traffic: Traffic) -> NetworkPolicy.Ports? {
    guard traffic.transport.kubernetesName != nil, let range = traffic.ports, range.upper > 0 else { return nil }
    if range.lower <= 1, range.upper == .max { return NetworkPolicy.Ports(traffic.transport, nil) }
    // No packet of a connection is sent to port 0, and the API does not take it.
    return NetworkPolicy.Ports(traffic.transport, PortRange(from: max(range.lower, 1), through: range.upper))
  }
}
