import CNetfilter
import Nftables
import Packets

extension Datum {
  /// Creates the constant of `type` that the bytes from `lowest` through `highest` stand for, if it is one of ours.
  init?(_ type: DataType, _ bytes: [UInt8], _ lowest: Extent, _ highest: Extent) {
    guard lowest.count == type.length, highest.count == type.length else { return nil }
    switch type {
    case .ipv4, .ipv6:
      let family: AddressFamily = type == .ipv4 ? .ipv4 : .ipv6
      let (a, b) = (bytes.wide(lowest), bytes.wide(highest))
      guard a <= b else { return nil }
      self =
        a == b
        ? .address(Address(family, a)) : .addresses(AddressRange(from: Address(family, a), through: Address(family, b)))
    case .port:
      let (a, b) = (
        UInt16(truncatingIfNeeded: bytes.network(lowest)), UInt16(truncatingIfNeeded: bytes.network(highest))
      )
      guard a <= b else { return nil }
      self = a == b ? .port(a) : .ports(PortRange(from: a, through: b))
    default:
      guard bytes[lowest] == bytes[highest] else { return nil }
      self.init(type, bytes, lowest)
    }
  }

  /// Creates the single constant of `type` that `extent` of `bytes` stands for, if it is one of ours.
  private init?(_ type: DataType, _ bytes: [UInt8], _ extent: Extent) {
    let first = bytes[extent.lowerBound]
    switch type {
    case .transport: self = .transport(TransportProtocol(rawValue: first))
    case .icmpType, .icmpCode, .icmpv6Type, .icmpv6Code: self = .number(first)
    case .family:
      guard let family = AddressFamily.allCases.first(where: { $0.protocolNumber == first }) else { return nil }
      self = .family(family)
    case .state:
      let bit = bytes.host32(extent.lowerBound)
      guard let state = Nftables.ConnectionState.allCases.first(where: { $0.bit == bit }) else { return nil }
      self = .state(state)
    case .status:
      guard bytes.host32(extent.lowerBound) == destinationTranslatedBit else { return nil }
      self = .destinationTranslated
    case .addressType:
      let number = bytes.host32(extent.lowerBound)
      guard let kind = AddressType.allCases.first(where: { $0.number == number }) else { return nil }
      self = .addressType(kind)
    case .interface:
      guard let name = bytes.interfaceName(extent) else { return nil }
      self = .interface(name)
    case .time:
      let nanoseconds = bytes.network(extent)
      guard nanoseconds % 1_000_000_000 == 0 else { return nil }
      self = .seconds(Int(nanoseconds / 1_000_000_000))
    case .number, .ipv4, .ipv6, .port: return nil
    }
  }

  /// Returns the constants of `types` that the bytes from `lowest` through `highest` stand for, each from a word on if
  /// there are several; nothing if they are none of ours.
  static func list(_ types: [DataType], _ bytes: [UInt8], _ lowest: Extent, _ highest: Extent) -> [Datum]? {
    let length = Wire.length(of: types)
    guard lowest.count == length, highest.count == length else { return nil }
    var data: [Datum] = []
    data.reserveCapacity(types.count)
    var offset = 0
    for type in types {
      let a = lowest.lowerBound + offset
      let b = highest.lowerBound + offset
      guard let datum = Datum(type, bytes, a..<a + type.length, b..<b + type.length) else { return nil }
      data.append(datum)
      let next = types.count == 1 ? type.length : Wire.padded(type.length)
      // What is between the values is compared by the kernel too, so a key with something there never matches.
      for i in type.length..<next where bytes[a + i] != 0 || bytes[b + i] != 0 { return nil }
      offset += next
    }
    return data
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
