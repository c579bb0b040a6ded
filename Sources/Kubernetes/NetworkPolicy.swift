public import Packets

/// Who may connect to the selected pods and to whom they may connect (networking.k8s.io/v1).
///
/// Both directions are isolated: what no rule of any policy admits is refused.
public struct NetworkPolicy: Hashable, Sendable {
  /// What the object says of itself.
  public var metadata: Metadata

  /// The labels that the pods have; none means every pod of the namespace.
  public var podLabels: [String: String]

  /// What the pods accept.
  public var ingress: [Rule]

  /// To what the pods may connect.
  public var egress: [Rule]

  /// Connections that are accepted.
  public struct Rule: Hashable, Sendable {
    /// The other ends; nothing means anyone.
    ///
    /// - Invariant: there is at least one, since an empty list would mean anyone.
    public let peers: [Peer]?

    /// The ports of the accepting pod; nothing means all.
    ///
    /// - Invariant: there is at least one, since an empty list would mean all.
    public let ports: [Ports]?

    /// Creates a rule for connections with `peers` to `ports`.
    ///
    /// - Requires: neither is an empty list.
    public init(peers: [Peer]?, ports: [Ports]?) {
      precondition(peers?.isEmpty != true && ports?.isEmpty != true)
      self.peers = peers
      self.ports = ports
    }
  }

  /// The other end of connections.
  public enum Peer: Hashable, Sendable {
    /// Addresses outside the cluster: those of a block that are in none of the others.
    case addresses(Prefix, except: [Prefix])

    /// The pods with the labels `pods`, in the namespaces with the labels `namespaces`.
    case pods([String: String], namespaces: [String: String])
  }

  /// Ports of one protocol.
  public struct Ports: Hashable, Sendable, Comparable {
    /// The protocol: TCP, UDP or SCTP.
    public var transport: TransportProtocol

    /// The ports; nothing means all.
    public var range: PortRange?

    /// Creates the ports of `range` of a protocol.
    public init(_ transport: TransportProtocol, _ range: PortRange?) {
      self.transport = transport
      self.range = range
    }

    /// Returns `true` iff `a` stands before `b` in output: by protocol, then by port, all ports first.
    public static func < (a: Self, b: Self) -> Bool {
      if a.transport != b.transport { return a.transport < b.transport }
      guard let r = a.range, let s = b.range else { return a.range == nil && b.range != nil }
      return r < s
    }
  }

  /// Creates a policy for the pods of a namespace that have `podLabels`.
  public init(_ metadata: Metadata, podLabels: [String: String], ingress: [Rule] = [], egress: [Rule] = []) {
    self.metadata = metadata
    self.podLabels = podLabels
    self.ingress = ingress
    self.egress = egress
  }
}

extension TransportProtocol {
  /// The protocols that Kubernetes knows, with the names that its API gives them.
  static let inKubernetes: [(name: String, transport: TransportProtocol)] = [
    ("TCP", .tcp), ("UDP", .udp), ("SCTP", .sctp),
  ]

  /// The name that the API of Kubernetes gives the protocol, if it knows it.
  var kubernetesName: String? { TransportProtocol.inKubernetes.first { $0.transport == self }?.name }

  /// Creates the protocol that the API calls `name`, as the field at `path` does.
  init(kubernetesName name: String, at path: String) throws(ManifestError) {
    guard let known = TransportProtocol.inKubernetes.first(where: { $0.name == name }) else {
      throw ManifestError(path, "`\(name)` is not TCP, UDP or SCTP")
    }
    self = known.transport
  }
}
