import CNetfilter
import Nftables
import Packets

/// A set as it was read, with or without a name of its own.
struct ReadSet {
  /// The set.
  var live: LiveSet

  /// `true` iff the kernel made up the name: the set stands in a rule.
  var isAnonymous: Bool

  /// `true` iff the key is the position in a list of targets.
  var isList = false

  /// The targets of such a list, by their positions.
  var targets: [UInt32: Destination.Target] = [:]

  /// The ends of intervals, until all elements are read.
  var ends: [(key: [UInt8], isEnd: Bool, element: Int)] = []

  /// How many elements are not understood.
  var strangeElements = 0
}

/// The reader of sets and their elements.
struct SetReader {
  /// Up to how many elements of a set are kept.
  static let mostElements = 4_000_000

  /// Returns the set that `message` (`NFT_MSG_NEWSET`) is about.
  static func set(_ message: Message) throws(NetlinkError) -> ReadSet {
    let table = try message.attributes(after: 4).table()
    guard let name = table.text(Int(NFTA_SET_NAME.rawValue)) else { throw .malformed("a set without a name") }
    let flags = table.number(Int(NFTA_SET_FLAGS.rawValue)) ?? 0
    let isAnonymous = flags & UInt32(NFT_SET_ANONYMOUS.rawValue) != 0
    var types = Wire.types(table.number(Int(NFTA_SET_KEY_TYPE.rawValue)) ?? 0)
    // To nft(8) the interface that the routing table names is a text, and not the name of an interface.
    if isAnonymous, table.number(Int(NFTA_SET_KEY_TYPE.rawValue)) == 5 { types = [.interface] }
    var set = NamedSet(name, key: types ?? [])
    var oddities: [String] = []
    var isList = false
    let length = Int(table.number(Int(NFTA_SET_KEY_LEN.rawValue)) ?? 0)
    if types == nil || length != Wire.length(of: set.key) { oddities.append("keys of an unknown type") }
    if flags & UInt32(NFT_SET_MAP.rawValue) != 0 {
      let type = table.number(Int(NFTA_SET_DATA_TYPE.rawValue)) ?? 0
      if type == Wire.verdictType {
        set.value = .verdict
      } else if let types = Wire.types(type) {
        set.value = .data(types)
        isList = isAnonymous && set.key == [.number]
      } else {
        oddities.append("values of an unknown type")
      }
    }
    set.isInterval = flags & UInt32(NFT_SET_INTERVAL.rawValue) != 0
    set.isDynamic = flags & UInt32(NFT_SET_EVAL.rawValue) != 0
    set.hasTimeouts = flags & UInt32(NFT_SET_TIMEOUT.rawValue) != 0
    if let size = try table.nested(Int(NFTA_SET_DESC.rawValue))?.number(Int(NFTA_SET_DESC_SIZE.rawValue)), size > 0 {
      set.size = Int(size)
    }
    if let timeout = table.long(Int(NFTA_SET_TIMEOUT.rawValue)), timeout > 0 {
      set.timeout = Int(clamping: timeout / 1000)
      if timeout % 1000 != 0 { oddities.append("a timeout of \(timeout) ms") }
    }
    let known = [
      NFT_SET_ANONYMOUS, NFT_SET_CONSTANT, NFT_SET_INTERVAL, NFT_SET_MAP, NFT_SET_TIMEOUT, NFT_SET_EVAL, NFT_SET_CONCAT,
      NFT_SET_EXPR,
    ].reduce(0) { $0 | UInt32($1.rawValue) }
    if flags & ~known != 0 { oddities.append("flags \(flags)") }
    let isConstant = flags & UInt32(NFT_SET_CONSTANT.rawValue) != 0
    if isConstant != isAnonymous { oddities.append(isConstant ? "constant" : "not constant") }
    let expressions = try expressions(
      table, one: Int(NFTA_SET_EXPR.rawValue), several: Int(NFTA_SET_EXPRESSIONS.rawValue))
    for expression in expressions {
      if expression.name == "counter", !set.counts { set.counts = true } else { oddities.append(expression.name) }
    }
    let handle = table.long(Int(NFTA_SET_HANDLE.rawValue)) ?? 0
    return ReadSet(
      live: LiveSet(set, handle: handle, oddities: oddities), isAnonymous: isAnonymous, isList: isList)
  }

  /// Returns the expressions of a set or an element, which has one or a list.
  private static func expressions(
    _ table: AttributeTable, one: Int, several: Int
  ) throws(NetlinkError) -> [RawExpression] {
    if let extent = table[several] { return try RawExpression.list(table.bytes, extent) }
    guard let extent = table[one] else { return [] }
    return [try RawExpression(table.bytes, extent)]
  }

  /// Adds the elements in `message` (`NFT_MSG_NEWSETELEM`) to `set`.
  static func addElements(_ message: Message, to set: inout ReadSet) throws(NetlinkError) {
    var attributes = try message.attributes(after: 4)
    while let list = try attributes.next() {
      guard list.type == Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue) else { continue }
      var elements = Attributes(message.bytes, list.extent)
      while let element = try elements.next() {
        guard set.live.elements.count < mostElements, set.ends.count < 2 * mostElements else {
          throw .tooLarge("set \(set.live.definition.name)")
        }
        try add(try RawElement(message.bytes, element.extent, of: set.live.definition), message.bytes, to: &set)
      }
    }
  }

  /// Adds `raw` to `set`.
  private static func add(_ raw: RawElement, _ bytes: [UInt8], to set: inout ReadSet) throws(NetlinkError) {
    let definition = set.live.definition
    guard let key = raw.key, raw.flags & ~1 == 0, !raw.isOdd else {
      set.strangeElements += 1
      return
    }
    if set.isList { return try addTarget(raw, key, bytes, to: &set) }
    let isSimpleInterval = definition.isInterval && definition.key.count == 1
    if raw.flags == 1 {
      if isSimpleInterval { set.ends.append((Array(bytes[key]), true, -1)) } else { set.strangeElements += 1 }
      return
    }
    let isConcatenatedInterval = definition.isInterval && !isSimpleInterval
    guard raw.keyEnd == nil || isConcatenatedInterval,
      let data = Datum.list(definition.key, bytes, key, raw.keyEnd ?? key)
    else {
      set.strangeElements += 1
      return
    }
    var element = NamedSet.Element(data)
    let notes = Notes(bytes, raw.notes, ofElement: true)
    element.comment = notes.comment
    switch (definition.value, raw.verdict, raw.value) {
    case (.none, nil, nil): break
    case (.verdict, let verdict?, nil): element.value = .verdict(verdict)
    case (.data(let types), nil, let value?):
      guard let data = Datum.list(types, bytes, value, value) else { fallthrough }
      element.value = .data(data)
    default:
      set.strangeElements += 1
      return
    }
    if isSimpleInterval { set.ends.append((Array(bytes[key]), false, set.live.elements.count)) }
    set.live.elements.append(element)
    if definition.counts { set.live.counts.append(raw.count ?? Count()) }
    // What was put into a dynamic set by rules has the set's timeout or one of its own.
    if definition.hasTimeouts { set.live.lifetimes.append(raw.lifetime) }
  }

  /// Adds the target that `raw` stands for.
  private static func addTarget(
    _ raw: RawElement, _ key: Extent, _ bytes: [UInt8], to set: inout ReadSet
  ) throws(NetlinkError) {
    guard key.count == 4, let value = raw.value, raw.flags == 0, case .data(let types) = set.live.definition.value,
      case let data? = Datum.list(types, bytes, value, value), data.count == 2, case .address(let address) = data[0],
      case .port(let port) = data[1]
    else {
      set.strangeElements += 1
      return
    }
    set.targets[bytes.host32(key.lowerBound)] = .init(address, port)
  }

  /// Puts together what was read piecemeal: intervals get their ends, elements their order.
  static func finish(_ set: inout ReadSet) {
    closeIntervals(&set)
    if set.strangeElements > 0 { set.live.oddities.append("\(set.strangeElements) elements of an unknown kind") }
    let elements = set.live.elements
    let isOrdered = elements.indices.dropFirst().allSatisfy {
      !NamedSet.Element.precedes(elements[$0], elements[$0 - 1])
    }
    guard !isOrdered else { return }
    let order = elements.indices.sorted { NamedSet.Element.precedes(elements[$0], elements[$1]) }
    set.live.elements = order.map { elements[$0] }
    let (counts, lifetimes) = (set.live.counts, set.live.lifetimes)
    if !counts.isEmpty { set.live.counts = order.map { counts[$0] } }
    if !lifetimes.isEmpty { set.live.lifetimes = order.map { lifetimes[$0] } }
  }

  /// Gives each interval of one field its end: the next key at which one ends or begins, or none.
  private static func closeIntervals(_ set: inout ReadSet) {
    guard !set.ends.isEmpty, let type = set.live.definition.key.first else { return }
    // An end stands before a beginning with the same key.
    let ends = set.ends.sorted { a, b in
      a.key == b.key ? a.isEnd && !b.isEnd : a.key.lexicographicallyPrecedes(b.key)
    }
    for (i, entry) in ends.enumerated() where !entry.isEnd {
      var highest = [UInt8](repeating: 255, count: entry.key.count)
      if i + 1 < ends.count {
        highest = ends[i + 1].key
        for j in highest.indices.reversed() {
          highest[j] &-= 1
          if highest[j] != 255 { break }
        }
      }
      let bytes = entry.key + highest
      let middle = entry.key.count
      if let datum = Datum(type, bytes, 0..<middle, middle..<bytes.count) {
        set.live.elements[entry.element].key = [datum]
      } else {
        set.strangeElements += 1
      }
    }
    set.ends = []
  }
}

/// An element as the kernel sent it.
private struct RawElement {
  /// Where the key is, or the lowest one.
  var key: Extent?

  /// Where the highest key is.
  var keyEnd: Extent?

  /// 1 if it is the end of an interval, 2 if it stands for all other keys (`enum nft_set_elem_flags`).
  var flags: UInt32 = 0

  /// Where the value of a map is.
  var value: Extent?

  /// The verdict of a verdict map.
  var verdict: Verdict?

  /// Where the notes are.
  var notes: Extent?

  /// What it has counted.
  var count: Count?

  /// When it goes away.
  var lifetime: Lifetime?

  /// `true` iff there is something about it that no element of ours has.
  var isOdd = false

  /// Reads the element of `set` in `extent` of `bytes`.
  init(_ bytes: [UInt8], _ extent: Extent, of set: NamedSet) throws(NetlinkError) {
    var attributes = Attributes(bytes, extent)
    var timeout: UInt64?
    var left: UInt64?
    while let attribute = try attributes.next() {
      switch nft_set_elem_attributes(UInt32(attribute.type)) {
      case NFTA_SET_ELEM_KEY: key = try RawElement.value(bytes, attribute.extent)
      case NFTA_SET_ELEM_KEY_END: keyEnd = try RawElement.value(bytes, attribute.extent)
      case NFTA_SET_ELEM_FLAGS: flags = UInt32(truncatingIfNeeded: bytes.network(attribute.extent))
      case NFTA_SET_ELEM_USERDATA: notes = attribute.extent
      case NFTA_SET_ELEM_TIMEOUT: timeout = bytes.network(attribute.extent)
      case NFTA_SET_ELEM_EXPIRATION: left = bytes.network(attribute.extent)
      case NFTA_SET_ELEM_DATA:
        value = try RawElement.value(bytes, attribute.extent)
        if value == nil {
          let data = try Attributes(bytes, attribute.extent).table()
          verdict = try data.nested(Int(NFTA_DATA_VERDICT.rawValue)).flatMap { Verdict($0) }
          isOdd = isOdd || verdict == nil
        }
      case NFTA_SET_ELEM_EXPR: try add(try RawExpression(bytes, attribute.extent), of: set)
      case NFTA_SET_ELEM_EXPRESSIONS:
        for expression in try RawExpression.list(bytes, attribute.extent) { try add(expression, of: set) }
      case NFTA_SET_ELEM_PAD: break
      default: isOdd = true
      }
    }
    if timeout != nil || left != nil { lifetime = Lifetime(timeout: timeout ?? 0, left: left ?? 0) }
  }

  /// Takes note of an expression of the element of `set`, which the kernel evaluates for each packet that finds it.
  private mutating func add(_ expression: RawExpression, of set: NamedSet) throws(NetlinkError) {
    switch expression.name {
    case "counter" where set.counts && count == nil: count = Count(expression.data)
    // The bucket that a rule keeps in a dynamic set; elsewhere it would make the element match some packets alone.
    case "limit" where set.isDynamic: break
    default: isOdd = true
    }
  }

  /// Returns where the value is inside of the attribute in `extent`, if it is no verdict.
  private static func value(_ bytes: [UInt8], _ extent: Extent) throws(NetlinkError) -> Extent? {
    var attributes = Attributes(bytes, extent)
    while let attribute = try attributes.next() {
      if attribute.type == Int(NFTA_DATA_VALUE.rawValue) { return attribute.extent }
    }
    return nil
  }
}
