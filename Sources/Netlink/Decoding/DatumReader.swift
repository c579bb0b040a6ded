import CNetfilter
import Nftables
import Packets

extension Datum {
  /// Creates the constant of `type` that the bytes from `lowest` through `highest` stand for, if it is one of ours.
  init?(_ type: DataType, _ bytes: Span<UInt8>, _ lowest: Extent, _ highest: Extent) {
    guard lowest.count == type.length, highest.count == type.length else { return nil }
    self.init(type, from: bytes.wide(lowest), through: bytes.wide(highest))
  }

  /// Creates the constant of `type` that the bytes from `lowest` through `highest` stand for, if it is one of ours.
  init?(_ type: DataType, _ bytes: [UInt8], _ lowest: Extent, _ highest: Extent) {
    self.init(type, bytes.span, lowest, highest)
  }

  /// Creates the constant of `type` whose bytes are the numbers from `a` through `b` in the order of the network, if it is
  /// one of ours.
  init?(_ type: DataType, from a: UInt128, through b: UInt128) {
    switch type {
    case .ipv4, .ipv6:
      guard a <= b else { return nil }
      let family: AddressFamily = type == .ipv4 ? .ipv4 : .ipv6
      self =
        a == b
        ? .address(Address(family, a)) : .addresses(AddressRange(from: Address(family, a), through: Address(family, b)))
    case .port:
      guard a <= b else { return nil }
      let (first, last) = (UInt16(truncatingIfNeeded: a), UInt16(truncatingIfNeeded: b))
      self = first == last ? .port(first) : .ports(PortRange(from: first, through: last))
    default:
      guard a == b else { return nil }
      self.init(type, a)
    }
  }

  /// Creates the single constant of `type` whose bytes are `number` in the order of the network, if it is one of ours.
  private init?(_ type: DataType, _ number: UInt128) {
    let byte = UInt8(truncatingIfNeeded: number)
    // Numbers of the kernel's own are in the order of this machine.
    let word = UInt32(bigEndian: UInt32(truncatingIfNeeded: number).littleEndian).littleEndian
    switch type {
    case .transport: self = .transport(TransportProtocol(rawValue: byte))
    case .icmpType, .icmpCode, .icmpv6Type, .icmpv6Code: self = .number(byte)
    case .family:
      guard let family = AddressFamily.allCases.first(where: { $0.protocolNumber == byte }) else { return nil }
      self = .family(family)
    case .state:
      guard let state = Nftables.ConnectionState.allCases.first(where: { $0.bit == word }) else { return nil }
      self = .state(state)
    case .status:
      guard word == destinationTranslatedBit else { return nil }
      self = .destinationTranslated
    case .addressType:
      guard let kind = AddressType.allCases.first(where: { $0.number == word }) else { return nil }
      self = .addressType(kind)
    case .interface:
      let bytes = stride(from: 120, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> UInt128($0)) }
      guard let name = bytes.interfaceName(0..<16) else { return nil }
      self = .interface(name)
    case .time:
      let nanoseconds = UInt64(truncatingIfNeeded: number)
      guard nanoseconds % 1_000_000_000 == 0 else { return nil }
      self = .seconds(Int(nanoseconds / 1_000_000_000))
    case .number, .ipv4, .ipv6, .port: return nil
    }
  }

  /// Returns the constants of `types` that the bytes from `lowest` through `highest` stand for, each from a word on if
  /// there are several; nothing if they are none of ours.
  static func list(_ types: [DataType], _ bytes: [UInt8], _ lowest: Extent, _ highest: Extent) -> [Datum]? {
    KeyLayout(types).data(bytes.span, lowest, highest)
  }
}

extension [UInt8] {
  /// Returns the name of an interface in `extent`, which ends with zeros, if it is one.
  func interfaceName(_ extent: Extent) -> String? {
    let name = self[extent].prefix { $0 != 0 }
    guard !name.isEmpty, name.count < 16, self[extent].dropFirst(name.count).allSatisfy({ $0 == 0 }),
      name.allSatisfy({ (0x21...0x7e).contains($0) })
    else { return nil }
    return String(decoding: name, as: UTF8.self)
  }
}

extension Verdict {
  /// Creates the verdict that `table` stands for (`enum nft_verdict_attributes`), if it is one of ours.
  init?(_ table: AttributeTable) {
    guard let code = table.number(Int(NFTA_VERDICT_CODE.rawValue)) else { return nil }
    let chain = table.text(Int(NFTA_VERDICT_CHAIN.rawValue))
    let plain: [Verdict] = [.accept, .drop, .return]
    if let verdict = plain.first(where: { $0.code == code }) {
      self = verdict
    } else if let chain, code == Verdict.jump("").code {
      self = .jump(chain)
    } else if let chain, code == Verdict.goto("").code {
      self = .goto(chain)
    } else {
      return nil
    }
  }
}

extension Count {
  /// Creates the count that the data of a counter stand for.
  init(_ counter: AttributeTable) {
    self.init(
      packets: counter.long(Int(NFTA_COUNTER_PACKETS.rawValue)) ?? 0,
      bytes: counter.long(Int(NFTA_COUNTER_BYTES.rawValue)) ?? 0)
  }
}
