extension YAML {
  /// Creates the value that the plain scalar `word` is for kubectl.
  init(plain word: String) {
    switch word {
    case "", "~", "null", "Null", "NULL": self = .null
    case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE": self = .boolean(true)
    case "n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE": self = .boolean(false)
    default:
      if let number = YAML.integer(word) {
        self = .number(number)
      } else {
        self = YAML.isDecimal(word) ? .decimal(word) : .string(word)
      }
    }
  }

  /// Returns the whole number that `word` is, if it is one.
  private static func integer(_ word: String) -> Int? {
    var digits = word.utf8[...]
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative || digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
    guard let first = digits.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
    var radix = 10
    if first == UInt8(ascii: "0"), digits.count > 1 {
      switch digits.dropFirst().first {
      case UInt8(ascii: "x"): radix = 16
      case UInt8(ascii: "o"): radix = 8
      case UInt8(ascii: "b"): radix = 2
      default:
        radix = 8
        digits = digits.dropFirst()
      }
      if radix == 16 || radix == 2 || digits.dropFirst().first == UInt8(ascii: "o") { digits = digits.dropFirst(2) }
    }
    let text = String(decoding: digits.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    guard let sign = text.utf8.first, sign != UInt8(ascii: "-"), sign != UInt8(ascii: "+") else { return nil }
    return Int((isNegative ? "-" : "") + text, radix: radix)
  }

  /// Returns `true` iff `word` is a number that is not whole, or too big.
  private static func isDecimal(_ word: String) -> Bool {
    var rest = word.utf8[...]
    if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    if [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(where: { rest.elementsEqual($0.utf8) }) {
      return true
    }
    guard let first = rest.first, first == UInt8(ascii: ".") || (0x30...0x39).contains(first),
      rest.contains(where: { (0x30...0x39).contains($0) })
    else { return false }
    return rest.allSatisfy { (0x30...0x39).contains($0) || ".eE+-_".utf8.contains($0) }
      && Double(String(decoding: rest.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)) != nil
  }
}
