import Packets

// Port literals: `443/tcp`, `53/tcp+udp`, `8000-8010/tcp`, `echo-request/icmp`.

extension Parser {
  /// Returns the list of port literals that stands here.
  mutating func readTrafficLists() throws(Failure) -> [TrafficList] {
    try readList("a port such as `443/tcp`") { (p) throws(Failure) in try p.readTraffic() }
  }

  /// Returns the port literal that stands here.
  mutating func readTraffic() throws(Failure) -> TrafficList {
    guard kind == .word else { return try fail("a port such as `443/tcp`") }
    if let word = keyword, word.beginsClause || word == .to { return try fail("a port such as `443/tcp`") }
    let text = word
    guard let slash = text.firstIndex(of: UInt8(ascii: "/")) else { return try failWithoutProtocol() }
    let head = text[..<slash]
    let tail = text[(slash + 1)...]
    var traffic: [Traffic] = []
    if let only = transport(tail) {
      // The commonest case, without an array of parts.
      traffic = [.ports(only, try ports(head))]
    } else if tail.elementsEqual("icmp".utf8) || tail.elementsEqual("icmpv6".utf8) {
      traffic = try messages(head, isIPv6: tail.count == 6)
    } else {
      for transport in try transports(tail, head) { traffic.append(.ports(transport, try ports(head))) }
    }
    return TrafficList(traffic, at: take())
  }

  /// Returns the port numbers that `text`, in front of the slash, writes.
  private mutating func ports(_ text: ArraySlice<UInt8>) throws(Failure) -> PortRange {
    switch portRange(in: text) {
    case .success(let range): return range
    case .failure(let flaw):
      let behind = String(decoding: word[text.endIndex...], as: UTF8.self)
      if case .notANumber = flaw, transport(text) != nil, case .success = portRange(in: word[(text.endIndex + 1)...]) {
        let number = String(decoding: word[(text.endIndex + 1)...], as: UTF8.self)
        findings.add(
          .protocolBeforePort(
            shortened(self.text), at: span, mended: "\(number)/\(String(decoding: text, as: UTF8.self))"))
      } else {
        findings.add(
          .badPort(shortened(String(decoding: text, as: UTF8.self)), flaw, at: span, behind: shortened(behind)))
      }
      throw Failure()
    }
  }

  /// Returns the protocol with ports that `text` names, if it names one.
  private func transport(_ text: ArraySlice<UInt8>) -> TransportProtocol? {
    TransportProtocol.withPorts.first { text.count == $0.name.utf8.count && text.elementsEqual($0.name.utf8) }?
      .transport
  }

  /// Returns the protocols that `text`, behind the slash, names; `head` stands in front of it.
  private mutating func transports(
    _ text: ArraySlice<UInt8>, _ head: ArraySlice<UInt8>
  ) throws(Failure) -> [TransportProtocol] {
    var result: [TransportProtocol] = []
    for part in text.split(separator: UInt8(ascii: "+"), omittingEmptySubsequences: false) {
      guard let transport = transport(part) else {
        let written = shortened(String(decoding: part, as: UTF8.self))
        let names = TransportProtocol.withPorts.map(\.name) + ["icmp", "icmpv6"]
        if case .success = portRange(in: part), self.transport(head) != nil { _ = try ports(head) }
        findings.add(.unknownProtocol(written, at: place(of: part), meant: nearest(to: written, among: names)))
        throw Failure()
      }
      if result.contains(transport) {
        findings.add(.protocolTwice("\(transport)", at: place(of: part)))
        throw Failure()
      }
      result.append(transport)
    }
    return result
  }

  /// Returns the place of `part`, a slice of the file.
  private func place(of part: ArraySlice<UInt8>) -> Span {
    let lower = UInt32(truncatingIfNeeded: part.startIndex)
    let upper = UInt32(truncatingIfNeeded: part.endIndex)
    return upper > lower ? Span(file: file, lower: lower, upper: upper) : span
  }

  /// Reports that the port literal has no protocol, and fails.
  private mutating func failWithoutProtocol() throws(Failure) -> TrafficList {
    switch portRange(in: word) {
    case .success(let range): findings.add(.portWithoutProtocol("\(range)", at: span))
    case .failure(.notANumber):
      return try fail("a port such as `443/tcp`")
    case .failure(let flaw): findings.add(.badPort(shortened(text), flaw, at: span, behind: ""))
    }
    throw Failure()
  }

  /// Returns the ICMP messages that `text` names or numbers.
  ///
  /// A name means the message in both families, unless `isIPv6`, since a policy is one for both. A number, or a code
  /// behind a colon, means something else in the other family and so stays in its own.
  private mutating func messages(_ text: ArraySlice<UInt8>, isIPv6: Bool) throws(Failure) -> [Traffic] {
    let colon = text.firstIndex(of: UInt8(ascii: ":"))
    let head = text[..<(colon ?? text.endIndex)]
    var code: UInt8?
    if let colon {
      guard let value = number(text[(colon + 1)...], atMost: 255) else {
        findings.add(.badMessageCode(shortened(String(decoding: text[(colon + 1)...], as: UTF8.self)), at: span))
        throw Failure()
      }
      code = UInt8(value)
    }
    if let type = number(head, atMost: 255) {
      return [isIPv6 ? .icmpv6(type: UInt8(type), code: code) : .icmp(type: UInt8(type), code: code)]
    }
    let four = ICMPType.ipv4.first { head.elementsEqual($0.name.utf8) }?.type
    let six = ICMPType.ipv6.first { head.elementsEqual($0.name.utf8) }?.type
    if isIPv6, let six { return [.icmpv6(type: six, code: code)] }
    if !isIPv6, let four {
      guard let six, code == nil else { return [.icmp(type: four, code: code)] }
      return [.icmp(type: four, code: nil), .icmpv6(type: six, code: nil)]
    }
    let table = isIPv6 ? ICMPType.ipv6 : ICMPType.ipv4
    let written = shortened(String(decoding: head, as: UTF8.self))
    findings.add(
      .unknownMessage(
        written, isIPv6: isIPv6, at: place(of: head), meant: nearest(to: written, among: table.map(\.name)),
        isKnownInOtherFamily: isIPv6 ? four != nil : six != nil))
    throw Failure()
  }
}
