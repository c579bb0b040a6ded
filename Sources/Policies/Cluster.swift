public import Packets
public import Syntax

/// A Kubernetes cluster.
public struct Cluster: Sendable {
  /// The name.
  public var name: Name
  /// The whole declaration.
  public var span: Span
  /// The addresses of its pods.
  public var pods = AddressSet()
  /// Where they are written.
  public var podSpans: [Span] = []
  /// The hosts of the policy that are its nodes, in order.
  public var nodes: [ID<Host>] = []
  /// The groups that are written as its nodes.
  public var nodeGroups: [ID<Group>] = []
  /// The addresses of all its nodes.
  public var nodeAddresses = AddressSet()
  /// The ports that NodePorts are taken from.
  public var nodePorts: PortRange
  /// Blocks of NodePorts that are given to owners.
  public var allotments: [Allotment] = []
  /// The pods of the ingress controller, if there is one.
  public var ingress: PodSelection?
  /// What runs on it, in the order of the services.
  public var workloads: [Workload] = []

  /// Creates a cluster.
  public init(name: Name, span: Span, nodePorts: PortRange) {
    self.name = name
    self.span = span
    self.nodePorts = nodePorts
  }
}

/// A block of NodePorts that is given to an owner.
public struct Allotment: Sendable {
  /// The ports.
  public var ports: Spelled<PortRange>
  /// Whose they are.
  public var owner: ID<Owner>
  /// The whole statement.
  public var span: Span

  /// Creates an allotment.
  public init(ports: Spelled<PortRange>, owner: ID<Owner>, span: Span) {
    self.ports = ports
    self.owner = owner
    self.span = span
  }
}

/// A service as it runs on a cluster.
public struct Workload: Sendable {
  /// The service.
  public var service: ID<Service>
  /// The namespace of its pods.
  public var namespace: Name
  /// The labels of its pods, in the order of their keys.
  public var labels: [PodLabel]
  /// How its ports are reached.
  public var publications: [Publication] = []
  /// The whole declaration.
  public var span: Span

  /// Creates a workload.
  public init(service: ID<Service>, namespace: Name, labels: [PodLabel], span: Span) {
    self.service = service
    self.namespace = namespace
    self.labels = labels
    self.span = span
  }
}

/// How ports of a workload are reached.
public struct Publication: Sendable {
  /// The ports, as positions among those of the service.
  public var ports: [Int]
  /// How.
  public var kind: PublishStatement.Kind
  /// The whole statement.
  public var span: Span

  /// Creates a publication.
  public init(ports: [Int], kind: PublishStatement.Kind, span: Span) {
    self.ports = ports
    self.kind = kind
    self.span = span
  }
}
