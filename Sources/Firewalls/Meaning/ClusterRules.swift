public import Packets

/// What the files of a target say about the pods of a cluster, whatever the target's language.
public struct ClusterRules: Sendable {
  /// Which end of a connection is judged.
  public enum Direction: Hashable, Sendable {
    /// Connections to a pod.
    case ingress
    /// Connections that a pod opens.
    case egress
  }

  /// Where something stands.
  public struct Origin: Hashable, Sendable, CustomStringConvertible {
    /// The file.
    public var file: String

    /// The line in which the object begins, counted from 1.
    public var line: Int

    /// The kind of the object: `NetworkPolicy`.
    public var kind: String

    /// The namespace of the object.
    public var namespace: String

    /// The name of the object.
    public var name: String

    /// Who answers for the object, if it says so (`portcullis/owner`).
    public var owner: String?

    /// The path of the field of the object, such as `spec.ingress[0]`; empty for the whole object.
    public var path: String

    /// Creates the place of the field at `path` of an object.
    public init(
      file: String, line: Int, kind: String, namespace: String, name: String, owner: String? = nil, path: String = ""
    ) {
      (self.file, self.line, self.owner, self.path) = (file, line, owner, path)
      (self.kind, self.namespace, self.name) = (kind, namespace, name)
    }

    /// The place of the whole object.
    public var object: Origin {
      var result = self
      result.path = ""
      return result
    }

    /// The object, and the field of it if one is meant.
    public var words: String { "\(kind) `\(name)`" + (path.isEmpty ? "" : ", \(path)") }

    /// The file, the object and the field.
    public var description: String { "\(file): \(words)" }
  }

  /// Pods for which a direction is closed but for what is granted.
  public struct Isolation: Hashable, Sendable {
    /// The pods.
    public var pods: PodSelector

    /// The direction.
    public var direction: Direction

    /// What says so.
    public var origin: Origin

    /// Creates an isolation, which `origin` says.
    public init(_ pods: PodSelector, _ direction: Direction, origin: Origin) {
      self.pods = pods
      self.direction = direction
      self.origin = origin
    }
  }

  /// The other end of a connection.
  public enum Peer: Hashable, Sendable {
    /// Pods of the cluster.
    case pods(PodSelector)
    /// Whoever has one of these addresses.
    case addresses(AddressSet)
  }

  /// Ports of pods.
  public struct Ports: Hashable, Sendable {
    /// The protocol.
    public var transport: TransportProtocol

    /// The ports.
    public var range: PortRange

    /// Creates the ports of `range`.
    public init(_ transport: TransportProtocol, _ range: PortRange) {
      self.transport = transport
      self.range = range
    }
  }

  /// Connections that are let through in a direction.
  public struct Grant: Hashable, Sendable {
    /// The pods for which they are.
    public var pods: PodSelector

    /// The direction.
    public var direction: Direction

    /// The other ends; nothing means anyone.
    public var peers: [Peer]?

    /// The ports of the accepting end; nothing means all.
    public var ports: [Ports]?

    /// What is not known and must hold for it, in words, if there is such a thing.
    public var condition: String?

    /// Where it stands.
    public var origin: Origin

    /// Creates a grant that stands at `origin`.
    public init(
      _ pods: PodSelector, _ direction: Direction, peers: [Peer]?, ports: [Ports]?, condition: String? = nil,
      origin: Origin
    ) {
      self.pods = pods
      self.direction = direction
      self.peers = peers
      self.ports = ports
      self.condition = condition
      self.origin = origin
    }
  }

  /// Pods that have a name, and their labels.
  public struct NamedPods: Hashable, Sendable {
    /// What has the name: `Deployment`, `Service`.
    public var kind: String

    /// The namespace.
    public var namespace: String

    /// The name.
    public var name: String

    /// The labels of the pods; of a service, those that it selects them by.
    public var labels: [String: String]

    /// Creates pods.
    public init(kind: String, namespace: String, name: String, labels: [String: String]) {
      self.kind = kind
      self.namespace = namespace
      self.name = name
      self.labels = labels
    }
  }

  /// The pods that are known by names; nothing is decided by them.
  public var namedPods: [NamedPods] = []

  /// Pods that are closed in a direction.
  public var isolations: [Isolation] = []

  /// What is let through nevertheless; all of it adds up.
  public var grants: [Grant] = []

  /// The ways by which connections reach pods.
  public var entrances: [Entrance] = []

  /// The labels of the namespaces that are known.
  public var namespaces: [String: [String: String]] = [:]

  /// What has no meaning here, in words, each with its place.
  public var unknowns: [String] = []

  /// Creates rules that say nothing.
  public init() {}
}

/// Where connections are sent that reach pods by another address or port than their own.
public enum Door: Hashable, Sendable {
  /// The address of a service inside the cluster.
  case service(namespace: String, name: String)
  /// Every node.
  case node
  /// Every node, on a port that the cluster picks for a port of a service.
  case pickedNodePort(namespace: String, name: String)
  /// The load balancer of a service.
  case balancer(namespace: String, name: String)
  /// An address outside the cluster that a service has taken.
  case address(Address)
  /// The ingress controller, asked for a host name and a path; nothing is any.
  case web(controller: String?, host: String?, path: String?, isExact: Bool)
}

/// A way by which connections reach pods.
public struct Entrance: Hashable, Sendable {
  /// What else there is to say of a way.
  public enum Trait: String, Hashable, Sendable, CaseIterable, Comparable {
    /// The pods see the address of the client.
    case keepsClient = "keeping the client's address"
    /// Clients in the cluster reach only the pods of their node.
    case sameNode = "on the same node only"
    /// The service has no address; its name stands for its pods.
    case headless = "by the pods' own addresses"
    /// A client comes to the same pod each time.
    case sticky = "to one pod per client"
    /// It has an address of one family alone.
    case oneFamily = "by one family of addresses"

    /// Returns `true` iff `a` stands before `b` in words.
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  /// Where it leads.
  public enum Target: Hashable, Sendable {
    /// To a port of pods.
    case pods(PodSelector, port: UInt16)
    /// To what is not known here, in words.
    case unknown(String)
  }

  /// Where connections are sent.
  public var door: Door

  /// The ports that they are sent to; nothing where ports do not matter.
  public var traffic: Traffic?

  /// Whom it is open to.
  public var sources: AddressSet

  /// Where it leads.
  public var target: Target

  /// What else there is to say.
  public var traits: Set<Trait>

  /// Where it stands, if it comes from files.
  public var origin: ClusterRules.Origin?

  /// Creates a way.
  public init(
    _ door: Door, _ traffic: Traffic?, from sources: AddressSet = .all, to target: Target, traits: Set<Trait> = []
  ) {
    self.door = door
    self.traffic = traffic
    self.sources = sources
    self.target = target
    self.traits = traits
  }
}
