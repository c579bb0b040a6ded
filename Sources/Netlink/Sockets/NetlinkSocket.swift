import CNetfilter
import Glibc

/// A socket to the kernel, by libmnl.
@safe public final class NetlinkSocket: NetfilterSocket {
  /// The part of the kernel that a socket talks to.
  public enum Subsystem: Int32, Sendable {
    /// Tables and connections.
    case netfilter = 12

    /// Sockets.
    case diagnostics = 4
  }

  /// What libmnl knows the socket by.
  private let handle: OpaquePointer

  /// Where datagrams are received.
  private var buffer: [UInt8]

  /// How many bytes fit into the send buffer without asking for more.
  private var sendRoom = 0

  /// The largest datagram that the kernel sends: a dump fills at most 32 KiB, an event a little more.
  private static let largestDatagram = 1 << 18

  /// Opens a socket, in the network namespace of the process or in the one that the file at `namespace` stands for.
  ///
  /// The thread is in the other namespace only while the socket is made.
  public init(_ subsystem: Subsystem = .netfilter, inNamespace namespace: String? = nil) throws(NetlinkError) {
    let visit = try namespace.map { path throws(NetlinkError) in try NamespaceVisit(path) }
    let opened = unsafe mnl_socket_open2(subsystem.rawValue, CInt(SOCK_CLOEXEC.rawValue))
    let number = errno
    visit?.end()
    guard let opened = unsafe opened else { throw .system(number, call: "socket") }
    unsafe handle = opened
    buffer = [UInt8](repeating: 0, count: NetlinkSocket.largestDatagram)
    guard unsafe mnl_socket_bind(handle, 0, 0) == 0 else {
      let number = errno
      unsafe _ = mnl_socket_close(handle)
      throw .system(number, call: "bind")
    }
    // Answers to a batch come all at once. That a process without privileges gets less is no error here.
    setBuffer(SO_RCVBUFFORCE, SO_RCVBUF, 1 << 25)
    for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK] {
      var one: CInt = 1
      unsafe _ = mnl_socket_setsockopt(handle, CInt(option), &one, socklen_t(MemoryLayout<CInt>.size))
    }
  }

  deinit { unsafe _ = mnl_socket_close(handle) }

  /// The number of the open file.
  private var number: CInt { unsafe mnl_socket_get_fd(handle) }

  /// Asks for a buffer of `size` bytes, by the option for privileged processes or else by the one for all.
  private func setBuffer(_ forced: CInt, _ plain: CInt, _ size: Int) {
    var value = CInt(clamping: size)
    let length = socklen_t(MemoryLayout<CInt>.size)
    if unsafe setsockopt(number, SOL_SOCKET, forced, &value, length) != 0 {
      unsafe _ = setsockopt(number, SOL_SOCKET, plain, &value, length)
    }
  }

  /// Receives what is multicast to `group`, from now on.
  public func join(_ group: Int) throws(NetlinkError) {
    var value = CInt(group)
    let size = socklen_t(MemoryLayout<CInt>.size)
    guard unsafe mnl_socket_setsockopt(handle, CInt(NETLINK_ADD_MEMBERSHIP), &value, size) == 0 else {
      throw .system(errno, call: "joining a group")
    }
  }

  /// Sends `datagram`; see `NetfilterSocket`.
  public func send(_ datagram: [UInt8]) throws(NetlinkError) {
    if datagram.count > sendRoom {
      // The kernel counts its own bookkeeping too.
      sendRoom = datagram.count + datagram.count / 2 + (1 << 17)
      setBuffer(SO_SNDBUFFORCE, SO_SNDBUF, sendRoom)
    }
    while true {
      let sent = unsafe datagram.withUnsafeBytes { unsafe mnl_socket_sendto(handle, $0.baseAddress, $0.count) }
      if sent == datagram.count { return }
      if sent < 0, errno == EINTR { continue }
      throw .system(sent < 0 ? errno : EMSGSIZE, call: "sending \(datagram.count) bytes to the kernel")
    }
  }

  /// Returns the next datagram; see `NetfilterSocket`.
  public func receive(within milliseconds: Int32) throws(NetlinkError) -> [UInt8] {
    let end = NetlinkSocket.milliseconds + Int64(milliseconds)
    while true {
      var descriptor = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
      let left = CInt(clamping: max(0, end - NetlinkSocket.milliseconds))
      let ready = unsafe poll(&descriptor, 1, left)
      if ready == 0 { throw .timedOut }
      if ready < 0 {
        if errno == EINTR { continue }
        throw .system(errno, call: "poll")
      }
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe recv(number, $0.baseAddress, $0.count, CInt(MSG_DONTWAIT) | CInt(MSG_TRUNC))
      }
      if count < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        if errno == ENOBUFS { throw .lostAnswers }
        throw .system(errno, call: "receiving from the kernel")
      }
      guard count <= buffer.count else { throw .tooLarge("a datagram of \(count) bytes") }
      return Array(buffer[..<count])
    }
  }

  /// The milliseconds since some moment in the past, whatever the calendar does.
  private static var milliseconds: Int64 {
    var now = timespec()
    unsafe _ = clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
  }
}

/// The calling thread's stay in another network namespace.
private struct NamespaceVisit {
  /// The kind of namespace (`CLONE_NEWNET`).
  private static let network: CInt = 0x4000_0000

  /// The namespace that it came from.
  private let home: CInt

  /// Enters the namespace that the file at `path` stands for.
  init(_ path: String) throws(NetlinkError) {
    home = unsafe open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
    guard home >= 0 else { throw .system(errno, call: "/proc/thread-self/ns/net") }
    let there = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard there >= 0 else {
      let number = errno
      close(home)
      throw .system(number, call: path)
    }
    defer { close(there) }
    guard setns(there, NamespaceVisit.network) == 0 else {
      let number = errno
      close(home)
      throw .system(number, call: path)
    }
  }

  /// Goes back.
  func end() {
    // A thread that cannot go back must not go on: whatever it did would be done to another host.
    precondition(setns(home, NamespaceVisit.network) == 0)
    close(home)
  }
}
