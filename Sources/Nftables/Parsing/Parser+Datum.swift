import Packets

extension Parser {
  /// Returns the constant of `type` that comes next.
  mutating func datum(_ type: DataType) throws(ScriptError) -> Datum {
    if type == .interface { return .interface(try scanner.quoted()) }
    let word = try scanner.letters()
    guard let datum = Parser.datum(word, type) else {
      throw scanner.error("`\(String(decoding: word, as: UTF8.self))` is no \(type.rawValue)")
    }
    return datum
  }

  /// Returns what `word` says as a constant of `type`.
  private static func datum(_ word: ArraySlice<UInt8>, _ type: DataType) -> Datum? {
    switch type {
    case .ipv4: addresses(word, .ipv4)
    case .ipv6: addresses(word, .ipv6)
    case .transport: transport(word).map { .transport($0) }
    case .port: ports(word)
    case .icmpType, .icmpCode, .icmpv6Type, .icmpv6Code, .number: number(word, UInt8.self).map { .number($0) }
    case .time: number(word, Int.self).flatMap { $0 < 0 ? nil : .seconds($0) }
    case .family, .state, .status, .addressType: constant(String(decoding: word, as: UTF8.self), type)
    case .interface: nil
    }
  }

  /// Returns what the name `word` says as a constant of `type`.
  private static func constant(_ word: String, _ type: DataType) -> Datum? {
    switch type {
    case .family: word == "ipv4" ? .family(.ipv4) : word == "ipv6" ? .family(.ipv6) : nil
    case .state: ConnectionState(rawValue: word).map { .state($0) }
    case .status: word == "dnat" ? .destinationTranslated : nil
    case .addressType: AddressType(rawValue: word).map { .addressType($0) }
    default: nil
    }
  }

  /// Returns the decimal number `digits`.
  private static func number<Number: FixedWidthInteger>(_ digits: ArraySlice<UInt8>, _: Number.Type) -> Number? {
    guard !digits.isEmpty else { return nil }
    var value: Number = 0
    for digit in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      let (ten, overflows) = value.multipliedReportingOverflow(by: 10)
      let (sum, exceeds) = ten.addingReportingOverflow(Number(digit - UInt8(ascii: "0")))
      if overflows || exceeds { return nil }
      value = sum
    }
    return value
  }

  /// Returns the protocol `word`.
  private static func transport(_ word: ArraySlice<UInt8>) -> TransportProtocol? {
    if word.elementsEqual("tcp".utf8) { return .tcp }
    if word.elementsEqual("udp".utf8) { return .udp }
    return number(word, UInt8.self).map { TransportProtocol(rawValue: $0) }
  }

  /// Returns the address, block or range `word` of `family`.
  private static func addresses(_ word: ArraySlice<UInt8>, _ family: AddressFamily) -> Datum? {
    func address(_ text: ArraySlice<UInt8>) -> Address? {
      Address(utf8: text).flatMap { $0.family == family ? $0 : nil }
    }
    if let slash = word.firstIndex(of: UInt8(ascii: "/")) {
      guard let lower = address(word[..<slash]), let length = number(word[(slash + 1)...], Int.self),
        (0..<family.width).contains(length)
      else { return nil }
      let block = Prefix(containing: lower, length: length)
      return block.address == lower ? .addresses(block.range) : nil
    }
    guard let dash = word.firstIndex(of: UInt8(ascii: "-")) else { return address(word).map { .address($0) } }
    guard let lower = address(word[..<dash]), let upper = address(word[(dash + 1)...]), lower < upper
    else { return nil }
    return .addresses(AddressRange(from: lower, through: upper))
  }

  /// Returns the port or the range of ports `word`.
  private static func ports(_ word: ArraySlice<UInt8>) -> Datum? {
    guard let dash = word.firstIndex(of: UInt8(ascii: "-")) else { return number(word, UInt16.self).map { .port($0) } }
    guard let lower = number(word[..<dash], UInt16.self), let upper = number(word[(dash + 1)...], UInt16.self),
      lower < upper
    else { return nil }
    return .ports(PortRange(from: lower, through: upper))
  }
}
