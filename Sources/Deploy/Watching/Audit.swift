public import Firewalls
public import Netlink
public import Packets
public import Policies
public import Syntax

/// What listens on a host beside what its policy declares.
public struct Audit: Sendable {
  /// What is found.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// Something listens that no service declares.
    case undeclared = "undeclared-listener"

    /// A service is declared, and nothing listens for it.
    case silent = "silent-service"

    /// Something listens on more addresses than its service declares.
    case wider = "wide-listener"

    /// A port is among those that clients take, and is not reserved: a client may have it when its service starts.
    case ephemeral = "unreserved-port"

    /// The kernel gives clients other ports than the policy says.
    case range = "client-ports"
  }

  /// How much it matters.
  public enum Weight: String, Hashable, Sendable, CaseIterable {
    /// Somebody can reach what nobody declared.
    case error

    /// Host and policy disagree.
    case warning

    /// Something to know.
    case note
  }

  /// Sockets of one process at one port.
  public struct Sockets: Hashable, Sendable {
    /// The protocol.
    public var transport: TransportProtocol

    /// The port.
    public var port: UInt16

    /// The addresses, as ss(8) writes them: `*`, `0.0.0.0`, `[::]`, or one, with `%` and the interface if it is bound to it.
    public var addresses: [String]

    /// The name of the process, if it is known.
    public var processName: String?

    /// Its number; of several, the lowest.
    public var process: UInt32?

    /// The name of the user, or the number.
    public var user: String
  }

  /// Something that is found.
  public struct Finding: Hashable, Sendable {
    /// What it is.
    public var kind: Kind

    /// How much it matters.
    public var weight: Weight

    /// The port, or several.
    public var traffic: Traffic?

    /// What listens, if something does.
    public var sockets: Sockets?

    /// The service, if one is concerned.
    public var service: String?

    /// The line of the policy that declares it.
    public var location: Location?

    /// What is found, in a sentence.
    public var message: String

    /// The exposures by which somebody can reach what should not be there.
    public var reachedBy: [String] = []
  }

  /// The host.
  public var host: String

  /// What is found, the weightiest first.
  public var findings: [Finding]

  /// How many sockets were looked at.
  public var listeners: Int

  /// `true` iff the processes of some sockets are not known, which root alone sees.
  public var lacksProcesses: Bool

  /// Declared ports whose sockets the kernel does not list: those of protocols besides TCP and UDP.
  public var unexamined: [Traffic]

  /// `true` iff host and policy disagree.
  public var fails: Bool { findings.contains { $0.weight != .note } }

  /// Compares `listeners` with what `policy` declares for the host of `firewall`.
  public init(
    _ firewall: Firewall, of policy: Policy, sources: Sources, listeners: [Listener], facts: HostFacts,
    on today: CalendarDate
  ) {
    host = firewall.name
    self.listeners = listeners.count
    lacksProcesses = listeners.contains { $0.process == nil }
    unexamined = firewall.listening.filter { ![.tcp, .udp].contains($0.transport) && $0.ports != nil }
    let examination = AuditExamination(
      firewall, policy, sources, facts, SocketGroup.grouped(listeners, facts), on: today)
    let rank = Weight.allCases
    findings = examination.findings().sorted { a, b in
      let (x, y) = (rank.firstIndex(of: a.weight) ?? 0, rank.firstIndex(of: b.weight) ?? 0)
      if x != y { return x < y }
      if a.kind != b.kind { return a.kind.rawValue < b.kind.rawValue }
      guard let p = a.traffic, let q = b.traffic, p != q else { return a.message < b.message }
      return p < q
    }
  }
}
