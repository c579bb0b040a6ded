public import Firewalls
public import Netlink
public import Packets
public import Policies
public import Syntax

/// What a policy makes of the connections that stand, as if each began now.
///
/// It looks at one connection after another and keeps a bounded number of those that are refused, so that a table of
/// millions takes no memory. Rules never judge an established connection again: what is refused here lives on unless it
/// is cut.
public struct ConnectionReview {
  /// Which way a connection goes.
  public enum Way: String, Hashable, Sendable, CaseIterable {
    /// To the host.
    case arriving

    /// From the host.
    case departing

    /// Through the host.
    case passing
  }

  /// What becomes of a connection.
  public enum Outcome: Hashable, Sendable {
    /// No policy is asked: it is loopback, a helper's expectation, or not established, so that rules judge it anyhow.
    case spared

    /// It may begin.
    case accepted

    /// Some interface that it may have come in on would let it in, and another one would not.
    case undecided

    /// It may not begin.
    case refused(RefusedConnection)
  }

  /// Who judges.
  private let judge: PacketJudge

  /// The policy of the host.
  private let policy: Policy

  /// How many refused connections are listed.
  private let limit: Int

  /// The services that answer on single ports: a policy has thousands.
  private let services: [Traffic: String]

  /// The openings of several ports, by their positions.
  private let ranges: [Int]

  /// The services that listen on single ports, and those that do on several.
  private let listeners: [Traffic: String]
  private let listeningRanges: [(traffic: Traffic, service: String)]

  /// How many connections were seen.
  public private(set) var seen = 0

  /// How many no policy was asked of.
  public private(set) var spared = 0

  /// How many may begin.
  public private(set) var accepted = 0

  /// How many depend on the interface that they came in on, which connection tracking does not know.
  public private(set) var undecided = 0

  /// How many may not begin.
  public private(set) var refused = 0

  /// How many are refused, by what they have in common; those beyond `mostGroups` are counted in `refused` alone.
  private var groups: [RefusedConnection.Kind: Int] = [:]

  /// The first refused ones.
  private var first: [RefusedConnection] = []

  /// The most kinds of refused connections that are told apart.
  private static let mostGroups = 1000

  /// Creates a review.
  ///
  /// - Parameters:
  ///   - firewall: what the policy makes of the host.
  ///   - policy: the policy.
  ///   - own: the addresses that the host really has; those that the policy declares are its own anyhow.
  ///   - today: the day, in UTC.
  ///   - limit: how many refused connections are listed.
  /// - Throws: `BudgetExceeded` if the sets of packets are too complex.
  public init(
    _ firewall: Firewall, of policy: Policy, own: AddressSet = AddressSet(), on today: CalendarDate,
    listing limit: Int = 20
  ) throws(BudgetExceeded) {
    judge = try PacketJudge(firewall, own: own, on: today)
    self.policy = policy
    self.limit = limit
    let openings = firewall.openings
    ranges = openings.indices.filter { openings[$0].traffic.ports?.isSingle != true }
    services = Dictionary(
      openings.lazy.filter { $0.traffic.ports?.isSingle == true }.map { ($0.traffic, $0.cause.subject) }
    ) { first, _ in first }
    let listening = policy[firewall.host].runs.flatMap { run in
      policy[run.service].ports.flatMap(\.traffic).map { (traffic: $0, service: policy[run.service].name.value) }
    }
    listeners = Dictionary(
      listening.lazy.filter { $0.traffic.ports?.isSingle == true }.map { ($0.traffic, $0.service) }
    ) { first, _ in first }
    listeningRanges = listening.filter { $0.traffic.ports.map { !$0.isSingle } ?? false }
  }

  /// The kinds of refused connections with their numbers, the most frequent first.
  public var kinds: [(kind: RefusedConnection.Kind, count: Int)] {
    groups.sorted { a, b in a.value == b.value ? a.key < b.key : a.value > b.value }
      .map { (kind: $0.key, count: $0.value) }
  }

  /// The first refused connections, in the order of service, port and peer.
  public var listed: [RefusedConnection] { first.sorted() }

  /// Judges `connection` and counts it.
  @discardableResult
  public mutating func review(_ connection: TrackedConnection) throws(BudgetExceeded) -> Outcome {
    let outcome = try outcome(of: connection)
    seen += 1
    switch outcome {
    case .spared: spared += 1
    case .accepted: accepted += 1
    case .undecided: undecided += 1
    case .refused(let one):
      refused += 1
      if first.count < limit { first.append(one) }
      if groups[one.kind] != nil || groups.count < ConnectionReview.mostGroups { groups[one.kind, default: 0] += 1 }
    }
    return outcome
  }

  /// Returns what becomes of `connection`.
  public mutating func outcome(of connection: TrackedConnection) throws(BudgetExceeded) -> Outcome {
    let tuple = connection.original
    // IPS_EXPECTED: a helper waits for it, so that it is `related`. Without an answer it is `new` with every packet.
    guard connection.status & 1 == 0, connection.isAnswered, tuple.source.family == tuple.destination.family else {
      return .spared
    }
    let isFrom = judge.isOwn(tuple.source)
    if AddressSet.loopback.contains(tuple.source) || isFrom && judge.isOwn(tuple.destination) { return .spared }
    let host = judge.firewall.host
    let packet = tuple.packet
    let isTo = judge.firewall.isLocal(tuple.destination)
    // On a router the destination may be translated, and leaves towards where it really goes.
    let leaving: [String?] = isTo ? [nil] : policy.arrivals(of: connection.reply.source, on: host)
    if isFrom {
      if leaving.allSatisfy({ judge.accepts(sent: packet, on: $0) }) { return .accepted }
      return .refused(RefusedConnection(connection, .departing, service: nil, cause: nil))
    }
    var count = 0
    var refusals: [(packet: Packet, departing: String?)] = []
    for interface in policy.arrivals(of: tuple.source, on: host) {
      var arriving = packet
      arriving.interface = interface
      for departing in leaving {
        count += 1
        if !judge.accepts(arriving: arriving, departing: departing) { refusals.append((arriving, departing)) }
      }
    }
    guard let refusal = refusals.first else { return .accepted }
    guard refusals.count == count else { return .undecided }
    // Only what is listed says why: to find it takes longer than to find that it is refused.
    let cause = first.count < limit ? try judge.block(of: refusal.packet, departing: refusal.departing) : nil
    return .refused(
      RefusedConnection(
        connection, isTo ? .arriving : .passing, service: isTo ? service(for: packet.traffic, of: connection) : nil,
        cause: cause))
  }

  /// Returns the service of the host that `connection`, which asked for `traffic`, is for.
  private func service(for traffic: Traffic, of connection: TrackedConnection) -> String? {
    if let known = services[traffic] { return known }
    let openings = judge.firewall.openings
    return ranges.first { openings[$0].traffic.contains(traffic) }.map { openings[$0].cause.subject }
      ?? listener(of: connection)
  }

  /// Returns the service of the host that listens where `connection` ends.
  private func listener(of connection: TrackedConnection) -> String? {
    guard connection.reply.transport.hasPorts else { return nil }
    let traffic = Traffic.ports(connection.reply.transport, PortRange(connection.reply.sourcePort))
    return listeners[traffic] ?? listeningRanges.first { $0.traffic.contains(traffic) }?.service
  }
}

/// A connection that stands, and that a policy would not let begin.
public struct RefusedConnection: Hashable, Sendable {
  /// What refused connections have in common.
  public struct Kind: Hashable, Sendable, Comparable {
    /// Which way it goes.
    public var way: ConnectionReview.Way

    /// The service of the host that it is for, if the policy has one there.
    public var service: String?

    /// The port that was asked for, before any translation.
    public var traffic: Traffic

    /// Returns `true` iff `a` stands before `b` in output: by service, then by port, then by way.
    public static func < (a: Self, b: Self) -> Bool {
      if a.service != b.service { return (a.service ?? "~") < (b.service ?? "~") }
      return a.traffic == b.traffic ? a.way.rawValue < b.way.rawValue : a.traffic < b.traffic
    }
  }

  /// The connection.
  public var connection: TrackedConnection

  /// What it has in common with others.
  public var kind: Kind

  /// The block that refuses it, if one does and it is listed; else nothing lets it in.
  public var cause: Cause?

  init(_ connection: TrackedConnection, _ way: ConnectionReview.Way, service: String?, cause: Cause?) {
    self.connection = connection
    kind = Kind(way: way, service: service, traffic: connection.original.packet.traffic)
    self.cause = cause
  }
}

extension RefusedConnection: Comparable {
  /// Returns `true` iff `a` stands before `b` in output: by kind, then by peer.
  public static func < (a: Self, b: Self) -> Bool {
    if a.kind != b.kind { return a.kind < b.kind }
    let (x, y) = (a.connection.original, b.connection.original)
    if x.source != y.source { return x.source < y.source }
    if x.destination != y.destination { return x.destination < y.destination }
    return (x.sourcePort, a.connection.id) < (y.sourcePort, b.connection.id)
  }
}

extension RefusedConnection: CustomStringConvertible {
  /// The connection in words, such as `ssh: 198.51.100.7:50022 to 192.0.2.1, 22/tcp, arriving`.
  public var description: String {
    let original = connection.original
    let ports = original.transport.hasPorts
    let peer = ports ? original.source.text(port: original.sourcePort) : "\(original.source)"
    return (kind.service.map { "\($0): " } ?? "") + "\(peer) to \(original.destination), \(kind.traffic), "
      + kind.way.rawValue
  }
}

extension ConnectionTuple {
  /// The first packet of the connection, on an interface that is not known.
  public var packet: Packet {
    guard transport.isICMP else {
      return Packet(
        source: source, destination: destination, transport: transport, sourcePort: sourcePort,
        destinationPort: destinationPort)
    }
    return Packet(
      source: source, destination: destination, transport: transport, sourcePort: destinationPort & 255,
      destinationPort: destinationPort >> 8)
  }
}

extension Address {
  /// Returns the address with `port` behind it, as RFC 3986 writes both.
  func text(port: UInt16) -> String { family == .ipv4 ? "\(self):\(port)" : "[\(self)]:\(port)" }
}
