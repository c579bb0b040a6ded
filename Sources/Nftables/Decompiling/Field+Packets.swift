import Firewalls
import Packets

/// What a ruleset does that has no meaning here, or that no kernel accepts.
struct Unreadable: Error {
  var message: String
}

extension UnreadableRuleset {
  /// Creates the error that a reader of this room gave up with `error`.
  init(because error: any Error) {
    switch error {
    case let error as Unreadable: self.init(message: error.message)
    case let error as BudgetExceeded: self.init(error)
    default: self.init(message: "\(error)")
    }
  }
}

extension Field {
  /// The field of packets that the rules' field looks at, or nothing if it is the status of a connection.
  var packetField: PacketField? {
    switch self {
    case .nfproto: .family
    case .l4proto: .transport
    case .iif, .iifname: .arrival
    // The routing table's answer is where a packet leaves that is not translated.
    case .oif, .oifname, .fibDestinationInterface: .departure
    case .time: .time
    case .ctState: .state
    case .ctStatus: nil
    case .fibDestinationType: .destinationKind
    case .fibSourceType: .sourceKind
    case .saddr: .source
    case .daddr: .destination
    case .hopLimit: .hopLimit
    case .sport, .icmpCode, .icmpv6Code: .sourcePort
    case .dport, .icmpType, .icmpv6Type: .destinationPort
    }
  }

  /// What nft(8) makes a rule match before it looks at the field: the family, and the protocol.
  var dependencies: (family: UInt8?, transport: UInt8?) {
    switch self {
    case .saddr(let family), .daddr(let family): (family == .ipv4 ? 0 : 1, nil)
    case .hopLimit: (1, nil)
    case .icmpType, .icmpCode: (0, TransportProtocol.icmp.rawValue)
    case .icmpv6Type, .icmpv6Code: (1, TransportProtocol.icmpv6.rawValue)
    default: (nil, nil)
    }
  }

  /// `true` iff the field is in a header that only some protocols have, and nft(8) does not look which one it is.
  var needsPorts: Bool { self == .sport || self == .dport }
}

extension MaskedField {
  /// Returns the values of the field that are `datum` under the mask, or nothing if there are none.
  func values(_ datum: Datum) throws(Unreadable) -> ClosedRange<UInt128>? {
    let value = try datum.values(in: field)
    guard let mask else { return value }
    guard let highest = field.packetField?.highest, value.lowerBound == value.upperBound else {
      throw Unreadable(message: "a mask stands before something that is no number")
    }
    let width: UInt128 =
      switch field {
      case .saddr(.ipv4), .daddr(.ipv4): UInt128(UInt32.max)
      default: highest
      }
    let free = width & ~mask
    // Only the lowest bits are free in the mask of a network.
    guard free & (free &+ 1) == 0 else { throw Unreadable(message: "a mask leaves a gap") }
    guard value.lowerBound & free == 0 else { return nil }
    return value.lowerBound...(value.lowerBound | free)
  }
}

extension Datum {
  /// Returns the values of `field` that the constant stands for.
  func values(in field: Field) throws(Unreadable) -> ClosedRange<UInt128> {
    func only(_ value: some FixedWidthInteger & UnsignedInteger) -> ClosedRange<UInt128> {
      UInt128(value)...UInt128(value)
    }
    return switch (self, field.type) {
    case (.address(let a), .ipv4) where a.family == .ipv4: only(a.value)
    case (.address(let a), .ipv6) where a.family == .ipv6: only(a.value)
    case (.addresses(let r), .ipv4) where r.family == .ipv4: r.lower.value...r.upper.value
    case (.addresses(let r), .ipv6) where r.family == .ipv6: r.lower.value...r.upper.value
    case (.port(let p), .port): only(p)
    case (.ports(let r), .port): UInt128(r.lower)...UInt128(r.upper)
    case (.transport(let t), .transport): only(t.rawValue)
    case (.number(let n), .icmpType), (.number(let n), .icmpCode), (.number(let n), .icmpv6Type),
      (.number(let n), .icmpv6Code), (.number(let n), .number):
      only(n)
    case (.interface(let name), .interface):
      name.hasSuffix("*")
        ? InterfaceName.values(beginningWith: String(name.dropLast()))
        : only(InterfaceName.value(of: name))
    case (.family(let family), .family): only(UInt8(family == .ipv4 ? 0 : 1))
    case (.state(let state), .state):
      switch state {
      case .established: only(Packets.ConnectionState.established.rawValue)
      case .related: only(Packets.ConnectionState.related.rawValue)
      case .invalid: only(Packets.ConnectionState.invalid.rawValue)
      }
    case (.addressType(let type), .addressType):
      switch type {
      case .local: only(AddressKind.local.rawValue)
      case .broadcast: only(AddressKind.broadcast.rawValue)
      case .multicast: only(AddressKind.multicast.rawValue)
      case .anycast: only(AddressKind.anycast.rawValue)
      }
    case (.seconds(let s), .time) where s >= 0: only(UInt64(s))
    default: throw Unreadable(message: "`\(field.words)` is compared with something that it cannot be")
    }
  }
}
