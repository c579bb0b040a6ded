public import Packets

extension Universe {
  /// Returns a packet of `set` that a person can follow: the first of a connection, from an ordinary source, if there is
  /// such a one, and to one of `destinations`.
  public func example(
    of set: PacketSet, to destinations: AddressSet = AddressSet()
  ) throws(BudgetExceeded) -> PacketValues? {
    var rest = try set.intersection(possible)
    if rest.isEmpty { return nil }
    let ends = [
      destinations.ipv4.intervals.map { UInt128($0.lowerBound)...UInt128($0.upperBound) }, destinations.ipv6.intervals,
    ]
    for (family, end) in zip(AddressFamily.allCases, ends) where !end.isEmpty {
      let some = try rest.intersection(packets(of: [family]))
        .intersection(space.set(.destination, in: space.values(IntervalSet(end), of: .destination)))
      if !some.isEmpty {
        rest = some
        break
      }
    }
    for (field, values) in preferences {
      let narrowed = try rest.intersection(space.set(field, in: space.values(values, of: field)))
      if !narrowed.isEmpty { rest = narrowed }
    }
    return rest.witness
  }

  /// What is ordinary, the most wanted first.
  private var preferences: [(PacketField, IntervalSet<UInt128>)] {
    func only(_ value: some FixedWidthInteger & UnsignedInteger) -> IntervalSet<UInt128> {
      IntervalSet(UInt128(value)...UInt128(value))
    }
    return [
      (.state, only(ConnectionState.new.rawValue)), (.direction, only(UInt8(0))),
      (.destinationKind, IntervalSet(0...UInt128(AddressKind.local.rawValue))),
      (.destinationKind, only(AddressKind.elsewhere.rawValue)),
      (.sourceKind, only(AddressKind.elsewhere.rawValue)),
      (
        .transport,
        IntervalSet([only(TransportProtocol.tcp.rawValue), only(TransportProtocol.udp.rawValue)].flatMap(\.intervals))
      ),
      // The addresses for documentation (RFC 5737, RFC 3849), then any that is not special.
      (.source, IntervalSet(0xc633_6401...0xc633_64fe)), (.source, IntervalSet(0x0100_0001...0xdfff_fffe)),
      (.source, IntervalSet((UInt128(0x2001_0db8) << 96 + 1)...(UInt128(0x2001_0db8) << 96 + 0xffff))),
      (.source, IntervalSet((UInt128(0x2000) << 112 + 1)...(UInt128(0x3fff) << 112))),
      (.destination, IntervalSet(0x0100_0001...0xdfff_fffe)),
      (.sourcePort, IntervalSet(49152...65535)), (.destinationPort, IntervalSet(1...65535)),
      (.hopLimit, only(UInt8(64))),
      (.arrival, InterfaceName.ordinary), (.departure, InterfaceName.ordinary),
    ]
  }

  /// Returns `packet` in words, with what matters of it.
  public func text(of packet: PacketValues) -> String {
    let family: AddressFamily = packet[.family] == 0 ? .ipv4 : .ipv6
    let highest = family.highest
    let transport = TransportProtocol(rawValue: UInt8(truncatingIfNeeded: packet[.transport]))
    let source = Address(family, min(packet[.source], highest)).description
    let destination = Address(family, min(packet[.destination], highest)).description
    func end(_ address: String, _ port: UInt128) -> String {
      transport.hasPorts ? (family == .ipv6 ? "[\(address)]:\(port)" : "\(address):\(port)") : address
    }
    var words: [String] = []
    switch ConnectionState(rawValue: UInt8(truncatingIfNeeded: packet[.state])) {
    case .new?, nil: break
    case .established?: words.append("established")
    case .related?: words.append("related")
    case .invalid?: words.append("invalid")
    case .untracked?: words.append("untracked")
    }
    let type = UInt8(truncatingIfNeeded: packet[.destinationPort])
    let code = UInt8(truncatingIfNeeded: packet[.sourcePort])
    switch transport {
    case .icmp: words.append(Traffic.icmp(type: type, code: code).description)
    case .icmpv6: words.append(Traffic.icmpv6(type: type, code: code).description)
    default: words.append(transport.hasPorts ? transport.description : "protocol \(transport)")
    }
    words.append("from \(end(source, packet[.sourcePort])) to \(end(destination, packet[.destinationPort]))")
    if packet[.direction] == 1 { words.append("sent by this host") }
    if packet[.arrival] != 0, packet[.direction] == 0 {
      words.append("arriving on \(InterfaceName.name(of: packet[.arrival]) ?? "another interface")")
    }
    if packet[.direction] == 1 || packet[.destinationKind] == UInt128(AddressKind.elsewhere.rawValue),
      packet[.departure] != 0
    {
      words.append("leaving on \(InterfaceName.name(of: packet[.departure]) ?? "another interface")")
    }
    switch AddressKind(rawValue: UInt8(truncatingIfNeeded: packet[.destinationKind])) {
    case .broadcast?: words.append("by broadcast")
    case .multicast?: words.append("by multicast")
    case .anycast?: words.append("by anycast")
    case .elsewhere? where packet[.direction] == 0: words.append("to be routed on")
    default: break
    }
    if (transport == .icmpv6 || transport == .icmp), packet[.hopLimit] != 64 {
      words.append("with hop limit \(packet[.hopLimit])")
    }
    for (field, condition) in zip(space.conditionFields, space.conditions) where packet[field] == 1 {
      words.append("(\(condition))")
    }
    return words.joined(separator: " ")
  }
}

extension InterfaceName {
  /// The names from `a` to `z`, among which those of all interfaces should be.
  static let ordinary = IntervalSet(value(of: "eth0")...value(of: "eth0"))
}
