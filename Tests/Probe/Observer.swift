import Glibc

/// Raw sockets that see what the firewall let through to this machine, whether or not something listens there.
///
/// The kernel hands a packet to raw sockets at local delivery, behind every hook that judges incoming packets.
struct Observer {
  /// The socket of each protocol and family.
  private(set) var sockets: [(socket: Socket, protocolNumber: UInt8)] = []

  /// What arrived, a line each: `PROTOCOL SOURCE PORT DESTINATION PORT DETAIL`.
  ///
  /// For ICMP the ports are the identifier and the type; the detail is the code and what an error quotes.
  private(set) var arrivals: [String] = []

  /// How many UDP packets arrived for each port since counting began; while it goes on, they leave no lines.
  var counts: [UInt16: Int]?

  /// Opens the sockets.
  init() throws(SystemError) {
    for family in [AF_INET, AF_INET6] {
      let icmp = family == AF_INET ? IPPROTO_ICMP : 58
      for number in [IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, icmp] {
        let socket = try Socket(family: family, type: SOCK_RAW, protocolNumber: Int32(number))
        try socket.set(SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        if family == AF_INET6 { try socket.set(Int32(IPPROTO_IPV6), IPV6_RECVPKTINFO, 1) }
        sockets.append((socket, UInt8(number)))
      }
    }
  }

  /// Reads everything that is waiting; returns the lines that were added.
  mutating func read() -> ArraySlice<String> {
    let before = arrivals.count
    for (socket, number) in sockets {
      while let packet = socket.receive() {
        if number == UInt8(IPPROTO_UDP), counts != nil {
          let start = packet.source.family == AF_INET ? Int((packet.bytes.first ?? 0) & 15) * 4 : 0
          counts?[Wire.word(Array(packet.bytes), start + 2), default: 0] += 1
        } else if let line = describe(packet, number) {
          arrivals.append(line)
        }
      }
    }
    return arrivals[before...]
  }

  /// Forgets what arrived until now.
  mutating func forget() {
    _ = read()
    arrivals = []
  }

  private func describe(_ packet: Received, _ number: UInt8) -> String? {
    var payload = Array(packet.bytes)
    var destination = packet.destination ?? []
    if packet.source.family == AF_INET {
      guard payload.count >= 20 else { return nil }
      destination = Array(payload[16..<20])
      payload = Array(payload.dropFirst(Int(payload[0] & 15) * 4))
    }
    guard payload.count >= 8, !destination.isEmpty else { return nil }
    let name = Wire.name(of: number)
    let target = Endpoint(address: destination, port: 0).text
    guard name == "icmp" else {
      let flags = name == "tcp" && payload.count > 13 ? Wire.flagLetters.filter { payload[13] & $0.value != 0 } : [:]
      let detail = flags.keys.sorted().map(String.init).joined()
      return "\(name) \(packet.source.text) \(Wire.word(payload, 0)) \(target) \(Wire.word(payload, 2)) -\(detail)"
    }
    let line = "icmp \(packet.source.text) \(Wire.word(payload, 4)) \(target) \(payload[0]) \(payload[1])"
    let isError = packet.source.family == AF_INET ? [3, 5, 11, 12].contains(payload[0]) : payload[0] < 128
    return isError ? line + " " + (Wire.describeQuoted(Array(payload.dropFirst(8))) ?? "") : line
  }
}
