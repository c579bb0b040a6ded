/// A laboratory that cannot be understood.
public struct LabError: Error, CustomStringConvertible {
  /// What is wrong and where.
  public var description: String
}

extension Lab {
  /// Reads the laboratory in `text`, which stands in `file`.
  public init(parsing text: String, file: String = "lab") throws(LabError) {
    self.file = file
    for (i, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let code = raw.prefix { $0 != "#" }
      var line = LabLine(code, number: i + 1, file: file)
      guard let keyword = line.next() else { continue }
      try read(keyword, from: &line)
      if let extra = line.next() { throw line.error("`\(extra)` is too much") }
    }
    guard !host.isEmpty else { throw LabError(description: "\(file): no line `host NAME`") }
  }

  private mutating func read(_ keyword: String, from line: inout LabLine) throws(LabError) {
    switch keyword {
    case "host": host = try line.expect("a name")
    case "link": links.append(try link(&line))
    case "peer": peers.append(try peer(&line))
    case "listen": listeners += try listeners(&line)
    case "forward": forwards = true
    case "translate":
      let port = try line.expectPorts()[0]
      try line.expect(word: "to")
      let target = try line.expectAddresses()[0]
      translations.append(
        Translation(port: port, target: target, targetPort: try line.expectNumber()))
    case "except": exceptions.merge(try line.exceptions()) { $1 }
    case "from": steps += try questions(&line).map(Step.question)
    case "reload": steps.append(.load(nil, line: line.number))
    case "load": steps.append(.load(try line.expect("the name of a ruleset"), line: line.number))
    case "wait": steps.append(.wait(milliseconds: Int(try line.expectNumber() as UInt16)))
    case "held":
      let name = try line.expect("the name of a held connection")
      let word = try line.expect("`alive` or `cut`")
      guard word == "alive" || word == "cut" else { throw line.error("`alive` or `cut` is wanted, not `\(word)`") }
      steps.append(.held(name: name, alive: word == "alive", line: line.number, text: line.text))
    default: throw line.error("`\(keyword)` begins no line")
    }
  }

  private func link(_ line: inout LabLine) throws(LabError) -> Link {
    var link = Link(name: try line.expect("an interface"), addresses: [])
    while let word = line.next() {
      let parts = word.split(separator: "/")
      guard parts.count == 2, let address = LabAddress(parts[0]), let length = Int(parts[1]) else {
        throw line.error("`\(word)` is no address with a prefix length")
      }
      link.addresses.append((address, length))
    }
    return link
  }

  private func peer(_ line: inout LabLine) throws(LabError) -> Peer {
    let name = try line.expect("a name")
    try line.expect(word: "on")
    let link = try line.expect("an interface")
    guard links.contains(where: { $0.name == link }) else { throw line.error("no link `\(link)` above") }
    var addresses: [LabAddress] = []
    while !line.isAtEnd { addresses += try line.expectAddresses() }
    return Peer(name: name, link: link, addresses: addresses)
  }

  private func listeners(_ line: inout LabLine) throws(LabError) -> [Listener] {
    let place = try line.expect("the host or a peer")
    try check(place, line)
    var ports: [LabPort] = []
    while let word = line.peek, word != "at" { ports += try line.expectPorts() }
    let addresses = line.take("at") ? try line.expectAddresses() : []
    return ports.map { Listener(place: place, port: $0, addresses: addresses) }
  }

  private func check(_ place: String, _ line: LabLine) throws(LabError) {
    guard place == host || peers.contains(where: { $0.name == place }) else {
      throw line.error("`\(place)` is neither the host nor a peer above")
    }
  }

  /// Returns the questions of a line `from`: one for each source, destination of its family, and port.
  private func questions(_ line: inout LabLine) throws(LabError) -> [Question] {
    let sender = try line.expect("the host or a peer")
    try check(sender, line)
    let sources = try line.expectAddresses()
    let isSpoofed = line.take("spoofed")
    let sourcePort: UInt16? = line.take("port") ? try line.expectNumber() : nil
    try line.expect(word: "to")
    let destinations = try line.expectAddresses()
    let ports = try line.expectPorts()
    let flags = line.take("flags") ? try line.expect("flags, or `none`") : nil
    let quoted = line.take("about") ? try line.expect("the name of a held connection, or `nothing`") : nil
    let count: UInt16 = line.take("times") ? try line.expectNumber() : 1
    let expectation = try line.expectation()
    let holdName = line.take("hold") ? try line.expect("a name") : nil
    let exceptions = line.take("except") ? try line.exceptions() : [:]
    let families = Set(sources.map(\.isIPv6))
    guard families == Set(destinations.map(\.isIPv6)) else {
      throw line.error("the sources and the destinations are not of the same families")
    }
    var result: [Question] = []
    for source in sources {
      guard isSpoofed != owns(sender, source) else {
        throw line.error(isSpoofed ? "\(sender) has \(source): not spoofed" : "\(sender) does not have \(source)")
      }
      for destination in destinations where destination.isIPv6 == source.isIPv6 {
        for port in ports {
          if port.transport == "icmp" && port.message(isIPv6: source.isIPv6) == nil {
            throw line.error("no such ICMP message for \(source)")
          }
          result.append(
            Question(
              line: line.number, text: line.text, sender: sender, source: source, isSpoofed: isSpoofed,
              sourcePort: sourcePort, destination: destination, port: port, flags: flags, quoted: quoted,
              holdName: holdName, count: Int(count), expectation: expectation, exceptions: exceptions))
        }
      }
    }
    return result
  }

  /// Returns `true` iff `place` has `address`.
  private func owns(_ place: String, _ address: LabAddress) -> Bool {
    if place != host { return peers.contains { $0.name == place && $0.addresses.contains(address) } }
    return address.octets.first == 127 || address == LabAddress("::1")
      || links.contains { $0.addresses.contains { $0.address == address } }
  }
}
