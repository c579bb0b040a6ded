public import Netlink
public import Packets

/// The connection that somebody who gives commands came in on.
public struct RemoteSession: Hashable, Sendable {
  /// Where it comes from.
  public var client: Address

  /// Its source port.
  public var clientPort: UInt16

  /// The address of the host that it came in on, as the host's sockets have it.
  public var server: Address

  /// The port that the host listens on, behind any translation.
  public var serverPort: UInt16

  /// The interface that it came in on, if an address of the link says so.
  public var interface: String?

  /// Creates a session.
  public init(
    _ client: Address, _ clientPort: UInt16, to server: Address, _ serverPort: UInt16, on interface: String? = nil
  ) {
    self.client = client
    self.clientPort = clientPort
    self.server = server
    self.serverPort = serverPort
    self.interface = interface
  }

  /// Returns `true` iff `connection` is the one of the session.
  public func isOf(_ connection: TrackedConnection) -> Bool {
    let reply = connection.reply
    return reply.transport == .tcp && reply.source == server && reply.sourcePort == serverPort
      && connection.original.source == client && connection.original.sourcePort == clientPort
  }

  /// What the environment says of it.
  public enum Origin: Hashable, Sendable {
    /// Nothing: a console, or `sudo`, which takes the variable away.
    case unsaid

    /// The session.
    case session(RemoteSession)

    /// Something that is no connection.
    case unreadable(String)

    /// Reads `text`, the value of `SSH_CONNECTION` (ssh(1)), if there is one: the client's address and port and the
    /// server's.
    public init(_ text: String?) {
      let fields = (text ?? "").split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
      guard let text, !fields.isEmpty else {
        self = .unsaid
        return
      }
      guard fields.count == 4, let client = ScopedAddress(fields[0]), let server = ScopedAddress(fields[2]),
        client.address.family == server.address.family, let clientPort = RemoteSession.port(fields[1]),
        let serverPort = RemoteSession.port(fields[3])
      else {
        self = .unreadable(text)
        return
      }
      self = .session(
        RemoteSession(
          client.address, clientPort, to: server.address, serverPort, on: server.scope ?? client.scope))
    }
  }

  /// Returns the port that `text` is, which is none if it is 0.
  private static func port(_ text: String) -> UInt16? {
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let port = UInt16(text),
      port > 0
    else { return nil }
    return port
  }
}

/// An address with the link that it is on (RFC 4007 section 11).
private struct ScopedAddress {
  /// The address; one of IPv4 that is written as one of IPv6 is one of IPv4.
  var address: Address

  /// The name of the interface, if it is said by name.
  var scope: String?

  init?(_ text: String) {
    let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let first = parts.first, let address = Address(first) else { return nil }
    self.address = address.unmapped
    guard parts.count == 2 else { return }
    guard address.family == .ipv6, !parts[1].isEmpty, parts[1].utf8.count <= 15 else { return nil }
    // A number names no interface: it is one of the kernel's.
    if UInt32(parts[1]) == nil { scope = parts[1] }
  }
}

extension Address {
  /// The IPv4 address that an IPv4-mapped IPv6 address stands for (RFC 4291 section 2.5.5.2), else the address itself.
  var unmapped: Address {
    family == .ipv6 && value >> 32 == 0xffff ? Address(.ipv4, value & 0xffff_ffff) : self
  }
}
