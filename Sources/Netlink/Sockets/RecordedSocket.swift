/// What went over a socket, written down with comments, which answers in the place of the kernel.
///
/// A line that begins with `>` begins a datagram that is sent, one with `<` one that is received; hexadecimal digits
/// follow, on further lines too. `! lost` and `! late` stand for answers that were lost or did not come. What follows
/// `#` is a comment.
public final class RecordedSocket: NetfilterSocket {
  /// Something that went over the socket.
  private enum Step: Hashable {
    /// Sent by us.
    case sent([UInt8])

    /// Received.
    case received([UInt8])

    /// Not received.
    case failed(NetlinkError)
  }

  /// What is still to come.
  private var steps: ArraySlice<Step>

  /// `true` iff what is sent must be what was sent then.
  private let isExact: Bool

  /// The datagrams that are received, in their order.
  public var answers: [[UInt8]] {
    steps.compactMap { if case .received(let bytes) = $0 { bytes } else { nil } }
  }

  /// Reads a record; nothing if a line is no part of one.
  public init?(parsing text: String, isExact: Bool = true) {
    var steps: [Step] = []
    for line in text.split(whereSeparator: \.isNewline) {
      var words = line.prefix { $0 != "#" }.split(separator: " ")
      guard let first = words.first else { continue }
      switch first {
      case ">":
        steps.append(.sent([]))
        words.removeFirst()
      case "<":
        steps.append(.received([]))
        words.removeFirst()
      case "!":
        guard words.count == 2, words[1] == "lost" || words[1] == "late" else { return nil }
        steps.append(.failed(words[1] == "lost" ? .lostAnswers : .timedOut))
        continue
      default: break
      }
      guard let bytes = RecordedSocket.bytes(words) else { return nil }
      switch steps.popLast() {
      case .sent(let before)?: steps.append(.sent(before + bytes))
      case .received(let before)?: steps.append(.received(before + bytes))
      case .failed?, nil: return nil
      }
    }
    self.steps = steps[...]
    self.isExact = isExact
  }

  /// Answers with `answers`, whatever is sent.
  public init(answers: [[UInt8]]) {
    steps = answers.map { .received($0) }[...]
    isExact = false
  }

  /// Returns the bytes that `words` of hexadecimal digits stand for.
  private static func bytes(_ words: [Substring]) -> [UInt8]? {
    var bytes: [UInt8] = []
    for word in words {
      guard word.utf8.count == 2, let byte = UInt8(word, radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  /// Sends `datagram`; see `NetfilterSocket`.
  public func send(_ datagram: [UInt8]) throws(NetlinkError) {
    guard case .sent(let wanted)? = steps.first else {
      if isExact { throw .malformed("\(datagram.count) bytes are sent that were not sent then") }
      return
    }
    steps.removeFirst()
    guard isExact, wanted != datagram else { return }
    let place = zip(wanted, datagram).enumerated().first { $1.0 != $1.1 }?.offset
    throw .malformed("what is sent differs at byte \(place ?? min(wanted.count, datagram.count))")
  }

  /// Returns the next datagram; see `NetfilterSocket`.
  public func receive(within milliseconds: Int32) throws(NetlinkError) -> [UInt8] {
    switch steps.first {
    case .received(let bytes)?:
      steps.removeFirst()
      return bytes
    case .failed(let error)?:
      steps.removeFirst()
      throw error
    case .sent?, nil: throw .timedOut
    }
  }
}

/// A socket that writes down what goes over another one, as `RecordedSocket` reads it.
public final class RecordingSocket: NetfilterSocket {
  /// The other one.
  private let socket: any NetfilterSocket

  /// The record so far.
  public private(set) var text = ""

  /// Records what goes over `socket`.
  public init(_ socket: any NetfilterSocket) { self.socket = socket }

  /// Sends `datagram`; see `NetfilterSocket`.
  public func send(_ datagram: [UInt8]) throws(NetlinkError) {
    write(">", datagram)
    try socket.send(datagram)
  }

  /// Returns the next datagram; see `NetfilterSocket`.
  public func receive(within milliseconds: Int32) throws(NetlinkError) -> [UInt8] {
    do throws(NetlinkError) {
      let datagram = try socket.receive(within: milliseconds)
      write("<", datagram)
      return datagram
    } catch {
      if error == .lostAnswers { text += "! lost\n" }
      if error == .timedOut { text += "! late\n" }
      throw error
    }
  }

  /// Writes `datagram`, a line for each header and each attribute of each message.
  private func write(_ sign: String, _ datagram: [UInt8]) {
    text += "\(sign)\n"
    guard let messages = try? Message.all(in: datagram) else { return line(datagram[...], "no messages") }
    for message in messages {
      let header = message.body.lowerBound - Message.headerSize..<message.body.lowerBound
      line(
        datagram[header],
        "\(RecordingSocket.name(message.type)), \(message.body.count + 16) bytes, number \(message.sequence)")
      let padded = message.body.lowerBound..<min((message.body.upperBound + 3) & ~3, datagram.count)
      let start = min(padded.lowerBound + 4, padded.upperBound)
      line(datagram[padded.lowerBound..<start], "family, version, resource")
      var at = start
      var attributes = Attributes(datagram, start..<message.body.upperBound)
      while message.type >= 16, message.type != 20, let attribute = try? attributes.next() {
        let end = min((attribute.extent.upperBound + 3) & ~3, padded.upperBound)
        line(datagram[at..<end], "attribute \(attribute.type)")
        at = end
      }
      if at < padded.upperBound { line(datagram[at..<padded.upperBound], "") }
    }
  }

  /// Writes `bytes` with `comment`.
  private func line(_ bytes: ArraySlice<UInt8>, _ comment: String) {
    guard !bytes.isEmpty else { return }
    let digits = bytes.map { byte in
      let digits = String(byte, radix: 16)
      return digits.utf8.count == 1 ? "0" + digits : digits
    }
    text += "  " + digits.joined(separator: " ") + (comment.isEmpty ? "" : "  # \(comment)") + "\n"
  }

  /// The messages of nf_tables, by the numbers that they have behind the 10 of the subsystem.
  private static let names = [
    "NEWTABLE", "GETTABLE", "DELTABLE", "NEWCHAIN", "GETCHAIN", "DELCHAIN", "NEWRULE", "GETRULE", "DELRULE", "NEWSET",
    "GETSET", "DELSET", "NEWSETELEM", "GETSETELEM", "DELSETELEM", "NEWGEN", "GETGEN", "TRACE", "NEWOBJ", "GETOBJ",
    "DELOBJ", "GETOBJ_RESET", "NEWFLOWTABLE", "GETFLOWTABLE", "DELFLOWTABLE",
  ]

  /// Returns what the kernel's headers call messages of `type`.
  private static func name(_ type: UInt16) -> String {
    switch (type >> 8, type & 255) {
    case (0, 2): "NLMSG_ERROR"
    case (0, 3): "NLMSG_DONE"
    case (0, 16): "NFNL_MSG_BATCH_BEGIN"
    case (0, 17): "NFNL_MSG_BATCH_END"
    case (10, let number) where Int(number) < names.count: "NFT_MSG_\(names[Int(number)])"
    default: "type \(type)"
    }
  }
}
