import Packets
import Syntax

extension Rule {
  /// Creates the rule that `words`, behind the name of its chain, describe; what is not understood becomes an unknown
  /// match or target.
  init(words: ArraySlice<String>, _ family: AddressFamily) {
    self.init()
    var reader = WordReader(words: words)
    while !reader.isAtEnd { readOption(&reader, family) }
  }

  /// Reads the option at which `reader` stands; one that says something a second time is not understood.
  private mutating func readOption(_ reader: inout WordReader, _ family: AddressFamily) {
    let start = reader
    let isNegated = reader.take("!")
    guard let option = reader.next(), read(option, isNegated, &reader, family) else {
      reader = start
      if let implied {
        var ahead = start
        if let option = ahead.nextMatchOption(), implied.options.contains(option.name) {
          return readMatch(implied.name, &reader, family)
        }
      }
      _ = reader.take("!")
      _ = reader.next()
      reader.skipValues()
      matches.append(.unknown(start.words(upTo: reader)))
      return
    }
  }

  /// Reads what stands behind `option`, and returns `true` iff it is understood or kept.
  private mutating func read(
    _ option: String, _ isNegated: Bool, _ reader: inout WordReader, _ family: AddressFamily
  ) -> Bool {
    func take<Value>(_ selector: inout Selector<Value>?, _ convert: (String) -> Value?) -> Bool {
      guard selector == nil, let value = reader.next().flatMap(convert) else { return false }
      selector = Selector(value, isNegated: isNegated)
      return true
    }
    switch option {
    case "-s", "--source": return take(&source) { Prefix(saved: $0, family) }
    case "-d", "--destination": return take(&destination) { Prefix(saved: $0, family) }
    case "-i", "--in-interface": return take(&arrival) { $0.isEmpty ? nil : $0 }
    case "-o", "--out-interface": return take(&departure) { $0.isEmpty ? nil : $0 }
    case "-p", "--protocol": return take(&transport) { TransportProtocol(saved: $0) }
    case "-m", "--match":
      guard !isNegated, let name = reader.next() else { return false }
      readMatch(name, &reader, family)
      return true
    case "-j", "--jump", "-g", "--goto":
      guard !isNegated, target == nil, let name = reader.next() else { return false }
      target = Target(name, isGoto: option == "-g" || option == "--goto", &reader)
      return true
    default: return false
    }
  }

  /// The matches that are called like protocols.
  private static let protocolMatches: Set<String> = [
    "tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmp6", "icmpv6",
  ]

  /// The match whose options need no `-m`, since the protocol of the rule brings it, with those options (`load_proto`,
  /// iptables/xshared.c).
  private var implied: (name: String, options: Set<String>)? {
    guard let transport, !transport.isNegated else { return nil }
    return Rule.impliedMatches[transport.value]
  }

  private static let impliedMatches: [TransportProtocol: (name: String, options: Set<String>)] = {
    let ports: Set<String> = ["--sport", "--dport", "--source-port", "--destination-port"]
    return [
      .tcp: ("tcp", ports.union(["--tcp-flags", "--syn", "--tcp-option"])),
      .udp: ("udp", ports),
      .sctp: ("sctp", ports.union(["--chunk-types"])),
      .icmp: ("icmp", ["--icmp-type"]),
      .icmpv6: ("icmp6", ["--icmpv6-type"]),
    ]
  }()

  /// Reads what stands behind `-m` and `name`.
  private mutating func readMatch(_ name: String, _ reader: inout WordReader, _ family: AddressFamily) {
    let start = reader
    var options: [WordReader.Option] = []
    // What is no option of this match may be one of the protocol's.
    let others = Rule.protocolMatches.contains(name) ? [] : implied?.options ?? []
    var ahead = reader
    while let option = ahead.nextMatchOption(), !others.contains(option.name) {
      options.append(option)
      reader = ahead
    }
    if name == "comment", comment == nil, options.count == 1, let text = options[0].only("--comment") {
      comment = text
    } else {
      matches.append(Match(name, options, family) ?? .unknown(["-m", name] + start.words(upTo: reader)))
    }
  }
}

/// A reader of words.
struct WordReader {
  /// An option of a match.
  struct Option {
    /// The name, with its hyphens.
    var name: String
    /// The words behind it.
    var values: [String]
    /// `true` iff a `!` stands before it.
    var isNegated: Bool

    /// Returns the value if the option is called `name`, is not negated and has one value.
    func only(_ name: String) -> String? { self.name == name && !isNegated && values.count == 1 ? values[0] : nil }
  }

  /// The words.
  private let words: ArraySlice<String>

  /// The next one.
  private var position: Int

  /// Creates a reader at the first of `words`.
  init(words: ArraySlice<String>) {
    self.words = words
    position = words.startIndex
  }

  /// `true` iff nothing is left.
  var isAtEnd: Bool { position == words.endIndex }

  /// Takes and returns the next word, if there is one.
  mutating func next() -> String? {
    guard !isAtEnd else { return nil }
    position += 1
    return words[position - 1]
  }

  /// Takes the next word and returns `true` iff it is `word`.
  mutating func take(_ word: String) -> Bool {
    guard !isAtEnd, words[position] == word else { return false }
    position += 1
    return true
  }

  /// Returns the words from here up to where `other` stands.
  func words(upTo other: WordReader) -> [String] { Array(words[position..<other.position]) }

  /// Takes words up to the next option.
  mutating func skipValues() {
    while !isAtEnd, !words[position].hasPrefix("-"), words[position] != "!" { position += 1 }
  }

  /// The options whose value is a text, which may look like another option.
  private static let textual: Set<String> = [
    "--comment", "--log-prefix", "--nflog-prefix", "--string", "--hex-string", "--name", "--hashlimit-name", "--helper",
    "--label", "--bytecode", "--path",
  ]

  /// The long names of options that are of no match.
  private static let ofEveryRule: Set<String> = [
    "--jump", "--goto", "--match", "--source", "--destination", "--protocol", "--in-interface", "--out-interface",
  ]

  /// Takes and returns the next option of a match, whose names begin with two hyphens, if there is one.
  mutating func nextMatchOption() -> Option? {
    var ahead = self
    let isNegated = ahead.take("!")
    guard let name = ahead.next(), name.hasPrefix("--"), !Self.ofEveryRule.contains(name) else { return nil }
    let start = ahead.position
    if Self.textual.contains(name) { _ = ahead.next() } else { ahead.skipValues() }
    self = ahead
    return Option(name: name, values: Array(words[start..<position]), isNegated: isNegated)
  }
}

extension Target {
  /// Creates the target `name`, behind `-j` or `-g`, with the options that follow.
  fileprivate init(_ name: String, isGoto: Bool, _ reader: inout WordReader) {
    let start = reader
    var options: [WordReader.Option] = []
    while let option = reader.nextMatchOption() { options.append(option) }
    let known = isGoto ? (options.isEmpty ? Target.goto(name) : nil) : Target(name, options)
    self = known ?? .unknown([isGoto ? "-g" : "-j", name] + start.words(upTo: reader))
  }

  /// Creates the target `name` with `options`, or nothing if it is not known.
  private init?(_ name: String, _ options: [WordReader.Option]) {
    switch (name, options.count) {
    case ("ACCEPT", 0): self = .accept
    case ("DROP", 0): self = .drop
    case ("RETURN", 0): self = .return
    case ("MASQUERADE", 0): self = .masquerade
    case ("REJECT", 1):
      guard let kind = options[0].only("--reject-with") else { return nil }
      self = .reject(with: kind)
    case ("LOG", 1):
      guard let prefix = options[0].only("--log-prefix") else { return nil }
      self = .log(prefix: prefix)
    case ("MARK", 1):
      guard let (value, mask) = options[0].only("--set-xmark").flatMap(markAndMask) else { return nil }
      self = .mark(value: value, mask: mask)
    case ("DNAT", 1):
      guard let text = options[0].only("--to-destination"), let target = Target(destination: text) else { return nil }
      self = target
    // A chain, or a target that is not known: the table tells.
    case (_, 0): self = .jump(name)
    default: return nil
    }
  }

  /// Creates the translation to `text`, as DNAT has it, or nothing if it is none.
  private init?(destination text: String) {
    var host = text[...]
    var port: Substring?
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
      let rest = host[host.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
      port = rest.isEmpty ? nil : rest.dropFirst()
      host = host[host.index(after: host.startIndex)..<end]
    } else if let colon = host.firstIndex(of: ":"), Address(host) == nil {
      port = host[host.index(after: colon)...]
      host = host[..<colon]
    }
    var address: Address?
    if !host.isEmpty {
      address = Address(host)
      guard address != nil else { return nil }
    }
    guard let port else {
      guard address != nil else { return nil }
      self = .destination(address, ports: nil, base: nil)
      return
    }
    let halves = port.split(separator: "/", omittingEmptySubsequences: false)
    guard halves.count <= 2, let ports = PortRange(saved: halves[0], separator: "-") else { return nil }
    var base: UInt16?
    if halves.count == 2 {
      base = number(halves[1])
      guard base != nil else { return nil }
    }
    self = .destination(address, ports: ports, base: base)
  }
}
