public import Packets

/// What a host says of itself in `/proc` and `/etc/passwd`.
///
/// What a text does not say is left out; what it says in a way that is not known is passed over.
public struct HostFacts: Hashable, Sendable {
  /// The addresses of its interfaces.
  public var addresses = AddressSet()

  /// The ports that its clients take, if that is known.
  public var ephemeral: PortRange?

  /// The ports that its clients never take.
  public var reserved: [PortRange] = []

  /// The names of its users.
  public var users: [UInt32: String] = [:]

  /// The names of its interfaces, as far as they have IPv6 addresses.
  public var interfaces: [UInt32: String] = [:]

  /// The ways to others, of the main table.
  public var routes: [Route] = []

  /// A way to others.
  public struct Route: Hashable, Sendable {
    /// The addresses to which it leads.
    public var prefix: Prefix

    /// The name of the interface.
    public var interface: String

    /// The lowest is taken, of those with one prefix.
    public var metric: UInt32
  }

  /// Creates facts of which nothing is known.
  public init() {}

  /// Reads `text`, which is `/proc/net/fib_trie`: the routes of IPv4, those of the host's own addresses among them.
  public mutating func read(fibTrie text: String) {
    var address: Address?
    var own: [Address] = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == "|--" { address = Address(words[1]) }
      if words.count >= 3, words[0] == "/32", words[1] == "host", words[2] == "LOCAL", let address {
        own.append(address)
      }
    }
    addresses = addresses.union(AddressSet(own))
  }

  /// Reads `text`, which is `/proc/net/if_inet6`: address, number of the interface, length, scope, flags and name.
  public mutating func read(ifInet6 text: String) {
    var own: [Address] = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 6, words[0].utf8.count == 32, let value = UInt128(words[0], radix: 16) else { continue }
      own.append(Address(.ipv6, value))
      if let number = UInt32(words[1], radix: 16) { interfaces[number] = String(words[5]) }
    }
    addresses = addresses.union(AddressSet(own))
  }

  /// Returns the name of the interface on which packets to `address` leave, if that is known.
  public func interface(towards address: Address) -> String? {
    routes.filter { $0.prefix.range.contains(address) }.min { a, b in
      (b.prefix.length, a.metric) < (a.prefix.length, b.metric)
    }?.interface
  }

  /// Reads `text`, which is `/proc/net/route`: interface, destination, gateway, flags, two counts, metric and mask.
  public mutating func read(route text: String) {
    for line in text.split(separator: "\n").dropFirst() {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.count >= 8, let first = UInt32(words[1], radix: 16), let flags = UInt32(words[3], radix: 16),
        let metric = UInt32(words[6]), let mask = UInt32(words[7], radix: 16), flags & 0x201 == 1
      else { continue }
      // The kernel prints the bytes of the network as one number of the host.
      let address = Address(.ipv4, UInt128(UInt32(bigEndian: first)))
      let prefix = Prefix(containing: address, length: mask.nonzeroBitCount)
      routes.append(Route(prefix: prefix, interface: String(words[0]), metric: metric))
    }
  }

  /// Reads `text`, which is `/proc/net/ipv6_route`: destination and its length, source and its length, gateway, metric,
  /// two counts, flags and interface.
  public mutating func read(ipv6Route text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 10, let value = UInt128(words[0], radix: 16), let length = Int(words[1], radix: 16),
        (0...128).contains(length), let metric = UInt32(words[5], radix: 16), let flags = UInt32(words[8], radix: 16),
        flags & 0x201 == 1
      else { continue }
      let prefix = Prefix(containing: Address(.ipv6, value), length: length)
      routes.append(Route(prefix: prefix, interface: String(words[9]), metric: metric))
    }
  }

  /// Reads `text`, which is `/proc/sys/net/ipv4/ip_local_port_range`.
  public mutating func read(portRange text: String) {
    let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) }
    if numbers.count == 2, numbers[0] <= numbers[1] { ephemeral = PortRange(from: numbers[0], through: numbers[1]) }
  }

  /// Reads `text`, which is `/proc/sys/net/ipv4/ip_local_reserved_ports`, such as `8080,9148-9150`.
  public mutating func read(reservedPorts text: String) {
    for part in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
      let ends = part.split(separator: "-").compactMap { UInt16($0) }
      if let first = ends.first, let last = ends.last, first <= last {
        reserved.append(PortRange(from: first, through: last))
      }
    }
  }

  /// Reads `text`, which is `/etc/passwd`.
  public mutating func read(passwd text: String) {
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      if fields.count >= 3, let number = UInt32(fields[2]), users[number] == nil { users[number] = String(fields[0]) }
    }
  }
}
