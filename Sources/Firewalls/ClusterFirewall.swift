public import Packets
public import Policies
public import Syntax

/// What the pods of a cluster accept and may connect to, independent of the program that enforces it.
///
/// - Invariant: every list is sorted.
public struct ClusterFirewall: Sendable {
  /// The cluster.
  public var cluster: ID<Cluster>

  /// The name of the cluster.
  public var name: String

  /// The pods of the ingress controller, if there is one.
  public var ingress: PodSelection?

  /// The addresses of the pods.
  public var pods: AddressSet

  /// The addresses of the nodes.
  public var nodes: AddressSet

  /// `true` iff every node is a host of the policy, whose own firewall judges what comes to NodePorts.
  public var nodesAreHosts = false

  /// What runs on it, by namespace and then by name.
  public var workloads: [PodFirewall] = []

  /// Creates the firewall of a cluster without workloads.
  public init(cluster: ID<Cluster>, name: String, ingress: PodSelection?, pods: AddressSet, nodes: AddressSet) {
    self.cluster = cluster
    self.name = name
    self.ingress = ingress
    self.pods = pods
    self.nodes = nodes
  }
}

/// What the pods of one workload accept and may connect to.
public struct PodFirewall: Sendable {
  /// The service.
  public var service: ID<Service>

  /// The name of the service.
  public var name: String

  /// The namespace of its pods.
  public var namespace: String

  /// The labels of its pods, in the order of their keys.
  public var labels: [PodLabel]

  /// What its pods listen on, with the names of the ports.
  public var ports: [PodPort] = []

  /// What is accepted; everything else is refused.
  public var admissions: [Admission] = []

  /// What its pods may connect to; everything else is refused.
  ///
  /// DNS is not among it: the target adds it.
  public var departures: [PodDeparture] = []

  /// How its ports are reached.
  public var publications: [PodPublication] = []

  /// The workload's declaration.
  public var cause: Cause

  /// The name of the owner, if there is one.
  public var owner: String?

  /// What it is for.
  public var purpose: String?

  /// Creates the firewall of a workload that accepts nothing.
  public init(service: ID<Service>, name: String, namespace: String, labels: [PodLabel], cause: Cause) {
    self.service = service
    self.name = name
    self.namespace = namespace
    self.labels = labels
    self.cause = cause
  }
}

/// What a pod listens on.
public struct PodPort: Sendable, Hashable {
  /// The name that the policy gives it, if it does.
  public var name: String?

  /// The listening ports.
  public var traffic: Traffic

  /// The port that a Service shows for it, which is that of `as` if an exposure has one; for a range, the lowest.
  public var publicPort: UInt16?

  /// Creates a port.
  public init(name: String?, traffic: Traffic, publicPort: UInt16?) {
    self.name = name
    self.traffic = traffic
    self.publicPort = publicPort
  }
}

/// The other end of a pod's connection.
public enum Peer: Hashable, Sendable {
  /// Anyone.
  case everyone

  /// Whoever has one of these addresses.
  case addresses(AddressSet)

  /// The pods with these labels in a namespace of the same cluster.
  case pods(namespace: String, labels: [String: String])
}

/// Connections that pods accept.
public struct Admission: Sendable {
  /// Who may connect.
  public var peers: [Peer]

  /// Which addresses of them may not: all that a NetworkPolicy can take away.
  public var exceptions: AddressSet

  /// The listening ports.
  public var traffic: [Traffic]

  /// How many connections are accepted; a NetworkPolicy cannot say it.
  public var limit: Limit?

  /// The last day on which it holds, in UTC.
  public var until: CalendarDate?

  /// Pods of the same cluster that may not connect, although they may be among `peers`; no NetworkPolicy can say it.
  public var refusedPods: [Peer] = []

  /// `true` iff what it accepts is logged; no NetworkPolicy can say it.
  public var logged = false

  /// Why it is there.
  public var because: String?

  /// The ticket that asked for it.
  public var ticket: String?

  /// The exposure.
  public var cause: Cause

  /// Creates an admission.
  public init(
    peers: [Peer], exceptions: AddressSet, traffic: [Traffic], limit: Limit?, until: CalendarDate?, cause: Cause
  ) {
    self.peers = peers
    self.exceptions = exceptions
    self.traffic = traffic
    self.limit = limit
    self.until = until
    self.cause = cause
  }
}

/// Connections that pods may open.
public struct PodDeparture: Sendable {
  /// To whom.
  public var peers: [Peer]

  /// The ports as they are after translation; nothing means all.
  public var traffic: [Traffic]?

  /// The last day on which it holds, in UTC.
  public var until: CalendarDate?

  /// The use.
  public var cause: Cause

  /// Creates a departure.
  public init(peers: [Peer], traffic: [Traffic]?, until: CalendarDate?, cause: Cause) {
    self.peers = peers
    self.traffic = traffic
    self.until = until
    self.cause = cause
  }
}

/// How ports of a workload are reached.
public struct PodPublication: Sendable {
  /// The ports, as positions among those of the workload.
  public var ports: [Int]

  /// How.
  public var kind: PublishStatement.Kind

  /// The audience of the exposures of these ports, as addresses; everyone if all addresses.
  public var audience: AddressSet

  /// `true` iff the audience is narrower than everyone, so that the client's address must stay visible.
  public var isNarrow: Bool

  /// The statement.
  public var cause: Cause

  /// Creates a publication.
  public init(ports: [Int], kind: PublishStatement.Kind, audience: AddressSet, isNarrow: Bool, cause: Cause) {
    self.ports = ports
    self.kind = kind
    self.audience = audience
    self.isNarrow = isNarrow
    self.cause = cause
  }
}
