public import Packets
public import Syntax

/// Something that answers to connections.
public struct Service: Sendable {
  /// The name.
  public var name: Name
  /// The whole declaration.
  public var span: Span
  /// Who answers for it.
  public var owner: ID<Owner>?
  /// Where the owner is named.
  public var ownerSpan: Span?
  /// What it is for.
  public var purpose: String?
  /// The classes that it is in: `database`, `admin`, or a word of the policy's own.
  public var classes: [Name] = []
  /// What its processes listen on.
  public var ports: [Port] = []
  /// Who may connect to it.
  public var exposures: [Exposure] = []
  /// What it connects to.
  public var uses: [Use] = []
  /// The hosts that it runs on, in order.
  public var placements: [Placement] = []
  /// The workloads that it runs as, in order.
  public var workloads: [WorkloadReference] = []

  /// A workload of a cluster.
  public struct WorkloadReference: Sendable, Hashable {
    /// The cluster.
    public var cluster: ID<Cluster>
    /// The position of the workload among those of the cluster.
    public var index: Int
    /// Creates the reference.
    public init(cluster: ID<Cluster>, index: Int) {
      self.cluster = cluster
      self.index = index
    }
  }

  /// Creates a service.
  public init(name: Name, span: Span) {
    self.name = name
    self.span = span
  }
}

/// What a process listens on.
public struct Port: Sendable, Hashable {
  /// The name, if it has one.
  public var name: Name?
  /// The ports, one element a protocol.
  public var traffic: [Traffic]
  /// Where the ports are written.
  public var trafficSpan: Span
  /// The registered name of the protocol that is spoken there, if it is said.
  public var speaks: Name?
  /// The whole statement.
  public var span: Span

  /// Creates a port.
  public init(name: Name?, traffic: [Traffic], trafficSpan: Span, speaks: Name?, span: Span) {
    self.name = name
    self.traffic = traffic
    self.trafficSpan = trafficSpan
    self.speaks = speaks
    self.span = span
  }
}

/// Who may connect to a service.
public struct Exposure: Sendable {
  /// The exposed ports, as positions among those of the service.
  public var ports: [Int]
  /// Who may connect.
  public var audience: Audience
  /// The public ports, if they differ from the listening ones.
  public var publicPort: TrafficList?
  /// The router on which the public port is, if it is not the host itself.
  public var via: Spelled<ID<Host>>?
  /// How many connections are let in.
  public var limit: Spelled<Limit>?
  /// Where and why.
  public var provenance: Provenance

  /// Creates an exposure.
  public init(ports: [Int], audience: Audience, provenance: Provenance) {
    self.ports = ports
    self.audience = audience
    self.provenance = provenance
  }
}

/// What a service connects to.
public struct Use: Sendable {
  /// What it connects to.
  public var targets: [Spelled<Party>]
  /// The ports; none means all that the targets expose.
  public var traffic: [Spelled<Traffic>]
  /// Where and why.
  public var provenance: Provenance

  /// Creates a use.
  public init(targets: [Spelled<Party>], traffic: [Spelled<Traffic>], provenance: Provenance) {
    self.targets = targets
    self.traffic = traffic
    self.provenance = provenance
  }
}

/// A host that a service runs on.
public struct Placement: Sendable, Hashable {
  /// The host.
  public var host: ID<Host>
  /// The addresses that the service is bound to; none means every address of the host.
  public var addresses: [Spelled<Address>]
  /// The statement that says so.
  public var span: Span

  /// Creates a placement.
  public init(host: ID<Host>, addresses: [Spelled<Address>], span: Span) {
    self.host = host
    self.addresses = addresses
    self.span = span
  }
}
