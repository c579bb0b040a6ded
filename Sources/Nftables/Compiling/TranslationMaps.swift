import Firewalls
import Packets

/// Ports of several protocols.
struct PortSet {
  /// The ports with their protocols.
  private var members: Set<UInt32> = []

  /// The same in ascending order.
  private var sorted: [UInt32] = []

  /// Creates the empty set.
  init() {}

  /// Creates the set of the ports of `ranges`.
  init(_ ranges: [(TransportProtocol, PortRange)]) {
    for (transport, range) in ranges {
      for port in range.lower...range.upper { insert(transport, port) }
    }
    sorted = members.sorted()
  }

  /// Adds `port` of `transport`.
  mutating func insert(_ transport: TransportProtocol, _ port: UInt16) {
    members.insert(UInt32(transport.rawValue) << 16 | UInt32(port))
  }

  /// Returns `true` iff a port of `range` is in the set.
  func touches(_ transport: TransportProtocol, _ range: PortRange) -> Bool {
    !members.isEmpty
      && (range.lower...range.upper).contains { members.contains(UInt32(transport.rawValue) << 16 | UInt32($0)) }
  }

  /// Calls `body` with each port of `range` that is in the set as it was created.
  func forEach(_ transport: TransportProtocol, _ range: PortRange, _ body: (UInt16) -> Void) {
    let first = UInt32(transport.rawValue) << 16 | UInt32(range.lower)
    let last = UInt32(transport.rawValue) << 16 | UInt32(range.upper)
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < first { low = middle + 1 } else { high = middle }
    }
    while low < sorted.count, sorted[low] <= last {
      body(UInt16(truncatingIfNeeded: sorted[low]))
      low += 1
    }
  }
}

/// Maps from public ports to where their connections go.
struct TranslationMaps {
  /// A public port, at one address of the host or at all.
  private struct Key: Hashable {
    var address: Address?
    var transport: TransportProtocol
    var port: UInt16
  }

  /// What the names of the maps begin with.
  private let prefix: String

  /// The ports that connections are redirected to.
  private var redirects: [Key: UInt16] = [:]

  /// The addresses and ports that connections of each family are forwarded to.
  private var forwards: [AddressFamily: [Key: Destination.Target]] = [:]

  /// The chains that spread connections.
  private var spreads: [Key: String] = [:]

  /// Creates maps of nothing.
  init(prefix: String = "") { self.prefix = prefix }

  /// Adds the translation of `ports`.
  mutating func add(
    _ transport: TransportProtocol, _ ports: PortRange, _ destinations: AddressSet?, _ translation: Opening.Translation
  ) {
    for (offset, port) in (ports.lower...ports.upper).enumerated() {
      for address in TranslationMaps.addresses(destinations) {
        let key = Key(address: address, transport: transport, port: port)
        switch translation {
        case .redirect(let lowest): redirects[key] = lowest + UInt16(offset)
        case .forward(let targets, let lowest):
          for target in targets where address == nil || address?.family == target.family {
            forwards[target.family, default: [:]][key] = .init(target, lowest + UInt16(offset))
          }
        }
      }
    }
  }

  /// Lets `chain` translate `ports`.
  mutating func spread(
    _ transport: TransportProtocol, _ ports: PortRange, _ destinations: AddressSet?, _ chain: String
  ) {
    for port in ports.lower...ports.upper {
      for address in TranslationMaps.addresses(destinations) {
        spreads[Key(address: address, transport: transport, port: port)] = chain
      }
    }
  }

  /// Returns each address of `set`, or nothing once if that is nothing.
  private static func addresses(_ set: AddressSet?) -> [Address?] { set?.ranges.map(\.lower) ?? [nil] }

  /// Returns rules that look up the maps, bound addresses first, with the maps put into `assembly`.
  func rules(into assembly: inout Assembly) -> [Rule] {
    var rules: [Rule] = []
    for family in AddressFamily.allCases.map(Optional.some) + [nil] {
      rules += lookUp(redirects, family, "redirects", into: &assembly) { selector, map in
        .dnat(.port(selector, map: map))
      } value: {
        .data([.port($0)])
      } type: {
        .data([.port])
      }
      for target in AddressFamily.allCases where family == nil || family == target {
        rules += lookUp(forwards[target] ?? [:], family, "forwards", target, into: &assembly) { selector, map in
          .dnat(.mapped(target, selector, map: map))
        } value: {
          .data([.address($0.address), .port($0.port)])
        } type: {
          .data([target == .ipv4 ? .ipv4 : .ipv6, .port])
        }
      }
      rules += lookUp(spreads, family, "spreads", into: &assembly) {
        .namedVerdictMap($0, $1)
      } value: {
        .verdict(.goto($0))
      } type: {
        .verdict
      }
    }
    return rules
  }

  /// Returns the rule that looks up the part of `map` whose keys have an address of `family`, or none.
  private func lookUp<Value>(
    _ map: [Key: Value], _ family: AddressFamily?, _ name: String, _ target: AddressFamily? = nil,
    into assembly: inout Assembly, statement: (Selector, String) -> Statement,
    value: (Value) -> NamedSet.Element.Value, type: () -> NamedSet.Value
  ) -> [Rule] {
    let part = map.filter { $0.key.address?.family == family }.sorted { a, b in
      if let x = a.key.address, let y = b.key.address, x != y { return x < y }
      return (a.key.transport, a.key.port) < (b.key.transport, b.key.port)
    }
    guard !part.isEmpty else { return [] }
    var fields: [Field] = [.l4proto, .dport]
    if let family { fields.insert(.daddr(family), at: 0) }
    let selector = Selector(fields.map { MaskedField($0) })
    var full = prefix.isEmpty ? name : "\(prefix)_\(name)"
    if let family { full += family == .ipv4 ? "_at_ip" : "_at_ip6" }
    if let target { full += target == .ipv4 ? "_to_ip" : "_to_ip6" }
    let set = NamedSet(
      assembly.fresh(full), key: selector.types, value: type(), size: Matcher.size(for: part.count),
      elements: part.map { key, target in
        NamedSet.Element(
          (key.address.map { [.address($0)] } ?? []) + [.transport(key.transport), .port(key.port)],
          value: value(target))
      })
    assembly.sets.append(set)
    // nft(8) wants to see that the protocol has ports.
    let transports = Set(part.map(\.key.transport)).sorted()
    let step = Statement.match(Selector(.l4proto), .equal, .among(transports.map { .transport($0) }))
    return [Rule([step, statement(selector, set.name)])]
  }
}
