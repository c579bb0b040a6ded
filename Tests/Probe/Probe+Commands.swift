import Glibc

/// A command that the probe does not understand.
struct Misunderstood: Error, CustomStringConvertible {
  var description: String { "not understood" }
}

extension Probe {
  /// Carries out one command.
  mutating func obey(_ words: [String]) throws {
    switch (words.first, words.count) {
    case ("sysctl", 3): try setSysctl(words[1], to: words[2])
    case ("links", _): try words.dropFirst().forEach(awaitLink)
    case ("listen", 4): try listen(words[1], port: words[2], at: words[3])
    case ("join", 3): try join(words[1], on: words[2])
    case ("send", _):
      guard let request = Request(words.dropFirst()) else { throw Misunderstood() }
      attempts.append(Attempt(request, now: Probe.now))
    case ("talk", 3):
      guard let i = attempts.firstIndex(where: { $0.request.identifier == words[1] }), let limit = Int(words[2])
      else { throw Misunderstood() }
      attempts[i].talk("talk", until: Probe.now + limit)
    case ("collect", 1): collect()
    case ("flood", 7): try flood(words)
    case ("count", 1):
      _ = observer.read()
      observer.counts = [:]
    case ("counted", 1):
      _ = observer.read()
      for (port, count) in observer.counts ?? [:] { Probe.write("count \(port) \(count)") }
    case ("seen", 1):
      _ = observer.read()
      observer.arrivals.forEach { Probe.write("saw " + $0) }
    case ("forget", 1):
      for attempt in attempts where attempt.request.options["held"] == nil { attempt.socket?.close() }
      attempts.removeAll { $0.request.options["held"] == nil }
      observer.forget()
    default: throw Misunderstood()
    }
  }

  /// Waits until every attempt has an outcome, then tells them.
  private mutating func collect() {
    while attempts.contains(where: { $0.outcome == .pending }) { advance() }
    for attempt in attempts {
      let text =
        switch attempt.outcome {
        case .pending, .sent: "sent"
        case .answered(let answer): "answered \(answer)"
        case .reset: "reset"
        case .unreachable: "unreachable"
        case .silent: "silent"
        case .failed(let reason): "failed \(reason)"
        }
      Probe.write("result \(attempt.request.identifier) \(text)")
    }
  }

  /// Sends a UDP packet to each of two ports by turns, each from another port: `flood SOURCE DESTINATION PORT PORT
  /// COUNT MICROSECONDS`; each is the first of a connection, and has no answer.
  private func flood(_ words: [String]) throws {
    guard let source = Endpoint(words[1], port: 0), let destination = Endpoint(words[2], port: 0),
      let first = UInt16(words[3]), let second = UInt16(words[4]), let count = UInt16(words[5]), count <= 60000,
      let pause = UInt32(words[6])
    else { throw Misunderstood() }
    let socket = try Socket(family: source.family, type: SOCK_RAW, protocolNumber: Int32(IPPROTO_UDP))
    defer { socket.close() }
    try socket.bind(to: source)
    for i in 0..<count {
      for port in [first, second] {
        let from = Endpoint(address: source.address, port: 1024 + i)
        let to = Endpoint(address: destination.address, port: port)
        try socket.send(Wire.udp(from: from, to: to), to: destination)
      }
      if pause > 0 { usleep(pause) }
    }
  }

  private func setSysctl(_ key: String, to value: String) throws(SystemError) {
    let descriptor = unsafe open("/proc/sys/" + key, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError(action: key, number: errno) }
    defer { close(descriptor) }
    let bytes = Array(value.utf8)
    let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 { throw SystemError(action: key, number: errno) }
  }

  /// Waits until the `interface` carries packets.
  private func awaitLink(_ interface: String) throws {
    for _ in 0..<1000 {
      let descriptor = unsafe open("/sys/class/net/\(interface)/operstate", O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw SystemError(action: interface, number: errno) }
      var bytes = [UInt8](repeating: 0, count: 16)
      let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
      close(descriptor)
      if ["up", "unknown"].contains(String(decoding: bytes.prefix(max(0, count - 1)), as: UTF8.self)) { return }
      usleep(2000)
    }
    throw SystemError(action: "\(interface) did not come up", number: ETIMEDOUT)
  }

  private mutating func listen(_ transport: String, port: String, at address: String) throws {
    guard let number = UInt16(port), let endpoint = Endpoint(address, port: number) else { throw Misunderstood() }
    switch transport {
    case "tcp":
      let socket = try Socket(family: endpoint.family, type: SOCK_STREAM)
      try socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
      if endpoint.family == AF_INET6 { try socket.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
      try socket.bind(to: endpoint)
      try socket.listen()
      tcpListeners.append(socket)
    case "udp":
      let socket = try Socket(family: endpoint.family, type: SOCK_DGRAM)
      try socket.bind(to: endpoint)
      udpListeners.append((socket, endpoint))
    default: throw Misunderstood()
    }
  }

  /// Becomes a member of the multicast `group` on `interface`.
  private mutating func join(_ group: String, on interface: String) throws {
    let index = unsafe if_nametoindex(interface)
    guard let group = Endpoint(group, port: 0), index != 0 else { throw Misunderstood() }
    let socket = try Socket(family: group.family, type: SOCK_DGRAM)
    let indexBytes = (0..<4).map { UInt8(truncatingIfNeeded: index >> (8 * $0)) }
    if group.family == AF_INET {
      // struct ip_mreqn: group, local address (none), index of the interface.
      try socket.set(Int32(IPPROTO_IP), IP_ADD_MEMBERSHIP, bytes: group.address + [0, 0, 0, 0] + indexBytes)
    } else {
      try socket.set(Int32(IPPROTO_IPV6), IPV6_JOIN_GROUP, bytes: group.address + indexBytes)
    }
    groups.append(socket)
  }
}
