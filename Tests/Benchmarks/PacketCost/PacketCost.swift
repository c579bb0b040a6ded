import CNetfilter
import Foundation

/// Measures what a packet costs in the kernel of several hosts, in turn, so that what else the machine does falls on all of them:
/// `packet-cost ROUNDS NAMESPACE:DEVICE:PACKETS...`.
///
/// Each host is a network namespace with a TUN device of that name. A packet that is written to the device is received, judged
/// and dropped before the call returns, in the time of this thread, so that other processes on the machine do not count.
/// PACKETS is a file of lines `ADDRESS PORT`: who sends, and to which UDP port of 192.0.2.1. For a host with a `+` behind
/// PACKETS each packet is first sent with a time to live of 64, and answered; the packets that are measured have 63.
/// A host with a `-` behind it is given a tenth of the packets, since each takes it long.
///
/// What a host costs over the first one is told round by round: the pace of a machine changes from one round to the next
/// more than two rulesets differ.
@main
enum PacketCost {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count > 2, let rounds = Int(arguments[1]) else {
      FileHandle.standardError.write(Data("usage: packet-cost ROUNDS NAMESPACE:DEVICE:PACKETS[+-]...\n".utf8))
      exit(2)
    }
    let hosts = try arguments.dropFirst(2).map { try Host($0) }
    var times = [[Double]](repeating: [], count: hosts.count)
    for host in hosts { _ = try host.send() }
    for _ in 0..<rounds {
      for i in hosts.indices { times[i].append(try hosts[i].send()) }
    }
    let median = { (values: [Double]) in values.sorted()[values.count / 2] }
    let rows = zip(hosts, times).map { host, own in
      let over = median(zip(own, times[0]).map { $0 - $1 })
      return
        "{\"host\": \"\(host.name)\", \"packets\": \(host.packets.count), \"median\": \(median(own)), \"over\": \(over)}"
    }
    print("[\(rows.joined(separator: ",\n "))]")
  }
}

/// A host whose packets are measured.
private struct Host {
  /// The name of its namespace.
  let name: String

  /// What it receives.
  let packets: [[UInt8]]

  /// The device that it receives them from.
  private let device: CInt

  /// Opens the host that `argument` describes.
  init(_ argument: String) throws {
    let parts = argument.split(separator: ":", maxSplits: 2).map(String.init)
    guard parts.count == 3 else { throw Failure(call: argument, number: EINVAL) }
    let isEstablished = parts[2].hasSuffix("+")
    let isSlow = parts[2].hasSuffix("-")
    name = parts[0]
    let file = URL(fileURLWithPath: isEstablished || isSlow ? String(parts[2].dropLast()) : parts[2])
    let senders = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(Sender.init)
    packets = senders.prefix(isSlow ? senders.count / 10 : senders.count).map { $0.packet(timeToLive: 63) }
    let namespace = unsafe open("/run/netns/\(name)", O_RDONLY | O_CLOEXEC)
    // CLONE_NEWNET; the namespace of a thread is that of the sockets it makes.
    guard namespace >= 0, setns(namespace, 0x4000_0000) == 0 else { throw Failure(call: name, number: errno) }
    close(namespace)
    device = unsafe open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)
    guard device >= 0 else { throw Failure(call: "/dev/net/tun", number: errno) }
    // struct ifreq: a name, and IFF_TUN | IFF_NO_PI; 0x400454ca is TUNSETIFF (linux/if_tun.h).
    var request = [UInt8](repeating: 0, count: 40)
    for (i, byte) in parts[1].utf8.prefix(15).enumerated() { request[i] = byte }
    (request[16], request[17]) = (0x01, 0x10)
    let result = unsafe request.withUnsafeMutableBytes {
      unsafe $0.baseAddress.map { unsafe ioctl(device, 0x4004_54ca, $0) }
    }
    guard result == 0 else { throw Failure(call: parts[1], number: errno) }
    if isEstablished { try establish(senders) }
  }

  /// Lets each of `senders` send a packet, and answers it.
  private func establish(_ senders: [Sender]) throws {
    for port in Set(senders.map(\.port)) {
      let listener = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
      defer { close(listener) }
      var own = sockaddr_in()
      own.sin_family = sa_family_t(AF_INET)
      own.sin_port = port.bigEndian
      let size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let bound = unsafe withUnsafePointer(to: &own) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(listener, $0, size) }
      }
      guard bound == 0 else { throw Failure(call: "bind", number: errno) }
      for sender in senders where sender.port == port {
        try write([sender.packet(timeToLive: 64)])
        var peer = sockaddr_in()
        var length = size
        var byte: UInt8 = 0
        let sent = unsafe withUnsafeMutablePointer(to: &peer) {
          unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
            let count = unsafe recvfrom(listener, &byte, 1, Int32(MSG_DONTWAIT), peer, &length)
            return count < 0 ? -1 : unsafe sendto(listener, &byte, 1, 0, peer, length)
          }
        }
        guard sent == 1 else {
          throw Failure(call: "an answer to \(sender.address) port \(sender.port)", number: errno)
        }
      }
    }
  }

  /// Lets the host receive all packets; returns nanoseconds of this thread for each.
  func send() throws -> Double {
    let start = nanoseconds(CLOCK_THREAD_CPUTIME_ID)
    try write(packets)
    return Double(nanoseconds(CLOCK_THREAD_CPUTIME_ID) - start) / Double(packets.count)
  }

  private func write(_ packets: [[UInt8]]) throws {
    for packet in packets {
      let count = unsafe packet.withUnsafeBytes { unsafe Glibc.write(device, $0.baseAddress, $0.count) }
      guard count == packet.count else { throw Failure(call: "\(name): write", number: errno) }
    }
  }
}

/// Who sends, and to which port.
private struct Sender {
  let address: UInt32
  let port: UInt16

  /// Reads `ADDRESS PORT`.
  init(_ line: Substring) {
    let words = line.split(separator: " ")
    address = words[0].split(separator: ".").reduce(0) { $0 << 8 | (UInt32($1) ?? 0) }
    port = UInt16(words[1]) ?? 0
  }

  /// Returns a datagram of one byte to 192.0.2.1, from a port that depends on the sender.
  func packet(timeToLive: UInt8) -> [UInt8] {
    func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }
    let sourcePort = 40_000 + address % 20_000
    var header: [UInt8] = [0x45, 0, 0, 29, 0, 0, 0, 0, timeToLive, 17, 0, 0] + bytes(address) + [192, 0, 2, 1]
    var sum: UInt32 = stride(from: 0, to: 20, by: 2).reduce(0) { $0 + UInt32(header[$1]) << 8 + UInt32(header[$1 + 1]) }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    (header[10], header[11]) = (UInt8(~sum >> 8 & 0xff), UInt8(~sum & 0xff))
    // Without a checksum, which UDP allows over IPv4.
    return header + bytes(sourcePort << 16 | UInt32(port)) + [0, 9, 0, 0, 0]
  }
}

/// A call of the system that failed.
private struct Failure: Error, CustomStringConvertible {
  let call: String
  let number: CInt
  var description: String { unsafe "\(call): \(String(cString: strerror(number)))" }
}

/// Returns the nanoseconds of `clock`.
private func nanoseconds(_ clock: clockid_t) -> UInt64 {
  var now = timespec()
  unsafe _ = clock_gettime(clock, &now)
  return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}
