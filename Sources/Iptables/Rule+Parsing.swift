import Packets
import Syntax

extension Rule {
  /// Creates the rule that the words of `reader`, behind the name of its chain, describe; what is not understood becomes
  /// an unknown match or target.
  init(_ reader: inout WordReader, _ family: AddressFamily) {
    self.init()
    while !reader.isAtEnd { readOption(&reader, family) }
  }

  /// Reads the option at which `reader` stands; one that says something a second time is not understood.
  private mutating func readOption(_ reader: inout WordReader, _ family: AddressFamily) {
    let start = reader.position
    let isNegated = reader.take("!")
    if let option = reader.next().flatMap(Option.init(_:)), read(option, isNegated, &reader, family) { return }
    reader.goBack(to: start)
    if let option = reader.nextMatchOption(), let name = impliedMatch(of: option.name) {
      reader.goBack(to: start)
      return readMatch(Word(name), &reader, family)
    }
    reader.goBack(to: start)
    _ = reader.take("!")
    _ = reader.next()
    reader.skipValues()
    matches.append(.unknown(reader.texts(from: start)))
  }

  /// An option that every rule may have.
  private enum Option {
    case source, destination, arrival, departure, transport, match, jump, goto

    /// Creates the option that `word` is, if it is one.
    init?(_ word: Word) {
      switch word {
      case "-s", "--source": self = .source
      case "-d", "--destination": self = .destination
      case "-i", "--in-interface": self = .arrival
      case "-o", "--out-interface": self = .departure
      case "-p", "--protocol": self = .transport
      case "-m", "--match": self = .match
      case "-j", "--jump": self = .jump
      case "-g", "--goto": self = .goto
      default: return nil
      }
    }
  }

  /// Reads what stands behind `option`, and returns `true` iff it is understood or kept.
  private mutating func read(
    _ option: Option, _ isNegated: Bool, _ reader: inout WordReader, _ family: AddressFamily
  ) -> Bool {
    func take<Value>(_ selector: inout Selector<Value>?, _ convert: (Word) -> Value?) -> Bool {
      guard selector == nil, let word = reader.next(), let value = convert(word) else { return false }
      selector = Selector(value, isNegated: isNegated)
      return true
    }
    switch option {
    case .source: return take(&source) { Prefix(saved: $0, family) }
    case .destination: return take(&destination) { Prefix(saved: $0, family) }
    case .arrival: return take(&arrival) { $0.isEmpty ? nil : $0.text }
    case .departure: return take(&departure) { $0.isEmpty ? nil : $0.text }
    case .transport: return take(&transport) { TransportProtocol(saved: $0) }
    case .match:
      guard !isNegated, let name = reader.next() else { return false }
      readMatch(name, &reader, family)
      return true
    case .jump, .goto:
      guard !isNegated, target == nil, let name = reader.next() else { return false }
      target = Target(name, isGoto: option == .goto, &reader)
      return true
    }
  }

  /// The matches that are called like protocols.
  private static let protocolMatches = ["tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmp6", "icmpv6"]

  /// Returns the match whose `option` needs no `-m`, since the protocol of the rule brings it (`load_proto`,
  /// iptables/xshared.c), if there is one.
  private func impliedMatch(of option: Word) -> String? {
    guard let transport, !transport.isNegated else { return nil }
    let (name, others): (String, [String])
    switch transport.value {
    case .tcp: (name, others) = ("tcp", Self.tcpOptions)
    case .udp: (name, others) = ("udp", [])
    case .sctp: (name, others) = ("sctp", ["--chunk-types"])
    case .icmp: return option == "--icmp-type" ? "icmp" : nil
    case .icmpv6: return option == "--icmpv6-type" ? "icmp6" : nil
    default: return nil
    }
    return option.isOne(of: Self.portOptions) || option.isOne(of: others) ? name : nil
  }

  private static let portOptions = ["--sport", "--dport", "--source-port", "--destination-port"]
  private static let tcpOptions = ["--tcp-flags", "--syn", "--tcp-option"]

  /// Reads what stands behind `-m` and `name`.
  private mutating func readMatch(_ name: Word, _ reader: inout WordReader, _ family: AddressFamily) {
    let start = reader.position
    var first: WordReader.Option?
    var others: [WordReader.Option] = []
    // What is no option of this match may be one of the protocol's.
    let isOfProtocol = name.isOne(of: Self.protocolMatches)
    var end = start
    while let option = reader.nextMatchOption(), isOfProtocol || impliedMatch(of: option.name) == nil {
      if first == nil { first = option } else { others.append(option) }
      end = reader.position
    }
    reader.goBack(to: end)
    if let first, others.isEmpty, name == "comment", comment == nil, let text = first.only("--comment") {
      comment = text.text
    } else {
      let match = first.flatMap { Match(name, $0, others, family) }
      matches.append(match ?? .unknown(["-m", name.text] + reader.texts(from: start)))
    }
  }
}

extension Target {
  /// Creates the target `name`, behind `-j` or `-g`, with the options that follow.
  fileprivate init(_ name: Word, isGoto: Bool, _ reader: inout WordReader) {
    let start = reader.position
    let options = reader.matchOptions()
    let known = isGoto ? (options.isEmpty && name.isName ? Target.goto(name.text) : nil) : Target(name, options)
    self = known ?? .unknown([isGoto ? "-g" : "-j", name.text] + reader.texts(from: start))
  }

  /// Creates the target `name` with `options`, or nothing if it is not known.
  private init?(_ name: Word, _ options: [WordReader.Option]) {
    switch (name, options.count) {
    case ("ACCEPT", 0): self = .accept
    case ("DROP", 0): self = .drop
    case ("RETURN", 0): self = .return
    case ("MASQUERADE", 0): self = .masquerade
    case ("REJECT", 1):
      guard let kind = options[0].only("--reject-with") else { return nil }
      self = .reject(with: kind.text)
    case ("LOG", 1):
      guard let prefix = options[0].only("--log-prefix") else { return nil }
      self = .log(prefix: prefix.text)
    case ("MARK", 1):
      guard let (value, mask) = options[0].only("--set-xmark").flatMap(markAndMask) else { return nil }
      self = .mark(value: value, mask: mask)
    case ("DNAT", 1):
      guard let text = options[0].only("--to-destination"), let target = Target(destination: text) else { return nil }
      self = target
    // A chain, or a target that is not known: the table tells.
    case (_, 0) where name.isName: self = .jump(name.text)
    default: return nil
    }
  }

  /// Creates the translation to `text`, as DNAT has it, or nothing if it is none.
  private init?(destination text: Word) {
    var (host, port): (Word, Word?) = (text, nil)
    if text.hasPrefix("[") {
      let (inside, behind) = text.dropFirst().halves(at: "]")
      guard let behind, behind.isEmpty || behind.hasPrefix(":") else { return nil }
      (host, port) = (inside, behind.isEmpty ? nil : behind.dropFirst())
    } else if Address(utf8: text.bytes) == nil {
      (host, port) = text.halves(at: ":")
    }
    var address: Address?
    if !host.isEmpty {
      address = Address(utf8: host.bytes)
      guard address != nil else { return nil }
    }
    guard let port else {
      guard address != nil else { return nil }
      self = .destination(address, ports: nil, base: nil)
      return
    }
    let (range, distance) = port.halves(at: "/")
    guard let ports = PortRange(saved: range, separator: "-") else { return nil }
    var base: UInt16?
    if let distance {
      base = distance.number()
      guard base != nil else { return nil }
    }
    self = .destination(address, ports: ports, base: base)
  }
}
