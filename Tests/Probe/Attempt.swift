import Glibc

/// What a `send` or `hold` line asks for.
struct Request {
  var identifier: String
  var transport: String
  var source: Endpoint
  var destination: Endpoint
  var milliseconds: Int
  /// The words after the fixed ones: `flags=SF`, `code=4`, `via=eth0`, `held=yes`, `quote=ADDRESS,PORT,ADDRESS,PORT`.
  var options: [String: String] = [:]

  /// Creates the request that `words` describe: `ID TRANSPORT SOURCE PORT DESTINATION PORT MILLISECONDS OPTION...`.
  init?(_ words: ArraySlice<String>) {
    let words = Array(words)
    guard words.count >= 7, let sourcePort = UInt16(words[3]), let port = UInt16(words[5]),
      let milliseconds = Int(words[6])
    else { return nil }
    for word in words.dropFirst(7) {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { return nil }
      options[String(parts[0])] = String(parts[1])
    }
    let scope = options["via"].map { unsafe if_nametoindex($0) } ?? 0
    guard let source = Endpoint(words[2], port: sourcePort, scope: scope),
      let destination = Endpoint(words[4], port: port, scope: scope), source.family == destination.family
    else { return nil }
    self.source = source
    self.destination = destination
    (identifier, transport, self.milliseconds) = (words[0], words[1], milliseconds)
  }
}

/// A packet or connection that was begun, and what came of it.
struct Attempt {
  enum Outcome: Equatable {
    case pending
    case sent
    case answered(String)
    case reset
    case unreachable
    case silent
    case failed(String)
  }

  var request: Request
  var socket: Socket?
  var deadline: Int
  var outcome = Outcome.pending
  var isConnecting = false
  var text: [UInt8] = []

  /// Sends what `request` asks for at the time `now`.
  init(_ request: Request, now: Int) {
    self.request = request
    deadline = now + request.milliseconds
    do {
      try begin()
    } catch {
      // What the machine's own firewall drops on its way out is refused to the sender (netfilter: NF_DROP, EPERM).
      outcome = error.number == EPERM && socket != nil ? .unreachable : .failed("\(error)")
    }
  }

  private mutating func begin() throws(SystemError) {
    switch (request.transport, request.options["flags"]) {
    case ("tcp", nil): try connect()
    case ("udp", _) where request.source.address == [0, 0, 0, 0]: try sendUnaddressed()
    case ("udp", _): try sendDatagram()
    default: try sendRaw()
    }
  }

  private func open(_ type: __socket_type, _ number: Int, from source: Endpoint) throws(SystemError) -> Socket {
    let socket = try Socket(family: source.family, type: type, protocolNumber: Int32(number))
    try socket.allowForeignAddresses(source.family)
    if let interface = request.options["via"] { try socket.bind(toInterface: interface) }
    try socket.bind(to: source)
    return socket
  }

  private mutating func connect() throws(SystemError) {
    let socket = try open(SOCK_STREAM, 0, from: request.source)
    self.socket = socket
    isConnecting = true
    let error = socket.connect(to: request.destination)
    if error != 0 && error != EINPROGRESS { note(error) }
  }

  private mutating func sendDatagram() throws(SystemError) {
    let socket = try open(SOCK_DGRAM, 0, from: request.source)
    self.socket = socket
    try socket.set(SOL_SOCKET, SO_BROADCAST, 1)
    try allowMulticast(socket)
    try socket.send(Array("probe \(request.identifier)".utf8), to: request.destination)
    if request.milliseconds == 0 { outcome = .sent }
  }

  /// Sends a packet of a machine that has no address yet, which the kernel gives nobody else to send.
  private mutating func sendUnaddressed() throws(SystemError) {
    let payload = Wire.udp(from: request.source, to: request.destination)
    let socket = try Socket(family: AF_PACKET, type: SOCK_DGRAM)
    defer { socket.close() }
    try socket.broadcast(
      Wire.ipv4(payload, protocolNumber: UInt8(IPPROTO_UDP), from: request.source, to: request.destination),
      on: request.options["via"] ?? "")
    outcome = .sent
  }

  private mutating func sendRaw() throws(SystemError) {
    let family = request.source.family
    let (number, bytes): (Int, [UInt8])
    switch request.transport {
    case "tcp":
      number = IPPROTO_TCP
      bytes = Wire.tcp(from: request.source, to: request.destination, flags: request.options["flags"] ?? "")
    case "sctp":
      number = IPPROTO_SCTP
      bytes = Wire.sctpInit(from: request.source, to: request.destination)
    default:
      number = family == AF_INET ? IPPROTO_ICMP : 58
      bytes = Wire.icmp(
        family: family, type: UInt8(truncatingIfNeeded: request.destination.port),
        code: request.options["code"].flatMap { UInt8($0) } ?? 0, identifier: request.source.port, body: icmpBody)
    }
    var (source, destination) = (request.source, request.destination)
    (source.port, destination.port) = (0, 0)
    let socket = try open(SOCK_RAW, number, from: source)
    try socket.set(SOL_SOCKET, SO_BROADCAST, 1)
    try allowMulticast(socket)
    try socket.send(bytes, to: destination)
    socket.close()
    let isEcho = request.transport == "icmp" && [8, 128].contains(request.destination.port)
    if !isEcho || request.milliseconds == 0 { outcome = .sent }
  }

  /// What follows the first eight octets of an ICMP message.
  private var icmpBody: [UInt8] {
    let parts = request.options["quote"]?.split(separator: ",") ?? []
    guard parts.count == 4, let sourcePort = UInt16(parts[1]), let port = UInt16(parts[3]),
      let source = Endpoint(parts[0], port: sourcePort), let destination = Endpoint(parts[2], port: port)
    else { return [UInt8](repeating: 0, count: 24) }
    return Wire.quoted(tcpFrom: source, to: destination)
  }

  /// Sends multicast out of the interface that `via` names, without hearing it itself, with hop limit 255 (RFC 4861).
  private func allowMulticast(_ socket: Socket) throws(SystemError) {
    guard request.source.family == AF_INET6 else {
      try socket.set(Int32(IPPROTO_IP), IP_MULTICAST_LOOP, 0)
      return
    }
    let level = Int32(IPPROTO_IPV6)
    try socket.set(level, IPV6_MULTICAST_LOOP, 0)
    if request.transport == "icmp" && request.destination.port >= 133 {
      try socket.set(level, IPV6_MULTICAST_HOPS, 255)
      try socket.set(level, IPV6_UNICAST_HOPS, 255)
    }
    if request.source.scope != 0 { try socket.set(level, IPV6_MULTICAST_IF, Int32(request.source.scope)) }
  }

  /// Notes the `error` that the connection ended with.
  mutating func note(_ error: Int32) {
    switch error {
    case ECONNREFUSED, ECONNRESET, EPIPE: outcome = .reset
    case ETIMEDOUT: outcome = .silent
    case EHOSTUNREACH, ENETUNREACH, EACCES, EPERM, EPROTO, EOPNOTSUPP: outcome = .unreachable
    default: outcome = .failed(SystemError(action: "connection", number: error).description)
    }
  }

  /// Reads what came back.
  mutating func read() {
    guard outcome == .pending, let socket else { return }
    if request.transport == "udp" {
      if let answer = socket.receive() { outcome = .answered(String(decoding: answer.bytes, as: UTF8.self)) }
      return
    }
    let error = socket.pendingError
    if error != 0 { return note(error) }
    isConnecting = false
    do {
      guard let bytes = try socket.read() else { return }
      if bytes.isEmpty { return outcome = .reset }
      text += bytes
      if let end = text.firstIndex(of: UInt8(ascii: "\n")) {
        outcome = .answered(String(decoding: text[..<end], as: UTF8.self))
        text.removeSubrange(...end)
      }
    } catch {
      note(error.number)
    }
  }

  /// Sends a line along the held connection, and expects it back until `deadline`.
  mutating func talk(_ line: String, until deadline: Int) {
    outcome = .pending
    text = []
    self.deadline = deadline
    do {
      guard let socket else { return outcome = .failed("no connection") }
      try socket.send(Array((line + "\n").utf8))
    } catch {
      note(error.number)
    }
  }
}
