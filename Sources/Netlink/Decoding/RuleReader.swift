import CNetfilter
import Nftables
import Packets
import Syntax

/// The reader of one rule: it works through the expressions as the kernel does, but with what registers stand for in the
/// place of values.
///
/// Whatever is not exactly what the encoder or nft(8) makes of a rule of ours makes the rule unknown; nothing is guessed.
struct RuleReader {
  /// What a register holds.
  enum Content {
    /// A part of a packet.
    case packet(PacketPlace, mask: [UInt8]?)

    /// A field, of which only some bits may be left.
    case field(Field, mask: [UInt8]?)

    /// The kernel's clock, before its bytes are turned round.
    case clock

    /// A hash of the source.
    case hash(AddressFamily, over: UInt32)

    /// What a map has for a selector.
    case mapped(ReadSet, Selector)

    /// What a list of targets has for a hash of the source.
    case target(ReadSet, AddressFamily)

    /// The number of words that it takes.
    var words: Int {
      switch self {
      case .packet(let place, _): Wire.padded(place.length) / 4
      case .field(let field, _): Wire.padded(field.length) / 4
      case .clock: 2
      case .hash, .mapped, .target: 1
      }
    }
  }

  /// What makes a rule unknown.
  struct Unknown: Error {}

  /// The sets of the table.
  let sets: [String: ReadSet]

  /// What each register holds, by its first word.
  private var registers = [Content?](repeating: nil, count: Register.count)

  /// The statements so far.
  private var statements: [Statement] = []

  /// What the counters have counted.
  private var counts: [Count] = []

  /// The family, once it was compared.
  private var family: AddressFamily?

  /// The protocol, once it was compared.
  private var transport: TransportProtocol?

  /// The lowest value that was compared, if the highest must follow.
  private var lowest: (word: Int, bytes: [UInt8])?

  /// Creates a reader of a rule of a table with `sets`.
  private init(sets: [String: ReadSet]) { self.sets = sets }

  /// Returns the rule that `message` (`NFT_MSG_NEWRULE`) is about, and the chain that it is in.
  static func rule(
    _ message: Message, sets: [String: ReadSet]
  ) throws(NetlinkError) -> (chain: String, rule: LiveRule) {
    let table = try message.attributes(after: 4).table()
    guard let chain = table.text(Int(NFTA_RULE_CHAIN.rawValue)) else { throw .malformed("a rule without a chain") }
    let handle = table.long(Int(NFTA_RULE_HANDLE.rawValue)) ?? 0
    let notes = Notes(table.bytes, table[Int(NFTA_RULE_USERDATA.rawValue)])
    var expressions: [RawExpression] = []
    if let extent = table[Int(NFTA_RULE_EXPRESSIONS.rawValue)] {
      expressions = try RawExpression.list(table.bytes, extent)
    }
    var reader = RuleReader(sets: sets)
    var rule: Rule?
    if !notes.hasOthers, table[Int(NFTA_RULE_COMPAT.rawValue)] == nil {
      do {
        for expression in expressions { try reader.read(expression) }
        guard reader.lowest == nil else { throw Unknown() }
        rule = Rule(reader.statements, comment: notes.comment).canonical
      } catch let error as NetlinkError {
        throw error
      } catch {}
    }
    // The canonical form adds nothing to what the kernel has; if it does, a field is read without what it needs.
    if rule?.statements.count != reader.statements.count { rule = nil }
    guard rule == nil else { return (chain, LiveRule(handle: handle, rule: rule, counts: reader.counts)) }
    var counts: [Count] = []
    for expression in expressions where expression.name == "counter" { counts.append(Count(expression.data)) }
    let text = expressions.map(\.name).joined(separator: ", ") + (notes.comment.map { " (\($0))" } ?? "")
    return (chain, LiveRule(handle: handle, rule: nil, text: text, counts: counts))
  }

  /// Takes the next expression.
  private mutating func read(_ expression: RawExpression) throws {
    if lowest != nil { return try closeRange(expression) }
    switch expression.name {
    case "meta", "ct", "fib", "payload": try load(expression)
    case "byteorder": try turn(expression)
    case "bitwise": try mask(expression)
    case "hash": try hash(expression)
    case "cmp": try compare(expression)
    case "range": try compareRange(expression)
    case "lookup": try lookUp(expression)
    case "immediate": try judge(expression)
    case "counter":
      counts.append(Count(expression.data))
      statements.append(.counter)
    case "limit": statements.append(.limit(try bucket(expression)))
    case "dynset": try update(expression)
    case "log": try log(expression)
    case "nat": try translate(expression)
    case "masq":
      guard expression.data.types.allSatisfy({ expression.data.number($0) == 0 }) else { throw Unknown() }
      statements.append(.masquerade)
    case "reject": try reject(expression)
    default: throw Unknown()
    }
  }

  /// Puts what is loaded into its register.
  private mutating func load(_ expression: RawExpression) throws {
    let data = expression.data
    let content: Content
    let register: Int?
    switch expression.name {
    case "meta":
      register = expression.word(Int(NFTA_META_DREG.rawValue))
      let key = data.number(Int(NFTA_META_KEY.rawValue))
      guard let field = RuleReader.fields.first(where: { $0.metaKey != nil && $0.metaKey == key }) else {
        throw Unknown()
      }
      content = field == .time ? .clock : .field(field, mask: nil)
    case "ct":
      register = expression.word(Int(NFTA_CT_DREG.rawValue))
      let key = data.number(Int(NFTA_CT_KEY.rawValue))
      guard data[Int(NFTA_CT_DIRECTION.rawValue)] == nil,
        let field = RuleReader.fields.first(where: { $0.connectionKey != nil && $0.connectionKey == key })
      else { throw Unknown() }
      content = .field(field, mask: nil)
    case "fib":
      register = expression.word(Int(NFTA_FIB_DREG.rawValue))
      let result = data.number(Int(NFTA_FIB_RESULT.rawValue))
      let flags = data.number(Int(NFTA_FIB_FLAGS.rawValue))
      guard
        let field = RuleReader.fields.first(where: { field in
          field.route.map { $0.result == result && $0.flags == flags } ?? false
        })
      else { throw Unknown() }
      content = .field(field, mask: nil)
    default:
      register = expression.word(Int(NFTA_PAYLOAD_DREG.rawValue))
      guard let base = data.number(Int(NFTA_PAYLOAD_BASE.rawValue)),
        let offset = data.number(Int(NFTA_PAYLOAD_OFFSET.rawValue)), offset < 64,
        let length = data.number(Int(NFTA_PAYLOAD_LEN.rawValue)), (1...32).contains(length)
      else { throw Unknown() }
      content = .packet(PacketPlace(base: base, offset: Int(offset), length: Int(length)), mask: nil)
    }
    guard let register else { throw Unknown() }
    try put(content, at: register)
  }

  /// The fields that can be loaded by a number.
  private static let fields: [Field] = [
    .nfproto, .l4proto, .iif, .iifname, .oif, .oifname, .time, .ctState, .ctStatus, .fibDestinationType,
    .fibDestinationInterface, .fibSourceType,
  ]

  /// Puts `content` into the registers from `word` on.
  private mutating func put(_ content: Content, at word: Int) throws {
    guard word + content.words <= registers.count else { throw Unknown() }
    for i in registers.indices {
      // What is partly overwritten is gone.
      guard let old = registers[i] else { continue }
      if i < word + content.words, word < i + old.words { registers[i] = nil }
    }
    registers[word] = content
  }

  /// Turns the bytes of the clock round.
  private mutating func turn(_ expression: RawExpression) throws {
    let data = expression.data
    // nft(8) turns single bytes round as well, as half a word, which the kernel makes nothing of.
    if let word = expression.word(Int(NFTA_BYTEORDER_SREG.rawValue)),
      word == expression.word(Int(NFTA_BYTEORDER_DREG.rawValue)), case .field(.l4proto, nil) = registers[word],
      data.number(Int(NFTA_BYTEORDER_LEN.rawValue)) == 1, data.number(Int(NFTA_BYTEORDER_SIZE.rawValue)) == 2
    {
      return
    }
    guard let word = expression.word(Int(NFTA_BYTEORDER_SREG.rawValue)),
      word == expression.word(Int(NFTA_BYTEORDER_DREG.rawValue)), case .clock = registers[word],
      data.number(Int(NFTA_BYTEORDER_OP.rawValue)) == UInt32(NFT_BYTEORDER_HTON.rawValue),
      data.number(Int(NFTA_BYTEORDER_LEN.rawValue)) == 8, data.number(Int(NFTA_BYTEORDER_SIZE.rawValue)) == 8
    else { throw Unknown() }
    registers[word] = .field(.time, mask: nil)
  }

  /// Keeps some bits of a register.
  private mutating func mask(_ expression: RawExpression) throws {
    let data = expression.data
    guard let word = expression.word(Int(NFTA_BITWISE_SREG.rawValue)),
      word == expression.word(Int(NFTA_BITWISE_DREG.rawValue)),
      let mask = try expression.value(Int(NFTA_BITWISE_MASK.rawValue)),
      let flips = try expression.value(Int(NFTA_BITWISE_XOR.rawValue)), flips.allSatisfy({ $0 == 0 }),
      data.number(Int(NFTA_BITWISE_LEN.rawValue)) == UInt32(mask.count),
      data.number(Int(NFTA_BITWISE_OP.rawValue)) ?? 0 == 0
    else { throw Unknown() }
    switch registers[word] {
    case .packet(let place, nil) where place.length == mask.count: registers[word] = .packet(place, mask: mask)
    case .field(let field, nil) where field.isBits && field.length == mask.count:
      registers[word] = .field(field, mask: mask)
    default: throw Unknown()
    }
  }

  /// Computes the hash of the source.
  private mutating func hash(_ expression: RawExpression) throws {
    let data = expression.data
    guard let source = expression.word(Int(NFTA_HASH_SREG.rawValue)),
      let target = expression.word(Int(NFTA_HASH_DREG.rawValue)), case .packet(let place, nil) = registers[source],
      let family = AddressFamily.allCases.first(where: { Field.saddr($0).place == place }), family == self.family,
      data.number(Int(NFTA_HASH_LEN.rawValue)) == UInt32(place.length),
      let count = data.number(Int(NFTA_HASH_MODULUS.rawValue)),
      data.number(Int(NFTA_HASH_SEED.rawValue)) == Spreading.seed,
      data.number(Int(NFTA_HASH_OFFSET.rawValue)) ?? 0 == 0,
      data.number(Int(NFTA_HASH_TYPE.rawValue)) ?? 0 == UInt32(NFT_HASH_JENKINS.rawValue)
    else { throw Unknown() }
    try put(.hash(family, over: count), at: target)
  }
}

extension RuleReader {
  /// Returns the fields that `place` covers, with how many bytes of each.
  private func fields(at place: PacketPlace) throws -> [(field: Field, bytes: Int)] {
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
  private func selector(_ word: Int, length: Int) throws -> Selector {
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
  private func part(_ content: Content) throws -> MaskedField {
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
  private mutating func match(
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
  private mutating func compare(_ expression: RawExpression) throws {
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
  private mutating func compare(
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
  private mutating func closeRange(_ expression: RawExpression) throws {
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
  private mutating func compareRange(_ expression: RawExpression) throws {
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

  /// Takes a look-up in a set or a map.
  private mutating func lookUp(_ expression: RawExpression) throws {
    let data = expression.data
    guard let word = expression.word(Int(NFTA_LOOKUP_SREG.rawValue)),
      let name = data.text(Int(NFTA_LOOKUP_SET.rawValue)),
      let set = sets[name], set.live.oddities.isEmpty || !set.isAnonymous
    else { throw Unknown() }
    let flags = data.number(Int(NFTA_LOOKUP_FLAGS.rawValue)) ?? 0
    guard flags & ~1 == 0 else { throw Unknown() }
    let register = data.number(Int(NFTA_LOOKUP_DREG.rawValue))
    let definition = set.live.definition
    if set.isList {
      guard case .hash(let family, let count) = registers[word], let target = register.flatMap(Register.word),
        flags == 0,
        set.targets.count == Int(count), set.targets.keys.allSatisfy({ $0 < count })
      else { throw Unknown() }
      return try put(.target(set, family), at: target)
    }
    let selector = try selector(word, length: Wire.length(of: definition.key))
    guard selector.types == definition.key else { throw Unknown() }
    switch (definition.value, register) {
    case (.none, nil):
      let comparison: Comparison = flags == 0 ? .equal : .unequal
      let operand = set.isAnonymous ? Operand.anyOf(try set.data()) : .set(name)
      statements.append(.match(selector, comparison, operand))
    case (.verdict, 0?) where flags == 0:
      guard set.isAnonymous else { return statements.append(.namedVerdictMap(selector, name)) }
      let elements = try set.live.elements.map { element in
        guard element.key.count == 1, element.comment == nil, case .verdict(let verdict) = element.value else {
          throw Unknown()
        }
        return Statement.VerdictElement(element.key[0], verdict)
      }
      statements.append(.verdictMap(selector, elements))
    case (.data, let number?) where flags == 0 && !set.isAnonymous:
      guard let target = Register.word(number) else { throw Unknown() }
      try put(.mapped(set, selector), at: target)
    default: throw Unknown()
    }
  }

  /// Takes a verdict.
  private mutating func judge(_ expression: RawExpression) throws {
    guard expression.data.number(Int(NFTA_IMMEDIATE_DREG.rawValue)) == 0,
      let table = try expression.data.nested(Int(NFTA_IMMEDIATE_DATA.rawValue))?.nested(
        Int(NFTA_DATA_VERDICT.rawValue)),
      let verdict = Verdict(table)
    else { throw Unknown() }
    statements.append(.verdict(verdict))
  }

  /// Returns the bucket of a limit.
  private func bucket(_ expression: RawExpression) throws -> Bucket {
    let data = expression.data
    let unit = data.long(Int(NFTA_LIMIT_UNIT.rawValue))
    guard expression.name == "limit", let rate = data.long(Int(NFTA_LIMIT_RATE.rawValue)),
      let count = UInt32(exactly: rate),
      let burst = data.number(Int(NFTA_LIMIT_BURST.rawValue)),
      let unit = Rate.Unit.allCases.first(where: { $0.seconds == unit }),
      data.number(Int(NFTA_LIMIT_TYPE.rawValue)) ?? 0 == UInt32(NFT_LIMIT_PKTS.rawValue),
      data.number(Int(NFTA_LIMIT_FLAGS.rawValue)) ?? 0 == 0
    else { throw Unknown() }
    return Bucket(Rate(count, per: unit), burst: burst)
  }

  /// Takes an update of a dynamic set.
  private mutating func update(_ expression: RawExpression) throws {
    let data = expression.data
    guard data.number(Int(NFTA_DYNSET_OP.rawValue)) == UInt32(NFT_DYNSET_OP_UPDATE.rawValue),
      let name = data.text(Int(NFTA_DYNSET_SET_NAME.rawValue)), let set = sets[name],
      let word = expression.word(Int(NFTA_DYNSET_SREG_KEY.rawValue)), data[Int(NFTA_DYNSET_SREG_DATA.rawValue)] == nil,
      data.long(Int(NFTA_DYNSET_TIMEOUT.rawValue)) ?? 0 == 0
    else { throw Unknown() }
    // NFT_DYNSET_F_EXPR says no more than that there is an expression.
    guard (data.number(Int(NFTA_DYNSET_FLAGS.rawValue)) ?? 0) & ~2 == 0,
      let extent = data[Int(NFTA_DYNSET_EXPR.rawValue)]
    else { throw Unknown() }
    let selector = try selector(word, length: Wire.length(of: set.live.definition.key))
    guard selector.types == set.live.definition.key else { throw Unknown() }
    statements.append(.update(set: name, selector, try bucket(try RawExpression(data.bytes, extent))))
  }

  /// Takes a log; the kernel says its default level, 4.
  private mutating func log(_ expression: RawExpression) throws {
    let data = expression.data
    guard let prefix = data.text(Int(NFTA_LOG_PREFIX.rawValue)), data[Int(NFTA_LOG_GROUP.rawValue)] == nil,
      data.number(Int(NFTA_LOG_LEVEL.rawValue)) ?? 4 == 4, data.number(Int(NFTA_LOG_FLAGS.rawValue)) ?? 0 == 0
    else { throw Unknown() }
    statements.append(.log(prefix: prefix))
  }

  /// Takes a refusal that is told.
  private mutating func reject(_ expression: RawExpression) throws {
    let data = expression.data
    let type = data.number(Int(NFTA_REJECT_TYPE.rawValue))
    let code = data.long(Int(NFTA_REJECT_ICMP_CODE.rawValue)) ?? 0
    if type == UInt32(NFT_REJECT_TCP_RST.rawValue) {
      statements.append(.reject(.tcpReset))
    } else if type == UInt32(NFT_REJECT_ICMPX_UNREACH.rawValue),
      code == UInt64(NFT_REJECT_ICMPX_ADMIN_PROHIBITED.rawValue)
    {
      statements.append(.reject(.adminProhibited))
    } else {
      throw Unknown()
    }
  }

  /// Takes a translation of the destination.
  private mutating func translate(_ expression: RawExpression) throws {
    let data = expression.data
    let address = expression.word(Int(NFTA_NAT_REG_ADDR_MIN.rawValue))
    let port = expression.word(Int(NFTA_NAT_REG_PROTO_MIN.rawValue))
    // The kernel fills in the ends, which are the beginnings.
    guard data.number(Int(NFTA_NAT_TYPE.rawValue)) == UInt32(NFT_NAT_DNAT.rawValue), let port,
      (data.number(Int(NFTA_NAT_FLAGS.rawValue)) ?? 0) & ~(NATFlags.addresses | NATFlags.ports) == 0,
      expression.word(Int(NFTA_NAT_REG_ADDR_MAX.rawValue)) ?? address ?? 0 == address ?? 0,
      expression.word(Int(NFTA_NAT_REG_PROTO_MAX.rawValue)) ?? port == port
    else { throw Unknown() }
    let number = data.number(Int(NFTA_NAT_FAMILY.rawValue))
    guard let address else {
      guard number == UInt32(Wire.inet), case .mapped(let set, let selector) = registers[port],
        set.live.definition.value == .data([.port])
      else { throw Unknown() }
      return statements.append(.dnat(.port(selector, map: set.live.definition.name)))
    }
    guard let family = AddressFamily.allCases.first(where: { UInt32($0.protocolNumber) == number }),
      port == address + family.width / 32
    else { throw Unknown() }
    let wanted = NamedSet.Value.data([family == .ipv4 ? .ipv4 : .ipv6, .port])
    switch registers[address] {
    case .mapped(let set, let selector) where set.live.definition.value == wanted:
      statements.append(.dnat(.mapped(family, selector, map: set.live.definition.name)))
    case .target(let set, family) where set.live.definition.value == wanted:
      let targets = (0..<UInt32(set.targets.count)).compactMap { set.targets[$0] }
      statements.append(.dnat(.spread(family, over: targets)))
    default: throw Unknown()
    }
  }
}

extension ReadSet {
  /// Returns the constants of a set that stands in a rule.
  fileprivate func data() throws -> [Datum] {
    try live.elements.map { element in
      guard element.key.count == 1, element.comment == nil else { throw RuleReader.Unknown() }
      return element.key[0]
    }
  }
}
