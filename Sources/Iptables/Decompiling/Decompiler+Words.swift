import Firewalls
import Packets

// Matches that the compiler has no use for, read from their words as iptables-save prints them.
extension Decompiler {
  /// Leaves of each of `selections` what `words` match: the options of an extension, or one of those of every rule.
  mutating func narrow(
    _ selections: inout [Selection], toWords words: [String], in table: String
  ) throws(BudgetExceeded) {
    var reader = WordReader(words: words)
    let isNegated = reader.take("!")
    guard let first = reader.next() else { return }
    switch first {
    case "-m", "--match":
      guard !isNegated, let name = reader.next() else { break }
      let options = reader.matchOptions()
      guard reader.isAtEnd else { break }
      return try narrow(&selections, toExtension: name.text, options, in: table)
    case "-s", "--source", "-d", "--destination":
      let isSource = first == "-s" || first == "--source"
      guard let word = reader.next(), reader.isAtEnd, let ranges = ranges(word) else { break }
      let field: PacketField = isSource ? .source : .destination
      let values = universe.addresses(ranges, family, isNegated: isNegated, in: field)
      for i in selections.indices { try selections[i].narrow(field, to: values, in: universe) }
      return
    case "-p", "--protocol":
      guard let word = reader.next(), reader.isAtEnd else { break }
      if word == "all", !isNegated { return }
      guard let number = Self.protocolNumbers[word.text] else { break }
      let values = universe.values(number...number, isNegated: isNegated, of: .transport)
      for i in selections.indices { try selections[i].narrow(.transport, to: values, in: universe) }
      return
    default: break
    }
    try narrow(&selections, toUnknown: isNegated ? Array(words.dropFirst()) : words, isNegated: isNegated)
  }

  /// Leaves what `words` match, of which nothing is known, or what they do not if `isNegated`.
  mutating func narrow(
    _ selections: inout [Selection], toUnknown words: [String], isNegated: Bool
  ) throws(BudgetExceeded) {
    let condition = try condition(unknown: words.joined(separator: " "))
    for i in selections.indices {
      try selections[i].narrow(when: condition, isNegated: isNegated, in: universe)
    }
  }

  /// Leaves what the extension `name` matches with `options`: each that is read, and the others as one condition each.
  private mutating func narrow(
    _ selections: inout [Selection], toExtension name: String, _ options: [WordReader.Option], in table: String
  ) throws(BudgetExceeded) {
    if name == "comment" || options.isEmpty && Self.plainExtensions.contains(name) { return }
    // What these mean is decided by all of their options together.
    if ["hashlimit", "limit", "recent", "statistic", "set", "string", "u32", "bpf", "quota", "nth", "time"].contains(
      name)
    {
      if name == "time", try narrow(&selections, toTime: options) { return }
      if name == "hashlimit", try narrow(&selections, toRateAbove: options) { return }
      let words = [name] + options.flatMap { ($0.isNegated ? ["!"] : []) + $0.texts }
      if name == "statistic" {
        note(words.joined(separator: " "))
        let chance = try chance(name)
        for i in selections.indices { try selections[i].narrow(when: chance, in: universe) }
        return
      }
      guard options.count == 1 else { return try narrow(&selections, toUnknown: words, isNegated: false) }
      return try narrow(
        &selections, toUnknown: [name] + options[0].texts, isNegated: options[0].isNegated)
    }
    guard !options.isEmpty else { return try narrow(&selections, toUnknown: [name], isNegated: false) }
    for option in options where try !narrow(&selections, to: option, of: name, in: table) {
      try narrow(&selections, toUnknown: [name] + option.texts, isNegated: option.isNegated)
    }
  }

  /// Leaves what `option` of the extension `name` matches, or returns `false` if it is not known here.
  private mutating func narrow(
    _ selections: inout [Selection], to option: WordReader.Option, of name: String, in table: String
  ) throws(BudgetExceeded) -> Bool {
    let isNegated = option.isNegated
    let word = option.value ?? Word("")
    func leave(_ field: PacketField, _ values: ValueSet?) throws(BudgetExceeded) -> Bool {
      guard let values else { return false }
      for i in selections.indices { try selections[i].narrow(field, to: values, in: universe) }
      return true
    }
    switch (name, option.name.text) {
    case ("tcp", "--dport"), ("udp", "--dport"), ("sctp", "--dport"), ("dccp", "--dport"), ("udplite", "--dport"),
      ("multiport", "--dports"):
      return try leave(.destinationPort, ports(word, isNegated, .destinationPort))
    case ("tcp", "--sport"), ("udp", "--sport"), ("sctp", "--sport"), ("dccp", "--sport"), ("udplite", "--sport"),
      ("multiport", "--sports"):
      return try leave(.sourcePort, ports(word, isNegated, .sourcePort))
    case ("multiport", "--ports"):
      guard let source = ports(word, isNegated, .sourcePort),
        let destination = ports(word, isNegated, .destinationPort)
      else { return false }
      for i in selections.indices {
        if isNegated {
          try selections[i].narrow(.sourcePort, to: source, in: universe)
          try selections[i].narrow(.destinationPort, to: destination, in: universe)
        } else {
          try selections[i].narrow(
            toOneOf: [[.sourcePort: source], [.destinationPort: destination]], in: universe)
        }
      }
      return true
    case ("iprange", "--src-range"): return try leave(.source, range(word, isNegated, .source))
    case ("iprange", "--dst-range"): return try leave(.destination, range(word, isNegated, .destination))
    case ("icmp", "--icmp-type"), ("icmp6", "--icmpv6-type"), ("icmpv6", "--icmpv6-type"):
      return try narrow(&selections, toMessage: word.text, isNegated: isNegated)
    case ("conntrack", "--ctstate"), ("state", "--state"):
      guard let states = ConnectionStates(saved: word) else { return false }
      try narrow(&selections, to: states, isNegated: isNegated, in: table)
      return true
    case ("conntrack", "--ctproto"):
      guard let number = word.number() ?? Self.protocolNumbers[word.text] ?? TransportProtocol(saved: word)?.rawValue
      else {
        return false
      }
      return try leave(.transport, universe.values(number...number, isNegated: isNegated, of: .transport))
    case ("conntrack", "--ctorigdstport"):
      return try narrow(&selections, toOriginal: option, .destinationPort, ports(word, isNegated, .destinationPort))
    case ("conntrack", "--ctorigdst"):
      let values = ranges(word).map { universe.addresses($0, family, isNegated: isNegated, in: .destination) }
      return try narrow(&selections, toOriginal: option, .destination, values)
    case ("conntrack", "--ctorigsrcport"):
      return try narrow(&selections, toOriginal: option, .sourcePort, ports(word, isNegated, .sourcePort))
    case ("conntrack", "--ctorigsrc"):
      let values = ranges(word).map { universe.addresses($0, family, isNegated: isNegated, in: .source) }
      return try narrow(&selections, toOriginal: option, .source, values)
    case ("addrtype", "--src-type"), ("addrtype", "--dst-type"):
      guard let types = AddressTypes(saved: word) else { return false }
      let field: PacketField = option.name == "--src-type" ? .sourceKind : .destinationKind
      for i in selections.indices { try narrow(&selections[i], to: types, isNegated: isNegated, in: field) }
      return true
    case ("mark", "--mark"), ("connmark", "--mark"):
      guard let (value, mask) = markAndMask(word) else { return false }
      for i in selections.indices {
        selections[i].marks.append(
          .init(name == "mark" ? .packet : .connection, value: value, mask: mask, isNegated: isNegated))
      }
      return true
    case ("hl", _), ("ttl", _): return try leave(.hopLimit, hopLimits(option))
    default: return false
    }
  }

  // MARK: - Values

  /// Returns the ports of `text`, with commas between them, or all others if `isNegated`.
  private func ports(_ text: Word, _ isNegated: Bool, _ field: PacketField) -> ValueSet? {
    var ranges: [PortRange] = []
    for part in text.parts(at: ",") {
      let (first, last) = part.halves(at: ":")
      // An end that is left out is that of all ports.
      guard part != ":", let lower: UInt16 = first.isEmpty && last != nil ? 0 : first.number(),
        let upper: UInt16 = last.map({ $0.isEmpty ? .max : $0.number() }) ?? lower, lower <= upper
      else { return nil }
      ranges.append(PortRange(from: lower, through: upper))
    }
    return values(ranges, isNegated: isNegated, field)
  }

  /// Returns the addresses of the block or blocks `text`, a length or a mask behind each.
  private func ranges(_ text: Word) -> [AddressRange]? {
    var ranges: [AddressRange] = []
    for part in text.parts(at: ",") where !part.isEmpty {
      if let prefix = Prefix(saved: part, family) {
        ranges.append(prefix.range)
        continue
      }
      let (first, second) = part.halves(at: "/")
      guard let address = Address(utf8: first.bytes), let mask = second.flatMap({ Address(utf8: $0.bytes) }),
        address.family == family, mask.family == family
      else { return nil }
      let length = mask.value.nonzeroBitCount
      guard mask.value == Prefix.mask(length: length, family: family) else { return nil }
      ranges.append(Prefix(containing: address, length: length).range)
    }
    return ranges.isEmpty ? nil : ranges
  }

  /// Returns the addresses from one end of `text` to the other, or all others if `isNegated`.
  private func range(_ text: Word, _ isNegated: Bool, _ field: PacketField) -> ValueSet? {
    let single = Address(utf8: text.bytes).map { AddressRange(from: $0, through: $0) }
    guard let range = single ?? AddressRange(saved: text), range.lower.family == family else { return nil }
    return universe.addresses([range], family, isNegated: isNegated, in: field)
  }

  /// Returns the hop limits that `option` of `hl` or `ttl` matches.
  private func hopLimits(_ option: WordReader.Option) -> ValueSet? {
    guard let number = option.value?.number(UInt8.self) else { return nil }
    switch option.name.text {
    case "--hl-eq", "--ttl-eq", "--ttl":
      return universe.values(number...number, isNegated: option.isNegated, of: .hopLimit)
    case "--hl-lt", "--ttl-lt":
      guard !option.isNegated else { return nil }
      return number == 0
        ? universe.space.values(IntervalSet<UInt128>(), of: .hopLimit)
        : universe.space.values(0...(number - 1) as ClosedRange<UInt8>, of: .hopLimit)
    case "--hl-gt", "--ttl-gt":
      guard !option.isNegated else { return nil }
      return number == 255
        ? universe.space.values(IntervalSet<UInt128>(), of: .hopLimit)
        : universe.space.values((number + 1)...255 as ClosedRange<UInt8>, of: .hopLimit)
    default: return nil
    }
  }

  /// The extensions that match every packet of their protocol if they have no option.
  private static let plainExtensions: Set<String> = [
    "tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmp6", "icmpv6",
  ]

  /// The protocols that iptables-save may name (/etc/protocols).
  private static let protocolNumbers: [String: UInt8] = [
    "igmp": 2, "ipencap": 4, "ipip": 4, "egp": 8, "igp": 9, "dccp": 33, "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44,
    "rsvp": 46,
    "gre": 47, "esp": 50, "ipv6-crypt": 50, "ah": 51, "ipv6-auth": 51, "ipv6-nonxt": 59, "ipv6-opts": 60,
    "eigrp": 88, "ospf": 89, "ospfigp": 89, "pim": 103, "ipcomp": 108, "vrrp": 112, "l2tp": 115, "mh": 135,
    "mobility-header": 135, "ipv6-mh": 135, "mpls-in-ip": 137,
  ]
}
