import Packets

// Numbers, dates, rates, addresses.

extension Parser {
  /// The bytes of the current token.
  var word: ArraySlice<UInt8> { bytes[Int(current.lower)..<Int(current.upper)] }

  /// Returns the value of `digits` if they are nothing but digits and not above `limit`; leading zeros are let pass.
  func number(_ digits: ArraySlice<UInt8>, atMost limit: Int) -> Int? {
    guard !digits.isEmpty else { return nil }
    var value = 0
    for d in digits {
      guard d.isDigit else { return nil }
      value = value * 10 + Int(d - UInt8(ascii: "0"))
      if value > limit { return nil }
    }
    return value
  }

  /// Returns the number from 1 to `limit` that stands here; `what` says what it counts.
  mutating func readNumber(_ what: String, atMost limit: Int) throws(Failure) -> Spelled<Int> {
    guard kind == .word else { return try fail(what) }
    guard let value = number(word, atMost: limit), value > 0 else {
      findings.add(.notANumber(shortened(text), what, limit: limit, at: span))
      throw Failure()
    }
    return Spelled(value, at: take())
  }

  /// Returns the port numbers, such as `30000-32767`, that stand here; `what` says what they are.
  mutating func readPortRange(_ what: String) throws(Failure) -> Spelled<PortRange> {
    guard kind == .word else { return try fail(what) }
    let place = span
    let range: PortRange
    switch portRange(in: word) {
    case .success(let r): range = r
    case .failure(let flaw):
      findings.add(.badPort(shortened(text), flaw, at: place, behind: ""))
      throw Failure()
    }
    advance()
    // `sysctl net.ipv4.ip_local_port_range` shows its two numbers with a blank between them.
    if range.isSingle, kind == .word, let upper = number(word, atMost: 65535), upper >= Int(range.lower) {
      findings.add(.rangeWithoutHyphen(from: range.lower, to: upper, at: place.union(span)))
      throw Failure()
    }
    return Spelled(range, at: place)
  }

  /// What can be wrong with port numbers.
  enum PortFlaw: Error {
    /// There is something else than digits.
    case notANumber
    /// The number is 0.
    case zero
    /// The number is above 65535.
    case tooLarge
    /// The first is above the last.
    case reversed(UInt16, UInt16)
    /// There is a `:` where `-` is meant.
    case colon
  }

  /// Returns the port numbers that `text` writes.
  func portRange(in text: ArraySlice<UInt8>) -> Result<PortRange, PortFlaw> {
    guard let hyphen = text.firstIndex(of: UInt8(ascii: "-")) else {
      if let colon = text.firstIndex(of: UInt8(ascii: ":")), case .success = port(in: text[..<colon]),
        case .success = port(in: text[(colon + 1)...])
      {
        return .failure(.colon)
      }
      return port(in: text).map { PortRange($0) }
    }
    switch (port(in: text[..<hyphen]), port(in: text[(hyphen + 1)...])) {
    case (.success(let a), .success(let b)):
      return a <= b ? .success(PortRange(from: a, through: b)) : .failure(.reversed(a, b))
    case (.failure(let flaw), _), (_, .failure(let flaw)): return .failure(flaw)
    }
  }

  /// Returns the port number that `text` writes.
  private func port(in text: ArraySlice<UInt8>) -> Result<UInt16, PortFlaw> {
    guard !text.isEmpty, text.allSatisfy(\.isDigit) else { return .failure(.notANumber) }
    guard let value = number(text, atMost: 65535) else { return .failure(.tooLarge) }
    return value == 0 ? .failure(.zero) : .success(UInt16(value))
  }

  /// Returns the day that stands here.
  mutating func readDate() throws(Failure) -> Spelled<CalendarDate> {
    guard kind == .word else { return try fail("a date such as `2026-12-31`") }
    guard let date = CalendarDate(text) else {
      findings.add(.notADate(shortened(text), at: span, lastDay: lastDayOfMonth(in: text)))
      throw Failure()
    }
    return Spelled(date, at: take())
  }

  /// Returns the last day of the month that `text` names, if it is a date whose day alone is too high.
  private func lastDayOfMonth(in text: String) -> CalendarDate? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].utf8.count == 4, parts[1].utf8.count == 2, parts[2].utf8.count == 2,
      let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]), day > 28
    else { return nil }
    return [31, 30, 29, 28].lazy.compactMap { CalendarDate(year: year, month: month, day: $0) }.first
  }

  /// Returns the rate, such as `200/second`, that stands here.
  mutating func readRate() throws(Failure) -> Spelled<Rate> {
    guard kind == .word else { return try fail("a rate such as `200/second`") }
    let text = word
    let slash = text.firstIndex(of: UInt8(ascii: "/")) ?? text.endIndex
    let unitText = slash < text.endIndex ? String(decoding: text[(slash + 1)...], as: UTF8.self) : ""
    guard let count = number(text[..<slash], atMost: Int(UInt32.max)), count > 0,
      let unit = Rate.Unit(rawValue: unitText)
    else {
      let digits = String(decoding: text[..<slash].prefix { $0.isDigit }, as: UTF8.self)
      let unit = Rate.Unit.allCases.first {
        !unitText.isEmpty && $0.rawValue.hasPrefix(unitText.prefix(3).lowercased())
      }
      let isCount = digits.utf8.count == text[..<slash].count && digits.utf8.contains { $0 != UInt8(ascii: "0") }
      findings.add(
        .notARate(
          shortened(self.text), at: span,
          mended: isCount && digits.utf8.count < 10 ? unit.map { "\(digits)/\($0.rawValue)" } : nil))
      throw Failure()
    }
    return Spelled(Rate(UInt32(count), per: unit), at: take())
  }

  /// Returns the rate with its burst, such as `200/second burst 400 per source`, that stands here; `per source` is read
  /// iff `allowsPerSource`.
  mutating func readLimit(allowsPerSource: Bool) throws(Failure) -> Spelled<Limit> {
    let rate = try readRate()
    var limit = Limit(rate.value)
    if takes(.burst) {
      limit.burst = UInt32(try readNumber("the number of packets of the burst", atMost: Int(UInt32.max)).value)
    }
    if allowsPerSource, takes(.per) {
      try expect(.source, "behind `per`")
      limit.perSource = true
    }
    return Spelled(limit, at: span(from: rate.span))
  }
}
