import Netlink

/// The writer and reader of one table whose bytes are written by hand, to compare with: nothing is taken from a model, and
/// nothing that is read is understood.
struct RawTable {
  /// An element: an address, a port and a comment.
  struct Element {
    var address: UInt32
    var port: UInt16
    var comment: String
  }

  /// The transaction so far.
  private var bytes: [UInt8] = []

  /// Where the present message begins.
  private var start = 0

  /// Returns the transaction that makes the table with a map of `elements`, all of which lead to one chain.
  static func creating(_ elements: [Element], size: Int) -> [UInt8] {
    var table = RawTable()
    table.bytes.reserveCapacity(elements.count * 112 + 1024)
    // NFNL_MSG_BATCH_BEGIN for the subsystem 10, nf_tables.
    table.begin(0x10, flags: 1, family: 0, resource: 10)
    table.end()
    // NFT_MSG_NEWTABLE, NFT_MSG_NEWCHAIN and NFT_MSG_NEWSET; 0x600 is NLM_F_CREATE | NLM_F_EXCL.
    table.begin(0xa00, flags: 0x601)
    table.put(1, text: "portcullis")
    table.end()
    table.begin(0xa03, flags: 0x601)
    table.put(1, text: "portcullis")
    table.put(3, text: "judge")
    table.end()
    table.begin(0xa09, flags: 0x601)
    table.putMap(size: size)
    table.end()
    // Three fields, a verdict and a comment, of which the key and the comment differ.
    let judge = Array("judge".utf8) + [0, 0, 0]
    var next = 0
    while next < elements.count {
      // NFT_MSG_NEWSETELEM; an attribute holds 65,535 bytes. The last message is acknowledged.
      table.begin(0xa0c, flags: 0x601)
      table.put(1, text: "portcullis")
      table.put(2, text: "members")
      table.put(4, number: 1)
      let list = table.nest(3)
      while next < elements.count, table.bytes.count - list < 60_000 {
        let element = elements[next]
        next += 1
        let comment = element.comment.utf8
        let length = 20 + 28 + 7 + comment.count
        table.head(length + 4, 0x8001)
        table.head(20, 0x8001)
        table.head(16, 1)
        table.big(element.address)
        table.bytes.append(
          contentsOf: [6, 0, 0, 0, UInt8(element.port >> 8), UInt8(element.port & 255), 0, 0] as [UInt8])
        table.head(28, 0x8002)
        table.head(24, 0x8002)
        table.head(8, 1)
        table.big(0xffff_fffc)
        table.head(12, 2)
        table.bytes.append(contentsOf: judge)
        table.head(comment.count + 7, 6)
        table.bytes.append(0)
        table.bytes.append(UInt8(comment.count + 1))
        table.bytes.append(contentsOf: comment)
        table.bytes.append(0)
        table.pad()
      }
      table.close(list)
      table.end(isLast: next == elements.count)
    }
    table.begin(0x11, flags: 1, family: 0, resource: 10)
    table.end()
    return table.bytes
  }

  /// Sends `transaction` over `socket` and waits until the kernel says that it has done it.
  static func carryOut(_ transaction: [UInt8], _ socket: NetlinkSocket) throws {
    try socket.send(transaction)
    let answer = try socket.receive(within: 10_000)
    // NLMSG_ERROR with the number 0.
    guard answer.count >= 20, answer[4] == 2, answer[16..<20].allSatisfy({ $0 == 0 }) else {
      throw Refused(answer: answer)
    }
  }

  /// Reads the elements of the map over `socket`; returns how many bytes they have.
  static func read(_ socket: NetlinkSocket) throws -> Int {
    var table = RawTable()
    // NFT_MSG_GETSETELEM; 0x301 is NLM_F_REQUEST | NLM_F_DUMP.
    table.begin(0xa0d, flags: 0x301)
    table.put(1, text: "portcullis")
    table.put(2, text: "members")
    table.end()
    try socket.send(table.bytes)
    var count = 0
    while true {
      let datagram = try socket.receive(within: 10_000)
      count += datagram.count
      // NLMSG_DONE stands alone behind the elements.
      var at = 0
      while at + 16 <= datagram.count {
        if datagram[at + 4] == 3 { return count }
        if datagram[at + 4] == 2 { throw Refused(answer: datagram) }
        at += (Int(datagram[at]) | Int(datagram[at + 1]) << 8 | Int(datagram[at + 2]) << 16 + 3) & ~3
      }
    }
  }

  /// The kernel refused something.
  struct Refused: Error {
    var answer: [UInt8]
  }

  /// Writes what NFT_MSG_NEWSET says of the map.
  private mutating func putMap(size: Int) {
    put(1, text: "portcullis")
    put(2, text: "members")
    // NFT_SET_MAP.
    put(3, number: 8)
    // To nft(8): an IPv4 address, a protocol and a port, six bits each.
    put(4, number: 7 << 12 | 12 << 6 | 13)
    put(5, number: 12)
    // Verdicts.
    put(6, number: 0xffff_ff00)
    put(7, number: 0)
    let description = nest(9)
    put(1, number: UInt32(size))
    close(description)
    put(10, number: 1)
    let counter = nest(17)
    put(1, text: "counter")
    let data = nest(2)
    close(data)
    close(counter)
  }

  /// Begins a message of `type`: a header of 16 bytes, whose length is not known yet, and that of nf_tables.
  private mutating func begin(_ type: Int, flags: Int, family: UInt8 = 1, resource: UInt8 = 0) {
    start = bytes.count
    little(0, 4)
    little(type, 2)
    little(flags, 2)
    little(0, 8)
    bytes.append(contentsOf: [family, 0, 0, resource])
  }

  /// Ends the message, which the kernel acknowledges if it is the last one.
  private mutating func end(isLast: Bool = false) {
    let length = bytes.count - start
    for i in 0..<4 { bytes[start + i] = UInt8(length >> (8 * i) & 255) }
    if isLast { bytes[start + 6] |= 4 }
  }

  /// Writes the head of an attribute of `length` bytes; 0x8000 in its type says that it holds attributes.
  private mutating func head(_ length: Int, _ type: Int) {
    little(length, 2)
    little(type, 2)
  }

  private mutating func put(_ type: Int, text: String) {
    head(text.utf8.count + 5, type)
    bytes.append(contentsOf: text.utf8)
    bytes.append(0)
    pad()
  }

  private mutating func put(_ type: Int, number: UInt32) {
    head(8, type)
    big(number)
  }

  /// Begins an attribute that holds attributes; returns where.
  private mutating func nest(_ type: Int) -> Int {
    head(0, type | 0x8000)
    return bytes.count - 4
  }

  private mutating func close(_ nest: Int) {
    let length = bytes.count - nest
    (bytes[nest], bytes[nest + 1]) = (UInt8(length & 255), UInt8(length >> 8))
  }

  private mutating func big(_ number: UInt32) {
    for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
  }

  /// Writes the lowest `count` bytes of `number` in the order of this machine, which is a little one.
  private mutating func little(_ number: Int, _ count: Int) {
    for i in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * i))) }
  }

  private mutating func pad() { while bytes.count & 3 != 0 { bytes.append(0) } }
}
