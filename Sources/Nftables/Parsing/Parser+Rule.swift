import Packets
import Syntax

extension Parser {
  /// The fields by their words.
  private static let fields = Dictionary(uniqueKeysWithValues: Field.all.map { ($0.words, $0) })

  /// Returns the rule that ends with the line.
  mutating func rule() throws(ScriptError) -> Rule {
    var rule = Rule([])
    while scanner.next.kind != .lineBreak, scanner.next.kind != .end {
      if try scanner.take("comment") {
        rule.comment = try scanner.quoted()
        break
      }
      rule.statements.append(try statement())
    }
    try scanner.expectLineBreak()
    return rule
  }

  /// Returns the field that comes next, or nothing if none does.
  private mutating func field() throws(ScriptError) -> Field? {
    for count in 1...3 {
      guard let words = scanner.peek(count), let field = Parser.fields[words] else { continue }
      for _ in 0..<count { try scanner.skip() }
      return field
    }
    return nil
  }

  /// Returns the selector that comes next, or nothing if no field does.
  private mutating func selector() throws(ScriptError) -> Selector? {
    guard let first = try field() else { return nil }
    var parts = [MaskedField(first, mask: try mask(first))]
    while try scanner.take(".") {
      guard let next = try field() else { throw scanner.error("a field is missing") }
      parts.append(MaskedField(next, mask: try mask(next)))
    }
    return Selector(parts)
  }

  /// Returns the selector that comes next.
  private mutating func expectSelector() throws(ScriptError) -> Selector {
    guard let selector = try selector() else { throw scanner.error("a field is missing") }
    return selector
  }

  /// Returns the mask of `field` that comes next, if one does.
  private mutating func mask(_ field: Field) throws(ScriptError) -> UInt128? {
    guard try scanner.take("&") else { return nil }
    switch field.type {
    case .ipv4, .ipv6:
      guard case .address(let address) = try datum(field.type) else { throw scanner.error("a mask is missing") }
      return address.value
    case .port: return UInt128(try scanner.number(UInt16.self))
    default: throw scanner.error("this field has no mask")
    }
  }

  /// Returns the statement that comes next.
  private mutating func statement() throws(ScriptError) -> Statement {
    if let selector = try selector() { return try comparison(selector) }
    if ["accept", "drop", "return", "jump", "goto"].contains(where: scanner.isNext) { return .verdict(try verdict()) }
    if scanner.isNext("limit") { return .limit(try bucket()) }
    switch try scanner.word() {
    case "counter": return .counter
    case "masquerade": return .masquerade
    case "log":
      try scanner.expect("prefix")
      return .log(prefix: try scanner.quoted())
    case "reject":
      try scanner.expect("with")
      if try scanner.take("tcp") {
        try scanner.expect("reset")
        return .reject(.tcpReset)
      }
      try scanner.expect("icmpx admin-prohibited")
      return .reject(.adminProhibited)
    case "update":
      let set = try name()
      try scanner.expect("{")
      let selector = try expectSelector()
      let bucket = try bucket()
      try scanner.expect("}")
      return .update(set: set, selector, bucket)
    case "dnat": return .dnat(try destination())
    case let word: throw scanner.error("`\(word)` begins no statement")
    }
  }

  /// Returns the comparison of `selector` that comes next.
  private mutating func comparison(_ selector: Selector) throws(ScriptError) -> Statement {
    let type = selector.parts[0].field.type
    if try scanner.take("vmap") {
      guard try scanner.take("{") else { return .namedVerdictMap(selector, try name()) }
      var elements: [Statement.VerdictElement] = []
      repeat {
        let key = try datum(type)
        try scanner.expect(":")
        elements.append(.init(key, try verdict()))
      } while try scanner.take(",")
      try scanner.expect("}")
      return .verdictMap(selector, elements)
    }
    let comparison: Comparison = try scanner.take("!=") ? .unequal : try scanner.take("<") ? .below : .equal
    if try scanner.take("{") {
      var data: [Datum] = []
      repeat { data.append(try datum(type)) } while try scanner.take(",")
      try scanner.expect("}")
      return .match(selector, comparison, .anyOf(data))
    }
    if scanner.next.kind == .word, scanner.text.hasPrefix("@") {
      return .match(selector, comparison, .set(try name()))
    }
    return .match(selector, comparison, .datum(try datum(type)))
  }

  /// Returns the name behind `@` that comes next.
  private mutating func name() throws(ScriptError) -> String {
    let word = try scanner.word()
    guard word.hasPrefix("@"), word.utf8.count > 1 else { throw scanner.error("the name of a set is missing") }
    return String(word.dropFirst())
  }

  /// Returns the bucket that comes next.
  private mutating func bucket() throws(ScriptError) -> Bucket {
    try scanner.expect("limit rate")
    let word = try scanner.word()
    let parts = word.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let count = UInt32(parts[0]), let unit = Rate.Unit(rawValue: String(parts[1])) else {
      throw scanner.error("`\(word)` is no rate")
    }
    try scanner.expect("burst")
    let burst: UInt32 = try scanner.number()
    try scanner.expect("packets")
    return Bucket(Rate(count, per: unit), burst: burst)
  }

  /// Returns where a connection goes, behind `dnat`.
  private mutating func destination() throws(ScriptError) -> Destination {
    if try scanner.take("to") {
      try scanner.expect(":")
      let selector = try expectSelector()
      try scanner.expect("map")
      return .port(selector, map: try name())
    }
    let family: AddressFamily = try scanner.take("ip6") ? .ipv6 : .ipv4
    if family == .ipv4 { try scanner.expect("ip") }
    try scanner.expect("to")
    guard try scanner.take("jhash") else {
      let selector = try expectSelector()
      try scanner.expect("map")
      return .mapped(family, selector, map: try name())
    }
    guard try expectSelector() == Selector(.saddr(family)) else { throw scanner.error("the source is missing") }
    try scanner.expect("mod")
    let count: Int = try scanner.number()
    try scanner.expect("seed 0x1 map {")
    var targets: [Destination.Target] = []
    repeat {
      guard try scanner.number(Int.self) == targets.count else { throw scanner.error("a target is missing") }
      try scanner.expect(":")
      guard case .address(let address) = try datum(family == .ipv4 ? .ipv4 : .ipv6) else {
        throw scanner.error("an address is missing")
      }
      try scanner.expect(".")
      targets.append(.init(address, try scanner.number()))
    } while try scanner.take(",")
    try scanner.expect("}")
    guard targets.count == count else { throw scanner.error("there are \(targets.count) targets and not \(count)") }
    return .spread(family, over: targets)
  }
}
