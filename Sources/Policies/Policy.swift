public import Packets
public import Syntax

/// A policy whose names are resolved.
///
/// - Invariant: every `ID` in it names an entity of it; entities of a kind are in the order of their names, so that
///   no order of files and declarations shows.
public struct Policy: Sendable {
  /// The settings.
  public var settings = Settings()

  /// The owners.
  public var owners: [Owner] = []

  /// The zones, without `internet` and `localhost`.
  public var zones: [Zone] = []

  /// The services.
  public var services: [Service] = []

  /// The hosts.
  public var hosts: [Host] = []

  /// The groups of hosts.
  public var groups: [Group] = []

  /// What routers let through.
  public var transits: [Transit] = []

  /// The clusters.
  public var clusters: [Cluster] = []

  /// Who is refused, whatever is exposed.
  public var blocks: [Block] = []

  /// What must never or always be open.
  public var invariants: [Invariant] = []

  /// Findings that are accepted for a time.
  public var waivers: [Waiver] = []

  /// Creates an empty policy.
  public init() {}

  /// Returns the owner `id`.
  @inlinable public subscript(id: ID<Owner>) -> Owner { _read { yield owners[id.rawValue] } }

  /// Returns the zone `id`.
  @inlinable public subscript(id: ID<Zone>) -> Zone { _read { yield zones[id.rawValue] } }

  /// Returns the service `id`.
  @inlinable public subscript(id: ID<Service>) -> Service { _read { yield services[id.rawValue] } }

  /// Returns the host `id`.
  @inlinable public subscript(id: ID<Host>) -> Host { _read { yield hosts[id.rawValue] } }

  /// Returns the group `id`.
  @inlinable public subscript(id: ID<Group>) -> Group { _read { yield groups[id.rawValue] } }

  /// Returns the cluster `id`.
  @inlinable public subscript(id: ID<Cluster>) -> Cluster { _read { yield clusters[id.rawValue] } }
}

/// What a policy says of itself as a whole.
public struct Settings: Sendable {
  /// The title.
  public var title = ""

  /// Where the settings stand, if they are given.
  public var span: Span?

  /// `true` iff what is not accepted is answered by a refusal, else it is dropped.
  public var rejects = false

  /// How much of what is refused is logged, if any.
  public var logDenied: Spelled<Limit>?

  /// The ports that clients on hosts take (`net.ipv4.ip_local_port_range`).
  public var ephemeral = PortRange(from: 32768, through: 60999)

  /// The ports that Kubernetes takes NodePorts from (`--service-node-port-range`).
  public var nodePorts = PortRange(from: 30000, through: 32767)

  /// `true` iff echo requests are answered, within a rate limit.
  public var pingOpen = true

  /// The severities given to checks by name; nothing for a check that is off.
  public var checks: [(check: Name, severity: Severity?)] = []

  /// Creates the default settings.
  public init() {}
}

/// A team that answers for services.
public struct Owner: Sendable {
  /// The name.
  public var name: Name
  /// How to reach it.
  public var contact: String?
  /// Who must agree to a change of its services' exposures.
  public var approvers: [String] = []
  /// The whole declaration.
  public var span: Span

  /// Creates an owner.
  public init(name: Name, span: Span) {
    self.name = name
    self.span = span
  }
}

/// A part of the network.
public struct Zone: Sendable {
  /// The name.
  public var name: Name
  /// Its addresses; every address if none are written.
  public var addresses: AddressSet
  /// The addresses that are written for it alone, without those of `members`.
  public var ownAddresses = AddressSet()
  /// `true` iff addresses are written.
  public var hasAddresses: Bool
  /// The zones that are written as parts of it.
  public var members: [ID<Zone>] = []
  /// The zones whose addresses are left out of it.
  public var exceptions: [ID<Zone>] = []
  /// The whole declaration.
  public var span: Span

  /// Creates a zone.
  public init(name: Name, addresses: AddressSet, hasAddresses: Bool, span: Span) {
    self.name = name
    self.addresses = addresses
    self.hasAddresses = hasAddresses
    self.span = span
  }
}

/// Someone who connects, or something that is connected to.
public enum Party: Hashable, Sendable {
  /// Every address on every interface.
  case internet
  /// The host itself.
  case localhost
  /// Whoever is in a zone.
  case zone(ID<Zone>)
  /// Every place where a service runs.
  case service(ID<Service>)
  /// A host.
  case host(ID<Host>)
  /// The hosts of a group.
  case group(ID<Group>)
  /// Every place where a service of an owner runs.
  case owner(ID<Owner>)
  /// The pods of a cluster.
  case cluster(ID<Cluster>)
  /// Every place where a service of a class runs.
  case serviceClass(String)
  /// Addresses.
  case addresses(AddressRange)
}

/// Who may connect: all of the parties, without the exceptions.
public struct Audience: Sendable, Hashable {
  /// Those who may.
  public var parties: [Spelled<Party>]
  /// Those of them who may not.
  public var exceptions: [Spelled<Party>]

  /// Creates an audience.
  public init(_ parties: [Spelled<Party>], except exceptions: [Spelled<Party>] = []) {
    self.parties = parties
    self.exceptions = exceptions
  }
}

/// Where a statement stands, how long it holds and why.
public struct Provenance: Sendable, Hashable {
  /// The whole statement.
  public var span: Span
  /// The last day on which it holds, in UTC.
  public var until: Spelled<CalendarDate>?
  /// Why it is there.
  public var because: String?
  /// The ticket that asked for it.
  public var ticket: String?
  /// `true` iff what it decides is logged.
  public var logged = false

  /// Creates a provenance.
  public init(span: Span) { self.span = span }

  /// Returns `true` iff the statement no longer holds on the day `today`.
  public func hasLapsed(on today: CalendarDate) -> Bool { until.map { $0.value < today } ?? false }
}
