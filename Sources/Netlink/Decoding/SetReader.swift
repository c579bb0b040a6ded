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

  /// The ends of intervals of one field, as numbers in the order of the network, until all elements are read.
  var ends: [(key: UInt128, isEnd: Bool, element: Int)] = []

  /// The places of the elements among one another, if the bytes of all keys tell.
  var order = KeyOrder()

  /// The buckets that elements of a dynamic set are; nothing is that of elements without one.
  var buckets: [Bucket?: FilledBucket] = [:]

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

  /// Puts together what was read piecemeal: intervals get their ends, elements their order.
  static func finish(_ set: inout ReadSet) {
    closeIntervals(&set)
    if set.strangeElements > 0 { set.live.oddities.append("\(set.strangeElements) elements of an unknown kind") }
    let isTold = set.order.count == set.live.elements.count
    let order = isTold ? set.order.positions() : set.live.elements.order
    set.order = KeyOrder()
    guard let order else { return }
    set.live.elements.arrange(by: order)
    if !set.live.counts.isEmpty { set.live.counts.arrange(by: order) }
    if !set.live.lifetimes.isEmpty { set.live.lifetimes.arrange(by: order) }
  }

  /// Gives each interval of one field its end: the next key at which one ends or begins, or none.
  private static func closeIntervals(_ set: inout ReadSet) {
    guard !set.ends.isEmpty, let type = set.live.definition.key.first else { return }
    // An end stands before a beginning with the same key.
    let ends = set.ends.sorted { a, b in a.key == b.key ? a.isEnd && !b.isEnd : a.key < b.key }
    let highest = UInt128.max >> UInt128(128 - 8 * type.length)
    for (i, entry) in ends.enumerated() where !entry.isEnd {
      let last = i + 1 < ends.count ? (ends[i + 1].key &- 1) & highest : highest
      if let datum = Datum(type, from: entry.key, through: last) {
        set.live.elements[entry.element].key = [datum]
      } else {
        set.strangeElements += 1
      }
    }
    set.ends = []
  }
}
