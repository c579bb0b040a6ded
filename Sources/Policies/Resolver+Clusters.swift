import Packets
import Syntax

extension Resolver {
  /// Resolves the clusters, and tells the services of their workloads.
  mutating func resolveClusters() {
    for (position, place) in names.declarations(of: .cluster).enumerated() {
      let declaration = trees[place.tree].clusters[place.index]
      var cluster = Cluster(
        name: declaration.name, span: declaration.span,
        nodePorts: declaration.nodePorts?.value ?? policy.settings.nodePorts)
      cluster.pods = AddressSet(declaration.pods.map(\.value))
      cluster.podSpans = declaration.pods.map(\.span).sorted()
      resolveNodes(declaration.nodes, of: &cluster)
      for statement in declaration.allotments {
        guard let owner = owner(statement.owner) else { continue }
        cluster.allotments.append(Allotment(ports: statement.ports, owner: owner, span: statement.span))
      }
      cluster.allotments.sort { ($0.ports.value, $0.owner, $0.span) < ($1.ports.value, $1.owner, $1.span) }
      if var ingress = declaration.ingress {
        ingress.labels = labels(ingress.labels)
        cluster.ingress = ingress
      }
      cluster.workloads = workloads(declaration.workloads, of: cluster.name)
      for (index, workload) in cluster.workloads.enumerated() {
        policy.services[workload.service.rawValue].workloads.append(
          Service.WorkloadReference(cluster: ID(position), index: index))
      }
      policy.clusters.append(cluster)
    }
  }

  /// Takes over the nodes of `cluster` that `terms` name.
  private mutating func resolveNodes(_ terms: [Spelled<Term>], of cluster: inout Cluster) {
    var hosts: Set<ID<Host>> = []
    var ranges: [AddressRange] = []
    for term in terms {
      switch term.value {
      case .addresses(let range): ranges.append(range)
      case .named(let kind, let name) where !NameTable.isBuiltIn(name):
        guard let found = find(name, said: kind, at: term.span, as: .node) else { continue }
        if found.kind == .host {
          hosts.insert(ID(found.position))
        } else {
          hosts.formUnion(policy.groups[found.position].hosts)
          cluster.nodeGroups.append(ID(found.position))
        }
      default: report(.unfitting(term.value, at: term.span, as: .node))
      }
    }
    cluster.nodes = hosts.sorted()
    for host in cluster.nodes { ranges += policy[host].addresses.map { AddressRange($0.value) } }
    cluster.nodeAddresses = AddressSet(ranges)
  }

  /// Returns the workloads that `declarations` declare on the cluster `cluster`, in the order of the services.
  private mutating func workloads(_ declarations: [WorkloadDeclaration], of cluster: Name) -> [Workload] {
    var first: [ID<Service>: Span] = [:]
    var result: [Workload] = []
    for declaration in declarations.sorted(by: { $0.span < $1.span }) {
      guard let service = service(declaration.service) else { continue }
      if let earlier = first[service] {
        report(.duplicateWorkload(declaration.service, on: cluster.value, first: earlier))
        continue
      }
      first[service] = declaration.service.span
      if let workload = workload(declaration, of: service) { result.append(workload) }
    }
    return result.sorted { $0.service < $1.service }
  }

  /// Returns the workload of `service` that `declaration` declares, or reports why there is none.
  private mutating func workload(_ declaration: WorkloadDeclaration, of service: ID<Service>) -> Workload? {
    if declaration.namespace == nil { report(.workloadWithoutNamespace(declaration)) }
    if declaration.labels.isEmpty { report(.workloadWithoutPods(declaration)) }
    let positions = PortPositions(policy[service].ports)
    var publications: [Publication] = []
    for statement in declaration.publications {
      guard
        let ports = ports(
          statement.ports, of: policy[service], positions, at: statement.span, in: "publish")
      else { continue }
      let publication = Publication(
        ports: statement.ports.isEmpty ? meant(by: statement.kind, among: ports, of: service) : ports,
        kind: statement.kind, span: statement.span)
      if let diagnostic = Diagnostic.unpublishable(publication, of: policy[service]) {
        report(diagnostic)
      } else {
        publications.append(publication)
      }
    }
    publications.sort { Publication.order($0, $1) < 0 }
    guard let namespace = declaration.namespace, !declaration.labels.isEmpty else { return nil }
    var workload = Workload(
      service: service, namespace: namespace, labels: labels(declaration.labels), span: declaration.span)
    workload.publications = publications
    return workload
  }

  /// Returns those of `ports` of `service` that a publication of `kind` means if it names none.
  ///
  /// A NodePort and an ingress lead to one port, and so does a load balancer on a NodePort. Of several it is the one that the world sees under another number.
  private func meant(by kind: PublishStatement.Kind, among ports: [Int], of service: ID<Service>) -> [Int] {
    switch kind {
    case .cluster, .loadBalancer(nodePort: nil): return ports
    case .nodePort, .loadBalancer, .ingress:
      guard ports.count > 1 else { return ports }
      let exposures = policy[service].exposures.filter { $0.publicPort != nil }
      let shown = ports.filter { port in exposures.contains { $0.ports.contains(port) } }
      return shown.isEmpty ? ports : shown
    }
  }

  /// Returns `labels` in the order of their keys, and reports keys that are given twice.
  private mutating func labels(_ labels: [PodLabel]) -> [PodLabel] {
    var first: [String: PodLabel] = [:]
    var result: [PodLabel] = []
    for label in labels {
      if let earlier = first[label.key] {
        report(.duplicateLabel(label, first: earlier))
      } else {
        first[label.key] = label
        result.append(label)
      }
    }
    return result.sorted { $0.key < $1.key }
  }
}
