import Packets
import Syntax

extension Match {
  /// Creates the match of the extension `name` with the option `first` and `others`, or nothing if it is not known.
  init?(_ name: Word, _ first: WordReader.Option, _ others: [WordReader.Option], _ family: AddressFamily) {
    let isSingle = others.isEmpty
    switch name {
    case "tcp", "udp", "sctp", "dccp":
      guard let transport = TransportProtocol(saved: name), let ports = Self.ports(first, others) else { return nil }
      guard let source = ports.source else {
        guard let range = ports.destination else { return nil }
        self = .destinationPort(transport, range)
        return
      }
      self = .ports(transport, source: source, destination: ports.destination ?? .all)
    case "multiport":
      guard isSingle, let text = first.only("--dports") else { return nil }
      let parts = text.parts(at: ",")
      let ranges = parts.compactMap { PortRange(saved: $0) }
      guard ranges.count == parts.count else { return nil }
      self = .destinationPorts(ranges)
    case "icmp", "icmp6":
      guard isSingle, let text = first.only(name == "icmp" ? "--icmp-type" : "--icmpv6-type") else { return nil }
      let numbers: [UInt8?] = text.parts(at: "/").map { $0.number() }
      guard let type = numbers.first ?? nil, numbers.count <= 2, !numbers.contains(nil) else { return nil }
      // Of ICMP, 255 is every type.
      guard name == "icmp6" || type < 255 else { return nil }
      self = .icmp(name == "icmp" ? .ipv4 : .ipv6, type: type, code: numbers.count == 2 ? numbers[1] : nil)
    case "iprange":
      guard isSingle, !first.isNegated, let range = first.value.flatMap(AddressRange.init(saved:)) else { return nil }
      switch first.name {
      case "--src-range": self = .sourceRange(range)
      case "--dst-range": self = .destinationRange(range)
      default: return nil
      }
    case "conntrack", "state":
      guard isSingle, first.name == (name == "state" ? "--state" : "--ctstate"),
        let states = first.value.flatMap(ConnectionStates.init(saved:))
      else { return nil }
      self = .state(Selector(states, isNegated: first.isNegated))
    case "addrtype":
      guard isSingle, let types = first.only("--dst-type").flatMap(AddressTypes.init(saved:)) else { return nil }
      self = .destinationType(types)
    case "mark":
      guard isSingle, first.name == "--mark", let (value, mask) = first.value.flatMap(markAndMask)
      else { return nil }
      self = .mark(value: value, mask: mask, isNegated: first.isNegated)
    case "hl":
      guard isSingle, let limit = first.only("--hl-eq")?.number(UInt8.self) else { return nil }
      self = .hopLimit(limit)
    case "time":
      // A day's end alone; other times of day are not known here.
      guard isSingle, let (day, time) = first.only("--datestop")?.halves(at: "T"),
        let time, time == "23:59:59", let date = CalendarDate(day.text[...])
      else { return nil }
      self = .until(date)
    case "limit", "hashlimit", "statistic":
      guard let match = Match(counted: name, [first] + others) else { return nil }
      self = match
    default: return nil
    }
  }

  /// Creates the match of an extension that counts or chooses by chance.
  private init?(counted name: Word, _ options: [WordReader.Option]) {
    var values: [String: Word] = [:]
    for option in options {
      guard let value = option.value, !option.isNegated, values.updateValue(value, forKey: option.name.text) == nil
      else {
        return nil
      }
    }
    /// Returns the number behind `name`, `standard` if there is none, or nothing if it is not understood.
    func take(_ name: String, standard: UInt32) -> UInt32? {
      values.removeValue(forKey: name).map { $0.number() } ?? standard
    }
    func takeRate(_ name: String) -> Rate? { values.removeValue(forKey: name).flatMap(Rate.init(saved:)) }
    switch name {
    case "limit":
      guard let rate = takeRate("--limit"), let burst = take("--limit-burst", standard: 5) else { return nil }
      self = .limit(rate, burst: burst)
    case "hashlimit":
      guard let rate = takeRate("--hashlimit-upto"), let name = values.removeValue(forKey: "--hashlimit-name"),
        let burst = take("--hashlimit-burst", standard: 5),
        let expiry = take("--hashlimit-htable-expire", standard: rate.unit.seconds * 1000)
      else { return nil }
      let mode = values.removeValue(forKey: "--hashlimit-mode")
      if let mode, mode != "srcip" { return nil }
      self = .hashLimit(rate, burst: burst, perSource: mode != nil, name: name.text, expiry: expiry)
    default:
      guard let mode = values.removeValue(forKey: "--mode"), mode == "random",
        let share = values.removeValue(forKey: "--probability").flatMap(Self.share)
      else { return nil }
      self = .probability(share)
    }
    guard values.isEmpty else { return nil }
  }

  /// Returns the source and destination ports of the options, or nothing if there are other options.
  private static func ports(
    _ first: WordReader.Option, _ others: [WordReader.Option]
  ) -> (source: PortRange?, destination: PortRange?)? {
    var result: (source: PortRange?, destination: PortRange?) = (nil, nil)
    func take(_ option: WordReader.Option) -> Bool {
      if let range = option.only("--dport").flatMap({ PortRange(saved: $0) }), result.destination == nil {
        result.destination = range
      } else if let range = option.only("--sport").flatMap({ PortRange(saved: $0) }), result.source == nil {
        result.source = range
      } else {
        return false
      }
      return true
    }
    return take(first) && others.allSatisfy(take) ? result : nil
  }

  /// Returns how many in 2^31 the decimal fraction `text` is, to the nearest; a fraction below one stays so.
  private static func share(_ text: Word) -> UInt32? {
    guard text.hasPrefix("0."), (3...14).contains(text.bytes.count) else { return nil }
    let significant = Word(text.dropFirst(2).bytes.drop { $0 == UInt8(ascii: "0") })
    guard let digits: UInt64 = significant.isEmpty ? 0 : significant.number() else { return nil }
    var scale: UInt128 = 1
    for _ in 0..<(text.bytes.count - 2) { scale *= 10 }
    return UInt32(min((UInt128(digits) << 31 + scale / 2) / scale, 1 << 31 - 1))
  }
}

/// Returns the value and the mask of `text`, as in `0x1/0xff`.
func markAndMask(_ text: Word) -> (UInt32, UInt32)? {
  let numbers = text.parts(at: "/").map { word -> UInt32? in
    guard word.hasPrefix("0x") else { return word.number() }
    let digits = word.dropFirst(2)
    return digits.bytes.contains(UInt8(ascii: "+")) ? nil : UInt32(digits.text, radix: 16)
  }
  guard let value = numbers.first ?? nil, numbers.count <= 2 else { return nil }
  guard numbers.count == 2 else { return (value, .max) }
  return numbers[1].map { (value, $0) }
}

extension Prefix {
  /// Creates the block that `text` says, as iptables-save prints it, or nothing if it is none of `family`.
  init?(saved text: Word, _ family: AddressFamily) {
    let (first, second) = text.halves(at: "/")
    guard let address = Address(utf8: first.bytes), address.family == family else { return nil }
    guard let second else {
      self.init(containing: address, length: family.width)
      return
    }
    guard let length = second.number(Int.self), length <= family.width else { return nil }
    self.init(containing: address, length: length)
  }
}

extension AddressRange {
  /// Creates the range from one end of `text` to the other, or nothing if it is none.
  init?(saved text: Word) {
    let (first, second) = text.halves(at: "-")
    guard let lower = Address(utf8: first.bytes), let upper = second.flatMap({ Address(utf8: $0.bytes) }),
      lower.family == upper.family, lower <= upper
    else { return nil }
    self.init(from: lower, through: upper)
  }
}

extension PortRange {
  /// Creates the range that `text` says, or nothing if it is none.
  init?(saved text: Word, separator: Unicode.Scalar = ":") {
    let (first, second) = text.halves(at: separator)
    guard let lower: UInt16 = first.number(), let upper: UInt16 = (second ?? first).number(), lower <= upper else {
      return nil
    }
    self.init(from: lower, through: upper)
  }
}

extension NamedOptions {
  /// Creates the set that `text` names, with commas between them, or nothing if a name is not known or there are none.
  init?(saved text: Word) {
    self.init()
    for word in text.parts(at: ",") where !word.isEmpty {
      guard let known = Self.names.first(where: { word == $0.name }) else { return nil }
      insert(known.option)
    }
    if isEmpty { return nil }
  }
}

extension TransportProtocol {
  /// Creates the protocol that iptables-save calls `name`, or nothing if it is not known here.
  init?(saved name: Word) {
    if let known = TransportProtocol.withPorts.first(where: { name == $0.name }) {
      self = known.transport
    } else if name == "icmp" {
      self = .icmp
    } else if name == "ipv6-icmp" || name == "icmpv6" {
      self = .icmpv6
    } else if let known = Self.others[name.text] {
      self.init(rawValue: known)
    } else if let number: UInt8 = name.number(), number > 0 {
      // 0 is every protocol.
      self.init(rawValue: number)
    } else {
      return nil
    }
  }

  /// Further names that iptables-save takes from protocols(5).
  private static let others: [String: UInt8] = [
    "igmp": 2, "ipencap": 4, "ipv6": 41, "gre": 47, "esp": 50, "ah": 51, "ospf": 89, "vrrp": 112,
  ]
}

extension Rate {
  /// Creates the rate that `text` says, as in `5/sec`, or nothing if it is none.
  init?(saved text: Word) {
    let (number, unit) = text.halves(at: "/")
    guard let unit, let count: UInt32 = number.number(), count > 0 else { return nil }
    switch unit {
    case "sec", "second": self.init(count, per: .second)
    case "min", "minute": self.init(count, per: .minute)
    case "hour": self.init(count, per: .hour)
    case "day": self.init(count, per: .day)
    default: return nil
    }
  }
}
