public import Packets

/// The three ranges that IANA divides the ports into (RFC 6335, section 6).
public enum PortClass: Hashable, Sendable, CaseIterable {
  /// 0-1023: assigned by IETF review; a process needs a privilege to listen there.
  case system
  /// 1024-49151: assigned on request, also called registered ports.
  case user
  /// 49152-65535: never assigned; also called private or ephemeral ports.
  case dynamic

  /// Creates the class of `port`.
  public init(of port: UInt16) {
    self = port < 1024 ? .system : port < 49152 ? .user : .dynamic
  }

  /// The ports of the class.
  public var ports: PortRange {
    switch self {
    case .system: PortRange(from: 0, through: 1023)
    case .user: PortRange(from: 1024, through: 49151)
    case .dynamic: PortRange(from: 49152, through: 65535)
    }
  }
}
