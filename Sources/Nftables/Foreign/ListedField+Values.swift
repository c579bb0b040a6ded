import Firewalls
import Packets
import Syntax

extension ListedField {
  /// Returns the values that `datum` stands for, or nothing if it is not known what it means.
  func values(_ datum: JSONValue) -> IntervalSet<UInt128>? {
    if datum["elem"] != nil { return datum.plainElement.flatMap(values) }
    if let range = datum["range"]?.array, range.count == 2 {
      guard let lower = values(range[0])?.intervals.first?.lowerBound,
        let upper = values(range[1])?.intervals.last?.upperBound, lower <= upper
      else { return nil }
      return IntervalSet(lower...upper)
    }
    if let prefix = datum["prefix"] {
      guard case .address(let family) = kind, let address = prefix["addr"]?.string.flatMap({ Address($0) }),
        address.family == family, let length = prefix["len"]?.number, (0...family.width).contains(length)
      else { return nil }
      let range = Prefix(containing: address, length: length).range
      return IntervalSet(range.lower.value...range.upper.value)
    }
    if let some = datum["set"]?.array ?? datum.array {
      var intervals: [ClosedRange<UInt128>] = []
      for one in some {
        guard let values = values(one) else { return nil }
        intervals += values.intervals
      }
      return IntervalSet(intervals)
    }
    switch datum {
    case .number(let number):
      guard let value = UInt128(exactly: number) else { return nil }
      return self.value(numbered: value)
    case .string(let text): return value(named: text)
    default: return nil
    }
  }

  private func value(numbered value: UInt128) -> IntervalSet<UInt128>? {
    switch kind {
    case .state:
      // NF_CT_STATE_BIT of linux/netfilter/nf_conntrack_common.h.
      let states: [(UInt128, Packets.ConnectionState)] = [
        (1, .invalid), (2, .established), (4, .related), (8, .new), (64, .untracked),
      ]
      guard let state = states.first(where: { $0.0 == value })?.1 else { return nil }
      return IntervalSet(only: state.rawValue)
    case .kind: return addressKind(Int(value))
    case .family:
      // NFPROTO_IPV4 and NFPROTO_IPV6.
      return value == 2 ? IntervalSet(only: UInt8(0)) : value == 10 ? IntervalSet(only: UInt8(1)) : nil
    case .transport, .port, .icmpType, .icmpv6Type, .icmpCode, .number, .time, .mark:
      return value <= (field?.highest ?? UInt128(UInt32.max)) ? IntervalSet(value...value) : nil
    case .address, .interface, .etherType, .status: return nil
    }
  }

  /// Returns the kind of the type of routes `number` (linux/rtnetlink.h).
  private func addressKind(_ number: Int) -> IntervalSet<UInt128>? {
    switch number {
    case 2: IntervalSet(only: AddressKind.local.rawValue)
    case 3: IntervalSet(only: AddressKind.broadcast.rawValue)
    case 4: IntervalSet(only: AddressKind.anycast.rawValue)
    case 5: IntervalSet(only: AddressKind.multicast.rawValue)
    default: nil
    }
  }

  private func value(named text: String) -> IntervalSet<UInt128>? {
    switch kind {
    case .address(let family):
      guard let address = Address(text), address.family == family else { return nil }
      return IntervalSet(only: address.value)
    case .interface:
      guard text.hasSuffix("*"), !text.hasSuffix("\\*") else { return IntervalSet(only: InterfaceName.value(of: text)) }
      return IntervalSet(InterfaceName.values(beginningWith: String(text.dropLast())))
    case .transport:
      let names =
        TransportProtocol.withPorts + [
          ("icmp", .icmp), ("icmpv6", .icmpv6), ("ipv6-icmp", .icmpv6), ("esp", TransportProtocol(rawValue: 50)),
          ("ah", TransportProtocol(rawValue: 51)), ("gre", TransportProtocol(rawValue: 47)),
          ("comp", TransportProtocol(rawValue: 108)), ("igmp", TransportProtocol(rawValue: 2)),
          ("ospf", TransportProtocol(rawValue: 89)), ("vrrp", TransportProtocol(rawValue: 112)),
          ("ipencap", TransportProtocol(rawValue: 4)), ("ipv6", TransportProtocol(rawValue: 41)),
        ]
      return names.first { $0.name == text }.map { IntervalSet(only: $0.transport.rawValue) }
    case .family:
      return text == "ipv4" ? IntervalSet(only: UInt8(0)) : text == "ipv6" ? IntervalSet(only: UInt8(1)) : nil
    case .etherType:
      // Other protocols than these have no packets here.
      return text == "ip" ? IntervalSet(only: UInt8(0)) : text == "ip6" ? IntervalSet(only: UInt8(1)) : nil
    case .state:
      let states: [(String, Packets.ConnectionState)] = [
        ("new", .new), ("established", .established), ("related", .related), ("invalid", .invalid),
        ("untracked", .untracked),
      ]
      return states.first { $0.0 == text }.map { IntervalSet(only: $0.1.rawValue) }
    case .kind:
      let kinds: [(String, Int)] = [("local", 2), ("broadcast", 3), ("anycast", 4), ("multicast", 5)]
      return kinds.first { $0.0 == text }.flatMap { addressKind($0.1) }
    case .icmpType: return message(text, ICMPType.ipv4)
    case .icmpv6Type: return message(text, ICMPType.ipv6)
    case .time:
      let parts = text.split(separator: " ")
      guard parts.count == 2, let date = CalendarDate(String(parts[0])) else { return nil }
      let clock = parts[1].split(separator: ":").compactMap { Int($0) }
      guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]), (0..<60).contains(clock[2])
      else {
        return nil
      }
      let seconds = date.daysSinceEpoch * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
      return UInt128(exactly: seconds).map { IntervalSet($0...$0) }
    case .icmpCode:
      let isIPv6 = if case .message(.ipv6) = needs { true } else { false }
      let codes = isIPv6 ? ListedField.icmpv6Codes : ListedField.icmpCodes
      return codes.first { $0.name == text }.map { IntervalSet(only: $0.code) }
    case .port, .number, .mark, .status: return nil
    }
  }

  /// The names that nft(8) has for the codes of ICMP, for whatever type.
  private static let icmpCodes: [(name: String, code: UInt8)] = [
    ("net-unreachable", 0), ("host-unreachable", 1), ("prot-unreachable", 2), ("port-unreachable", 3),
    ("frag-needed", 4), ("net-prohibited", 9), ("host-prohibited", 10), ("admin-prohibited", 13),
  ]

  /// The names that nft(8) has for the codes of ICMPv6.
  private static let icmpv6Codes: [(name: String, code: UInt8)] = [
    ("no-route", 0), ("admin-prohibited", 1), ("addr-unreachable", 3), ("port-unreachable", 4), ("policy-fail", 5),
    ("reject-route", 6),
  ]

  private func message(_ text: String, _ names: [ICMPType.Entry]) -> IntervalSet<UInt128>? {
    names.first { $0.name == text }.map { IntervalSet(only: $0.type) }
  }

  /// Returns the values of the field that are among `values` under the mask, or nothing if the mask leaves gaps.
  func unmasked(_ values: IntervalSet<UInt128>) -> IntervalSet<UInt128>? {
    guard let mask else { return values }
    guard let highest = every.intervals.first?.upperBound else { return nil }
    let free = highest & ~mask
    guard free & (free &+ 1) == 0 else { return nil }
    // Under the mask, values differ in their upper bits alone.
    let blocks = values.intersection(IntervalSet(0...highest)).intervals
    return IntervalSet(
      blocks.compactMap { range -> ClosedRange<UInt128>? in
        let lower = range.lowerBound & free == 0 ? range.lowerBound : (range.lowerBound | free) &+ 1
        let upper = range.upperBound & ~free
        guard lower <= upper else { return nil }
        return lower...(upper | free)
      })
  }
}

extension IntervalSet<UInt128> {
  /// Creates the set of `value` alone.
  fileprivate init(only value: some FixedWidthInteger & UnsignedInteger) { self.init(UInt128(value)...UInt128(value)) }
}
