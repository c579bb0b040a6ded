extension YAML {
  /// The value as a document, in blocks, with lists at the indentation of their key as kubectl writes them.
  public var text: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(1024)
    write(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the value as a document to `bytes`.
  func write(to bytes: inout [UInt8]) {
    switch self {
    case .mapping(let fields) where !fields.isEmpty: YAML.write(fields, indent: 0, to: &bytes)
    case .sequence(let items) where !items.isEmpty: YAML.write(items, indent: 0, to: &bytes)
    default:
      writeInline(to: &bytes)
      bytes.append(UInt8(ascii: "\n"))
    }
  }

  /// Appends `fields`, one below the other; where the first begins is up to the caller.
  private static func write(_ fields: [Field], indent: Int, to bytes: inout [UInt8]) {
    for (i, field) in fields.enumerated() {
      if i > 0 { bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent)) }
      writeString(field.key, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      switch field.value {
      case .mapping(let inner) where !inner.isEmpty:
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent + 2))
        write(inner, indent: indent + 2, to: &bytes)
      case .sequence(let items) where !items.isEmpty:
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent))
        write(items, indent: indent, to: &bytes)
      default:
        bytes.append(UInt8(ascii: " "))
        field.value.writeInline(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
      }
    }
  }

  /// Appends `items`, one below the other; where the first begins is up to the caller.
  private static func write(_ items: [YAML], indent: Int, to bytes: inout [UInt8]) {
    for (i, item) in items.enumerated() {
      if i > 0 { bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent)) }
      bytes.append(UInt8(ascii: "-"))
      bytes.append(UInt8(ascii: " "))
      switch item {
      case .mapping(let inner) where !inner.isEmpty: write(inner, indent: indent + 2, to: &bytes)
      case .sequence(let inner) where !inner.isEmpty: write(inner, indent: indent + 2, to: &bytes)
      default:
        item.writeInline(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
      }
    }
  }

  /// Appends a scalar or an empty collection.
  private func writeInline(to bytes: inout [UInt8]) {
    switch self {
    case .string(let string): YAML.writeString(string, to: &bytes)
    case .number(let number): bytes.append(contentsOf: String(number).utf8)
    case .boolean(let boolean): bytes.append(contentsOf: (boolean ? "true" : "false").utf8)
    case .decimal(let digits): bytes.append(contentsOf: digits.utf8)
    case .null: bytes.append(contentsOf: "null".utf8)
    case .mapping: bytes.append(contentsOf: "{}".utf8)
    case .sequence: bytes.append(contentsOf: "[]".utf8)
    }
  }

  /// Appends `string`, in double quotes unless every reader takes it for a string without them.
  private static func writeString(_ string: String, to bytes: inout [UInt8]) {
    guard !isPlain(string) else { return bytes.append(contentsOf: string.utf8) }
    bytes.append(UInt8(ascii: "\""))
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": bytes.append(contentsOf: "\\\"".utf8)
      case "\\": bytes.append(contentsOf: "\\\\".utf8)
      case "\n": bytes.append(contentsOf: "\\n".utf8)
      case "\t": bytes.append(contentsOf: "\\t".utf8)
      case _ where isHidden(scalar): bytes.append(contentsOf: escape(scalar).utf8)
      default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Returns `true` iff `string` is a string to YAML 1.1 and 1.2 readers without quotes.
  ///
  /// It is stricter than YAML: it begins with a letter, and is none of the words that some reader takes for a truth
  /// value, a number or nothing.
  static func isPlain(_ string: String) -> Bool {
    let utf8 = string.utf8
    guard let first = utf8.first, isLetter(first), utf8.allSatisfy(isPlain) else { return false }
    guard utf8.count <= 8 else { return true }
    switch first | 0x20 {
    case UInt8(ascii: "f"), UInt8(ascii: "i"), UInt8(ascii: "n"), UInt8(ascii: "o"), UInt8(ascii: "t"),
      UInt8(ascii: "y"):
      return !special.contains(string.lowercased())
    default: return true
    }
  }

  /// Returns `true` iff `byte` may stand in a string without quotes.
  static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"),
      UInt8(ascii: "_"):
      true
    default: isLetter(byte)
    }
  }

  /// Returns `true` iff `byte` is an ASCII letter.
  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }

  /// Words that are more than strings to some reader, in lower case.
  private static let special: Set<String> = [
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity",
  ]

  /// Returns `true` iff `scalar` would not be seen by a person, or changes the order in which text is seen, or may not
  /// stand in YAML.
  private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7f }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate: true
    case .spaceSeparator: scalar != " "
    default: false
    }
  }

  /// Returns the escape sequence of `scalar`.
  private static func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    let (letter, width) =
      switch scalar.value {
      case ...0xff: ("x", 2)
      case ...0xffff: ("u", 4)
      default: ("U", 8)
      }
    return "\\" + letter + String(repeating: "0", count: width - digits.utf8.count) + digits
  }
}
