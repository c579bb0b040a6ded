import Packets

// Terms: names, classes and addresses.

extension Parser {
  /// What may be written where a term stands.
  struct TermKinds: OptionSet {
    let rawValue: UInt8
    /// Addresses.
    static let addresses = TermKinds(rawValue: 1)
    /// `internet`.
    static let internet = TermKinds(rawValue: 2)
    /// Zones by their names.
    static let zones = TermKinds(rawValue: 4)
    /// Hosts and groups by their names.
    static let hosts = TermKinds(rawValue: 8)
    /// Everything else that has a name, `class NAME`, and `localhost`.
    static let others = TermKinds(rawValue: 16)
    /// Every term.
    static let all: TermKinds = [.addresses, .internet, .zones, .hosts, .others]

    /// Returns `true` iff `term` is one of these.
    func allow(_ term: Term) -> Bool {
      switch term {
      case .addresses: contains(.addresses)
      case .internet: contains(.internet)
      case .named(nil, _): true
      case .named(.zone, _): contains(.zones)
      case .named(.host, _), .named(.group, _): contains(.hosts)
      case .named, .serviceClass, .localhost: contains(.others)
      }
    }
  }

  /// Returns the terms of the list that stands here; `what` says what each is, and `kinds` what it may be.
  mutating func readTerms(_ what: String, _ kinds: TermKinds = .all) throws(Failure) -> [Spelled<Term>] {
    try readList(what) { (p) throws(Failure) in try p.readTerm(what, kinds) }
  }

  /// Returns the term that stands here; `what` says what it is, and `kinds` what it may be.
  mutating func readTerm(_ what: String, _ kinds: TermKinds = .all) throws(Failure) -> Spelled<Term> {
    let start = span
    let term = try readAnyTerm(what)
    let place = span(from: start)
    guard kinds.allow(term) else {
      findings.add(.termNotHere(shortened(String(decoding: bytes[place.range], as: UTF8.self)), what, at: place))
      throw Failure()
    }
    return Spelled(term, at: place)
  }

  /// Returns the term that stands here; `what` says what it is.
  private mutating func readAnyTerm(_ what: String) throws(Failure) -> Term {
    guard kind == .word else { return try fail(what) }
    if let word = keyword {
      switch word {
      case .internet:
        advance()
        return .internet
      case .localhost:
        advance()
        return .localhost
      case .class:
        advance()
        return .serviceClass(try readName("a class").value)
      case .zone, .service, .host, .group, .owner, .cluster:
        advance()
        return .named(word.entityKind, try readName("a \(word.rawValue)").value)
      case .to, .in: return try fail(what)
      default: if word.beginsClause { return try fail(what) }
      }
    }
    if isPlainName(current) {
      defer { advance() }
      return .named(nil, text)
    }
    if looksLikeAddress(current) { return .addresses(try readAddressRange().value) }
    if word.contains(UInt8(ascii: "/")) {
      findings.add(.portsWhereTermIsExpected(shortened(text), what, at: span))
      throw Failure()
    }
    if word.allSatisfy(\.isDigit) { return try fail(what) }
    return .named(nil, try readName(what).value)
  }

  /// Returns `true` iff `token` was meant to be an address, a block or a range: it begins as a dotted quad does, or it
  /// has the characters of an IPv6 address and a colon among them.
  func looksLikeAddress(_ token: Token) -> Bool {
    let lower = Int(token.lower)
    let upper = Int(token.upper)
    guard lower < upper else { return false }
    if bytes[lower].isDigit {
      var i = lower
      var dots = 0
      while i < upper, bytes[i].isDigit || bytes[i] == UInt8(ascii: ".") {
        if bytes[i] == UInt8(ascii: ".") { dots += 1 }
        i += 1
      }
      if dots >= 2 { return true }
      if dots == 1, i < upper, bytes[i] == UInt8(ascii: "/"), i + 1 < upper, bytes[i + 1].isDigit { return true }
    }
    var colons = 0
    for i in lower..<upper {
      let byte = bytes[i]
      if byte == UInt8(ascii: ":") {
        colons += 1
      } else if byte == UInt8(ascii: "/") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "%") {
        return colons >= 2
      } else if !(byte.isDigit || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]"))
        && !((byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "g"))
      {
        return colons >= 2 && i - lower > 3
      }
    }
    return colons >= 2
  }

  /// Returns the address that stands here; `what` says whose it is.
  mutating func readAddress(_ what: String) throws(Failure) -> Spelled<Address> {
    guard kind == .word, looksLikeAddress(current) else { return try fail("the address of \(what)") }
    let range = try readAddressRange()
    guard range.value.lower == range.value.upper else {
      findings.add(.blockWhereAddressIsExpected("\(range.value)", what, at: range.span))
      throw Failure()
    }
    return Spelled(range.value.lower, at: range.span)
  }

  /// Returns the address, the block `10.0.0.0/8` or the range `10.0.0.1-10.0.0.9` that stands here.
  mutating func readAddressRange() throws(Failure) -> Spelled<AddressRange> {
    guard kind == .word else { return try fail("an address") }
    switch addressRange(in: word) {
    case .success(let range): return Spelled(range, at: take())
    case .failure(let flaw):
      findings.add(.badAddress(shortened(text), flaw, at: span))
      throw Failure()
    }
  }

  /// What can be wrong with addresses.
  enum AddressFlaw: Error {
    /// It is no address.
    case notAnAddress
    /// An octet is above 255.
    case octet(String)
    /// A number begins with 0.
    case leadingZero
    /// It names an interface behind `%`.
    case scope
    /// What stands behind `/` is no length of a prefix.
    case length(highest: Int)
    /// A netmask stands where the length of a prefix does.
    case netmask(Prefix)
    /// Bits behind the prefix are set.
    case hostBits(Prefix)
    /// The first address is above the last.
    case reversed(AddressRange)
    /// The last address is given by its last number alone.
    case shortEnd(AddressRange)
    /// The two addresses are of different families.
    case families
  }

  /// Returns the addresses that `text` writes.
  private func addressRange(in text: ArraySlice<UInt8>) -> Result<AddressRange, AddressFlaw> {
    if let slash = text.firstIndex(of: UInt8(ascii: "/")) {
      return block(text[..<slash], length: text[(slash + 1)...])
    }
    if let hyphen = text.firstIndex(of: UInt8(ascii: "-")) {
      return range(from: text[..<hyphen], through: text[(hyphen + 1)...])
    }
    return address(in: text).map { AddressRange($0) }
  }

  /// Returns the address that `text` writes.
  private func address(in text: ArraySlice<UInt8>) -> Result<Address, AddressFlaw> {
    if let address = Address(utf8: text) { return .success(address) }
    if text.contains(UInt8(ascii: "%")) { return .failure(.scope) }
    let octets = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    if octets.count == 4, octets.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isDigit) }) {
      if let octet = octets.first(where: { number($0, atMost: 255) == nil }) {
        return .failure(.octet(shortened(String(decoding: octet, as: UTF8.self))))
      }
      return .failure(.leadingZero)
    }
    return .failure(.notAnAddress)
  }

  /// Returns the block of the address that `head` writes and the length of prefix that `tail` does.
  private func block(
    _ head: ArraySlice<UInt8>, length tail: ArraySlice<UInt8>
  ) -> Result<AddressRange, AddressFlaw> {
    switch address(in: head) {
    case .failure(let flaw): return .failure(flaw)
    case .success(let address):
      let width = address.family.width
      guard let length = number(tail, atMost: width), tail.count == 1 || tail.first != UInt8(ascii: "0") else {
        if let mask = Address(utf8: tail), mask.family == address.family,
          let length = (0...width).first(where: { Prefix.mask(length: $0, family: mask.family) == mask.value })
        {
          return .failure(.netmask(Prefix(containing: address, length: length)))
        }
        return .failure(.length(highest: width))
      }
      let prefix = Prefix(containing: address, length: length)
      return prefix.address == address ? .success(prefix.range) : .failure(.hostBits(prefix))
    }
  }

  /// Returns the range between the addresses that `head` and `tail` write.
  private func range(
    from head: ArraySlice<UInt8>, through tail: ArraySlice<UInt8>
  ) -> Result<AddressRange, AddressFlaw> {
    switch (address(in: head), address(in: tail)) {
    case (.failure(let flaw), _): return .failure(flaw)
    case (.success(let first), .failure(let flaw)):
      if first.family == .ipv4, let last = number(tail, atMost: 255), UInt128(last) >= first.value & 255 {
        let end = Address(.ipv4, first.value & ~255 | UInt128(last))
        return .failure(.shortEnd(AddressRange(from: first, through: end)))
      }
      return .failure(flaw)
    case (.success(let first), .success(let last)):
      guard first.family == last.family else { return .failure(.families) }
      return first <= last
        ? .success(AddressRange(from: first, through: last))
        : .failure(.reversed(AddressRange(from: last, through: first)))
    }
  }
}
