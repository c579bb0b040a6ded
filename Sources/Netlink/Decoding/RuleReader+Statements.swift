import CNetfilter
import Nftables
import Packets
import Syntax

extension RuleReader {
  /// Takes a look-up in a set or a map.
  mutating func lookUp(_ expression: RawExpression) throws {
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
  mutating func judge(_ expression: RawExpression) throws {
    guard expression.data.number(Int(NFTA_IMMEDIATE_DREG.rawValue)) == 0,
      let table = try expression.data.nested(Int(NFTA_IMMEDIATE_DATA.rawValue))?.nested(
        Int(NFTA_DATA_VERDICT.rawValue)),
      let verdict = Verdict(table)
    else { throw Unknown() }
    statements.append(.verdict(verdict))
  }

  /// Returns the bucket of a limit.
  func bucket(_ expression: RawExpression) throws -> Bucket {
    guard let bucket = Bucket(expression) else { throw Unknown() }
    return bucket
  }

  /// Takes an update of a dynamic set.
  mutating func update(_ expression: RawExpression) throws {
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
  mutating func log(_ expression: RawExpression) throws {
    let data = expression.data
    guard let prefix = data.text(Int(NFTA_LOG_PREFIX.rawValue)), data[Int(NFTA_LOG_GROUP.rawValue)] == nil,
      data.number(Int(NFTA_LOG_LEVEL.rawValue)) ?? 4 == 4, data.number(Int(NFTA_LOG_FLAGS.rawValue)) ?? 0 == 0
    else { throw Unknown() }
    statements.append(.log(prefix: prefix))
  }

  /// Takes a refusal that is told.
  mutating func reject(_ expression: RawExpression) throws {
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
  mutating func translate(_ expression: RawExpression) throws {
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

extension Bucket {
  /// Creates the bucket that `expression` is, if it is a limit of packets that stops what is above it.
  init?(_ expression: RawExpression) {
    let data = expression.data
    let unit = data.long(Int(NFTA_LIMIT_UNIT.rawValue))
    guard expression.name == "limit", let rate = data.long(Int(NFTA_LIMIT_RATE.rawValue)),
      let count = UInt32(exactly: rate),
      let burst = data.number(Int(NFTA_LIMIT_BURST.rawValue)),
      let unit = Rate.Unit.allCases.first(where: { $0.seconds == unit }),
      data.number(Int(NFTA_LIMIT_TYPE.rawValue)) ?? 0 == UInt32(NFT_LIMIT_PKTS.rawValue),
      data.number(Int(NFTA_LIMIT_FLAGS.rawValue)) ?? 0 == 0
    else { return nil }
    self.init(Rate(count, per: unit), burst: burst)
  }
}
