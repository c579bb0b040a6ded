import CNetfilter
import Nftables
import Packets

/// Texts and notes that nft(8) keeps beside rules, elements and sets (`libnftnl/udata.h`): a type, a length, bytes.
enum UserData {
  /// Returns the note that nft(8) lists as a comment of a rule or an element.
  static func comment(_ comment: String?) -> [UInt8] {
    guard let comment else { return [] }
    let text = Array(comment.utf8.prefix(127))
    return [UInt8(NFTNL_UDATA_RULE_COMMENT.rawValue), UInt8(text.count + 1)] + text + [0]
  }

  /// The note that the last interval of a set has no end.
  static let openInterval: [UInt8] = [UInt8(NFTNL_UDATA_SET_ELEM_FLAGS.rawValue)] + number(1)

  /// Returns the length and the bytes of `number`.
  private static func number(_ number: UInt32) -> [UInt8] {
    var bytes: [UInt8] = [4]
    bytes.append(host: number)
    return bytes
  }

  /// Returns the notes by which nft(8) lists values of `set` in the right order of bytes.
  static func notes(of set: NamedSet, isAnonymous: Bool) -> [UInt8] {
    func order(_ types: [DataType]) -> [UInt8] { number(types.count == 1 ? types[0].byteOrder : 0) }
    // "A concatenation" and nothing about its parts.
    let concatenation: [UInt8] = [8, 0] + number(13) + [1, 0]
    var notes = [UInt8(NFTNL_UDATA_SET_KEYBYTEORDER.rawValue)] + order(set.key)
    var data: [DataType] = []
    if case .data(let types) = set.value { data = types }
    if set.value != .none { notes += [UInt8(NFTNL_UDATA_SET_DATABYTEORDER.rawValue)] + order(data) }
    if set.key.count > 1, !isAnonymous { notes += [UInt8(NFTNL_UDATA_SET_KEY_TYPEOF.rawValue)] + concatenation }
    if data.count > 1, !isAnonymous { notes += [UInt8(NFTNL_UDATA_SET_DATA_TYPEOF.rawValue)] + concatenation }
    if set.value != .none { notes += [UInt8(NFTNL_UDATA_SET_DATA_INTERVAL.rawValue)] + number(0) }
    return notes
  }
}

extension BatchEncoder {
  /// Writes the message that makes `set`, by the name `name` and with more `flags`.
  func setMessage(_ set: NamedSet, named name: String, id: UInt32, flags: UInt32, _ part: Batch.Origin.Part) {
    message(NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL, part) { payload in
      guard let object = unsafe nftnl_set_alloc() else { return }
      defer { unsafe nftnl_set_free(object) }
      func put(_ attribute: nftnl_set_attr, _ number: UInt32) {
        unsafe nftnl_set_set_u32(object, UInt16(attribute.rawValue), number)
      }
      func put(_ attribute: nftnl_set_attr, _ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes {
          unsafe _ = nftnl_set_set_data(object, UInt16(attribute.rawValue), $0.baseAddress, UInt32($0.count))
        }
      }
      unsafe _ = nftnl_set_set_str(object, UInt16(NFTNL_SET_TABLE.rawValue), table)
      unsafe _ = nftnl_set_set_str(object, UInt16(NFTNL_SET_NAME.rawValue), name)
      put(NFTNL_SET_FLAGS, set.flags | flags)
      put(NFTNL_SET_KEY_TYPE, Wire.number(of: set.key))
      put(NFTNL_SET_KEY_LEN, UInt32(Wire.length(of: set.key)))
      put(NFTNL_SET_ID, id)
      switch set.value {
      case .none: break
      case .verdict:
        put(NFTNL_SET_DATA_TYPE, Wire.verdictType)
        put(NFTNL_SET_DATA_LEN, 0)
      case .data(let types):
        put(NFTNL_SET_DATA_TYPE, Wire.number(of: types))
        put(NFTNL_SET_DATA_LEN, UInt32(Wire.length(of: types)))
      }
      if let size = set.size { put(NFTNL_SET_DESC_SIZE, UInt32(clamping: size)) }
      if set.isInterval, set.key.count > 1 {
        put(NFTNL_SET_DESC_CONCAT, set.key.map { UInt8($0.length) })
      }
      if let timeout = set.timeout {
        unsafe nftnl_set_set_u64(object, UInt16(NFTNL_SET_TIMEOUT.rawValue), UInt64(timeout) * 1000)
      }
      put(NFTNL_SET_USERDATA, UserData.notes(of: set, isAnonymous: flags != 0))
      if set.counts, let counter = Expression("counter") { unsafe nftnl_set_add_expr(object, counter.handle) }
      unsafe nftnl_set_nlmsg_build_payload(payload.header, object)
    }
  }

  /// Writes the messages that add `elements` to `set`, or delete them.
  func elements(
    _ elements: [NamedSet.Element], of set: NamedSet, named name: String? = nil, id: UInt32?, timeout: UInt64?,
    _ counts: [Count], isDeletion: Bool, ofRule rule: Int? = nil
  ) {
    guard !elements.isEmpty else { return }
    let isSimpleInterval = set.isInterval && set.key.count == 1
    var (elements, counts) = (elements, counts)
    // The kernel takes intervals in any order, but nft(8) lists an end that follows its beginning.
    if isSimpleInterval, let order = elements.order {
      if counts.count == elements.count { counts.arrange(by: order) }
      elements.arrange(by: order)
    }
    let type = isDeletion ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM
    let isExclusive = !isDeletion && !set.isInterval
    let flags = isDeletion ? 0 : NLM_F_CREATE | (isExclusive ? NLM_F_EXCL : 0)
    var writer = ElementWriter(set, timeout: timeout, isDeletion: isDeletion)
    var next = 0
    while next < elements.count {
      message(type, flags, rule.map { .setOfRule($0) } ?? .elements(from: next)) { payload in
        payload.put(NFTA_SET_ELEM_LIST_TABLE.rawValue, table)
        payload.put(NFTA_SET_ELEM_LIST_SET.rawValue, name ?? set.name)
        if let id { payload.put(NFTA_SET_ELEM_LIST_SET_ID.rawValue, id) }
        payload.nest(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue) {
          if isSimpleInterval, next == 0, !isDeletion { writer.writeLowestEnd(before: elements[0], to: payload) }
          while next < elements.count, payload.count < BatchEncoder.elementRoom {
            writer.write(elements[next], count: next < counts.count ? counts[next] : nil, to: payload)
            next += 1
          }
        }
      }
    }
  }
}

/// The writer of elements of one set; libnftnl's element is used again and again.
@safe private struct ElementWriter: ~Copyable {
  /// The set.
  private let set: NamedSet

  /// libnftnl's element.
  private let handle: OpaquePointer

  /// What counts, if elements are to begin with counts.
  private var counter: Expression?

  /// `true` iff elements are deleted.
  private let isDeletion: Bool

  /// The bytes of a key, a value or a note.
  private var bytes: [UInt8] = []

  /// The number of elements in the present message.
  private var position: CInt = 0

  /// `true` iff the element before this one had notes, which not all elements have.
  private var hasNotes = false

  /// The value that the element has from the one before this one: most have the same.
  private var value = NamedSet.Element.Value.none

  /// Creates a writer of elements of `set`.
  init(_ set: NamedSet, timeout: UInt64?, isDeletion: Bool) {
    self.set = set
    self.isDeletion = isDeletion
    guard let handle = unsafe nftnl_set_elem_alloc() else { preconditionFailure("no memory") }
    unsafe self.handle = handle
    if let timeout { unsafe nftnl_set_elem_set_u64(handle, UInt16(NFTNL_SET_ELEM_TIMEOUT), timeout) }
  }

  deinit { unsafe nftnl_set_elem_free(handle) }

  /// Gives the element `bytes` as its `attribute`.
  private func put(_ attribute: Int) {
    unsafe bytes.withUnsafeBytes {
      unsafe _ = nftnl_set_elem_set(handle, UInt16(attribute), $0.baseAddress, UInt32($0.count))
    }
  }

  /// Writes `element`, and its end if it is an interval.
  mutating func write(_ element: NamedSet.Element, count: Count?, to payload: Payload) {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(element.key)
    put(NFTNL_SET_ELEM_KEY)
    if set.isInterval, set.key.count > 1 {
      bytes.removeAll(keepingCapacity: true)
      bytes.append(element.key, highest: true)
      put(NFTNL_SET_ELEM_KEY_END)
    }
    let end = set.isInterval && set.key.count == 1 ? end(of: element.key[0]) : nil
    if !isDeletion {
      if element.value != value { putValue(element.value) }
      bytes.removeAll(keepingCapacity: true)
      if let comment = element.comment {
        let text = comment.utf8
        bytes.append(0)
        bytes.append(UInt8(min(text.count, 127) + 1))
        if text.count <= 127 { bytes.append(contentsOf: text) } else { bytes.append(contentsOf: text.prefix(127)) }
        bytes.append(0)
      }
      if set.isInterval, set.key.count == 1, end == nil { bytes += UserData.openInterval }
      if !bytes.isEmpty {
        put(NFTNL_SET_ELEM_USERDATA)
      } else if hasNotes {
        unsafe nftnl_set_elem_unset(handle, UInt16(NFTNL_SET_ELEM_USERDATA))
      }
      hasNotes = !bytes.isEmpty
      if let count { put(count) }
    }
    add(to: payload)
    guard let end else { return }
    writeEnd(end, to: payload)
  }

  /// Lets the element begin with `count`.
  private mutating func put(_ count: Count) {
    if counter == nil, let made = Expression("counter") {
      unsafe nftnl_set_elem_add_expr(handle, made.handle)
      counter = made
    }
    counter?.put(NFTNL_EXPR_CTR_PACKETS, long: count.packets)
    counter?.put(NFTNL_EXPR_CTR_BYTES, long: count.bytes)
  }

  /// Gives the element `value` in place of that which it has.
  private mutating func putValue(_ value: NamedSet.Element.Value) {
    for attribute in [NFTNL_SET_ELEM_VERDICT, NFTNL_SET_ELEM_CHAIN, NFTNL_SET_ELEM_DATA] {
      unsafe nftnl_set_elem_unset(handle, UInt16(attribute))
    }
    self.value = value
    switch value {
    case .none: break
    case .verdict(let verdict):
      unsafe nftnl_set_elem_set_u32(handle, UInt16(NFTNL_SET_ELEM_VERDICT), verdict.code)
      if let chain = verdict.chain {
        unsafe _ = nftnl_set_elem_set_str(handle, UInt16(NFTNL_SET_ELEM_CHAIN), chain)
      }
    case .data(let data):
      bytes.removeAll(keepingCapacity: true)
      bytes.append(data)
      put(NFTNL_SET_ELEM_DATA)
    }
  }

  /// Returns the first key behind `datum`, or nothing if there is none.
  private func end(of datum: Datum) -> [UInt8]? {
    var end: [UInt8] = []
    end.append(datum, highest: true)
    for i in end.indices.reversed() {
      end[i] &+= 1
      if end[i] != 0 { return end }
    }
    return nil
  }

  /// Writes that what is before `first`, if there is something, is in no interval, as nft(8) does.
  mutating func writeLowestEnd(before first: NamedSet.Element, to payload: Payload) {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(first.key)
    guard bytes.contains(where: { $0 != 0 }) else { return }
    writeEnd([UInt8](repeating: 0, count: bytes.count), to: payload)
  }

  /// Writes that intervals end before `key`.
  private mutating func writeEnd(_ key: [UInt8], to payload: Payload) {
    guard let end = unsafe nftnl_set_elem_alloc() else { return }
    unsafe key.withUnsafeBytes {
      unsafe _ = nftnl_set_elem_set(end, UInt16(NFTNL_SET_ELEM_KEY), $0.baseAddress, UInt32($0.count))
    }
    unsafe nftnl_set_elem_set_u32(end, UInt16(NFTNL_SET_ELEM_FLAGS), UInt32(NFT_SET_ELEM_INTERVAL_END.rawValue))
    position += 1
    unsafe _ = nftnl_set_elem_nlmsg_build(payload.header, end, position)
    unsafe nftnl_set_elem_free(end)
  }

  /// Writes the element as it is.
  private mutating func add(to payload: Payload) {
    // libnftnl makes it the type of the attribute, in which the kernel sees no meaning; it has no more than 14 bits.
    position = position % 0x3ff0 + 1
    unsafe _ = nftnl_set_elem_nlmsg_build(payload.header, handle, position)
  }
}

extension NamedSet {
  /// What the kernel must know of the set (`enum nft_set_flags`).
  var flags: UInt32 {
    var flags: UInt32 = 0
    if isInterval { flags |= UInt32(NFT_SET_INTERVAL.rawValue) }
    if isInterval, key.count > 1 { flags |= UInt32(NFT_SET_CONCAT.rawValue) }
    if value != .none { flags |= UInt32(NFT_SET_MAP.rawValue) }
    if hasTimeouts { flags |= UInt32(NFT_SET_TIMEOUT.rawValue) }
    if isDynamic { flags |= UInt32(NFT_SET_EVAL.rawValue) }
    return flags
  }
}

extension Verdict {
  /// The number that the kernel has for the verdict (`enum nft_verdicts`).
  var code: UInt32 {
    switch self {
    case .drop: UInt32(NF_DROP)
    case .accept: UInt32(NF_ACCEPT)
    case .jump: UInt32(bitPattern: NFT_JUMP.rawValue)
    case .goto: UInt32(bitPattern: NFT_GOTO.rawValue)
    case .return: UInt32(bitPattern: NFT_RETURN.rawValue)
    }
  }

  /// The chain that it leads to.
  var chain: String? {
    switch self {
    case .jump(let chain), .goto(let chain): chain
    case .accept, .drop, .return: nil
    }
  }
}
