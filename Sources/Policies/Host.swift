public import Packets
public import Syntax

/// A machine with a firewall.
public struct Host: Sendable {
  /// The name.
  public var name: Name
  /// The whole declaration.
  public var span: Span
  /// Its addresses.
  public var addresses: [Spelled<Address>] = []
  /// Its interfaces, in the order of their names.
  public var interfaces: [Interface] = []
  /// What runs on it: by its own word and by that of the groups that it is in.
  public var runs: [Run] = []
  /// The ports that its clients take, if they differ from the policy's.
  public var ephemeral: Spelled<PortRange>?
  /// `true` iff what its services do not use is closed to them.
  public var egressClosed = false

  /// A service on a host.
  public struct Run: Sendable, Hashable {
    /// The service.
    public var service: ID<Service>
    /// The addresses that it is bound to; none means every address.
    public var addresses: [Spelled<Address>]
    /// The statement that says so.
    public var span: Span
    /// Creates a run.
    public init(service: ID<Service>, addresses: [Spelled<Address>], span: Span) {
      self.service = service
      self.addresses = addresses
      self.span = span
    }
  }

  /// An interface and whose packets arrive there.
  public struct Interface: Sendable {
    /// The name that the kernel gives it.
    public var name: Name
    /// `true` iff it is bound to `internet`.
    public var isInternet: Bool
    /// The other zones that it is bound to.
    public var zones: [Spelled<ID<Zone>>]
    /// Creates an interface.
    public init(name: Name, isInternet: Bool, zones: [Spelled<ID<Zone>>]) {
      self.name = name
      self.isInternet = isInternet
      self.zones = zones
    }
  }

  /// Creates a host.
  public init(name: Name, span: Span) {
    self.name = name
    self.span = span
  }
}

/// Several hosts under one name.
public struct Group: Sendable {
  /// The name.
  public var name: Name
  /// The whole declaration.
  public var span: Span
  /// The hosts in it, those of groups in it among them, in order.
  public var hosts: [ID<Host>] = []
  /// The groups that are written as parts of it.
  public var memberGroups: [ID<Group>] = []
  /// What it is said to run.
  public var runs: [Host.Run] = []

  /// Creates a group.
  public init(name: Name, span: Span) {
    self.name = name
    self.span = span
  }
}

/// What a router lets through.
public struct Transit: Sendable {
  /// Who may connect.
  public var audience: Audience
  /// To whom.
  public var destinations: [Spelled<Party>]
  /// The ports; none means all traffic.
  public var traffic: [Spelled<Traffic>]
  /// The router.
  public var via: Spelled<ID<Host>>
  /// `true` iff the source address becomes the router's.
  public var masquerade: Bool
  /// How many connections are let through.
  public var limit: Spelled<Limit>?
  /// Where and why.
  public var provenance: Provenance

  /// Creates a transit.
  public init(
    audience: Audience, destinations: [Spelled<Party>], traffic: [Spelled<Traffic>], via: Spelled<ID<Host>>,
    masquerade: Bool, limit: Spelled<Limit>?, provenance: Provenance
  ) {
    self.audience = audience
    self.destinations = destinations
    self.traffic = traffic
    self.via = via
    self.masquerade = masquerade
    self.limit = limit
    self.provenance = provenance
  }
}

/// Who is refused, whatever is exposed.
public struct Block: Sendable {
  /// Who is refused.
  public var sources: [Spelled<Party>]
  /// Where; none means everywhere.
  public var targets: [Spelled<Party>]
  /// The ports; none means all traffic.
  public var traffic: [Spelled<Traffic>]
  /// Where and why.
  public var provenance: Provenance

  /// Creates a block.
  public init(
    sources: [Spelled<Party>], targets: [Spelled<Party>], traffic: [Spelled<Traffic>], provenance: Provenance
  ) {
    self.sources = sources
    self.targets = targets
    self.traffic = traffic
    self.provenance = provenance
  }
}

/// What must never or always be open.
public struct Invariant: Sendable {
  /// `true` for `always`.
  public var isAlways: Bool
  /// Who connects.
  public var audience: Audience
  /// To what; none means every service.
  public var targets: [Spelled<Party>]
  /// The ports; none means all.
  public var traffic: [Spelled<Traffic>]
  /// Where and why.
  public var provenance: Provenance

  /// Creates an invariant.
  public init(
    isAlways: Bool, audience: Audience, targets: [Spelled<Party>], traffic: [Spelled<Traffic>],
    provenance: Provenance
  ) {
    self.isAlways = isAlways
    self.audience = audience
    self.targets = targets
    self.traffic = traffic
    self.provenance = provenance
  }
}

/// A finding that is accepted for a time.
public struct Waiver: Sendable {
  /// The name of the check.
  public var check: Name
  /// The name of what the finding is about.
  public var subject: Name
  /// Where, until when and why.
  public var provenance: Provenance

  /// Creates a waiver.
  public init(check: Name, subject: Name, provenance: Provenance) {
    self.check = check
    self.subject = subject
    self.provenance = provenance
  }
}
