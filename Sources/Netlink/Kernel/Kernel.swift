import CNetfilter
import Glibc
public import Nftables

/// The tables and connections of a network namespace.
///
/// Not for several threads at once. Every call ends: it waits for an answer at most `patience` milliseconds at a time,
/// reads a bounded number of bytes, and begins anew a bounded number of times.
public final class Kernel {
  /// Where the kernel is asked.
  let socket: any NetfilterSocket

  /// The number of the next message.
  private var sequence: UInt32 = 1

  /// How long it waits for an answer, in milliseconds.
  static let patience: Int32 = 10_000

  /// How often it begins anew when the tables change while they are read.
  static let mostAttempts = 20

  /// The most bytes of one answer that are read.
  static let mostBytes = 1 << 31

  /// Returns the changes of its tables from now on, if it tells them.
  private let listen: () throws(NetlinkError) -> ChangeEvents?

  /// `true` iff others may be changing its tables.
  private let isShared: Bool

  /// Creates a kernel that is asked through `socket`, tells no changes, and is changed by nobody else.
  public init(_ socket: any NetfilterSocket) {
    self.socket = socket
    isShared = false
    listen = { () throws(NetlinkError) in nil }
  }

  /// Opens the kernel of this namespace, or of the one that the file at `namespace` stands for.
  public init(namespace: String? = nil) throws(NetlinkError) {
    socket = try NetlinkSocket(.netfilter, inNamespace: namespace)
    isShared = true
    listen = { () throws(NetlinkError) in try ChangeEvents(namespace: namespace) }
  }

  /// The changes that are listened to.
  ///
  /// They are kept: the kernel lets whoever closes such a socket wait until all that was deleted is gone.
  private var events: ChangeEvents?

  /// Listens to changes of its tables from now on, or goes on listening; nothing if it tells none.
  public func changes() throws(NetlinkError) -> ChangeEvents? {
    try events?.drain()
    if events?.hasLost ?? true { events = try listen() }
    return events
  }

  /// Listens to changes no more.
  public func stopListening() { events = nil }

  /// Returns a number that no message has had.
  func nextSequence(_ count: UInt32 = 1) -> UInt32 {
    defer { sequence = sequence &+ count }
    return sequence
  }

  /// Returns a request to a subsystem of netfilter.
  func request(_ type: UInt32, subsystem: Int32, flags: Int32, family: UInt16 = 0) -> Request {
    Request(
      UInt16(subsystem) << 8 | UInt16(type), flags: UInt16(flags), sequence: nextSequence(),
      header: [UInt8(family), 0, 0, 0])
  }

  /// Returns a request to the tables.
  func request(_ type: nf_tables_msg_types, flags: Int32, family: UInt16 = 0) -> Request {
    request(UInt32(type.rawValue), subsystem: NFNL_SUBSYS_NFTABLES, flags: flags, family: family)
  }

  /// Sends `request` and calls `body` with each message of the answer, up to its end.
  ///
  /// - Returns: `true` iff nothing changed while the kernel made the answer.
  func ask(_ request: Request, _ body: (Message) throws(NetlinkError) -> Void) throws(NetlinkError) -> Bool {
    try socket.send(request.datagram)
    var isSteady = true
    var bytes = 0
    while true {
      let datagram = try socket.receive(within: Kernel.patience)
      bytes += datagram.count + 1
      guard bytes < Kernel.mostBytes else { throw .tooLarge("\(bytes) bytes") }
      for message in try Message.all(in: datagram) where message.sequence == request.sequence {
        if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isSteady = false }
        switch Int32(message.type) {
        case NLMSG_ERROR:
          let answer = try Answer(message)
          guard answer.number == 0 else { throw .system(answer.number, call: "asking the kernel") }
          return isSteady
        case NLMSG_DONE:
          if message.body.count >= 4 {
            let number = Int32(bitPattern: message.bytes.host32(message.body.lowerBound))
            guard number >= 0 else { throw .system(0 &- number, call: "asking the kernel") }
          }
          return isSteady
        case NLMSG_OVERRUN: throw .lostAnswers
        default:
          try body(message)
          // An answer to a question that is no list has one message.
          if message.flags & UInt16(NLM_F_MULTI) == 0 { return isSteady }
        }
      }
    }
  }

  /// The present generation of the tables.
  public func generation() throws(NetlinkError) -> Generation {
    var result: Generation?
    _ = try ask(request(NFT_MSG_GETGEN, flags: 0)) { message throws(NetlinkError) in
      result = try Generation(message)
    }
    guard let result else { throw .malformed("no generation") }
    return result
  }

  /// Waits until every change of which the generation was told before is whole, and its events are sent.
  ///
  /// The kernel counts a change when it begins to show it, and shows the elements of concatenated intervals last
  /// (`nf_tables_commit`). A batch in which there is nothing waits within send(2) for the lock that the change holds
  /// (`commit_mutex`); it is not counted, told or answered.
  public func settle() throws(NetlinkError) {
    guard isShared else { return }
    let ends = [NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END]
    try socket.send(
      ends.flatMap { type in
        Request(
          UInt16(type), flags: 0, sequence: nextSequence(), header: [0, 0, 0, UInt8(NFNL_SUBSYS_NFTABLES)]
        ).datagram
      })
  }

  /// Carries out `transaction`, all of it or nothing.
  ///
  /// - Parameters:
  ///   - transaction: the steps.
  ///   - generation: the generation for which it was made; if the tables have changed since, nothing is done.
  /// - Throws: `.stale`, `.refused`, or that the kernel could not be asked.
  public func carryOut(_ transaction: Transaction, generation: UInt32? = nil) throws(NetlinkError) {
    try send(transaction, generation: generation, isDryRun: false)
  }

  /// Lets the kernel check `transaction` as if it carried it out, and changes nothing.
  public func check(_ transaction: Transaction, generation: UInt32? = nil) throws(NetlinkError) {
    try send(transaction, generation: generation, isDryRun: true)
  }

  /// Sends `transaction` and waits for what the kernel says of it.
  private func send(_ transaction: Transaction, generation: UInt32?, isDryRun: Bool) throws(NetlinkError) {
    let batch = BatchEncoder.encode(transaction, sequence: sequence, generation: generation, isDryRun: isDryRun)
    guard !batch.origins.isEmpty else { return }
    _ = nextSequence(UInt32(batch.origins.count) + 2)
    try socket.send(batch.bytes)
    var refusal: NetlinkError?
    while true {
      let datagram: [UInt8]
      do throws(NetlinkError) {
        // Once there is an error, the rest is there already, if there is more.
        datagram = try socket.receive(within: refusal == nil ? Kernel.patience : 100)
      } catch {
        throw refusal ?? error
      }
      for message in try Message.all(in: datagram) where Int32(message.type) == NLMSG_ERROR {
        let position = message.sequence &- batch.firstSequence
        guard position <= UInt32(batch.origins.count) + 1 else { continue }
        let answer = try Answer(message)
        if answer.number != 0, refusal == nil {
          if position == 0, answer.number == ERESTART { throw .stale }
          refusal = .refused(batch.refusal(answer, position: Int(position), of: transaction))
          // What is said of the beginning is said of the whole, and nothing more comes.
          if position == 0, answer.number == EPERM { throw refusal ?? .timedOut }
        }
        if message.sequence == batch.lastSequence {
          if let refusal { throw refusal }
          return
        }
      }
    }
  }
}

/// What the kernel says of a message (`struct nlmsgerr` in `linux/netlink.h`).
struct Answer {
  /// The number of errno(3), or zero if all is well.
  let number: Int32

  /// Where in the message the fault is, in bytes.
  var offset: Int?

  /// What the kernel adds in words.
  var text = ""

  /// Reads the answer in `message`.
  init(_ message: Message) throws(NetlinkError) {
    guard message.body.count >= 20 else { throw .malformed("an answer of \(message.body.count) bytes") }
    let code = Int32(bitPattern: message.bytes.host32(message.body.lowerBound))
    number = 0 &- code
    // NLM_F_CAPPED: only the header of what was asked is quoted. NLM_F_ACK_TLVS: attributes follow.
    guard message.flags & 0x200 != 0 else { return }
    var start = 4
    let quoted = Int(message.bytes.host32(message.body.lowerBound + 4))
    start += message.flags & 0x100 != 0 || code == 0 ? Message.headerSize : (quoted + 3) & ~3
    guard start <= message.body.count else { return }
    var attributes = try message.attributes(after: start)
    while let attribute = try attributes.next() {
      if attribute.type == 1 { text = message.bytes.text(attribute.extent) }
      if attribute.type == 2, attribute.extent.count == 4 {
        offset = Int(message.bytes.host32(attribute.extent.lowerBound))
      }
    }
  }
}

/// A number that each change of tables by anybody makes one larger, and who made the last one.
public struct Generation: Hashable, Sendable {
  /// The number.
  public var number: UInt32

  /// The process that made the change; nothing in answers of old kernels.
  public var process: UInt32?

  /// The name of the process.
  public var processName: String?

  /// Creates a generation.
  public init(number: UInt32, process: UInt32? = nil, processName: String? = nil) {
    self.number = number
    self.process = process
    self.processName = processName
  }

  /// Returns the number behind `number`; zero would mean any.
  public static func after(_ number: UInt32) -> UInt32 { number == .max ? 1 : number + 1 }

  /// Returns `true` iff `number` is the generation `other` or one before it.
  public static func isReached(_ number: UInt32, by other: UInt32) -> Bool { Int32(bitPattern: other &- number) >= 0 }

  /// Reads the generation that `message` (`NFT_MSG_NEWGEN`) tells.
  init(_ message: Message) throws(NetlinkError) {
    let table = try message.attributes(after: 4).table()
    guard let number = table.number(Int(NFTA_GEN_ID.rawValue)) else { throw .malformed("no generation") }
    self.number = number
    process = table.number(Int(NFTA_GEN_PROC_PID.rawValue))
    processName = table.text(Int(NFTA_GEN_PROC_NAME.rawValue))
  }
}
