import CNetfilter
import Nftables
import Packets
import Syntax

extension BatchEncoder {
  /// Writes the messages that add `rule`, the one at `index` of its command, to `chain`: first the sets in it.
  ///
  /// Its counters take their counts out of `counts`, from `used` on.
  func rule(_ rule: Rule, _ index: Int, chain: String, _ flags: Int32, _ counts: [Count], _ used: inout Int) {
    let rule = rule.canonical
    var sets: [UInt32] = []
    for statement in rule.statements {
      guard let set = statement.innerSet else { continue }
      let id = newSet()
      sets.append(id)
      let name = set.value == .none ? "__set%d" : "__map%d"
      let constant = UInt32(NFT_SET_ANONYMOUS.rawValue | NFT_SET_CONSTANT.rawValue)
      setMessage(set, named: name, id: id, flags: constant, .setOfRule(index))
      elements(set.elements, of: set, named: name, id: id, timeout: nil, [], isDeletion: false, ofRule: index)
    }
    message(NFT_MSG_NEWRULE, flags, .rule(index)) { payload in
      guard let object = unsafe nftnl_rule_alloc() else { return }
      unsafe _ = nftnl_rule_set_str(object, UInt16(NFTNL_RULE_TABLE.rawValue), table)
      unsafe _ = nftnl_rule_set_str(object, UInt16(NFTNL_RULE_CHAIN.rawValue), chain)
      let note = UserData.comment(rule.comment)
      if !note.isEmpty {
        unsafe note.withUnsafeBytes {
          unsafe _ = nftnl_rule_set_data(
            object, UInt16(NFTNL_RULE_USERDATA.rawValue), $0.baseAddress, UInt32($0.count))
        }
      }
      var writer = unsafe RuleWriter(rule: object, sets: sets, counts: counts, used: used)
      for statement in rule.statements { writer.write(statement) }
      used = writer.used
      unsafe nftnl_rule_nlmsg_build_payload(payload.header, object)
      unsafe nftnl_rule_free(object)
    }
  }
}

extension Statement {
  /// The set without a name of its own that stands in the statement.
  fileprivate var innerSet: NamedSet? {
    switch self {
    case .match(let selector, _, .anyOf(let data)):
      Statement.inner(selector.types, data.map { NamedSet.Element([$0]) }, .none)
    case .verdictMap(let selector, let elements):
      Statement.inner(
        selector.types, elements.map { NamedSet.Element([$0.key], value: .verdict($0.verdict)) }, .verdict)
    case .dnat(.spread(let family, let targets)):
      NamedSet(
        "", key: [.number], value: .data([family == .ipv4 ? .ipv4 : .ipv6, .port]), size: targets.count,
        elements: targets.indices.map {
          NamedSet.Element([.index($0)], value: .data([.address(targets[$0].address), .port(targets[$0].port)]))
        })
    default: nil
    }
  }

  /// Returns the set of `elements`.
  private static func inner(
    _ types: [DataType], _ elements: [NamedSet.Element], _ value: NamedSet.Value
  ) -> NamedSet {
    let isInterval = elements.contains { $0.key.contains(where: \.isRange) }
    return NamedSet(
      "", key: types, value: value, isInterval: isInterval, size: isInterval ? nil : elements.count,
      elements: elements)
  }
}

extension Datum {
  /// Returns the position `index` in a list, which the kernel has as a number of 32 bits in its own order.
  fileprivate static func index(_ index: Int) -> Datum {
    // The only kind of datum of ours with four bytes in any order is an address.
    var bytes: [UInt8] = []
    bytes.append(host: UInt32(index))
    return .address(Address(.ipv4, UInt128(bytes.network(0..<4))))
  }
}

/// The writer of the expressions of a rule.
@safe private struct RuleWriter {
  /// libnftnl's rule.
  let rule: OpaquePointer

  /// The numbers of the sets that stand in the rule, in their order.
  let sets: [UInt32]

  /// What counters begin with.
  let counts: [Count]

  /// How many of `counts` were taken.
  var used: Int

  /// How many of `sets` were taken.
  private var usedSets = 0

  /// Creates a writer to `rule`.
  init(rule: OpaquePointer, sets: [UInt32], counts: [Count], used: Int) {
    unsafe self.rule = rule
    self.sets = sets
    self.counts = counts
    self.used = used
  }

  /// Appends the expression `name` with what `set` gives it.
  private func add(_ name: String, _ set: (Expression) -> Void = { _ in }) {
    guard let expression = Expression(name) else { preconditionFailure("libnftnl does not know \(name)") }
    set(expression)
    unsafe nftnl_rule_add_expr(rule, expression.handle)
  }

  /// Writes `statement`, which is in the canonical form.
  mutating func write(_ statement: Statement) {
    switch statement {
    case .match(let selector, let comparison, .datum(let datum)): compare(selector, comparison, datum)
    case .match(let selector, let comparison, .anyOf):
      load(selector)
      lookUp("__set%d", id: takeSet(), isInverted: comparison == .unequal)
    case .match(let selector, let comparison, .set(let name)):
      load(selector)
      lookUp(name, isInverted: comparison == .unequal)
    case .verdictMap(let selector, _):
      load(selector)
      lookUp("__map%d", id: takeSet(), to: 0)
    case .namedVerdictMap(let selector, let name):
      load(selector)
      lookUp(name, to: 0)
    case .limit(let bucket): add("limit") { RuleWriter.fill($0, bucket) }
    case .update(let set, let selector, let bucket):
      load(selector)
      add("dynset") {
        $0.put(NFTNL_EXPR_DYNSET_SREG_KEY, Register.number(0))
        $0.put(NFTNL_EXPR_DYNSET_OP, UInt32(NFT_DYNSET_OP_UPDATE.rawValue))
        $0.put(NFTNL_EXPR_DYNSET_SET_NAME, set)
        guard let limit = Expression("limit") else { return }
        RuleWriter.fill(limit, bucket)
        unsafe nftnl_expr_add_expr($0.handle, UInt32(NFTNL_EXPR_DYNSET_EXPRESSIONS), limit.handle)
      }
    case .counter:
      let count = used < counts.count ? counts[used] : Count()
      used += 1
      add("counter") {
        $0.put(NFTNL_EXPR_CTR_PACKETS, long: count.packets)
        $0.put(NFTNL_EXPR_CTR_BYTES, long: count.bytes)
      }
    case .log(let prefix): add("log") { $0.put(NFTNL_EXPR_LOG_PREFIX, prefix) }
    case .verdict(let verdict):
      add("immediate") {
        $0.put(NFTNL_EXPR_IMM_DREG, 0)
        $0.put(NFTNL_EXPR_IMM_VERDICT, verdict.code)
        if let chain = verdict.chain { $0.put(NFTNL_EXPR_IMM_CHAIN, chain) }
      }
    case .reject(let rejection):
      add("reject") {
        let isReset = rejection == .tcpReset
        $0.put(NFTNL_EXPR_REJECT_TYPE, UInt32((isReset ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMPX_UNREACH).rawValue))
        $0.put(NFTNL_EXPR_REJECT_CODE, byte: isReset ? 0 : UInt8(NFT_REJECT_ICMPX_ADMIN_PROHIBITED.rawValue))
      }
    case .dnat(let destination): write(destination)
    case .masquerade: add("masq")
    }
  }

  /// Returns the number of the next set that stands in the rule.
  private mutating func takeSet() -> UInt32 {
    defer { usedSets += 1 }
    return sets[usedSets]
  }

  /// Gives `expression` the rate of `bucket`.
  private static func fill(_ expression: Expression, _ bucket: Bucket) {
    expression.put(NFTNL_EXPR_LIMIT_RATE, long: UInt64(bucket.rate.count))
    expression.put(NFTNL_EXPR_LIMIT_UNIT, long: bucket.rate.unit.seconds)
    expression.put(NFTNL_EXPR_LIMIT_BURST, bucket.burst)
    expression.put(NFTNL_EXPR_LIMIT_TYPE, UInt32(NFT_LIMIT_PKTS.rawValue))
    expression.put(NFTNL_EXPR_LIMIT_FLAGS, 0)
  }

  /// Loads all parts of `selector`, from the word 0 on.
  private func load(_ selector: Selector) {
    var word = 0
    for part in selector.parts {
      load(part, to: word)
      word += Wire.padded(part.field.length) / 4
    }
  }

  /// Loads `part` to `word`.
  private func load(_ part: MaskedField, to word: Int, bytes: Int? = nil) {
    let field = part.field
    let register = Register.number(word)
    if let place = field.place {
      add("payload") {
        $0.put(NFTNL_EXPR_PAYLOAD_DREG, register)
        $0.put(NFTNL_EXPR_PAYLOAD_BASE, place.base)
        $0.put(NFTNL_EXPR_PAYLOAD_OFFSET, UInt32(place.offset))
        $0.put(NFTNL_EXPR_PAYLOAD_LEN, UInt32(bytes ?? place.length))
      }
    } else if let key = field.metaKey {
      add("meta") {
        $0.put(NFTNL_EXPR_META_KEY, key)
        $0.put(NFTNL_EXPR_META_DREG, register)
      }
    } else if let key = field.connectionKey {
      add("ct") {
        $0.put(NFTNL_EXPR_CT_KEY, key)
        $0.put(NFTNL_EXPR_CT_DREG, register)
      }
    } else if let route = field.route {
      add("fib") {
        $0.put(NFTNL_EXPR_FIB_DREG, register)
        $0.put(NFTNL_EXPR_FIB_RESULT, route.result)
        $0.put(NFTNL_EXPR_FIB_FLAGS, route.flags)
      }
    }
    if field == .time {
      // The kernel's clock is in its own order of bytes, in which numbers cannot be compared byte by byte.
      add("byteorder") {
        $0.put(NFTNL_EXPR_BYTEORDER_SREG, register)
        $0.put(NFTNL_EXPR_BYTEORDER_DREG, register)
        $0.put(NFTNL_EXPR_BYTEORDER_OP, UInt32(NFT_BYTEORDER_HTON.rawValue))
        $0.put(NFTNL_EXPR_BYTEORDER_LEN, 8)
        $0.put(NFTNL_EXPR_BYTEORDER_SIZE, 8)
      }
    }
    guard let mask = part.mask else { return }
    var bits: [UInt8] = []
    bits.append(network: mask, count: field.length)
    keep(bits, of: register)
  }

  /// Keeps only the bits `mask` of `register`.
  private func keep(_ mask: [UInt8], of register: UInt32) {
    add("bitwise") {
      $0.put(NFTNL_EXPR_BITWISE_SREG, register)
      $0.put(NFTNL_EXPR_BITWISE_DREG, register)
      $0.put(NFTNL_EXPR_BITWISE_LEN, UInt32(mask.count))
      $0.put(NFTNL_EXPR_BITWISE_MASK, mask)
      $0.put(NFTNL_EXPR_BITWISE_XOR, [UInt8](repeating: 0, count: mask.count))
    }
  }

  /// Goes on only if the word 0 is so to `bytes`.
  private func compare(_ operation: nft_cmp_ops, _ bytes: [UInt8]) {
    add("cmp") {
      $0.put(NFTNL_EXPR_CMP_SREG, Register.number(0))
      $0.put(NFTNL_EXPR_CMP_OP, UInt32(operation.rawValue))
      $0.put(NFTNL_EXPR_CMP_DATA, bytes)
    }
  }

  /// Compares `selector`, which is one field, with `datum`.
  private func compare(_ selector: Selector, _ comparison: Comparison, _ datum: Datum) {
    guard let part = selector.parts.first else { return }
    var lowest: [UInt8] = []
    let operation = comparison == .equal ? NFT_CMP_EQ : comparison == .unequal ? NFT_CMP_NEQ : NFT_CMP_LT
    if datum.isRange {
      var highest: [UInt8] = []
      lowest.append(datum)
      highest.append(datum, highest: true)
      return compareRange(part, lowest, highest, isInverted: comparison == .unequal)
    }
    switch (part.field, datum) {
    case (.iif, _), (.oif, _): lowest.append(host: 1)
    default: lowest.append(datum)
    }
    load(part, to: 0)
    guard part.field.isBits, comparison == .equal else { return compare(operation, lowest) }
    keep(lowest, of: Register.number(0))
    compare(NFT_CMP_NEQ, [UInt8](repeating: 0, count: lowest.count))
  }

  /// Compares `part` with the values from `lowest` through `highest`: by its first bits if they are a block.
  private func compareRange(_ part: MaskedField, _ lowest: [UInt8], _ highest: [UInt8], isInverted: Bool) {
    let operation = isInverted ? NFT_CMP_NEQ : NFT_CMP_EQ
    if let bits = PrefixBits.count(lowest, highest), part.field.type == .ipv4 || part.field.type == .ipv6, bits > 0 {
      if bits % 8 == 0 {
        load(part, to: 0, bytes: bits / 8)
        return compare(operation, Array(lowest.prefix(bits / 8)))
      }
      load(part, to: 0)
      keep(PrefixBits.mask(bits, length: lowest.count), of: Register.number(0))
      return compare(operation, lowest)
    }
    load(part, to: 0)
    guard isInverted else {
      compare(NFT_CMP_GTE, lowest)
      return compare(NFT_CMP_LTE, highest)
    }
    add("range") {
      $0.put(NFTNL_EXPR_RANGE_SREG, Register.number(0))
      $0.put(NFTNL_EXPR_RANGE_OP, UInt32(NFT_RANGE_NEQ.rawValue))
      $0.put(NFTNL_EXPR_RANGE_FROM_DATA, lowest)
      $0.put(NFTNL_EXPR_RANGE_TO_DATA, highest)
    }
  }

  /// Looks up what was loaded from the word 0 on in a set; what a map has goes to `register`.
  private func lookUp(_ name: String, id: UInt32? = nil, to register: UInt32? = nil, isInverted: Bool = false) {
    add("lookup") {
      $0.put(NFTNL_EXPR_LOOKUP_SREG, Register.number(0))
      if let register { $0.put(NFTNL_EXPR_LOOKUP_DREG, register) }
      $0.put(NFTNL_EXPR_LOOKUP_SET, name)
      if let id { $0.put(NFTNL_EXPR_LOOKUP_SET_ID, id) }
      if isInverted { $0.put(NFTNL_EXPR_LOOKUP_FLAGS, UInt32(NFT_LOOKUP_F_INV.rawValue)) }
    }
  }

  /// Writes the translation to `destination`.
  private mutating func write(_ destination: Destination) {
    switch destination {
    case .port(let selector, let map):
      load(selector)
      lookUp(map, to: Register.number(0))
      add("nat") {
        $0.put(NFTNL_EXPR_NAT_TYPE, UInt32(NFT_NAT_DNAT.rawValue))
        $0.put(NFTNL_EXPR_NAT_FAMILY, UInt32(Wire.inet))
        $0.put(NFTNL_EXPR_NAT_REG_PROTO_MIN, Register.number(0))
        $0.put(NFTNL_EXPR_NAT_FLAGS, NATFlags.ports)
      }
    case .mapped(let family, let selector, let map):
      load(selector)
      lookUp(map, to: Register.number(0))
      translate(family)
    case .spread(let family, let targets):
      load(MaskedField(.saddr(family)), to: 4)
      add("hash") {
        $0.put(NFTNL_EXPR_HASH_SREG, Register.number(4))
        $0.put(NFTNL_EXPR_HASH_DREG, Register.number(0))
        $0.put(NFTNL_EXPR_HASH_LEN, UInt32(family.width / 8))
        $0.put(NFTNL_EXPR_HASH_MODULUS, UInt32(targets.count))
        $0.put(NFTNL_EXPR_HASH_SEED, Spreading.seed)
        $0.put(NFTNL_EXPR_HASH_OFFSET, 0)
        $0.put(NFTNL_EXPR_HASH_TYPE, UInt32(NFT_HASH_JENKINS.rawValue))
      }
      lookUp("__map%d", id: takeSet(), to: Register.number(0))
      translate(family)
    }
  }

  /// Translates to the address of `family` and the port that a map had.
  private func translate(_ family: AddressFamily) {
    add("nat") {
      $0.put(NFTNL_EXPR_NAT_TYPE, UInt32(NFT_NAT_DNAT.rawValue))
      $0.put(NFTNL_EXPR_NAT_FAMILY, UInt32(family.protocolNumber))
      $0.put(NFTNL_EXPR_NAT_REG_ADDR_MIN, Register.number(0))
      $0.put(NFTNL_EXPR_NAT_REG_PROTO_MIN, Register.number(family.width / 32))
    }
  }
}
