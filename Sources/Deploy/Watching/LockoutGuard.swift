public import Firewalls
public import Netlink
public import Nftables
public import Packets
public import Policies
public import Syntax

/// The judge of whether a policy, or a ruleset that was kept, shuts out the one who puts it in force.
///
/// What stands lives on, so that nobody notices until the next connection is refused; it is therefore judged as if it
/// began now.
public struct LockoutGuard {
  /// Who judges.
  private let judge: PacketJudge

  /// What is put in force.
  private enum Basis {
    /// A policy with its files.
    case policy(Policy, Sources)

    /// A ruleset whose policy may be gone, on a host of which this is known.
    case ruleset(HostFacts)
  }

  /// What is put in force.
  private let basis: Basis

  /// The day, in UTC.
  private let today: CalendarDate

  /// The firewall that judges.
  private var firewall: Firewall { judge.firewall }

  /// The ports that an SSH server listens on.
  public let ports: Set<UInt16>

  /// What came of the question.
  public struct Finding: Hashable, Sendable {
    /// What came of it, as a whole.
    public enum Outcome: String, Hashable, Sendable {
      /// Nobody is there from afar.
      case noSession

      /// All sessions could begin anew.
      case letIn

      /// A session could not begin anew.
      case shutOut

      /// It is not known where the session comes from.
      case unknown
    }

    /// What came of it, as a whole.
    public var outcome: Outcome

    /// Why, a sentence each.
    public var sentences: [String]
  }

  /// Creates a guard.
  ///
  /// - Parameters:
  ///   - firewall: what the new policy makes of the host.
  ///   - policy: the new policy.
  ///   - sources: its files.
  ///   - own: the addresses that the host really has.
  ///   - listeners: the host's listening sockets, among which those of `sshd` are found.
  ///   - today: the day, in UTC.
  /// - Throws: `BudgetExceeded` if the sets of packets are too complex.
  public init(
    _ firewall: Firewall, of policy: Policy, sources: Sources, own: AddressSet = AddressSet(), listeners: [Listener],
    on today: CalendarDate
  ) throws(BudgetExceeded) {
    judge = try PacketJudge(firewall, own: own, on: today)
    basis = .policy(policy, sources)
    self.today = today
    ports = LockoutGuard.ports(of: listeners)
  }

  /// Creates a guard of a ruleset that was kept.
  ///
  /// - Parameters:
  ///   - ruleset: the ruleset.
  ///   - host: the name of the host.
  ///   - facts: what is known of the host: its addresses, and the interfaces on which it reaches others.
  ///   - listeners: the host's listening sockets, among which those of `sshd` are found.
  ///   - today: the day, in UTC.
  /// - Throws: if the ruleset is too complex.
  public init(
    _ ruleset: Table, of host: String, facts: HostFacts, listeners: [Listener], on today: CalendarDate
  ) throws {
    judge = try PacketJudge(ruleset, of: host, own: facts.addresses, on: today)
    basis = .ruleset(facts)
    self.today = today
    ports = LockoutGuard.ports(of: listeners)
  }

  /// Returns the ports that those of `listeners` have that are SSH servers, and the usual one.
  private static func ports(of listeners: [Listener]) -> Set<UInt16> {
    // OpenSSH before and since 9.8, and Dropbear. Where systemd listens for them, its name stands at the socket.
    let names: Set = ["sshd", "sshd-session", "dropbear"]
    return Set(
      listeners.filter { $0.transport == .tcp && names.contains($0.processName ?? "") }.map(\.port)
    ).union([22])
  }

  /// Returns `true` iff `connection` is one of those that `finding` must know of: the session, or any to an SSH server.
  public func concerns(_ connection: TrackedConnection, _ origin: RemoteSession.Origin) -> Bool {
    guard connection.original.transport == .tcp, connection.isAnswered else { return false }
    if case .session(let session) = origin { return session.isOf(connection) }
    return ports.contains(connection.reply.sourcePort) && !AddressSet.loopback.contains(connection.original.source)
      && !firewall.addresses.contains(connection.original.source)
  }

  /// Finds whether those who are there from afar could come in again.
  ///
  /// - Parameters:
  ///   - origin: what `SSH_CONNECTION` says.
  ///   - tracked: the connections that concern the guard; they know the port that was asked for before any translation.
  ///   - interface: the interface that the session came in on, if it is known; else every one that its zones allow must
  ///     let it in.
  /// - Returns: what came of it, and why.
  /// - Throws: `BudgetExceeded` if the sets of packets are too complex.
  public func finding(
    of origin: RemoteSession.Origin, tracked: [TrackedConnection] = [], on interface: String? = nil
  ) throws(BudgetExceeded) -> Finding {
    if case .session(let session) = origin { return try finding(of: session, tracked, on: interface) }
    let found = tracked.filter { concerns($0, .unsaid) }
    guard !found.isEmpty else {
      if case .unreadable(let text) = origin {
        return Finding(
          outcome: .unknown,
          sentences: [
            "SSH_CONNECTION is `\(text.prefix(100))`, which is no connection, so that it is not known who is there."
          ])
      }
      return Finding(outcome: .noSession, sentences: [])
    }
    // Any of them may be the one who is there.
    var refusals: [String] = []
    var sessions: Set<ConnectionTuple> = []
    for connection in found.sorted(by: { $0.original.source < $1.original.source }) {
      var tuple = connection.original
      tuple.sourcePort = 0
      guard sessions.insert(tuple).inserted else { continue }
      let packet = connection.original.packet
      if let refusal = try refusal(of: packet, on: interfaces(of: packet, interface)) { refusals.append(refusal) }
    }
    let why = "SSH_CONNECTION does not say which connection gives this command; it may be one that would be refused."
    return refusals.isEmpty
      ? Finding(outcome: .letIn, sentences: [])
      : Finding(outcome: .shutOut, sentences: Array(refusals.prefix(5)) + [why])
  }

  /// Returns whether `session` could come in again.
  private func finding(
    of session: RemoteSession, _ tracked: [TrackedConnection], on interface: String?
  ) throws(BudgetExceeded) -> Finding {
    if judge.isOwn(session.client) { return Finding(outcome: .letIn, sentences: []) }
    let own =
      firewall.addresses.contains(session.server) ? self : try LockoutGuard(self, knowing: AddressSet([session.server]))
    if let connection = tracked.first(where: session.isOf) {
      let packet = connection.original.packet
      return try own.finding(of: packet, on: own.interfaces(of: packet, session.interface ?? interface))
    }
    // The port that was asked for is not known: it is the one that listens, or one that leads to it.
    let direct = Packet(
      source: session.client, destination: session.server, transport: .tcp, sourcePort: session.clientPort,
      destinationPort: session.serverPort)
    let interfaces = own.interfaces(of: direct, session.interface ?? interface)
    let finding = try own.finding(of: direct, on: interfaces)
    guard finding.outcome == .shutOut else { return finding }
    for port in own.publicPorts(leadingTo: session.serverPort) {
      var packet = direct
      packet.destinationPort = port
      if try own.refusal(of: packet, on: interfaces) == nil {
        return Finding(
          outcome: .letIn,
          sentences: [
            "\(firewall.name) lets \(session.client) in on port \(port), which leads to \(session.serverPort)."
          ])
      }
    }
    return finding
  }

  /// Creates the same guard of a host that has the addresses `own` too.
  private init(_ other: LockoutGuard, knowing own: AddressSet) throws(BudgetExceeded) {
    judge =
      switch other.basis {
      case .policy: try PacketJudge(other.firewall, own: own, on: other.today)
      case .ruleset: other.judge.knowing(own)
      }
    basis = other.basis
    today = other.today
    ports = other.ports
  }

  /// Returns the public ports that lead to `port` on the host itself.
  private func publicPorts(leadingTo port: UInt16) -> [UInt16] {
    firewall.openings.compactMap { opening in
      guard case .redirect(let first) = opening.translation, case .ports(.tcp, let range) = opening.traffic,
        first <= port, Int(port) - Int(first) < range.count
      else { return nil }
      return range.lower + (port - first)
    }
  }

  /// Returns the interfaces that `packet` may come in on: `known`, if it is.
  private func interfaces(of packet: Packet, _ known: String?) -> [String?] {
    if let known { return [known] }
    return switch basis {
    case .policy(let policy, _): policy.arrivals(of: packet.source, on: firewall.host)
    // Whoever is answered on an interface came in on it, as a rule.
    case .ruleset(let facts): [facts.interface(towards: packet.source)]
    }
  }

  /// Returns whether `packet` is let in on every one of `interfaces`.
  private func finding(of packet: Packet, on interfaces: [String?]) throws(BudgetExceeded) -> Finding {
    guard let refusal = try refusal(of: packet, on: interfaces) else { return Finding(outcome: .letIn, sentences: []) }
    return Finding(outcome: .shutOut, sentences: [refusal])
  }

  /// Returns why `packet` is refused on one of `interfaces`, or nothing if it is let in on all.
  private func refusal(of packet: Packet, on interfaces: [String?]) throws(BudgetExceeded) -> String? {
    for interface in interfaces {
      var arriving = packet
      arriving.interface = interface
      if judge.accepts(arriving: arriving) { continue }
      var text = "\(firewall.name) would refuse \(packet.source) at \(packet.destination), \(packet.traffic)"
      if let interface { text += ", arriving on \(interface)" }
      guard case .policy(_, let sources) = basis else { return text + "." }
      func place(_ cause: Cause) -> String {
        let location = sources.location(of: cause.span)
        return "\(location.path):\(location.line)"
      }
      if let block = try judge.block(of: arriving) {
        return text + ": the block at \(place(block)) refuses it."
      }
      let misses = firewall.nearMisses(of: arriving, on: today).map { miss in
        let cause = firewall.openings[miss.opening].cause
        return "\(cause.subject) (\(place(cause))) is exposed here, but "
          + NearMiss.words(for: miss.lacks, of: arriving)
      }
      return text + ": "
        + (misses.isEmpty ? "nothing exposes it." : "nothing exposes it; nearest: \(misses.joined(separator: "; ")).")
    }
    return nil
  }
}

extension NearMiss {
  /// Returns what of `lacks` keeps `packet` out, behind "but".
  static func words(for lacks: [Lack], of packet: Packet) -> String {
    let words = lacks.map { lack in
      switch lack {
      case .source: "not to \(packet.source)"
      case .interface:
        "not to what arrives \(packet.interface.map { "on \($0)" } ?? "on an interface that is not known")"
      case .destination: "not at \(packet.destination)"
      case .publicPort(let traffic): "its public port is \(traffic)"
      case .port(let traffic): "on \(traffic)"
      case .lapsed(let date): "only until \(date)"
      }
    }
    return words.count < 2 ? words.joined() : words.dropLast().joined(separator: ", ") + " and " + (words.last ?? "")
  }
}
