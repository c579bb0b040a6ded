public import Packets
public import Policies
public import Syntax

/// What a host accepts, independent of the program that enforces it.
///
/// It judges the *original* first packet of a connection, before any address translation, in this order:
/// established and related connections are accepted; `invalid` is refused; loopback is accepted; the ICMP and ICMPv6
/// messages that IP needs and DHCPv6 replies are accepted (`Essentials`); echo requests are accepted within a rate
/// limit iff `pingOpen`; then `blocks` refuse, and `openings` (what is addressed to the host) or `passages` (what is
/// routed on) accept. Everything else is refused.
///
/// - Invariant: every list is sorted, so that equal policies have equal firewalls, whatever their text.
public struct Firewall: Hashable, Sendable {
  /// The host.
  public var host: ID<Host>

  /// The name of the host.
  public var name: String

  /// The declared addresses of the host.
  public var addresses: AddressSet

  /// `true` iff what is not accepted is answered by a refusal, else it is dropped.
  public var rejects: Bool

  /// How much of what is refused is logged, if any.
  public var logDenied: Limit?

  /// Where the policy says so.
  public var logPlace: Span?

  /// `true` iff echo requests are accepted, within a rate limit.
  public var pingOpen: Bool

  /// Who is refused.
  public var blocks: [Refusal] = []

  /// What is accepted of what is addressed to the host, by traffic and then by cause.
  public var openings: [Opening] = []

  /// What is accepted of what the host routes on.
  public var passages: [Passage] = []

  /// What the host's own processes may connect to, or nothing if everything; established and related connections,
  /// loopback and `Essentials` are always accepted.
  public var departures: [Departure]?

  /// What the host's processes listen on, sorted; `sysctl.conf` reserves what lies among `ephemeral`.
  public var listening: [Traffic] = []

  /// The ports that the host's clients take.
  public var ephemeral: PortRange

  /// Creates the firewall of a host that accepts nothing but the essentials.
  public init(
    host: ID<Host>, name: String, addresses: AddressSet, rejects: Bool, logDenied: Limit?, pingOpen: Bool,
    ephemeral: PortRange
  ) {
    self.host = host
    self.name = name
    self.addresses = addresses
    self.rejects = rejects
    self.logDenied = logDenied
    self.pingOpen = pingOpen
    self.ephemeral = ephemeral
  }
}

/// The line of the policy that a decision comes from.
public struct Cause: Hashable, Sendable {
  /// What it is about: the name of a service, or words such as `block` and `transit`.
  public var subject: String

  /// The service, if it is about one; counters are kept for each.
  public var service: ID<Service>?

  /// The statement.
  public var span: Span

  /// Creates a cause.
  public init(_ subject: String, service: ID<Service>? = nil, at span: Span) {
    self.subject = subject
    self.service = service
    self.span = span
  }
}

/// Traffic to the host that is accepted.
public struct Opening: Hashable, Sendable {
  /// What becomes of the destination of an accepted packet.
  public enum Translation: Hashable, Sendable {
    /// The port alone changes, by the distance from the lowest public port to this one; the address stays.
    case redirect(to: UInt16)

    /// The packet goes to one of these addresses of its family, with the port changed likewise.
    case forward(to: [Address], port: UInt16)
  }

  /// Where the packets come from, normalized.
  public var sources: [Reach]

  /// The addresses of the host that they are sent to; nothing means every address that is the host's, broadcast and
  /// multicast among them.
  public var destinations: AddressSet?

  /// The public ports or messages.
  public var traffic: Traffic

  /// What becomes of the destination, if anything.
  public var translation: Translation?

  /// How many connections are accepted; what is over the limit is accepted only if another opening does.
  public var limit: Limit?

  /// The last day on which it holds, in UTC.
  public var until: CalendarDate?

  /// `true` iff what it accepts is logged.
  public var logged: Bool

  /// The exposure.
  public var cause: Cause

  /// Creates an opening.
  public init(
    sources: [Reach], destinations: AddressSet?, traffic: Traffic, translation: Translation? = nil,
    limit: Limit? = nil, until: CalendarDate? = nil, logged: Bool = false, cause: Cause
  ) {
    self.sources = sources
    self.destinations = destinations
    self.traffic = traffic
    self.translation = translation
    self.limit = limit
    self.until = until
    self.logged = logged
    self.cause = cause
  }
}

/// Traffic that is refused, whatever is exposed.
public struct Refusal: Hashable, Sendable {
  /// Where the packets come from, normalized.
  public var sources: [Reach]

  /// Where they are sent; nothing means anywhere.
  public var destinations: AddressSet?

  /// `true` iff it refuses what is addressed to the host alone, and nothing that is routed on.
  public var sparesTransit: Bool

  /// The traffic; nothing means all.
  public var traffic: [Traffic]?

  /// The last day on which it holds, in UTC.
  public var until: CalendarDate?

  /// `true` iff what it refuses is logged.
  public var logged: Bool

  /// The block.
  public var cause: Cause

  /// Creates a refusal.
  public init(
    sources: [Reach], destinations: AddressSet?, sparesTransit: Bool = false, traffic: [Traffic]?,
    until: CalendarDate?, logged: Bool, cause: Cause
  ) {
    self.sources = sources
    self.destinations = destinations
    self.sparesTransit = sparesTransit
    self.traffic = traffic
    self.until = until
    self.logged = logged
    self.cause = cause
  }
}

/// Traffic that the host routes on.
public struct Passage: Hashable, Sendable {
  /// Where the packets come from, normalized.
  public var sources: [Reach]

  /// Where they go, normalized; the interfaces are those on which they leave.
  public var destinations: [Reach]

  /// The traffic; nothing means all.
  public var traffic: [Traffic]?

  /// `true` iff the source address becomes the router's.
  public var masquerade: Bool

  /// How many connections are accepted.
  public var limit: Limit?

  /// The last day on which it holds, in UTC.
  public var until: CalendarDate?

  /// `true` iff what it accepts is logged.
  public var logged: Bool

  /// The transit, or the cluster whose pods it is for.
  public var cause: Cause

  /// Creates a passage.
  public init(
    sources: [Reach], destinations: [Reach], traffic: [Traffic]?, masquerade: Bool = false, limit: Limit? = nil,
    until: CalendarDate? = nil, logged: Bool = false, cause: Cause
  ) {
    self.sources = sources
    self.destinations = destinations
    self.traffic = traffic
    self.masquerade = masquerade
    self.limit = limit
    self.until = until
    self.logged = logged
    self.cause = cause
  }
}

/// Traffic of the host's own processes that is accepted.
public struct Departure: Hashable, Sendable {
  /// Where it goes.
  public var destinations: AddressSet

  /// The traffic; nothing means all.
  public var traffic: [Traffic]?

  /// The last day on which it holds, in UTC.
  public var until: CalendarDate?

  /// The use.
  public var cause: Cause

  /// Creates a departure.
  public init(destinations: AddressSet, traffic: [Traffic]?, until: CalendarDate?, cause: Cause) {
    self.destinations = destinations
    self.traffic = traffic
    self.until = until
    self.cause = cause
  }
}
