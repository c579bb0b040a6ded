import Firewalls
import Packets

// Matches that the compiler has no use for, read from their words as iptables-save prints them.
extension Decompiler {
  /// Leaves of each of `selections` what `words` match: the options of an extension, or one of those of every rule.
  mutating func narrow(
    _ selections: inout [Selection], toWords words: [String], in table: String
  ) throws(BudgetExceeded) {
    var reader = WordReader(words: words[...])
    let isNegated = reader.take("!")
    guard let first = reader.next() else { return }
    switch first {
    case "-m", "--match":
      guard !isNegated, let name = reader.next() else { break }
      var options: [WordReader.Option] = []
      while let option = reader.nextMatchOption() { options.append(option) }
      guard reader.isAtEnd else { break }
      return try narrow(&selections, toExtension: name, options, in: table)
    case "-s", "--source", "-d", "--destination":
      let isSource = first == "-s" || first == "--source"
      guard let text = reader.next(), reader.isAtEnd, let ranges = ranges(text) else { break }
      let field: PacketField = isSource ? .source : .destination
      let values = universe.addresses(ranges, family, isNegated: isNegated, in: field)
      for i in selections.indices { try selections[i].narrow(field, to: values, in: universe) }
      return
    case "-p", "--protocol":
      guard let text = reader.next(), reader.isAtEnd else { break }
      if text == "all", !isNegated { return }
      guard let number = Self.protocolNumbers[text] else { break }
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
      let words = [name] + options.flatMap { ($0.isNegated ? ["!", $0.name] : [$0.name]) + $0.values }
      if name == "statistic" {
        note(words.joined(separator: " "))
        let chance = try chance(name)
        for i in selections.indices { try selections[i].narrow(when: chance, in: universe) }
        return
      }
      guard options.count == 1 else { return try narrow(&selections, toUnknown: words, isNegated: false) }
      return try narrow(
        &selections, toUnknown: [name, options[0].name] + options[0].values, isNegated: options[0].isNegated)
    }
    guard !options.isEmpty else { return try narrow(&selections, toUnknown: [name], isNegated: false) }
    for option in options where try !narrow(&selections, to: option, of: name, in: table) {
      try narrow(&selections, toUnknown: [name, option.name] + option.values, isNegated: option.isNegated)
    }
  }

  /// Leaves what `option` of the extension `name` matches, or returns `false` if it is not known here.
  private mutating func narrow(
    _ selections: inout [Selection], to option: WordReader.Option, of name: String, in table: String
  ) throws(BudgetExceeded) -> Bool {
    let isNegated = option.isNegated
    let text = option.values.count == 1 ? option.values[0] : ""
    func leave(_ field: PacketField, _ values: ValueSet?) throws(BudgetExceeded) -> Bool {
      guard let values else { return false }
      for i in selections.indices { try selections[i].narrow(field, to: values, in: universe) }
      return true
    }
    switch (name, option.name) {
    case ("tcp", "--dport"), ("udp", "--dport"), ("sctp", "--dport"), ("dccp", "--dport"), ("udplite", "--dport"),
      ("multiport", "--dports"):
      return try leave(.destinationPort, ports(text, isNegated, .destinationPort))
    case ("tcp", "--sport"), ("udp", "--sport"), ("sctp", "--sport"), ("dccp", "--sport"), ("udplite", "--sport"),
      ("multiport", "--sports"):
      return try leave(.sourcePort, ports(text, isNegated, .sourcePort))
    case ("multiport", "--ports"):
      guard let source = ports(text, isNegated, .sourcePort),
        let destination = ports(text, isNegated, .destinationPort)
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
    case ("iprange", "--src-range"): return try leave(.source, range(text, isNegated, .source))
    case ("iprange", "--dst-range"): return try leave(.destination, range(text, isNegated, .destination))
    case ("icmp", "--icmp-type"), ("icmp6", "--icmpv6-type"), ("icmpv6", "--icmpv6-type"):
      return try narrow(&selections, toMessage: text, isNegated: isNegated)
    case ("conntrack", "--ctstate"), ("state", "--state"):
      var states: ConnectionStates = []
      for word in text.split(separator: ",") {
        guard let state = ConnectionStates.names.first(where: { $0.name == word }) else { return false }
        states.insert(state.state)
      }
      guard !states.isEmpty else { return false }
      try narrow(&selections, to: states, isNegated: isNegated, in: table)
      return true
    case ("conntrack", "--ctproto"):
      guard let number = UInt8(text) ?? Self.protocolNumbers[text] ?? TransportProtocol(saved: text)?.rawValue else {
        return false
      }
      return try leave(.transport, universe.values(number...number, isNegated: isNegated, of: .transport))
    case ("conntrack", "--ctorigdstport"):
      return try narrow(&selections, toOriginal: option, .destinationPort, ports(text, isNegated, .destinationPort))
    case ("conntrack", "--ctorigdst"):
      let values = ranges(text).map { universe.addresses($0, family, isNegated: isNegated, in: .destination) }
      return try narrow(&selections, toOriginal: option, .destination, values)
    case ("conntrack", "--ctorigsrcport"):
      return try narrow(&selections, toOriginal: option, .sourcePort, ports(text, isNegated, .sourcePort))
    case ("conntrack", "--ctorigsrc"):
      let values = ranges(text).map { universe.addresses($0, family, isNegated: isNegated, in: .source) }
      return try narrow(&selections, toOriginal: option, .source, values)
    case ("addrtype", "--src-type"), ("addrtype", "--dst-type"):
      var types: AddressTypes = []
      for word in text.split(separator: ",") {
        guard let type = AddressTypes.names.first(where: { $0.name == word }) else { return false }
        types.insert(type.type)
      }
      guard !types.isEmpty else { return false }
      let field: PacketField = option.name == "--src-type" ? .sourceKind : .destinationKind
      for i in selections.indices { try narrow(&selections[i], to: types, isNegated: isNegated, in: field) }
      return true
    case ("mark", "--mark"), ("connmark", "--mark"):
      guard let (value, mask) = markAndMask(text) else { return false }
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
  private func ports(_ text: String, _ isNegated: Bool, _ field: PacketField) -> ValueSet? {
    var ranges: [PortRange] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: ":", omittingEmptySubsequences: false)
      guard ends.count <= 2, let first = ends.first, let last = ends.last, !part.isEmpty, part != ":",
        let lower = first.isEmpty ? 0 : UInt16(first), let upper = last.isEmpty ? .max : UInt16(last), lower <= upper
      else { return nil }
      ranges.append(PortRange(from: lower, through: upper))
    }
    return values(ranges, isNegated: isNegated, field)
  }

  /// Returns the addresses of the block or blocks `text`, a length or a mask behind each.
  private func ranges(_ text: String) -> [AddressRange]? {
    var ranges: [AddressRange] = []
    for part in text.split(separator: ",") {
      if let prefix = Prefix(saved: String(part), family) {
        ranges.append(prefix.range)
        continue
      }
      let halves = part.split(separator: "/")
      guard halves.count == 2, let address = Address(halves[0]), let mask = Address(halves[1]),
        address.family == family, mask.family == family
      else { return nil }
      let length = mask.value.nonzeroBitCount
      guard mask.value == Prefix.mask(length: length, family: family) else { return nil }
      ranges.append(Prefix(containing: address, length: length).range)
    }
    return ranges.isEmpty ? nil : ranges
  }

  /// Returns the addresses from one end of `text` to the other, or all others if `isNegated`.
  private func range(_ text: String, _ isNegated: Bool, _ field: PacketField) -> ValueSet? {
    let ends = text.split(separator: "-").compactMap { Address($0) }
    guard let first = ends.first, let last = ends.last, ends.count <= 2, first.family == family,
      last.family == family, first <= last
    else { return nil }
    return universe.addresses([AddressRange(from: first, through: last)], family, isNegated: isNegated, in: field)
  }

  /// Returns the hop limits that `option` of `hl` or `ttl` matches.
  private func hopLimits(_ option: WordReader.Option) -> ValueSet? {
    guard option.values.count == 1, let number = UInt8(option.values[0]) else { return nil }
    switch option.name {
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
