public import Packets

/// A file after parsing: all its tokens, and what they declare.
///
/// - Invariant: the tokens cover the bytes of the file without gap or overlap, so that the text can be made from
///   them again.
public struct Tree: Sendable {
  /// Every token, white space and comments among them.
  public var tokens: [Token] = []

  /// `policy` declarations.
  public var settings: [SettingsDeclaration] = []

  /// `owner` declarations.
  public var owners: [OwnerDeclaration] = []

  /// `zone` declarations.
  public var zones: [ZoneDeclaration] = []

  /// `service` declarations.
  public var services: [ServiceDeclaration] = []

  /// `host` declarations.
  public var hosts: [HostDeclaration] = []

  /// `group` declarations.
  public var groups: [GroupDeclaration] = []

  /// `transit` declarations.
  public var transits: [TransitDeclaration] = []

  /// `cluster` declarations.
  public var clusters: [ClusterDeclaration] = []

  /// `block` declarations.
  public var blocks: [BlockDeclaration] = []

  /// `never` and `always` declarations.
  public var invariants: [InvariantDeclaration] = []

  /// `waive` declarations.
  public var waivers: [WaiverDeclaration] = []

  /// Creates the tree of an empty file.
  public init() {}
}

/// `policy "title" { ... }`.
public struct SettingsDeclaration: Sendable {
  /// The whole declaration.
  public var span: Span
  /// The title, without its quotes.
  public var title: Spelled<String>?
  /// `deny with drop` or `deny with reject`; `true` for reject.
  public var rejects: Spelled<Bool>?
  /// `log denied 5/second`.
  public var logDenied: Spelled<Limit>?
  /// `ephemeral 32768-60999`.
  public var ephemeral: Spelled<PortRange>?
  /// `nodeports 30000-32767`.
  public var nodePorts: Spelled<PortRange>?
  /// `ping open` or `ping closed`; `true` for open.
  public var pingOpen: Spelled<Bool>?
  /// `check NAME SEVERITY`; no severity for `off`.
  public var checks: [CheckSetting] = []

  /// The severity that a policy gives to a check.
  public struct CheckSetting: Sendable {
    /// The name of the check.
    public var check: Name
    /// The severity, or nothing if the check is turned off.
    public var severity: Spelled<Severity?>
    /// Creates the setting.
    public init(check: Name, severity: Spelled<Severity?>) {
      self.check = check
      self.severity = severity
    }
  }

  /// Creates an empty declaration.
  public init(span: Span) { self.span = span }
}

/// `owner NAME { ... }`.
public struct OwnerDeclaration: Sendable {
  /// The whole declaration.
  public var span: Span
  /// The name.
  public var name: Name
  /// `contact "..."`.
  public var contact: Spelled<String>?
  /// `approvers "...", "..."`.
  public var approvers: [Spelled<String>] = []
  /// Creates an empty declaration.
  public init(span: Span, name: Name) {
    self.span = span
    self.name = name
  }
}

/// `zone NAME { addresses, zones }`.
public struct ZoneDeclaration: Sendable {
  /// The whole declaration.
  public var span: Span
  /// The name.
  public var name: Name
  /// Addresses and other zones; none means every address.
  public var members: [Spelled<Term>] = []
  /// What `except` takes away from the members.
  public var exceptions: [Spelled<Term>] = []
  /// Creates an empty declaration.
  public init(span: Span, name: Name) {
    self.span = span
    self.name = name
  }
}

/// `service NAME { ... }`.
public struct ServiceDeclaration: Sendable {
  /// The whole declaration.
  public var span: Span
  /// The name.
  public var name: Name
  /// `owner NAME`.
  public var owner: Name?
  /// `purpose "..."`.
  public var purpose: Spelled<String>?
  /// `class NAME`.
  public var classes: [Name] = []
  /// `port [NAME] PORTS [speaks NAME]`.
  public var ports: [PortStatement] = []
  /// `expose ...`.
  public var exposures: [ExposeStatement] = []
  /// `uses ...`.
  public var uses: [UsesStatement] = []
  /// Creates an empty declaration.
  public init(span: Span, name: Name) {
    self.span = span
    self.name = name
  }
}

/// `port [NAME] 443/tcp [speaks https]`: what the process listens on.
public struct PortStatement: Sendable {
  /// The whole statement.
  public var span: Span
  /// The name of the port.
  public var name: Name?
  /// The ports and protocols.
  public var traffic: TrafficList
  /// The registered name of the protocol spoken.
  public var speaks: Name?
  /// Creates the statement.
  public init(span: Span, name: Name?, traffic: TrafficList, speaks: Name?) {
    self.span = span
    self.name = name
    self.traffic = traffic
    self.speaks = speaks
  }
}

/// What may stand behind a statement: when it ends, why it is there, and so on.
public struct Clauses: Sendable {
  /// `as 443/tcp`: the public port.
  public var publicPort: TrafficList?
  /// `via HOST`: the router.
  public var via: Name?
  /// `on 443/tcp`: only these ports.
  public var on: [TrafficList] = []
  /// `limit 200/second burst 400 per source`.
  public var limit: Spelled<Limit>?
  /// `until 2027-03-31`: the last day.
  public var until: Spelled<CalendarDate>?
  /// `because "..."`.
  public var because: Spelled<String>?
  /// `ticket "..."`.
  public var ticket: Spelled<String>?
  /// The place of `logged`.
  public var logged: Span?
  /// The place of `masquerade`.
  public var masquerade: Span?
  /// Creates no clauses.
  public init() {}
}

/// `expose [PORT, ...] to AUDIENCE, ... [except AUDIENCE, ...] clauses`.
public struct ExposeStatement: Sendable {
  /// The whole statement.
  public var span: Span
  /// The names of the exposed ports; none means all.
  public var ports: [Name] = []
  /// Who may connect.
  public var audience: [Spelled<Term>] = []
  /// Who of them may not.
  public var exceptions: [Spelled<Term>] = []
  /// `as`, `via`, `limit`, `until`, `because`, `ticket`, `logged`.
  public var clauses = Clauses()
  /// Creates an empty statement.
  public init(span: Span) { self.span = span }
}

/// `uses TARGET, ... [on PORTS]`: what a service connects to.
public struct UsesStatement: Sendable {
  /// The whole statement.
  public var span: Span
  /// What it connects to.
  public var targets: [Spelled<Term>] = []
  /// `on`, `until`, `because`, `ticket`.
  public var clauses = Clauses()
  /// Creates an empty statement.
  public init(span: Span) { self.span = span }
}

/// `runs SERVICE, ... [on ADDRESS, ...]`.
public struct RunsStatement: Sendable {
  /// The whole statement.
  public var span: Span
  /// The services.
  public var services: [Name] = []
  /// The addresses they are bound to; none means all.
  public var addresses: [Spelled<Address>] = []
  /// Creates an empty statement.
  public init(span: Span) { self.span = span }
}

/// `host NAME { ... }`.
public struct HostDeclaration: Sendable {
  /// The whole declaration.
  public var span: Span
  /// The name.
  public var name: Name
  /// `address ADDRESS, ...`.
  public var addresses: [Spelled<Address>] = []
  /// `interface NAME in ZONE, ...`.
  public var interfaces: [InterfaceStatement] = []
  /// `runs SERVICE`.
  public var runs: [RunsStatement] = []
  /// `ephemeral 32768-60999`.
  public var ephemeral: Spelled<PortRange>?
  /// `egress closed` or `egress open`; `true` for closed.
  public var egressClosed: Spelled<Bool>?
  /// Creates an empty declaration.
  public init(span: Span, name: Name) {
    self.span = span
    self.name = name
  }
}

/// `interface NAME in ZONE, ...`.
public struct InterfaceStatement: Sendable {
  /// The whole statement.
  public var span: Span
  /// The name of the interface.
  public var name: Name
  /// The zones whose packets arrive there.
  public var zones: [Spelled<Term>]
  /// Creates the statement.
  public init(span: Span, name: Name, zones: [Spelled<Term>]) {
    self.span = span
    self.name = name
    self.zones = zones
  }
}

/// `group NAME { HOST, ...; runs SERVICE }`.
public struct GroupDeclaration: Sendable {
  /// The whole declaration.
  public var span: Span
  /// The name.
  public var name: Name
  /// The hosts and groups in it.
  public var members: [Name] = []
  /// What each of them runs.
  public var runs: [RunsStatement] = []
  /// Creates an empty declaration.
  public init(span: Span, name: Name) {
    self.span = span
    self.name = name
  }
}

/// `transit AUDIENCE to AUDIENCE [on PORTS] via HOST [masquerade] clauses`.
public struct TransitDeclaration: Sendable {
  /// The whole declaration.
  public var span: Span
  /// Who may connect.
  public var sources: [Spelled<Term>] = []
  /// To whom.
  public var destinations: [Spelled<Term>] = []
  /// `on`, `via`, `masquerade`, `limit`, `until`, `because`, `ticket`, `logged`.
  public var clauses = Clauses()
  /// Creates an empty declaration.
  public init(span: Span) { self.span = span }
}

/// `cluster NAME { ... }`.
public struct ClusterDeclaration: Sendable {
  /// The whole declaration.
  public var span: Span
  /// The name.
  public var name: Name
  /// `pods PREFIX, ...`.
  public var pods: [Spelled<AddressRange>] = []
  /// `nodes GROUP-OR-HOST-OR-ADDRESS, ...`.
  public var nodes: [Spelled<Term>] = []
  /// `nodeports 30000-32767`.
  public var nodePorts: Spelled<PortRange>?
  /// `allot 30100-30199 to OWNER`.
  public var allotments: [AllotStatement] = []
  /// `ingress namespace NAME pods KEY=VALUE, ...`.
  public var ingress: PodSelection?
  /// `workload SERVICE { ... }`.
  public var workloads: [WorkloadDeclaration] = []
  /// Creates an empty declaration.
  public init(span: Span, name: Name) {
    self.span = span
    self.name = name
  }
}

/// `allot 30100-30199 to OWNER`.
public struct AllotStatement: Sendable {
  /// The whole statement.
  public var span: Span
  /// The ports.
  public var ports: Spelled<PortRange>
  /// Whose they are.
  public var owner: Name
  /// Creates the statement.
  public init(span: Span, ports: Spelled<PortRange>, owner: Name) {
    self.span = span
    self.ports = ports
    self.owner = owner
  }
}

/// `namespace NAME pods KEY=VALUE, ...`.
public struct PodSelection: Sendable {
  /// The whole of it.
  public var span: Span
  /// The namespace.
  public var namespace: Name
  /// The labels that the pods have.
  public var labels: [PodLabel]
  /// Creates the selection.
  public init(span: Span, namespace: Name, labels: [PodLabel]) {
    self.span = span
    self.namespace = namespace
    self.labels = labels
  }
}

/// A label of pods, `KEY=VALUE`.
public struct PodLabel: Sendable, Hashable {
  /// The place of the label.
  public var span: Span
  /// The key, with a DNS prefix if it has one.
  public var key: String
  /// The value.
  public var value: String
  /// Creates the label.
  public init(span: Span, key: String, value: String) {
    self.span = span
    self.key = key
    self.value = value
  }
}

/// `workload SERVICE { namespace NAME; pods KEY=VALUE; publish ... }`.
public struct WorkloadDeclaration: Sendable {
  /// The whole declaration.
  public var span: Span
  /// The service that runs there.
  public var service: Name
  /// `namespace NAME`.
  public var namespace: Name?
  /// `pods KEY=VALUE, ...`.
  public var labels: [PodLabel] = []
  /// `publish ...`.
  public var publications: [PublishStatement] = []
  /// Creates an empty declaration.
  public init(span: Span, service: Name) {
    self.span = span
    self.service = service
  }
}

/// `publish [PORT] cluster`, `nodeport N`, `loadbalancer [nodeport N]` or `ingress "HOST" "PATH"`.
public struct PublishStatement: Sendable {
  /// How the ports of a workload are reached.
  public enum Kind: Sendable {
    /// Inside the cluster only.
    case cluster
    /// On a port of every node.
    case nodePort(Spelled<UInt16>)
    /// Through a load balancer of the cloud, which reaches the nodes on a port of theirs, this one if it is said.
    case loadBalancer(nodePort: Spelled<UInt16>?)
    /// Through the ingress controller, for a host name and a path.
    case ingress(host: Spelled<String>, path: Spelled<String>?)

    /// The port of every node that leads to the published port, if one is said.
    public var nodePort: Spelled<UInt16>? {
      switch self {
      case .nodePort(let port): port
      case .loadBalancer(let port): port
      case .cluster, .ingress: nil
      }
    }
  }
  /// The whole statement.
  public var span: Span
  /// The names of the published ports; none means all.
  public var ports: [Name]
  /// How.
  public var kind: Kind
  /// Creates the statement.
  public init(span: Span, ports: [Name], kind: Kind) {
    self.span = span
    self.ports = ports
    self.kind = kind
  }
}

/// `block AUDIENCE, ... [to TARGET, ...] clauses`.
public struct BlockDeclaration: Sendable {
  /// The whole declaration.
  public var span: Span
  /// Who is refused.
  public var sources: [Spelled<Term>] = []
  /// Where; nothing means everywhere.
  public var targets: [Spelled<Term>] = []
  /// `on`, `until`, `because`, `ticket`, `logged`.
  public var clauses = Clauses()
  /// Creates an empty declaration.
  public init(span: Span) { self.span = span }
}

/// `never A to B [on PORTS] [except C]` or `always A to B [on PORTS]`.
public struct InvariantDeclaration: Sendable {
  /// The whole declaration.
  public var span: Span
  /// `true` for `always`.
  public var isAlways: Bool
  /// Who connects.
  public var sources: [Spelled<Term>] = []
  /// To what; none if the ports alone say it, as in `never internet to 22/tcp`.
  public var targets: [Spelled<Term>] = []
  /// Who is left out.
  public var exceptions: [Spelled<Term>] = []
  /// `on`, `because`, `ticket`; the ports of `never internet to 22/tcp` are in `on`, too.
  public var clauses = Clauses()
  /// Creates an empty declaration.
  public init(span: Span, isAlways: Bool) {
    self.span = span
    self.isAlways = isAlways
  }
}

/// `waive CHECK on NAME until DATE because "..." [ticket "..."]`.
public struct WaiverDeclaration: Sendable {
  /// The whole declaration.
  public var span: Span
  /// The name of the check.
  public var check: Name
  /// What the finding is about.
  public var subject: Name
  /// `until`, `because`, `ticket`.
  public var clauses = Clauses()
  /// Creates a waiver.
  public init(span: Span, check: Name, subject: Name) {
    self.span = span
    self.check = check
    self.subject = subject
  }
}
