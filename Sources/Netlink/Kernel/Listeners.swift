import CNetfilter
import Glibc
public import Packets

/// A socket that receives from the network: it listens (TCP), or takes whatever comes (UDP).
public struct Listener: Hashable, Sendable {
  /// The protocol: TCP or UDP.
  public var transport: TransportProtocol

  /// The address that it is bound to; the lowest of its family stands for all.
  public var address: Address

  /// The port.
  public var port: UInt16

  /// The number of the interface that it is bound to, if it is to one.
  public var interface: UInt32?

  /// `true` iff it is an IPv6 socket that takes no IPv4.
  public var isIPv6Only: Bool

  /// The user that opened it.
  public var user: UInt32

  /// The number by which the kernel knows the socket, and `/proc` its owners.
  public var inode: UInt32

  /// The process that has it, the first if several have.
  public var process: UInt32?

  /// The name of the process.
  public var processName: String?

  /// Creates a listener.
  public init(
    _ transport: TransportProtocol, _ address: Address, port: UInt16, interface: UInt32? = nil,
    isIPv6Only: Bool = false, user: UInt32 = 0, inode: UInt32 = 0, process: UInt32? = nil, processName: String? = nil
  ) {
    self.transport = transport
    self.address = address
    self.port = port
    self.interface = interface
    self.isIPv6Only = isIPv6Only
    self.user = user
    self.inode = inode
    self.process = process
    self.processName = processName
  }

  /// The most sockets that are read.
  static let most = 1_000_000
}

/// The sockets of a network namespace (sock_diag(7)).
public final class Listeners {
  /// Where the kernel is asked.
  private let kernel: Kernel

  /// Asks through `socket`.
  public init(_ socket: any NetfilterSocket) { kernel = Kernel(socket) }

  /// Asks this namespace, or the one that the file at `namespace` stands for.
  public convenience init(namespace: String? = nil) throws(NetlinkError) {
    self.init(try NetlinkSocket(.diagnostics, inNamespace: namespace))
  }

  /// The listeners of both families, in the order of protocol, port and address, with the processes that `/proc` knows;
  /// those of other users are known to root alone.
  public func all() throws(NetlinkError) -> [Listener] {
    var listeners = try withoutProcesses()
    let owners = SocketOwners(of: Set(listeners.map(\.inode)))
    for i in listeners.indices {
      guard let owner = owners[listeners[i].inode] else { continue }
      listeners[i].process = owner.process
      listeners[i].processName = owner.name
    }
    return listeners
  }

  /// The listeners, without their processes.
  public func withoutProcesses() throws(NetlinkError) -> [Listener] {
    var result: [Listener] = []
    for transport in [TransportProtocol.tcp, .udp] {
      for family in AddressFamily.allCases {
        result += try listeners(transport, family)
      }
    }
    return result.sorted { a, b in
      (a.transport.rawValue, a.port, a.inode) == (b.transport.rawValue, b.port, b.inode)
        ? a.address < b.address
        : (a.transport.rawValue, a.port, a.inode) < (b.transport.rawValue, b.port, b.inode)
    }
  }

  /// Returns the listeners of one protocol and family.
  private func listeners(_ transport: TransportProtocol, _ family: AddressFamily) throws(NetlinkError) -> [Listener] {
    for _ in 0..<Kernel.mostAttempts {
      var result: [Listener] = []
      // `struct inet_diag_req_v2`: family, protocol, extensions (that a socket is IPv6 only), the states, any identity.
      // TCP listens in state 10; a UDP socket that is not connected is in state 7.
      let isTCP = transport == .tcp
      var header: [UInt8] = [family == .ipv4 ? UInt8(AF_INET) : UInt8(AF_INET6), transport.rawValue, 0, 0]
      header.append(host: isTCP ? 1 << 10 : 1 << 7)
      header += [UInt8](repeating: 0, count: 48)
      let request = Request(
        UInt16(SOCK_DIAG_BY_FAMILY), flags: UInt16(NLM_F_DUMP), sequence: kernel.nextSequence(), header: header)
      do throws(NetlinkError) {
        let isSteady = try kernel.ask(request) { message throws(NetlinkError) in
          guard result.count < Listener.most else { throw .tooLarge("the list of sockets") }
          if let listener = try Listener(message, transport) { result.append(listener) }
        }
        if isSteady { return result }
      } catch {
        // A kernel without the module for a protocol has no such sockets that could be listed.
        if case .system(ENOENT, _) = error { return [] }
        guard error == .lostAnswers else { throw error }
      }
    }
    throw .restless
  }
}

extension Listener {
  /// Creates the listener that `message` (`struct inet_diag_msg`) is about.
  fileprivate init?(_ message: Message, _ transport: TransportProtocol) throws(NetlinkError) {
    let bytes = message.bytes
    let start = message.body.lowerBound
    guard message.body.count >= 72 else { throw .malformed("a socket of \(message.body.count) bytes") }
    let address: Address
    switch Int32(bytes[start]) {
    case AF_INET: address = Address(.ipv4, UInt128(bytes.network(start + 8..<start + 12)))
    case AF_INET6: address = Address(.ipv6, bytes.wide(start + 8..<start + 24))
    default: return nil
    }
    let interface = bytes.host32(start + 40)
    self.init(
      transport, address, port: UInt16(truncatingIfNeeded: bytes.network(start + 4..<start + 6)),
      interface: interface == 0 ? nil : interface, user: bytes.host32(start + 64), inode: bytes.host32(start + 68))
    var attributes = try message.attributes(after: 72)
    while let attribute = try attributes.next() {
      // INET_DIAG_SKV6ONLY
      if attribute.type == 11, !attribute.extent.isEmpty { isIPv6Only = bytes[attribute.extent.lowerBound] != 0 }
    }
  }
}
