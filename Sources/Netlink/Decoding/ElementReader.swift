import CNetfilter
import Nftables
import Packets

/// The reader of the elements of one set.
///
/// There are a hundred thousand, so that what all have in common is worked out once, and what is read is told by places in the
/// bytes and not by copies of them.
struct ElementReader {
  /// The keys.
  private let keys: KeyLayout

  /// The values, if they are data.
  private let values: KeyLayout?

  /// `true` iff values are verdicts.
  private let hasVerdicts: Bool

  /// `true` iff the elements are targets of a list.
  private let isList: Bool

  /// `true` iff keys are intervals of one field, of which each end is an element.
  private let isSimpleInterval: Bool

  /// `true` iff keys are intervals of several fields.
  private let isConcatenatedInterval: Bool

  /// `true` iff the elements count.
  private let counts: Bool

  /// `true` iff elements may go away.
  private let hasTimeouts: Bool

  /// `true` iff rules add elements, and keep a bucket in each.
  private let isDynamic: Bool

  /// The verdict that was read last, and its bytes: many elements have the same.
  private var lastVerdict: (bytes: [UInt8], verdict: Verdict)?

  /// The bucket that was read last, and its bytes: those that one rule makes are all the same.
  private var lastBucket: (bytes: [UInt8], bucket: Bucket?)?

  /// Creates a reader of elements of `set`.
  init(_ set: ReadSet) {
    let definition = set.live.definition
    keys = KeyLayout(definition.key)
    if case .data(let types) = definition.value { values = KeyLayout(types) } else { values = nil }
    hasVerdicts = definition.value == .verdict
    isList = set.isList
    isSimpleInterval = definition.isInterval && definition.key.count == 1
    isConcatenatedInterval = definition.isInterval && !isSimpleInterval
    counts = definition.counts
    hasTimeouts = definition.hasTimeouts
    isDynamic = definition.isDynamic
  }

  /// Adds the elements in `message` (`NFT_MSG_NEWSETELEM`) to `set`.
  mutating func addElements(_ message: Message, to set: inout ReadSet) throws(NetlinkError) {
    guard message.body.count >= 4 else { throw .malformed("a message without its header") }
    let bytes = message.bytes.span
    var at = message.body.lowerBound + 4
    while let list = try bytes.attribute(&at, before: message.body.upperBound) {
      guard list.type == Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue) else { continue }
      var next = list.extent.lowerBound
      while let element = try bytes.attribute(&next, before: list.extent.upperBound) {
        guard set.live.elements.count < SetReader.mostElements, set.ends.count < 2 * SetReader.mostElements else {
          throw .tooLarge("set \(set.live.definition.name)")
        }
        try add(try RawElement(bytes, element.extent, counts: counts, hasLimits: isDynamic), message.bytes, to: &set)
      }
    }
  }

  /// Adds `raw` to `set`.
  private mutating func add(_ raw: RawElement, _ all: [UInt8], to set: inout ReadSet) throws(NetlinkError) {
    let bytes = all.span
    guard let key = raw.key, raw.flags & ~1 == 0, !raw.isOdd else {
      set.strangeElements += 1
      return
    }
    if isList { return addTarget(raw, key, bytes, to: &set) }
    if raw.flags == 1 {
      guard isSimpleInterval, key.count == keys.length else {
        set.strangeElements += 1
        return
      }
      set.ends.append((bytes.wide(key), true, -1))
      return
    }
    guard raw.keyEnd == nil || isConcatenatedInterval, let data = keys.data(bytes, key, raw.keyEnd ?? key) else {
      set.strangeElements += 1
      return
    }
    var element = NamedSet.Element(data)
    if let notes = raw.notes { element.comment = Notes(all, notes, ofElement: true).comment }
    if let place = raw.verdict, raw.value == nil, hasVerdicts, let verdict = try verdict(bytes, place) {
      element.value = .verdict(verdict)
    } else if let values, let place = raw.value, let data = values.data(bytes, place, place) {
      element.value = .data(data)
    } else if hasVerdicts || values != nil || raw.verdict != nil || raw.value != nil {
      set.strangeElements += 1
      return
    }
    if isSimpleInterval { set.ends.append((bytes.wide(key), false, set.live.elements.count)) }
    if keys.isOrderedByBytes { set.order.append(bytes, key) }
    set.live.elements.append(element)
    if isDynamic {
      var bucket: Bucket?
      if let limit = raw.limit { bucket = try self.bucket(all, limit) }
      if set.buckets[bucket] == nil {
        set.buckets[bucket] = FilledBucket(data)
      } else {
        set.buckets[bucket]?.count += 1
      }
    }
    if counts { set.live.counts.append(raw.count ?? Count()) }
    // What was put into a dynamic set by rules has the set's timeout or one of its own.
    if hasTimeouts { set.live.lifetimes.append(raw.lifetime) }
  }

  /// Adds the target that `raw` stands for.
  private func addTarget(_ raw: RawElement, _ key: Extent, _ bytes: Span<UInt8>, to set: inout ReadSet) {
    guard key.count == 4, let value = raw.value, raw.flags == 0, let values,
      let data = values.data(bytes, value, value), data.count == 2, case .address(let address) = data[0],
      case .port(let port) = data[1]
    else {
      set.strangeElements += 1
      return
    }
    set.targets[bytes.host32(key.lowerBound)] = .init(address, port)
  }

  /// Returns the bucket that the expression at `extent` is, if it is one of ours.
  private mutating func bucket(_ bytes: [UInt8], _ extent: Extent) throws(NetlinkError) -> Bucket? {
    if let lastBucket, bytes.span.equals(lastBucket.bytes, at: extent) { return lastBucket.bucket }
    let bucket = Bucket(try RawExpression(bytes, extent))
    lastBucket = (bytes.span.copy(extent), bucket)
    return bucket
  }

  /// Returns the verdict at `place`, if it is one of ours.
  private mutating func verdict(_ bytes: Span<UInt8>, _ place: Extent) throws(NetlinkError) -> Verdict? {
    if let lastVerdict, bytes.equals(lastVerdict.bytes, at: place) { return lastVerdict.verdict }
    let copy = bytes.copy(place)
    guard let verdict = try Verdict(Attributes(copy, 0..<copy.count).table()) else { return nil }
    lastVerdict = (copy, verdict)
    return verdict
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

  /// Where the verdict of a verdict map is.
  var verdict: Extent?

  /// Where the notes are.
  var notes: Extent?

  /// What it has counted.
  var count: Count?

  /// When it goes away.
  var lifetime: Lifetime?

  /// Where the limit is that a rule keeps in it.
  var limit: Extent?

  /// `true` iff there is something about it that no element of ours has.
  var isOdd = false

  /// Reads the element in `extent` of `bytes`, of a set whose elements have counters or limits.
  init(_ bytes: Span<UInt8>, _ extent: Extent, counts: Bool, hasLimits: Bool) throws(NetlinkError) {
    var timeout: UInt64?
    var left: UInt64?
    var at = extent.lowerBound
    while let attribute = try bytes.attribute(&at, before: extent.upperBound) {
      let extent = attribute.extent
      switch nft_set_elem_attributes(UInt32(attribute.type)) {
      case NFTA_SET_ELEM_KEY: key = try bytes.find(Int(NFTA_DATA_VALUE.rawValue), in: extent)
      case NFTA_SET_ELEM_KEY_END: keyEnd = try bytes.find(Int(NFTA_DATA_VALUE.rawValue), in: extent)
      case NFTA_SET_ELEM_FLAGS: flags = UInt32(truncatingIfNeeded: bytes.network(extent))
      case NFTA_SET_ELEM_USERDATA: notes = extent
      case NFTA_SET_ELEM_TIMEOUT: timeout = bytes.network(extent)
      case NFTA_SET_ELEM_EXPIRATION: left = bytes.network(extent)
      case NFTA_SET_ELEM_DATA:
        value = try bytes.find(Int(NFTA_DATA_VALUE.rawValue), in: extent)
        if value == nil { verdict = try bytes.find(Int(NFTA_DATA_VERDICT.rawValue), in: extent) }
        isOdd = isOdd || value == nil && verdict == nil
      case NFTA_SET_ELEM_EXPR: try addExpression(bytes, extent, counts, hasLimits)
      case NFTA_SET_ELEM_EXPRESSIONS:
        var next = extent.lowerBound
        while let expression = try bytes.attribute(&next, before: extent.upperBound) {
          try addExpression(bytes, expression.extent, counts, hasLimits)
        }
      case NFTA_SET_ELEM_PAD: break
      default: isOdd = true
      }
    }
    if timeout != nil || left != nil { lifetime = Lifetime(timeout: timeout ?? 0, left: left ?? 0) }
  }

  /// Takes note of the expression of the element in `extent`, a name and data, which the kernel evaluates for each packet that
  /// finds the element.
  private mutating func addExpression(
    _ bytes: Span<UInt8>, _ extent: Extent, _ counts: Bool, _ hasLimits: Bool
  ) throws(NetlinkError) {
    guard let name = try bytes.find(Int(NFTA_EXPR_NAME.rawValue), in: extent) else {
      throw .malformed("an expression without a name")
    }
    if counts, count == nil, bytes.spells("counter", at: name) {
      let data = try bytes.find(Int(NFTA_EXPR_DATA.rawValue), in: extent) ?? extent.upperBound..<extent.upperBound
      func number(_ type: Int) throws(NetlinkError) -> UInt64 {
        guard let place = try bytes.find(type, in: data), place.count <= 8 else { return 0 }
        return bytes.network(place)
      }
      count = Count(
        packets: try number(Int(NFTA_COUNTER_PACKETS.rawValue)), bytes: try number(Int(NFTA_COUNTER_BYTES.rawValue)))
    } else if hasLimits, limit == nil, bytes.spells("limit", at: name) {
      limit = extent
    } else {
      // Outside a dynamic set, a limit would make the element match some packets alone.
      isOdd = true
    }
  }
}
