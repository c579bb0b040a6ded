import Firewalls
import Packets
import Syntax

// The extensions whose options mean something together, or need a list of names.
extension Decompiler {
  /// Leaves what is within the moments of `options` of `time`, or returns `false` if more than dates in UTC is said.
  mutating func narrow(
    _ selections: inout [Selection], toTime options: [WordReader.Option]
  ) throws(BudgetExceeded) -> Bool {
    var lower: UInt64 = 0
    // The last second that the kernel compares with, if no other is said (xt_time(8), INT_MAX).
    var upper: UInt64 = 0x7fff_ffff
    for option in options {
      guard !option.isNegated, let moment = (option.value?.text).flatMap(Self.moment) else {
        return false
      }
      switch option.name.text {
      case "--datestart": lower = moment
      case "--datestop": upper = moment
      default: return false
      }
    }
    let set = lower <= upper ? IntervalSet(UInt128(lower)...UInt128(upper)) : IntervalSet()
    let values = universe.space.values(set, of: .time)
    for i in selections.indices { try selections[i].narrow(.time, to: values, in: universe) }
    return true
  }

  /// Returns the seconds from 1970 to `text`, as in `2026-12-31T23:59:59`; what is left out is the earliest.
  private static func moment(_ text: String) -> UInt64? {
    let halves = text.split(separator: "T", omittingEmptySubsequences: false)
    guard let first = halves.first, halves.count <= 2, let date = CalendarDate(first), date.daysSinceEpoch >= 0 else {
      return nil
    }
    var seconds: UInt64 = 0
    if halves.count == 2 {
      let parts = halves[1].split(separator: ":", omittingEmptySubsequences: false).map { UInt64($0) }
      guard parts.count <= 3, !parts.contains(nil) else { return nil }
      let numbers = parts.compactMap(\.self)
      guard numbers[0] < 24, numbers.dropFirst().allSatisfy({ $0 < 60 }) else { return nil }
      for (number, unit) in zip(numbers, [3600, 60, 1] as [UInt64]) { seconds += number * unit }
    }
    return UInt64(date.daysSinceEpoch) * 86_400 + seconds
  }

  /// Leaves what is above a rate (`hashlimit`), or returns `false` if it is counted in a way that is not known here.
  mutating func narrow(
    _ selections: inout [Selection], toRateAbove options: [WordReader.Option]
  ) throws(BudgetExceeded) -> Bool {
    var rate: Rate?
    var burst: UInt32 = 5
    var mode: String?
    for option in options {
      guard !option.isNegated, let value = option.value else { return false }
      switch option.name.text {
      case "--hashlimit-above": rate = Rate(saved: value)
      case "--hashlimit-burst":
        guard let number = value.number(UInt32.self) else { return false }
        burst = number
      case "--hashlimit-mode": mode = value.text
      case "--hashlimit-name", "--hashlimit-htable-expire", "--hashlimit-htable-size", "--hashlimit-htable-max",
        "--hashlimit-htable-gcinterval":
        continue
      default: return false
      }
    }
    guard let rate, mode == nil || mode == "srcip" else { return false }
    let condition = try universe.within(rate, burst: burst, perSource: mode != nil)
    for i in selections.indices { try selections[i].narrow(when: condition, isNegated: true, in: universe) }
    return true
  }

  /// Leaves what has `values` in `field` as the client sent it, or returns `false` if there are none.
  ///
  /// Of a packet that was translated, or that is not the first of its connection, it is unknown what the client sent.
  mutating func narrow(
    _ selections: inout [Selection], toOriginal option: WordReader.Option, _ field: PacketField, _ values: ValueSet?
  ) throws(BudgetExceeded) -> Bool {
    guard let values else { return false }
    let words = (["conntrack", option.name.text] + option.values.map(\.text)).joined(separator: " ")
    let condition = try condition(unknown: words)
    let first = universe.space.value(ConnectionState.new.rawValue, of: .state)
    let later = universe.values(
      ConnectionState.new.rawValue...ConnectionState.new.rawValue, isNegated: true, of: .state)
    var result: [Selection] = []
    for selection in selections {
      var sent = selection
      try sent.narrow(.state, to: first, in: universe)
      sent.demand(translated: false)
      try sent.narrow(field, to: values, in: universe)
      var translated = selection
      try translated.narrow(.state, to: first, in: universe)
      translated.demand(translated: true)
      try translated.narrow(when: condition, isNegated: option.isNegated, in: universe)
      var others = selection
      try others.narrow(.state, to: later, in: universe)
      try others.narrow(when: condition, isNegated: option.isNegated, in: universe)
      result += [sent, translated, others]
    }
    selections = result
    return true
  }

  /// Leaves the ICMP messages that `text` names or numbers, or all others if `isNegated`; returns `false` if the name is
  /// not known.
  mutating func narrow(
    _ selections: inout [Selection], toMessage text: String, isNegated: Bool
  ) throws(BudgetExceeded) -> Bool {
    if text == "any", !isNegated { return true }
    var type: UInt8
    var code: UInt8?
    if let named = (family == .ipv4 ? Self.messages : Self.messagesV6)[text] {
      (type, code) = named
    } else {
      let numbers: [UInt8?] = Word(text).parts(at: "/").map { $0.number() }
      guard let first = numbers.first ?? nil, numbers.count <= 2, !numbers.contains(nil) else { return false }
      type = first
      code = numbers.count == 2 ? numbers[1] : nil
    }
    for i in selections.indices {
      try narrow(&selections[i], toMessage: type, code, isNegated: isNegated)
    }
    return true
  }

  /// The names of ICMP messages (`iptables -p icmp -h`).
  private static let messages: [String: (UInt8, UInt8?)] = [
    "echo-reply": (0, nil), "pong": (0, nil), "destination-unreachable": (3, nil), "network-unreachable": (3, 0),
    "host-unreachable": (3, 1), "protocol-unreachable": (3, 2), "port-unreachable": (3, 3),
    "fragmentation-needed": (3, 4), "source-quench": (4, nil), "redirect": (5, nil), "echo-request": (8, nil),
    "ping": (8, nil), "router-advertisement": (9, nil), "router-solicitation": (10, nil), "time-exceeded": (11, nil),
    "ttl-exceeded": (11, nil), "parameter-problem": (12, nil), "timestamp-request": (13, nil),
    "timestamp-reply": (14, nil), "address-mask-request": (17, nil), "address-mask-reply": (18, nil),
  ]

  /// The names of ICMPv6 messages (`ip6tables -p icmpv6 -h`).
  private static let messagesV6: [String: (UInt8, UInt8?)] = [
    "destination-unreachable": (1, nil), "no-route": (1, 0), "communication-prohibited": (1, 1),
    "address-unreachable": (1, 3), "port-unreachable": (1, 4), "packet-too-big": (2, nil), "time-exceeded": (3, nil),
    "ttl-exceeded": (3, nil), "parameter-problem": (4, nil), "echo-request": (128, nil), "ping": (128, nil),
    "echo-reply": (129, nil), "pong": (129, nil), "router-solicitation": (133, nil),
    "router-advertisement": (134, nil), "neighbour-solicitation": (135, nil), "neighbor-solicitation": (135, nil),
    "neighbour-advertisement": (136, nil), "neighbor-advertisement": (136, nil), "redirect": (137, nil),
  ]
}
