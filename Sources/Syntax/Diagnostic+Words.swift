import Packets

// What is said of words that are not what they should be.

extension Diagnostic {
  /// Returns the label of a place where `what` is expected.
  private static func expectation(of what: String) -> String { "expected \(what)" }

  // MARK: Names and texts

  /// Returns the error of a word that cannot be a name; `mended` is a name like it.
  static func notAName(_ word: String, _ what: String, at place: Span, mended: String?) -> Diagnostic {
    .init(
      .error, "syntax-name", "`\(word)` cannot be a name", at: .init(place, expectation(of: what)),
      because:
        "A name has lower-case letters, digits, `-` and `.`, among them a letter, and begins and ends with a letter or a digit, so that it can be a name in every target.",
      help: mended.map { "Write `\($0)`." },
      fixes: mended.map { [.init(replace: place, with: $0, safety: .safe)] } ?? [])
  }

  /// Returns the error of a word of the language where a name is expected.
  static func reservedName(_ word: String, at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-reserved-name", "`\(word)` is a word of the language and cannot be a name here",
      at: .init(place, "reserved"), because: "A statement that names it could be read in two ways.",
      help: "Choose another name.")
  }

  /// Returns the error of an address where a name is expected.
  static func addressWhereNameIsExpected(_ word: String, _ what: String, at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-name", "`\(word)` looks like an address, but a name is expected",
      at: .init(place, expectation(of: what)),
      because: "A name that begins like an address would be misread.")
  }

  /// Returns the error of a text without quotes; `fix` is the place of all of it and the same in quotes.
  static func textWithoutQuotes(_ what: String, at place: Span, fix: (place: Span, text: String)?) -> Diagnostic {
    .init(
      .error, "syntax-unquoted-text", "\(what) stands in double quotes", at: .init(fix?.place ?? place, "no quotes"),
      help: fix.map { "Write `\($0.text)`." },
      fixes: fix.map { [.init(replace: $0.place, with: $0.text, safety: .safe)] } ?? [])
  }

  /// Returns the error of a term that cannot stand here.
  static func termNotHere(_ text: String, _ what: String, at place: Span) -> Diagnostic {
    .init(.error, "syntax-term", "`\(text)` cannot stand here", at: .init(place, expectation(of: what)))
  }

  /// Returns the error of ports where someone who connects, or is connected to, is expected.
  static func portsWhereTermIsExpected(_ word: String, _ what: String, at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-term", "`\(word)` is neither a name nor an address", at: .init(place, expectation(of: what)),
      help: "Names are written without `/`. Ports stand behind `on`, as in `on 443/tcp`.")
  }

  /// Returns the error of an exposure of a port by its number.
  static func exposedPortWithoutName(_ word: String, at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-term", "an exposure names its ports and does not number them",
      at: .init(place, "expected the name of a port"),
      help: "Write `port web \(word)` and `expose web to ...`, or leave the port out to expose all of them.")
  }

  /// Returns the error of an interface that cannot exist, or that stands for several.
  static func notAnInterface(_ word: String, at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-interface", "`\(word)` cannot be the name of an interface",
      at: .init(place, "expected something like `eth0`"),
      because:
        "A name has 1 to 15 letters, digits, `.`, `_`, `-` and `@`, and stands for one interface; `*` and `+` are wildcards to firewalls."
    )
  }

  /// Returns the error of something that is no namespace.
  static func notANamespace(_ word: String, at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-namespace", "`\(word)` cannot be the name of a namespace",
      at: .init(place, "expected a namespace"),
      because: "A namespace is a DNS label: at most 63 lower-case letters, digits and `-`.")
  }

  /// Returns the error of something that is no label.
  static func notALabel(_ word: String, at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-label", "`\(word)` is no label of pods", at: .init(place, "expected `KEY=VALUE`"),
      because:
        "A label is a key, which may have a DNS name and `/` before it, then `=` and a value; key and value have at most 63 letters, digits, `-`, `_` and `.` each.",
      help: "Write something like `app=shop` or `app.kubernetes.io/name=shop`.")
  }

  // MARK: Numbers

  /// Returns the error of something that is no number from 1 to `limit`.
  static func notANumber(_ word: String, _ what: String, limit: Int, at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-number", "`\(word)` is no number from 1 to \(limit)", at: .init(place, expectation(of: what)))
  }

  /// Returns the error of something that is no date; `lastDay` is the last of the month if only the day is wrong.
  static func notADate(_ word: String, at place: Span, lastDay: CalendarDate?) -> Diagnostic {
    .init(
      .error, "syntax-date", "`\(word)` is no date",
      at: .init(place, lastDay == nil ? "expected year, month and day" : "no such day"),
      because: lastDay == nil
        ? "A date is a day of the calendar from 1970-01-01 to 9999-12-31, written as ISO 8601 does." : nil,
      help: lastDay.map { "The last day of that month is `\($0)`." } ?? "Write something like `2026-12-31`.",
      fixes: lastDay.map { [.init(replace: place, with: "\($0)", safety: .unsafe)] } ?? [])
  }

  /// Returns the error of something that is no rate.
  static func notARate(_ word: String, at place: Span, mended: String?) -> Diagnostic {
    .init(
      .error, "syntax-rate", "`\(word)` is no rate", at: .init(place, "expected something like `200/second`"),
      because: mended == nil
        ? "A rate is a number above 0, `/` and `second`, `minute`, `hour` or `day`." : nil,
      help: mended.map { "Write `\($0)`." },
      fixes: mended.map { [.init(replace: place, with: $0, safety: .safe)] } ?? [])
  }

  // MARK: Ports

  /// Returns the error of `word`, which should write port numbers; `rest` is what stands behind it in the literal.
  static func badPort(_ word: String, _ flaw: Parser.PortFlaw, at place: Span, behind rest: String) -> Diagnostic {
    let message: String
    var reason: String?
    var mended: String?
    switch flaw {
    case .notANumber:
      message = word.isEmpty ? "a port number is missing" : "`\(word)` is no port number"
      reason =
        "Ports are written as numbers, such as `443/tcp` or `8000-8010/tcp`; the name of what is spoken there stands behind `speaks`."
    case .zero:
      message = "there is no port 0"
      reason = "Port 0 is reserved (RFC 6335), and to bind it means any free port. Ports run from 1 to 65535."
    case .tooLarge:
      message = "`\(word)` is above the highest port"
      reason = "A port is a number of 16 bits. Ports run from 1 to 65535."
    case .reversed(let first, let last):
      message = "the range `\(word)` is reversed"
      reason = "A range that ends before it begins holds no port."
      mended = "\(last)-\(first)"
    case .colon:
      message = "a range of ports is written with `-`"
      mended = word.split(separator: ":").joined(separator: "-")
    }
    return .init(
      .error, "syntax-port", message, at: .init(place, "expected ports"), because: reason,
      help: mended.map { "Write `\($0)\(rest)`." },
      fixes: mended.map { [.init(replace: place, with: $0 + rest, safety: .unsafe)] } ?? [])
  }

  /// Returns the error of two numbers with a blank between them.
  static func rangeWithoutHyphen(from lower: UInt16, to upper: Int, at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-port", "a range of ports is written with `-`", at: .init(place, "two numbers"),
      help: "Write `\(lower)-\(upper)`.",
      fixes: [.init(replace: place, with: "\(lower)-\(upper)", safety: .safe)])
  }

  /// Returns the error of ports without a protocol.
  static func portWithoutProtocol(_ word: String, at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-protocol", "the protocol of the port is missing", at: .init(place, "no protocol"),
      because: "TCP and UDP ports with one number are different ports.",
      help: "Write `\(word)/tcp`, `\(word)/udp` or `\(word)/tcp+udp`.",
      fixes: [.init(replace: place, with: word + "/tcp", safety: .unsafe)])
  }

  /// Returns the error of a port literal written the other way round.
  static func protocolBeforePort(_ word: String, at place: Span, mended: String) -> Diagnostic {
    .init(
      .error, "syntax-port", "`\(word)` is written the wrong way round", at: .init(place, "expected the port first"),
      help: "Write `\(mended)`.", fixes: [.init(replace: place, with: mended, safety: .safe)])
  }

  /// Returns the error of a protocol that is not known.
  static func unknownProtocol(_ word: String, at place: Span, meant: String?) -> Diagnostic {
    .init(
      .error, "syntax-protocol",
      word.isEmpty ? "the protocol of the port is missing" : "there is no protocol `\(word)`",
      at: .init(place, "expected a protocol"),
      help: meant.map { "Did you mean `\($0)`?" }
        ?? "A protocol is `tcp`, `udp`, `sctp`, `dccp`, `udplite`, `icmp` or `icmpv6`; several that have ports are joined as in `53/tcp+udp`.",
      fixes: word.isEmpty ? [] : meant.map { [.init(replace: place, with: $0, safety: .unsafe)] } ?? [])
  }

  /// Returns the error of a protocol that is named twice.
  static func protocolTwice(_ word: String, at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-given-twice", "`\(word)` is named twice", at: .init(place, "named again here"),
      help: "Remove one of them.")
  }

  /// Returns the error of an ICMP message that is not known.
  static func unknownMessage(
    _ word: String, isIPv6: Bool, at place: Span, meant: String?, isKnownInOtherFamily: Bool
  ) -> Diagnostic {
    let family = isIPv6 ? "ICMPv6" : "ICMP"
    let other = isIPv6 ? "icmp" : "icmpv6"
    return .init(
      .error, "syntax-icmp", "there is no \(family) message `\(word)`",
      at: .init(place, "expected a message or its number"),
      help: isKnownInOtherFamily
        ? "Write `\(word)/\(other)`, since only the other family has this message."
        : meant.map { "Did you mean `\($0)`?" } ?? "Write a name such as `echo-request`, or a number from 0 to 255.",
      fixes: isKnownInOtherFamily ? [] : meant.map { [.init(replace: place, with: $0, safety: .unsafe)] } ?? [])
  }

  /// Returns the error of an ICMP code that is none.
  static func badMessageCode(_ word: String, at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-icmp", "`\(word)` is no code of an ICMP message",
      at: .init(place, "expected a number from 0 to 255 behind `:`"))
  }

  // MARK: Addresses

  /// Returns the error of `word`, which should write an address, a block or a range.
  static func badAddress(_ word: String, _ flaw: Parser.AddressFlaw, at place: Span) -> Diagnostic {
    var code = "syntax-address"
    let message: String
    var reason: String?
    var mended: String?
    var safety = Fix.Safety.safe
    switch flaw {
    case .notAnAddress:
      message = "`\(word)` is no address"
      reason =
        "Addresses are written as `192.0.2.10`, `10.0.0.0/8`, `192.0.2.10-192.0.2.20`, `2001:db8::10` or `2001:db8::/32`."
    case .octet(let octet):
      message = "`\(word)` is no address: `\(octet)` is above 255"
      reason = "The four numbers of an IPv4 address run from 0 to 255."
    case .leadingZero:
      message = "`\(word)` has a number that begins with 0"
      reason = "Some programs read such a number as octal, so that it would mean another address to them."
    case .scope:
      message = "`\(word)` names an interface"
      reason = "An address stands here without `%` and what follows it."
    case .length(let highest):
      message = "`\(word)` has no valid prefix length"
      reason = "Behind `/` stands a number from 0 to \(highest)."
    case .netmask(let prefix):
      message = "the prefix of `\(word)` is written as a netmask"
      mended = prefix.literal
    case .hostBits(let prefix):
      code = "syntax-host-bits"
      message = "`\(word)` has bits set behind its prefix"
      reason = "It is unclear whether the one address or the whole block is meant."
      mended = prefix.literal
      safety = .unsafe
    case .reversed(let range):
      code = "syntax-reversed-range"
      message = "the range `\(word)` is reversed"
      reason = "A range that ends before it begins holds no address."
      mended = "\(range.lower)-\(range.upper)"
      safety = .unsafe
    case .shortEnd(let range):
      message = "the end of the range `\(word)` is not a whole address"
      mended = "\(range.lower)-\(range.upper)"
    case .families:
      message = "the range `\(word)` begins in one address family and ends in the other"
    }
    var help = mended.map { "Write `\($0)`." }
    if case .hostBits(let prefix) = flaw, let block = mended {
      let single = word.prefix { $0 != "/" }
      help = "Write `\(block)` for the block, or `\(single)` for the one address."
      if prefix.length == prefix.family.width { help = nil }
    }
    return .init(
      .error, code, message, at: .init(place, "expected an address"), because: reason, help: help,
      fixes: mended.map { [.init(replace: place, with: $0, safety: safety)] } ?? [])
  }

  /// Returns the error of a block where one address is expected.
  static func blockWhereAddressIsExpected(_ word: String, _ what: String, at place: Span) -> Diagnostic {
    .init(
      .error, "syntax-address", "`\(word)` is more than one address",
      at: .init(place, "expected the address of \(what)"))
  }
}

extension Prefix {
  /// The block with its length, also if it is a single address.
  fileprivate var literal: String { "\(address)/\(length)" }
}
