import Packets
import Syntax

// What is wrong with hosts and clusters.

extension Diagnostic {
  /// The interface `name` of `host` is declared again.
  static func duplicateInterface(_ name: Name, of host: String, first: Span) -> Diagnostic {
    Diagnostic(
      .error, "duplicate-name", "the host `\(host)` has two interfaces named `\(name.value)`",
      at: Label(name.span, "declared again here"), also: [Label(first, "first declared here")],
      because: "Which zones are behind it must not depend on the order of statements.",
      help: "Write all its zones into one statement: `interface \(name.value) in lan, vpn`.", subject: host)
  }

  /// A service on `host` is said to be bound to the unspecified address.
  static func boundToEverything(_ address: Spelled<Address>, on host: Name) -> Diagnostic {
    Diagnostic(
      .error, "not-an-address-of-host", "`\(address.value)` is not an address of a host",
      at: Label(address.span, "stands for every address"), also: [Label(host.span, "the host")],
      because: "No packet is sent to the unspecified address.",
      help: "Leave `on` out; a service without it is bound to every address of the host.", subject: host.value)
  }

  /// A service on `host` is said to be bound to an address of `other`.
  static func boundToForeignAddress(_ address: Spelled<Address>, on host: Name, of other: Host) -> Diagnostic {
    let declared = other.addresses.first { $0.value == address.value }?.span ?? other.name.span
    return Diagnostic(
      .error, "not-an-address-of-host",
      "`\(address.value)` is an address of `\(other.name.value)`, not of `\(host.value)`",
      at: Label(address.span, "belongs to another host"),
      also: [Label(declared, "given to `\(other.name.value)` here"), Label(host.span, "the host")],
      because: "A service can be bound to an address of its own host only; nothing would reach it.",
      help: "Name an address of `\(host.value)`, or leave `on` out.", subject: host.value)
  }

  /// A service on `host` is said to be bound to an address that is not written among those of the host.
  static func undeclaredAddress(_ address: Spelled<Address>, on host: Host) -> Diagnostic {
    Diagnostic(
      .note, "undeclared-address", "`\(address.value)` is not written among the addresses of `\(host.name.value)`",
      at: Label(address.span, "taken as one of them"), also: [Label(host.name.span, "the host")],
      because: "A service can be bound to an address of its own host only, so the host is taken to have it.",
      help: "Add it where the host's addresses are: `address \(address.value)`.", subject: host.name.value)
  }

  /// What `group` runs is said to be bound to an address that its `member` does not have.
  static func addressNotOfMember(_ address: Spelled<Address>, member: Host, group: Name) -> Diagnostic {
    Diagnostic(
      .error, "not-an-address-of-host",
      "`\(address.value)` is not an address of `\(member.name.value)`, a member of `\(group.value)`",
      at: Label(address.span, "not an address of every member"),
      also: [Label(member.name.span, "this member has other addresses")],
      because: "What a group runs, each of its hosts runs, and a service can be bound to an address of its host only.",
      help: "Say in each host what it is bound to: `runs ... on ADDRESS`, or leave `on` out.", subject: group.value)
  }

  /// The workload of `service` on `cluster` is declared again.
  static func duplicateWorkload(_ service: Name, on cluster: String, first: Span) -> Diagnostic {
    Diagnostic(
      .error, "duplicate-workload", "the cluster `\(cluster)` has two workloads of `\(service.value)`",
      at: Label(service.span, "declared again here"), also: [Label(first, "first declared here")],
      because: "A service is selected by one set of labels in one namespace.",
      help: "Join them, or declare a second service.", subject: service.value)
  }

  /// `workload` does not say in which namespace it is.
  static func workloadWithoutNamespace(_ workload: WorkloadDeclaration) -> Diagnostic {
    let name = workload.service.value
    return Diagnostic(
      .error, "incomplete-workload", "the workload `\(name)` has no namespace",
      at: Label(workload.service.span, "`namespace` is missing"),
      because: "Pods are selected inside a namespace.", help: "Add `namespace \(name)`.", subject: name)
  }

  /// `workload` does not say which pods it is.
  static func workloadWithoutPods(_ workload: WorkloadDeclaration) -> Diagnostic {
    let name = workload.service.value
    return Diagnostic(
      .error, "incomplete-workload", "the workload `\(name)` selects no pods",
      at: Label(workload.service.span, "`pods` is missing"),
      because: "A selector without labels selects every pod of the namespace and would open all of them.",
      help: "Add the labels of its pods: `pods app=\(name)`.", subject: name)
  }

  /// The key of `label` is given twice.
  static func duplicateLabel(_ label: PodLabel, first: PodLabel) -> Diagnostic {
    Diagnostic(
      .error, "duplicate-name", "the label `\(label.key)` is given twice",
      at: Label(label.span, "given again here"), also: [Label(first.span, "first given here")],
      because: "A pod has one value of a label, so no pod could be selected by two.", help: "Keep one of them.")
  }

  /// Returns why `publication` of `service` cannot be made, or nothing if it can.
  static func unpublishable(_ publication: Publication, of service: Service) -> Diagnostic? {
    let traffic = publication.ports.flatMap { service.ports[$0].traffic }
    let places = publication.ports.prefix(4).map { Label(service.ports[$0].trafficSpan, "a published port") }
    if let message = traffic.first(where: { $0.ports == nil }) {
      return Diagnostic(
        .error, "unpublishable-port", "`\(message)` cannot be published",
        at: Label(publication.span, "needs ports"), also: Array(places),
        because: "Kubernetes publishes ports; ICMP messages have none.",
        help: "Name the ports that are meant: `publish web cluster`.", subject: service.name.value)
    }
    let numbers = Set(traffic.compactMap(\.ports))
    let isOne = numbers.count == 1 && numbers.allSatisfy(\.isSingle)
    switch publication.kind {
    case .cluster, .loadBalancer(nodePort: nil): return nil
    case .nodePort(let port), .loadBalancer(let port?):
      guard !isOne else { return nil }
      return Diagnostic(
        .error, "unpublishable-port", "the NodePort `\(port.value)` stands for several ports",
        at: Label(port.span, "one port of each node"), also: Array(places),
        because: "A NodePort is one number, of one port (which may be of several protocols).",
        help: "Name the port that is meant, as in `publish web nodeport \(port.value)`, one statement a port.",
        subject: service.name.value)
    case .ingress(let host, _):
      guard !isOne || traffic.count != 1 || traffic.first?.transport != .tcp else { return nil }
      return Diagnostic(
        .error, "unpublishable-port", "an ingress needs exactly one TCP port",
        at: Label(host.span, "is sent to one port"), also: Array(places),
        because: "An ingress controller speaks HTTP to one TCP port of the service.",
        help: "Name the port that is meant: `publish web ingress \"\(host.value)\"`.", subject: service.name.value)
    }
  }
}
