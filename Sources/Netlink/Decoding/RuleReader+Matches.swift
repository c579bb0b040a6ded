import CNetfilter
import Nftables
import Packets

extension RuleReader {
  /// Returns the fields that `place` covers, with how many bytes of each.
  func fields(at place: PacketPlace) throws -> [(field: Field, bytes: Int)] {
    var candidates: [Field] = []
    switch place.base {
    case 1:
      candidates =
        family == .ipv4
        ? [.saddr(.ipv4), .daddr(.ipv4)] : family == .ipv6 ? [.hopLimit, .saddr(.ipv6), .daddr(.ipv6)] : []
    case 2:
      switch transport {
      case .icmp?: candidates = [.icmpType, .icmpCode]
      case .icmpv6?: candidates = [.icmpv6Type, .icmpv6Code]
      default: candidates = [.sport, .dport]
      }
    default: break
    }
    var result: [(Field, Int)] = []
    var offset = place.offset
    let end = place.offset + place.length
    while offset < end {
      guard let field = candidates.first(where: { $0.place?.offset == offset }), let length = field.place?.length else {
        throw Unknown()
      }
      result.append((field, min(length, end - offset)))
      offset += length
    }
    return result
  }

  /// Returns the selector of what is in the registers from `word` on, in `length` bytes.
  func selector(_ word: Int, length: Int) throws -> Selector {
    var parts: [MaskedField] = []
    var at = word
    var left = Wire.padded(length) / 4
    while left > 0 {
      guard at < registers.count, let content = registers[at] else { throw Unknown() }
      parts.append(try part(content))
      at += content.words
      left -= content.words
    }
    guard left == 0 else { throw Unknown() }
    return Selector(parts)
  }

  /// Returns the field that `content` is.
  func part(_ content: Content) throws -> MaskedField {
    switch content {
    case .field(let field, nil): return MaskedField(field)
    case .packet(let place, let mask):
      let fields = try fields(at: place)
      guard fields.count == 1, fields[0].bytes == fields[0].field.length else { throw Unknown() }
      return MaskedField(fields[0].field, mask: mask.map { $0.wide(0..<$0.count) })
    default: throw Unknown()
    }
  }

  /// Appends the comparison of `field` with the values from `lowest` through `highest`.
  mutating func match(
    _ field: MaskedField, _ comparison: Comparison, _ lowest: [UInt8], _ highest: [UInt8]
  ) throws {
    let bytes = lowest + highest
    var datum: Datum?
    switch field.field {
    case .iif, .oif:
      // Loopback is the first interface of every namespace; the numbers of others say nothing.
      var first: [UInt8] = []
      first.append(host: 1)
      datum = lowest == first && highest == first ? .interface("lo") : nil
    case .hopLimit: datum = lowest == highest && lowest.count == 1 ? .number(lowest[0]) : nil
    case let plain: datum = Datum(plain.type, bytes, 0..<lowest.count, lowest.count..<bytes.count)
    }
    guard let datum else { throw Unknown() }
    statements.append(.match(Selector([field]), comparison, .datum(datum)))
    guard comparison == .equal, field.mask == nil else { return }
    switch datum {
    case .family(let family): self.family = family
    case .transport(let transport): self.transport = transport
    default: break
    }
  }

  /// Takes a comparison with one value.
  mutating func compare(_ expression: RawExpression) throws {
    guard let word = expression.word(Int(NFTA_CMP_SREG.rawValue)),
      let bytes = try expression.value(Int(NFTA_CMP_DATA.rawValue)),
      let number = expression.data.number(Int(NFTA_CMP_OP.rawValue)), let content = registers[word]
    else { throw Unknown() }
    let comparison: Comparison
    switch nft_cmp_ops(number) {
    case NFT_CMP_EQ: comparison = .equal
    case NFT_CMP_NEQ: comparison = .unequal
    case NFT_CMP_LT: comparison = .below
    case NFT_CMP_GTE:
      lowest = (word, bytes)
      return
    default: throw Unknown()
    }
    switch content {
    case .field(let field, let mask?):
      // Some bit that is left is set.
      guard field.isBits, comparison == .unequal, bytes.allSatisfy({ $0 == 0 }), bytes.count == mask.count else {
        throw Unknown()
      }
      try match(MaskedField(field), .equal, mask, mask)
    case .field(let field, nil):
      guard bytes.count == field.length, !(field.isBits && comparison == .equal),
        (comparison == .below) == (field == .time)
      else { throw Unknown() }
      try match(MaskedField(field), comparison, bytes, bytes)
    case .packet(let place, let mask):
      guard bytes.count == place.length, comparison != .below else { throw Unknown() }
      try compare(place, mask, comparison, bytes)
    default: throw Unknown()
    }
  }

  /// Takes a comparison of what is at `place` in a packet with `bytes`.
  mutating func compare(
    _ place: PacketPlace, _ mask: [UInt8]?, _ comparison: Comparison, _ bytes: [UInt8]
  ) throws {
    let fields = try fields(at: place)
    guard fields.count == 1 || comparison == .equal && mask == nil else { throw Unknown() }
    var offset = 0
    for (field, count) in fields {
      let part = Array(bytes[offset..<offset + count])
      offset += count
      if let mask {
        guard count == field.length, zip(part, mask).allSatisfy({ $0 & ~$1 == 0 }) else { throw Unknown() }
        if PrefixBits.count(ofMask: mask) != nil, field.type == .ipv4 || field.type == .ipv6 {
          try match(MaskedField(field), comparison, part, zip(part, mask).map { $0 | ~$1 })
        } else {
          try match(MaskedField(field, mask: mask.wide(0..<mask.count)), comparison, part, part)
        }
      } else {
        guard count == field.length || field.type == .ipv4 || field.type == .ipv6 else { throw Unknown() }
        let rest = field.length - count
        try match(
          MaskedField(field), comparison, part + [UInt8](repeating: 0, count: rest),
          part + [UInt8](repeating: 255, count: rest))
      }
    }
  }

  /// Takes the comparison with the highest value that follows the one with the lowest.
  mutating func closeRange(_ expression: RawExpression) throws {
    guard let lowest, expression.name == "cmp", expression.word(Int(NFTA_CMP_SREG.rawValue)) == lowest.word,
      expression.data.number(Int(NFTA_CMP_OP.rawValue)) == UInt32(NFT_CMP_LTE.rawValue),
      let highest = try expression.value(Int(NFTA_CMP_DATA.rawValue)), highest.count == lowest.bytes.count,
      case let content? = registers[lowest.word]
    else { throw Unknown() }
    self.lowest = nil
    let part = try part(content)
    guard part.mask == nil, part.field.length == highest.count, lowest.bytes.lexicographicallyPrecedes(highest) else {
      throw Unknown()
    }
    try match(part, .equal, lowest.bytes, highest)
  }

  /// Takes a comparison with a range.
  mutating func compareRange(_ expression: RawExpression) throws {
    guard let word = expression.word(Int(NFTA_RANGE_SREG.rawValue)), let content = registers[word],
      let operation = expression.data.number(Int(NFTA_RANGE_OP.rawValue)), operation <= 1,
      let lowest = try expression.value(Int(NFTA_RANGE_FROM_DATA.rawValue)),
      let highest = try expression.value(Int(NFTA_RANGE_TO_DATA.rawValue))
    else { throw Unknown() }
    let part = try part(content)
    guard part.mask == nil, part.field.length == lowest.count, lowest.count == highest.count,
      lowest.lexicographicallyPrecedes(highest)
    else { throw Unknown() }
    try match(part, operation == UInt32(NFT_RANGE_NEQ.rawValue) ? .unequal : .equal, lowest, highest)
  }
}
