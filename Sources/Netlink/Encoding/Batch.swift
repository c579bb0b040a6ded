import CNetfilter
import Nftables

/// A transaction as the messages that carry it, and what each is about.
public struct Batch: Sendable {
  /// The datagram.
  public internal(set) var bytes: [UInt8] = []

  /// What each message is about, in their order.
  var origins: [Origin] = []

  /// The number of the first message, which begins the transaction.
  let firstSequence: UInt32

  /// The number of the last message that is acknowledged.
  var lastSequence: UInt32 { firstSequence + UInt32(origins.count) }

  /// Creates the beginning of a batch whose first message has the number `sequence`.
  init(firstSequence sequence: UInt32) { firstSequence = sequence }

  /// What a message is about.
  struct Origin: Sendable {
    /// A part of a command.
    enum Part: Sendable {
      /// All of it.
      case whole

      /// A rule of several.
      case rule(Int)

      /// A set that stands in a rule.
      case setOfRule(Int)

      /// Elements from one on.
      case elements(from: Int)
    }

    /// The position of the command.
    var command: Int

    /// The part of it.
    var part: Part

    /// Where the message begins in the datagram.
    var offset: Int
  }
}

/// The writer of batches, which lets libnftnl build each message.
@safe final class BatchEncoder {
  /// The batch.
  private(set) var batch: Batch

  /// The table that the transaction changes.
  let table: String

  /// The transaction.
  private let transaction: Transaction

  /// Where a message is built: 64 KiB of elements, and one more.
  private let scratch: UnsafeMutablePointer<CChar>

  /// The number of bytes of `scratch`.
  static let scratchSize = 1 << 18

  /// Up to how many bytes of elements go into one message: an attribute holds no more than 65,535.
  static let elementRoom = 60_000

  /// The number of the next set of this transaction.
  private var nextSet: UInt32 = 1

  /// What the present message is about.
  private var command = 0

  /// Returns `transaction` as messages numbered from `sequence` on.
  ///
  /// - Parameters:
  ///   - transaction: the transaction.
  ///   - sequence: the number of the first message.
  ///   - generation: the generation that the tables must still have, if it matters.
  ///   - isDryRun: whether the end is left out, so that the kernel checks everything and changes nothing.
  /// - Returns: the messages.
  static func encode(
    _ transaction: Transaction, sequence: UInt32, generation: UInt32?, isDryRun: Bool
  ) -> Batch {
    let encoder = BatchEncoder(transaction, sequence: sequence)
    encoder.begin(generation: generation)
    for i in transaction.commands.indices {
      encoder.command = i
      encoder.encode(transaction.commands[i])
    }
    encoder.requestAcknowledgement()
    if !isDryRun { encoder.end() }
    return encoder.batch
  }

  /// Creates an encoder of `transaction`.
  private init(_ transaction: Transaction, sequence: UInt32) {
    self.transaction = transaction
    table = transaction.table
    batch = Batch(firstSequence: sequence)
    unsafe scratch = .allocate(capacity: BatchEncoder.scratchSize)
    unsafe scratch.initialize(repeating: 0, count: BatchEncoder.scratchSize)
  }

  deinit { unsafe scratch.deallocate() }

  /// Returns a number for a set of this transaction.
  func newSet() -> UInt32 {
    defer { nextSet += 1 }
    return nextSet
  }

  /// Writes the message that begins the batch.
  private func begin(generation: UInt32?) {
    guard let header = unsafe nftnl_batch_begin(scratch, batch.firstSequence) else { return }
    if let generation {
      unsafe mnl_attr_put_u32(header, UInt16(NFNL_BATCH_GENID.rawValue), generation.bigEndian)
    }
    append(Int(unsafe header.pointee.nlmsg_len))
  }

  /// Writes the message that ends the batch.
  private func end() {
    guard let header = unsafe nftnl_batch_end(scratch, batch.lastSequence + 1) else { return }
    append(Int(unsafe header.pointee.nlmsg_len))
  }

  /// Takes over `count` bytes of the message that was built.
  private func append(_ count: Int) {
    precondition(count <= BatchEncoder.scratchSize)
    let message = unsafe UnsafeRawBufferPointer(start: scratch, count: count)
    unsafe batch.bytes.append(contentsOf: message)
    // Values are padded with what is there.
    unsafe scratch.update(repeating: 0, count: count)
    while batch.bytes.count & 3 != 0 { batch.bytes.append(0) }
  }

  /// Lets the kernel acknowledge the last message, which it does when it has looked at all of them.
  private func requestAcknowledgement() {
    guard let offset = batch.origins.last?.offset else { return }
    // The flags are the 16 bits behind the length and the type; NLM_F_ACK is among the lower eight.
    let isLittle = 1.littleEndian == 1
    batch.bytes[offset + (isLittle ? 6 : 7)] |= UInt8(NLM_F_ACK)
  }

  /// Writes a message of `type` about `part` of the command, whose payload `build` makes.
  func message(
    _ type: nf_tables_msg_types, _ flags: Int32, _ part: Batch.Origin.Part = .whole,
    _ build: (Payload) -> Void
  ) {
    batch.origins.append(.init(command: command, part: part, offset: batch.bytes.count))
    let header = unsafe nftnl_nlmsg_build_hdr(
      scratch, UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(type.rawValue), Wire.inet, UInt16(NLM_F_REQUEST | flags),
      batch.lastSequence)
    guard let header = unsafe header else { return }
    unsafe build(Payload(header: header))
    append(Int(unsafe header.pointee.nlmsg_len))
  }

  /// Writes the messages of `command`.
  private func encode(_ command: Command) {
    switch command {
    case .createTable: tableMessage(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL)
    case .deleteTable: tableMessage(NFT_MSG_DELTABLE, 0)
    case .addChain(let name, let hook): chainMessage(NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL, name, hook)
    case .deleteChain(let name): chainMessage(NFT_MSG_DELCHAIN, 0, name, nil)
    case .flushChain(let name): ruleDeletion(chain: name, handle: nil)
    case .deleteRule(let handle, let chain): ruleDeletion(chain: chain, handle: handle)
    case .addRules(let rules, let chain, let counts):
      var used = 0
      for i in rules.indices { rule(rules[i], i, chain: chain, NLM_F_CREATE | NLM_F_APPEND, counts, &used) }
    case .insertRule(let rule, let chain):
      var used = 0
      self.rule(rule, 0, chain: chain, NLM_F_CREATE, [], &used)
    case .addSet(let set, let counts):
      let id = newSet()
      setMessage(set, named: set.name, id: id, flags: 0, .whole)
      elements(set.elements, of: set, id: id, timeout: nil, counts, isDeletion: false)
    case .deleteSet(let name):
      message(NFT_MSG_DELSET, 0) {
        $0.put(NFTA_SET_TABLE.rawValue, table)
        $0.put(NFTA_SET_NAME.rawValue, name)
      }
    case .deleteObject(let object):
      // The attributes of both have the same numbers as far as they are needed.
      let isFlowTable = object.kind == .flowTable
      message(isFlowTable ? NFT_MSG_DELFLOWTABLE : NFT_MSG_DELOBJ, 0) {
        $0.put(NFTA_OBJ_TABLE.rawValue, table)
        $0.put(NFTA_OBJ_NAME.rawValue, object.name)
        if case .object(let type) = object.kind { $0.put(NFTA_OBJ_TYPE.rawValue, type) }
      }
    case .addElements(let elements, let set, let timeout, let counts):
      self.elements(elements, of: set, id: nil, timeout: timeout, counts, isDeletion: false)
    case .deleteElements(let elements, let set):
      self.elements(elements, of: set, id: nil, timeout: nil, [], isDeletion: true)
    }
  }

  /// Writes a message about the table.
  private func tableMessage(_ type: nf_tables_msg_types, _ flags: Int32) {
    message(type, flags) { payload in
      guard let object = unsafe nftnl_table_alloc() else { return }
      unsafe nftnl_table_set_str(object, UInt16(NFTNL_TABLE_NAME.rawValue), table)
      unsafe nftnl_table_nlmsg_build_payload(payload.header, object)
      unsafe nftnl_table_free(object)
    }
  }

  /// Writes a message about the chain `name`.
  private func chainMessage(_ type: nf_tables_msg_types, _ flags: Int32, _ name: String, _ hook: BaseHook?) {
    message(type, flags) { payload in
      guard let object = unsafe nftnl_chain_alloc() else { return }
      unsafe _ = nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_TABLE.rawValue), table)
      unsafe _ = nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_NAME.rawValue), name)
      if let hook {
        unsafe _ = nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_TYPE.rawValue), hook.kind.rawValue)
        unsafe nftnl_chain_set_u32(object, UInt16(NFTNL_CHAIN_HOOKNUM.rawValue), hook.point.number)
        unsafe nftnl_chain_set_s32(object, UInt16(NFTNL_CHAIN_PRIO.rawValue), Int32(clamping: hook.priority))
        unsafe nftnl_chain_set_u32(object, UInt16(NFTNL_CHAIN_POLICY.rawValue), UInt32(NF_ACCEPT))
      }
      unsafe nftnl_chain_nlmsg_build_payload(payload.header, object)
      unsafe nftnl_chain_free(object)
    }
  }

  /// Writes a message that deletes the rule `handle` of `chain`, or all.
  private func ruleDeletion(chain: String, handle: UInt64?) {
    message(NFT_MSG_DELRULE, 0) { payload in
      payload.put(NFTA_RULE_TABLE.rawValue, table)
      payload.put(NFTA_RULE_CHAIN.rawValue, chain)
      if let handle { payload.put(NFTA_RULE_HANDLE.rawValue, long: handle) }
    }
  }
}

extension BaseHook.Point {
  /// The number that the kernel has for the point (`enum nf_inet_hooks`).
  var number: UInt32 {
    switch self {
    case .prerouting: 0
    case .output: 3
    case .postrouting: 4
    }
  }
}
