import Glibc

/// An error number of the system, with what was being done.
struct SystemError: Error, CustomStringConvertible {
  var action: String
  var number: Int32
  var description: String { "\(action): \(unsafe String(cString: strerror(number)))" }
}

/// A datagram or segment with where it came from and, where the kernel tells, the address it was sent to.
struct Received {
  var bytes: ArraySlice<UInt8>
  var source: Endpoint
  var destination: [UInt8]?
}

/// A socket that never blocks.
///
/// All the C of the probe's sockets is in here.
struct Socket: Hashable {
  let descriptor: Int32

  /// Opens a socket of `family`, `type` and `protocolNumber`.
  init(family: Int32, type: __socket_type, protocolNumber: Int32 = 0) throws(SystemError) {
    let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    descriptor = socket(family, Int32(type.rawValue) | flags, protocolNumber)
    if descriptor < 0 { throw SystemError(action: "socket", number: errno) }
  }

  private init(descriptor: Int32) { self.descriptor = descriptor }

  /// Sets the integer `option` of `level`.
  func set(_ level: Int32, _ option: Int32, _ value: Int32) throws(SystemError) {
    var value = value
    let result = unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    if result < 0 { throw SystemError(action: "setsockopt \(level) \(option)", number: errno) }
  }

  /// Sets the `option` of `level` to `bytes`.
  func set(_ level: Int32, _ option: Int32, bytes: [UInt8]) throws(SystemError) {
    let result = unsafe bytes.withUnsafeBytes {
      unsafe setsockopt(descriptor, level, option, $0.baseAddress, socklen_t($0.count))
    }
    if result < 0 { throw SystemError(action: "setsockopt \(level) \(option)", number: errno) }
  }

  /// Sends and receives on `interface` only.
  func bind(toInterface interface: String) throws(SystemError) {
    try set(SOL_SOCKET, SO_BINDTODEVICE, bytes: Array(interface.utf8))
  }

  /// Allows addresses that are not this machine's, and ports that were in use a moment ago.
  func allowForeignAddresses(_ family: Int32) throws(SystemError) {
    try set(SOL_SOCKET, SO_REUSEADDR, 1)
    if family == AF_INET {
      try set(Int32(IPPROTO_IP), IP_TRANSPARENT, 1)
    } else {
      try set(Int32(IPPROTO_IPV6), IPV6_TRANSPARENT, 1)
    }
  }

  /// Gives the socket the local `endpoint`.
  func bind(to endpoint: Endpoint) throws(SystemError) {
    let result = unsafe Socket.withSocketAddress(of: endpoint) { unsafe Glibc.bind(descriptor, $0, $1) }
    if result < 0 { throw SystemError(action: "bind \(endpoint.text) \(endpoint.port)", number: errno) }
  }

  /// Begins to listen.
  func listen() throws(SystemError) {
    if Glibc.listen(descriptor, 256) < 0 { throw SystemError(action: "listen", number: errno) }
  }

  /// Begins to connect to `endpoint`; returns 0, or the error number (`EINPROGRESS` is the usual one).
  func connect(to endpoint: Endpoint) -> Int32 {
    let result = unsafe Socket.withSocketAddress(of: endpoint) { unsafe Glibc.connect(descriptor, $0, $1) }
    return result < 0 ? errno : 0
  }

  /// Returns a connection that was waiting, and who made it.
  func accept() -> (Socket, Endpoint)? {
    var (bytes, length) = ([UInt8](repeating: 0, count: 128), socklen_t(128))
    let result = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe Glibc.accept(descriptor, buffer.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
    }
    guard result >= 0, let peer = Endpoint(socketAddress: bytes.prefix(Int(length))) else { return nil }
    _ = fcntl(result, F_SETFL, O_NONBLOCK)
    return (Socket(descriptor: result), peer)
  }

  /// The local endpoint.
  var local: Endpoint? {
    var (bytes, length) = ([UInt8](repeating: 0, count: 128), socklen_t(128))
    let result = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe getsockname(descriptor, buffer.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
    }
    return result < 0 ? nil : Endpoint(socketAddress: bytes.prefix(Int(length)))
  }

  /// Sends `bytes` to `endpoint`, or along the connection.
  func send(_ bytes: [UInt8], to endpoint: Endpoint? = nil) throws(SystemError) {
    let flags = Int32(MSG_NOSIGNAL)
    let sent = unsafe bytes.withUnsafeBytes { buffer in
      if let endpoint {
        unsafe Socket.withSocketAddress(of: endpoint) {
          unsafe sendto(descriptor, buffer.baseAddress, buffer.count, flags, $0, $1)
        }
      } else {
        unsafe Glibc.send(descriptor, buffer.baseAddress, buffer.count, flags)
      }
    }
    if sent < 0 { throw SystemError(action: "send to \(endpoint?.text ?? "peer")", number: errno) }
  }

  /// Sends the IPv4 packet `bytes` to everybody on the link of `interface`; the socket is one of packets (packet(7)).
  func broadcast(_ bytes: [UInt8], on interface: String) throws(SystemError) {
    // struct sockaddr_ll, which Swift does not import: family, protocol, index, type of link and packet, and address.
    var index = unsafe if_nametoindex(interface)
    var place = [UInt8(AF_PACKET), 0, 0x08, 0x00]
    for _ in 0..<4 {
      place.append(UInt8(truncatingIfNeeded: index))
      index >>= 8
    }
    place += [0, 0, 0, 6] + [UInt8](repeating: 255, count: 6) + [0, 0]
    let sent = unsafe place.withUnsafeBytes { place in
      unsafe bytes.withUnsafeBytes {
        unsafe sendto(
          descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL),
          place.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(place.count))
      }
    }
    if sent < 0 { throw SystemError(action: "broadcast on \(interface)", number: errno) }
  }

  /// Returns what came in along a connection: empty at its end, nothing if there is nothing yet.
  func read() throws(SystemError) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
    }
    if count < 0 && (errno == EAGAIN || errno == EINTR) { return nil }
    if count < 0 { throw SystemError(action: "receive", number: errno) }
    return Array(bytes.prefix(count))
  }

  /// Returns the next datagram that came in, if there is one.
  func receive() -> Received? {
    var name = [UInt8](repeating: 0, count: 128)
    var data = [UInt8](repeating: 0, count: 4096)
    var control = [UInt8](repeating: 0, count: 256)
    var (nameLength, controlLength) = (0, 0)
    let count = unsafe name.withUnsafeMutableBytes { name in
      unsafe data.withUnsafeMutableBytes { data in
        unsafe control.withUnsafeMutableBytes { control in
          var vector = unsafe iovec(iov_base: data.baseAddress, iov_len: data.count)
          return unsafe withUnsafeMutablePointer(to: &vector) { vector in
            var message = unsafe msghdr(
              msg_name: name.baseAddress, msg_namelen: socklen_t(name.count), msg_iov: vector, msg_iovlen: 1,
              msg_control: control.baseAddress, msg_controllen: control.count, msg_flags: 0)
            let count = unsafe recvmsg(descriptor, &message, 0)
            unsafe (nameLength, controlLength) = (Int(message.msg_namelen), message.msg_controllen)
            return count
          }
        }
      }
    }
    guard count >= 0, let source = Endpoint(socketAddress: name.prefix(nameLength)) else { return nil }
    return Received(
      bytes: data.prefix(count), source: source,
      destination: Socket.packetInfo(in: control.prefix(controlLength)))
  }

  /// Returns the destination that an `IPV6_PKTINFO` in the control messages `bytes` tells (cmsg(3)).
  private static func packetInfo(in bytes: ArraySlice<UInt8>) -> [UInt8]? {
    let bytes = Array(bytes)
    // struct cmsghdr: length (8 octets), level (4), type (4); then struct in6_pktinfo, the address first.
    guard bytes.count >= 32, bytes[8] == UInt8(IPPROTO_IPV6), bytes[12] == UInt8(IPV6_PKTINFO) else {
      return nil
    }
    return Array(bytes[16..<32])
  }

  /// The error that is pending on the socket, or 0.
  var pendingError: Int32 {
    var (error, length) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
    unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length)
    return error
  }

  /// Closes a connection with a reset, so that nothing lingers, or any other socket.
  func close() {
    try? set(SOL_SOCKET, SO_LINGER, bytes: [1, 0, 0, 0, 0, 0, 0, 0])
    Glibc.close(descriptor)
  }

  private static func withSocketAddress<R>(
    of endpoint: Endpoint, _ body: (UnsafePointer<sockaddr>?, socklen_t) -> R
  ) -> R {
    unsafe endpoint.socketAddress.withUnsafeBytes { bytes in
      unsafe body(bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
  }
}
