import Firewalls
import Packets
import Policies
import Syntax

extension Compiler {
  /// Adds the ingresses that lead to the service `service` of `workload`, one for each audience.
  mutating func addIngresses(to service: String, for workload: PodFirewall) {
    var groups: [(annotations: [String: String], rules: [Ingress.Rule])] = []
    for publication in workload.publications {
      guard case .ingress(let host, let path) = publication.kind else { continue }
      guard let target = target(of: publication, for: workload) else { continue }
      let text = path?.value ?? "/"
      if !ObjectNames.isIngressHost(host.value) { diagnostics.append(.ingressHost(host, of: workload)) }
      if let path, !ObjectNames.isIngressPath(path.value) { diagnostics.append(.ingressPath(path, of: workload)) }
      // A prefix is matched part by part, so that a slash at its end says nothing.
      let place = host.value + (text.hasSuffix("/") ? String(text.dropLast()) : text)
      if let first = ingressPaths.updateValue(publication.cause, forKey: place) {
        diagnostics.append(.ingressTaken(host.value + text, at: publication.cause, first: first))
      }
      guard let annotations = audience(of: publication, for: workload) else { continue }
      let leaf = Ingress.Path(text, service: service, port: target)
      guard let g = groups.firstIndex(where: { $0.annotations == annotations }) else {
        groups.append((annotations, [Ingress.Rule(host: host.value, paths: [leaf])]))
        continue
      }
      if let r = groups[g].rules.firstIndex(where: { $0.host == host.value }) {
        groups[g].rules[r].paths.append(leaf)
      } else {
        groups[g].rules.append(Ingress.Rule(host: host.value, paths: [leaf]))
      }
    }
    for (i, group) in groups.enumerated() {
      var rules = group.rules.sorted { $0.host < $1.host }
      for r in rules.indices { rules[r].paths.sort { $0.path < $1.path } }
      let name = i == 0 ? workload.name : "\(workload.name)-\(i + 1)"
      add(
        .ingress(
          Ingress(
            metadata(name, for: workload, group.annotations), className: isNginx ? "nginx" : nil, rules: rules)),
        for: workload.cause)
    }
  }

  /// Returns the port of the service that `publication` leads to, or reports why there is none.
  private mutating func target(of publication: PodPublication, for workload: PodFirewall) -> UInt16? {
    guard firewall.ingress != nil else {
      diagnostics.append(.noIngressController(at: publication.cause))
      return nil
    }
    guard !publication.audience.isEmpty else {
      diagnostics.append(.publishedToNobody(workload, at: publication.cause))
      return nil
    }
    // What is wrong with the ports is reported with the service.
    var reported: [Diagnostic] = []
    let ports = servicePorts(of: publication, for: workload, into: &reported)
    guard ports.count == 1, ports[0].transport == .tcp else {
      diagnostics.append(.ingressPorts(at: publication.cause, of: workload))
      return nil
    }
    return ports[0].port
  }

  /// `true` iff the ingress controller is known to be ingress-nginx, by the label that its manifests give it.
  private var isNginx: Bool {
    firewall.ingress?.labels.contains { $0.key == "app.kubernetes.io/name" && $0.value == "ingress-nginx" } ?? false
  }

  /// Returns the annotations that make the ingress controller admit the audience of `publication` alone, or reports
  /// that nothing does: behind the controller, every client has the controller's address.
  private mutating func audience(of publication: PodPublication, for workload: PodFirewall) -> [String: String]? {
    // To whom the controller is exposed is then said where the policy exposes the controller.
    guard publication.isNarrow, !isExposedToController(publication, of: workload) else { return [:] }
    guard isNginx else {
      diagnostics.append(.narrowIngress(workload, at: publication.cause))
      return nil
    }
    diagnostics.append(.guardedIngress(workload, at: publication.cause))
    let prefix = "nginx.ingress.kubernetes.io/"
    if isExposedToEveryone(publication, of: workload) {
      return ["\(prefix)denylist-source-range": list(AddressSet.all.subtracting(publication.audience))]
    }
    return ["\(prefix)whitelist-source-range": list(publication.audience)]
  }

  /// Returns `true` iff the policy exposes every port of `publication` to the pods of the ingress controller, as to any
  /// other service.
  func isExposedToController(_ publication: PodPublication, of workload: PodFirewall) -> Bool {
    guard let controller = firewall.ingress else { return false }
    return publication.ports.allSatisfy { port in
      workload.admissions.contains { admission in
        !hasLapsed(admission.until) && admission.traffic.contains { $0.contains(workload.ports[port].traffic) }
          && admission.peers.contains { peer in
            guard case .pods(controller.namespace.value, let labels) = peer else { return false }
            return labels.allSatisfy { key, value in
              controller.labels.contains { $0.key == key && $0.value == value }
            }
          }
      }
    }
  }

  /// Returns the blocks of `addresses`, with commas between them.
  private func list(_ addresses: AddressSet) -> String {
    (addresses.prefixes(.ipv4) + addresses.prefixes(.ipv6)).map(\.cidr).joined(separator: ",")
  }
}
