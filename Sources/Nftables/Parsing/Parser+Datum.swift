import Packets

extension Parser {
  /// Returns the constant of `type` that comes next.
  mutating func datum(_ type: DataType) throws(ScriptError) -> Datum {
    if type == .interface { return .interface(try scanner.quoted()) }
    let word = try scanner.word()
    guard let datum = Parser.datum(word, type) else { throw scanner.error("`\(word)` is no \(type.rawValue)") }
    return datum
  }

  /// Returns what `word` says as a constant of `type`.
  private static func datum(_ word: String, _ type: DataType) -> Datum? {
    switch type {
    case .ipv4: addresses(word, .ipv4)
    case .ipv6: addresses(word, .ipv6)
    case .transport: transport(word).map { .transport($0) }
    case .port: ports(word)
    case .icmpType, .icmpCode, .icmpv6Type, .icmpv6Code, .number: UInt8(word).map { .number($0) }
    case .family: word == "ipv4" ? .family(.ipv4) : word == "ipv6" ? .family(.ipv6) : nil
    case .state: ConnectionState(rawValue: word).map { .state($0) }
    case .status: word == "dnat" ? .destinationTranslated : nil
    case .addressType: AddressType(rawValue: word).map { .addressType($0) }
    case .time: Int(word).flatMap { $0 < 0 ? nil : .seconds($0) }
    case .interface: nil
    }
  }

  /// Returns the protocol `word`.
  private static func transport(_ word: String) -> TransportProtocol? {
    switch word {
    case "tcp": .tcp
    case "udp": .udp
    default: UInt8(word).map { TransportProtocol(rawValue: $0) }
    }
  }

  /// Returns the address, block or range `word` of `family`.
  private static func addresses(_ word: String, _ family: AddressFamily) -> Datum? {
    func address(_ text: Substring) -> Address? { Address(String(text)).flatMap { $0.family == family ? $0 : nil } }
    if let slash = word.firstIndex(of: "/") {
      guard let lower = address(word[..<slash]), let length = Int(word[word.index(after: slash)...]),
        (0..<family.width).contains(length)
      else { return nil }
      let block = Prefix(containing: lower, length: length)
      return block.address == lower ? .addresses(block.range) : nil
    }
    guard let dash = word.firstIndex(of: "-") else { return address(word[...]).map { .address($0) } }
    guard let lower = address(word[..<dash]), let upper = address(word[word.index(after: dash)...]), lower < upper
    else { return nil }
    return .addresses(AddressRange(from: lower, through: upper))
  }

  /// Returns the port or the range of ports `word`.
  private static func ports(_ word: String) -> Datum? {
    guard let dash = word.firstIndex(of: "-") else { return UInt16(word).map { .port($0) } }
    guard let lower = UInt16(word[..<dash]), let upper = UInt16(word[word.index(after: dash)...]), lower < upper else {
      return nil
    }
    return .ports(PortRange(from: lower, through: upper))
  }
}
