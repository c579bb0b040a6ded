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
  var registers = [Content?](repeating: nil, count: Register.count)

  /// The statements so far.
  var statements: [Statement] = []

  /// What the counters have counted.
  var counts: [Count] = []

  /// The family, once it was compared.
  var family: AddressFamily?

  /// The protocol, once it was compared.
  var transport: TransportProtocol?

  /// The lowest value that was compared, if the highest must follow.
  var lowest: (word: Int, bytes: [UInt8])?

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
  mutating func read(_ expression: RawExpression) throws {
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
  mutating func load(_ expression: RawExpression) throws {
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
  mutating func put(_ content: Content, at word: Int) throws {
    guard word + content.words <= registers.count else { throw Unknown() }
    for i in registers.indices {
      // What is partly overwritten is gone.
      guard let old = registers[i] else { continue }
      if i < word + content.words, word < i + old.words { registers[i] = nil }
    }
    registers[word] = content
  }

  /// Turns the bytes of the clock round.
  mutating func turn(_ expression: RawExpression) throws {
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
  mutating func mask(_ expression: RawExpression) throws {
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
  mutating func hash(_ expression: RawExpression) throws {
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
