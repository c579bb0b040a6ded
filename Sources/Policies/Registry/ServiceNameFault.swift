/// Why a word is no service name (RFC 6335, section 5.1).
public enum ServiceNameFault: Hashable, Sendable {
  /// It has no letters at all.
  case empty
  /// It is longer than 15 characters.
  case tooLong(count: Int)
  /// It has a character that is no letter of ASCII, digit or hyphen.
  case character(Character)
  /// It has digits and hyphens only, and could be taken for a port.
  case withoutLetter
  /// It begins with a hyphen.
  case leadingHyphen
  /// It ends with a hyphen.
  case trailingHyphen
  /// It has two hyphens in a row.
  case doubleHyphen

  /// The greatest number of characters.
  public static let longest = 15

  /// Returns what is wrong with `name`, or nothing if it is a service name.
  public static func first(in name: String) -> Self? {
    var count = 0
    var hasLetter = false
    var last = UInt8(ascii: "x")
    var hasDoubleHyphen = false
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): hasLetter = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"): break
      case UInt8(ascii: "-"): hasDoubleHyphen = hasDoubleHyphen || last == byte
      default: return name.first { !isPermitted($0) }.map { .character($0) }
      }
      count += 1
      last = byte
    }
    if count == 0 { return .empty }
    if count > longest { return .tooLong(count: count) }
    if name.utf8.first == UInt8(ascii: "-") { return .leadingHyphen }
    if last == UInt8(ascii: "-") { return .trailingHyphen }
    if hasDoubleHyphen { return .doubleHyphen }
    return hasLetter ? nil : .withoutLetter
  }

  /// Returns `true` iff a service name may hold `character`.
  private static func isPermitted(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || character == "-")
  }
}

extension ServiceNameFault: CustomStringConvertible {
  /// The reason, to follow "the name": `has 17 characters, and 15 are the most`.
  public var description: String {
    switch self {
    case .empty: "is empty"
    case .tooLong(let count): "has \(count) characters, and \(Self.longest) are the most"
    case .character(let character): "holds `\(character)`, and only letters, digits and hyphens are permitted"
    case .withoutLetter: "has no letter, and could be taken for a port number"
    case .leadingHyphen: "begins with a hyphen"
    case .trailingHyphen: "ends with a hyphen"
    case .doubleHyphen: "has two hyphens in a row"
    }
  }
}
