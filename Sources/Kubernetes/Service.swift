public import Packets

/// A stable name, address and ports for pods (v1).
public struct Service: Hashable, Sendable {
  /// What the object says of itself.
  public var metadata: Metadata

  /// The labels that the pods have.
  public var selector: [String: String]

  /// How it is reached.
  public var kind: Kind

  /// The ports.
  public var ports: [Port]

  /// From where a service is reached.
  public enum Kind: Hashable, Sendable {
    /// Inside the cluster only.
    case clusterIP

    /// On a port of every node; `local` if only pods of the same node answer, which keeps the client's address.
    case nodePort(local: Bool)

    /// Through a load balancer of the cloud, which lets only `sources` in; no sources means everyone.
    case loadBalancer(local: Bool, sources: [Prefix])
  }

  /// A port of a service.
  public struct Port: Hashable, Sendable, Comparable {
    /// The name, unique in the service.
    public var name: String

    /// The protocol: TCP, UDP or SCTP.
    public var transport: TransportProtocol

    /// The port of the service.
    public var port: UInt16

    /// The port of the pods.
    public var target: UInt16

    /// The port of every node, if it has an appointed one.
    public var nodePort: UInt16?

    /// Creates a port.
    public init(name: String, transport: TransportProtocol, port: UInt16, target: UInt16, nodePort: UInt16? = nil) {
      self.name = name
      self.transport = transport
      self.port = port
      self.target = target
      self.nodePort = nodePort
    }

    /// Returns `true` iff `a` stands before `b` in output: by port, then by protocol.
    public static func < (a: Self, b: Self) -> Bool { (a.port, a.transport, a.name) < (b.port, b.transport, b.name) }
  }

  /// Creates a service.
  public init(_ metadata: Metadata, selector: [String: String], kind: Kind, ports: [Port]) {
    self.metadata = metadata
    self.selector = selector
    self.kind = kind
    self.ports = ports
  }
}
