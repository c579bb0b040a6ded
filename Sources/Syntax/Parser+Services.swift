import Packets

// Services, and the hosts that run them.

extension Parser {
  /// Reads `service NAME { ... }`.
  mutating func readService() throws(Failure) {
    let start = take()
    var d = ServiceDeclaration(span: start, name: try readName("a service"))
    try readBlock(of: .service, named: d.name.value, into: &d) { (p, d) throws(Failure) in
      let place = p.span
      switch p.keyword {
      case .owner:
        p.advance()
        d.owner = p.once(d.owner, try p.readName("an owner"), .owner, at: place)
      case .purpose:
        p.advance()
        d.purpose = p.once(d.purpose, try p.readString("the purpose"), .purpose, at: place)
      case .class:
        p.advance()
        d.classes += try p.readList("a class") { (p) throws(Failure) in try p.readName("a class") }
      case .port:
        d.ports.append(try p.readPort())
        p.endStatement(after: [.speaks])
      case .expose:
        d.exposures.append(try p.readExposure())
        return
      case .uses:
        d.uses.append(try p.readUse())
        return
      default: try p.failUnknownStatement(of: .service)
      }
      p.endStatement()
    }
    d.span = span(from: start)
    tree.services.append(d)
  }

  /// Reads `port [NAME] PORTS, ... [speaks NAME]`.
  private mutating func readPort() throws(Failure) -> PortStatement {
    let start = take()
    var name: Name?
    if kind == .word, !word.contains(UInt8(ascii: "/")), isPlainName(current), keyword != .speaks {
      name = try readPortName()
    }
    let lists = try readTrafficLists()
    var traffic = lists[0]
    for list in lists.dropFirst() {
      traffic.value += list.value
      traffic.span = traffic.span.union(list.span)
    }
    var speaks: Name?
    if takes(.speaks) { speaks = try readWord("the registered name of a protocol, such as `https`") }
    return PortStatement(span: span(from: start), name: name, traffic: traffic, speaks: speaks)
  }

  /// Returns the name of a port that stands here.
  mutating func readPortName() throws(Failure) -> Name {
    if let word = keyword, word.isPublication {
      findings.add(.reservedName(word.rawValue, at: span))
      throw Failure()
    }
    return try readName("a port")
  }

  /// Reads `expose [PORT, ...] to AUDIENCE, ... clauses`.
  private mutating func readExposure() throws(Failure) -> ExposeStatement {
    var s = ExposeStatement(span: take())
    if keyword != .to {
      if kind == .word, word.contains(UInt8(ascii: "/")) || word.allSatisfy(\.isDigit) {
        findings.add(.exposedPortWithoutName(shortened(text), at: span))
        throw Failure()
      }
      s.ports = try readList("the name of a port") { (p) throws(Failure) in try p.readPortName() }
    }
    try expect(.to, "and who may connect")
    s.audience = try readTerms("who may connect")
    try readClauses(
      of: .expose, [.as, .via, .limit, .until, .because, .ticket, .logged, .except], into: &s.clauses,
      exceptions: &s.exceptions)
    s.span = span(from: s.span)
    return s
  }

  /// Reads `uses TARGET, ... [on PORTS] clauses`.
  private mutating func readUse() throws(Failure) -> UsesStatement {
    var s = UsesStatement(span: take())
    s.targets = try readTerms("what the service connects to")
    try readClauses(of: .uses, [.on, .until, .because, .ticket], into: &s.clauses)
    s.span = span(from: s.span)
    return s
  }

  /// Reads `host NAME { ... }`.
  mutating func readHost() throws(Failure) {
    let start = take()
    var d = HostDeclaration(span: start, name: try readName("a host"))
    try readBlock(of: .host, named: d.name.value, into: &d) { (p, d) throws(Failure) in
      let place = p.span
      switch p.keyword {
      case .address:
        p.advance()
        d.addresses += try p.readList("an address") { (p) throws(Failure) in try p.readAddress("a host") }
      case .interface: d.interfaces.append(try p.readInterface())
      case .runs:
        d.runs.append(try p.readRuns())
        return
      case .ephemeral:
        p.advance()
        d.ephemeral = p.once(d.ephemeral, try p.readPortRange("ports such as `32768-60999`"), .ephemeral, at: place)
      case .egress:
        p.advance()
        d.egressClosed = p.once(d.egressClosed, try p.readChoice(.closed, or: .open), .egress, at: place)
      default: try p.failUnknownStatement(of: .host)
      }
      p.endStatement()
    }
    d.span = span(from: start)
    tree.hosts.append(d)
  }

  /// Reads `interface NAME in ZONE, ...`.
  private mutating func readInterface() throws(Failure) -> InterfaceStatement {
    let start = take()
    let name = try readWord("the name of an interface, such as `eth0`")
    // dev_valid_name() of Linux allows more, but `*` and `+` are wildcards to nftables and iptables.
    let isValid = name.value.utf8.allSatisfy { byte in
      byte.isLowercase || byte.isUppercase || byte.isDigit || [0x2d, 0x2e, 0x5f, 0x40].contains(byte)
    }
    guard isValid, name.value.utf8.count <= 15, name.value != ".", name.value != ".." else {
      findings.add(.notAnInterface(shortened(name.value), at: name.span))
      throw Failure()
    }
    try expect(.in, "and the zone whose packets arrive there")
    let zones = try readTerms("a zone", [.internet, .zones])
    return InterfaceStatement(span: span(from: start), name: name, zones: zones)
  }

  /// Reads `runs SERVICE, ... [on ADDRESS, ...]`, to its end.
  mutating func readRuns() throws(Failure) -> RunsStatement {
    var s = RunsStatement(span: take())
    s.services = try readList("a service") { (p) throws(Failure) in
      if p.keyword == .service { p.advance() }
      return try p.readName("a service")
    }
    if takes(.on) {
      s.addresses = try readList("an address") { (p) throws(Failure) in try p.readAddress("a host") }
    }
    s.span = span(from: s.span)
    endStatement(after: [.on])
    return s
  }
}
