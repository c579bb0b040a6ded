public import Packets

/// A port whose service is meant for a few, and is looked for by those who attack.
public struct SensitivePort: Hashable, Sendable {
  /// The ports.
  public let ports: PortRange
  /// The protocol.
  public let transport: TransportProtocol
  /// What usually listens there.
  public let name: String
  /// What kind of service that is.
  public let kind: Kind
  /// Who says that it must not be open to everyone.
  public let sources: [Source]

  /// What a sensitive service is, in the words that a policy uses for `class`.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// A shell, a desktop or the like.
    case admin
    /// A database.
    case database
    /// A cache that is a database without a password.
    case cache
    /// A full-text index and its front end.
    case search
    /// A message queue.
    case queue
    /// Files of others.
    case files
    /// Users, groups and hosts.
    case directory
    /// Mail.
    case mail
    /// What governs other machines or containers.
    case controlPlane = "control-plane"
    /// What tells how machines fare.
    case monitoring
    /// Big data.
    case analytics
    /// A program that its makers never meant for the internet.
    case development
  }

  /// Who lists a port as sensitive.
  public enum Source: String, Hashable, Sendable, CaseIterable {
    /// CIS Benchmarks: AWS Foundations, Debian Linux, Docker, Kubernetes.
    case cis = "CIS"
    /// Checkov: CKV_AWS_24, CKV_AWS_25.
    case checkov = "Checkov"
    /// Trivy: AWS-0105, AWS-0107.
    case trivy = "Trivy"
    /// Prowler: the checks `ec2_instance_port_*_exposed_to_internet`.
    case prowler = "Prowler"
    /// KICS: "Sensitive Port Is Exposed To Entire Network".
    case kics = "KICS"
    /// AWS Security Hub: EC2.19, ports of high risk.
    case securityHub = "AWS Security Hub"
    /// The documentation of the program, or the specification of the protocol.
    case vendor = "its documentation"
  }

  /// Creates a row of the table.
  init(
    _ ports: ClosedRange<UInt16>, _ transport: TransportProtocol, _ name: String, _ kind: Kind, _ sources: Source...
  ) {
    self.ports = PortRange(from: ports.lowerBound, through: ports.upperBound)
    self.transport = transport
    self.name = name
    self.kind = kind
    self.sources = sources
  }
}

extension SensitivePort {
  /// Returns the row of `port`, if it is sensitive.
  public static func at(_ port: UInt16, _ transport: TransportProtocol) -> SensitivePort? {
    first(in: PortRange(port), transport)
  }

  /// Returns the row with the lowest port of `ports`, if one of them is sensitive.
  public static func first(in ports: PortRange, _ transport: TransportProtocol) -> SensitivePort? {
    let rows = rows(of: transport)
    let position = firstPosition(in: rows, reaching: ports.lower)
    guard position < rows.count, rows[position].ports.lower <= ports.upper else { return nil }
    return rows[position]
  }

  /// Returns the rows with a port of `ports`, by number.
  public static func all(in ports: PortRange, _ transport: TransportProtocol) -> ArraySlice<SensitivePort> {
    let rows = rows(of: transport)
    let start = firstPosition(in: rows, reaching: ports.lower)
    return rows[start...].prefix { $0.ports.lower <= ports.upper }
  }

  /// Returns the rows of `transport`, by number.
  private static func rows(of transport: TransportProtocol) -> [SensitivePort] {
    switch transport {
    case .tcp: tcp
    case .udp: udp
    default: []
    }
  }

  /// Returns the position of the first of `rows` that does not end below `port`.
  private static func firstPosition(in rows: [SensitivePort], reaching port: UInt16) -> Int {
    var low = 0
    var high = rows.count
    while low < high {
      let middle = (low + high) / 2
      if rows[middle].ports.upper < port { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Every row, those of TCP before those of UDP, each by number.
  public static var all: [SensitivePort] { tcp + udp }
}
