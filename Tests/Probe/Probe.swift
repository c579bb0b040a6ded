import Glibc

/// A machine of the packet laboratory: it listens, sends, and tells what arrived, as it is told on standard input.
///
/// Each command is a line and has an answer of lines that ends with `done` (README.md of `Tests/KernelTests`).
@main
struct Probe {
  /// The name that banners carry.
  var name: String
  var observer: Observer
  var tcpListeners: [Socket] = []
  var udpListeners: [(socket: Socket, endpoint: Endpoint)] = []
  var connections: [Socket] = []
  var groups: [Socket] = []
  var attempts: [Attempt] = []
  var input: [UInt8] = []

  static func main() {
    do {
      guard CommandLine.arguments.count == 2 else {
        return write("error usage: probe NAME, inside a network namespace of Tests/KernelTests")
      }
      var probe = Probe(name: CommandLine.arguments[1], observer: try Observer())
      write("done")
      while probe.step() {}
    } catch {
      write("error \(error)")
    }
  }

  /// Writes `line` to standard output at once.
  static func write(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(1, $0.baseAddress, $0.count) }
      if count < 0 && errno != EINTR { exit(1) }
      rest = rest.dropFirst(max(0, count))
    }
  }

  /// The time in milliseconds since some moment.
  static var now: Int {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }

  /// Waits for something to happen and deals with it; returns `false` at the end of the input.
  private mutating func step() -> Bool {
    advance()
    return readInput()
  }

  /// Waits for a packet or a command and deals with the packets.
  mutating func advance() {
    wait(until: attempts.filter { $0.outcome == .pending }.map(\.deadline).min())
    serve()
    let news = observer.read()
    let now = Probe.now
    for i in attempts.indices where attempts[i].outcome == .pending {
      attempts[i].read()
      if attempts[i].outcome == .pending { judge(&attempts[i], by: news) }
      if attempts[i].outcome == .pending && now >= attempts[i].deadline { attempts[i].outcome = .silent }
    }
  }

  /// Sleeps until a descriptor has something, or `deadline`.
  private func wait(until deadline: Int?) {
    var polled = [pollfd(fd: 0, events: Int16(POLLIN), revents: 0)]
    let readers = observer.sockets.map(\.socket) + tcpListeners + udpListeners.map(\.socket) + connections
    polled += readers.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    for attempt in attempts where attempt.outcome == .pending {
      guard let socket = attempt.socket else { continue }
      let events = attempt.isConnecting ? POLLOUT : POLLIN
      polled.append(pollfd(fd: socket.descriptor, events: Int16(events), revents: 0))
    }
    let timeout = deadline.map { Int32(max(0, $0 - Probe.now + 1)) } ?? -1
    unsafe poll(&polled, nfds_t(polled.count), timeout)
  }

  /// Ends an attempt that `news` of the observer answer: an echo reply, or an error that quotes it.
  private func judge(_ attempt: inout Attempt, by news: ArraySlice<String>) {
    let request = attempt.request
    let port = request.source.port
    for line in news {
      let words = line.split(separator: " ")
      guard words[0] == "icmp" else { continue }
      if request.transport == "icmp", words[2] == "\(port)", words[4] == "0" || words[4] == "129" {
        attempt.outcome = .answered("\(words[1])")
      } else if words.count >= 11, words[6] == "inner", words[7] == request.transport, words[9] == "\(port)" {
        attempt.outcome = .unreachable
      }
    }
  }

  /// Answers whoever knocked at a listener.
  private mutating func serve() {
    for listener in tcpListeners {
      while let (connection, peer) = listener.accept() {
        if let local = connection.local { try? connection.send(Array((banner(local, peer) + "\n").utf8)) }
        connections.append(connection)
      }
    }
    for (listener, endpoint) in udpListeners {
      while let datagram = listener.receive() {
        try? listener.send(Array(banner(endpoint, datagram.source).utf8), to: datagram.source)
      }
    }
    connections = connections.filter { connection in
      while true {
        guard let bytes = try? connection.read() else {
          if connection.pendingError == 0 && errno == EAGAIN { return true }
          connection.close()
          return false
        }
        if bytes.isEmpty {
          connection.close()
          return false
        }
        try? connection.send(bytes)
      }
    }
  }

  private func banner(_ local: Endpoint, _ peer: Endpoint) -> String {
    "\(name) \(local.text) \(local.port) \(peer.text) \(peer.port)"
  }

  /// Carries out the commands that came in; returns `false` at the end of the input.
  private mutating func readInput() -> Bool {
    var ready = [pollfd(fd: 0, events: Int16(POLLIN), revents: 0)]
    guard unsafe poll(&ready, 1, 0) == 1 else { return true }
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(0, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { return true }
    if count <= 0 { return false }
    input += bytes.prefix(count)
    while let end = input.firstIndex(of: UInt8(ascii: "\n")) {
      let words = String(decoding: input[..<end], as: UTF8.self).split(separator: " ").map(String.init)
      input.removeSubrange(...end)
      do {
        try obey(words)
        Probe.write("done")
      } catch {
        Probe.write("error \(words.joined(separator: " ")): \(error)")
      }
    }
    return true
  }
}
