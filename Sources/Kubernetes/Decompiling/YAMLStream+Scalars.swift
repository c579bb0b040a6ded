/// Scalars of every kind.
extension YAMLStream {
  /// Removes what a plain scalar has on this line, without spaces at its end, and returns it.
  mutating func plainLine(inFlow: Bool) -> ArraySlice<UInt8> {
    let start = at
    var end = at
    while !isAtBreak {
      let c = byte
      if c == UInt8(ascii: ":"), YAMLStream.isBlank(byte(1)) || inFlow && ",[]{}".utf8.contains(byte(1)) { break }
      if c == UInt8(ascii: "#"), at > start, YAMLStream.isBlank(bytes[at - 1]) { break }
      if inFlow, ",[]{}".utf8.contains(c) { break }
      at += 1
      if !YAMLStream.isBlank(c) { end = at }
    }
    at = end
    return bytes[start..<end]
  }

  /// Returns the plain scalar that begins here; further lines of it are indented by `indent` or more.
  mutating func plain(atLeast indent: Int) throws(ManifestError) -> YAML {
    var words = Array(plainLine(inFlow: false))
    var isOver = skipSpacesAndComment()
    guard isAtBreak else { throw error("a key with a value is not expected here") }
    guard !words.isEmpty else { return .null }
    var isSingle = true
    while !isAtEnd, !isOver {
      var probe = self
      var breaks = 0
      while !probe.isAtEnd, probe.isAtBreak {
        probe.nextLine()
        breaks += 1
        while probe.byte == 0x20 || probe.byte == 0x09 { probe.at += 1 }
      }
      guard !probe.isAtEnd, probe.column >= indent, probe.byte != UInt8(ascii: "#"), !probe.isMarker, indent > 0 else {
        break
      }
      self = probe
      words += breaks > 1 ? [UInt8](repeating: 0x0a, count: breaks - 1) : [0x20]
      words += plainLine(inFlow: false)
      isSingle = false
      isOver = skipSpacesAndComment()
      guard isAtBreak else { throw error("a key is not expected in a text of several lines") }
    }
    let text = String(decoding: words, as: UTF8.self)
    return isSingle ? YAML(plain: text) : .string(text)
  }

  /// Goes behind spaces and a comment, and returns `true` iff there is a comment, which ends a text.
  private mutating func skipSpacesAndComment() -> Bool {
    let start = at
    skipSpaces()
    return bytes[start..<at].contains(UInt8(ascii: "#"))
  }

  /// Returns the quoted scalar that begins here; further lines of it are indented by `indent` or more.
  mutating func quoted(atLeast indent: Int) throws(ManifestError) -> String {
    let quote = byte
    let isDouble = quote == UInt8(ascii: "\"")
    var result: [UInt8] = []
    // What is before this may not be trimmed at the end of a line, for it was escaped.
    var kept = 0
    at += 1
    while !isAtEnd {
      let c = byte
      if c == quote {
        at += 1
        if isDouble || byte != quote { return String(decoding: result, as: UTF8.self) }
        result.append(quote)
        at += 1
      } else if isDouble, c == UInt8(ascii: "\\") {
        at += 1
        if isAtBreak {
          nextLine()
          while byte == 0x20 || byte == 0x09 { at += 1 }
          // The break is escaped; those of empty lines behind it are not.
          while !isAtEnd, isAtBreak {
            nextLine()
            result.append(0x0a)
            while byte == 0x20 || byte == 0x09 { at += 1 }
          }
        } else {
          result += try escaped()
        }
        kept = result.count
      } else if YAMLStream.isBreak(c) {
        while result.count > kept, let last = result.last, last == 0x20 || last == 0x09 { result.removeLast() }
        var breaks = 0
        while !isAtEnd, isAtBreak {
          nextLine()
          breaks += 1
          while byte == 0x20 || byte == 0x09 { at += 1 }
        }
        if isAtEnd { break }
        if column < indent || isMarker { throw error("a text in quotes is indented too little") }
        result += breaks > 1 ? [UInt8](repeating: 0x0a, count: breaks - 1) : [0x20]
        kept = result.count
      } else {
        result.append(c)
        at += 1
      }
    }
    throw error("a closing quote is missing")
  }

  /// Removes what follows a backslash and returns what it stands for.
  private mutating func escaped() throws(ManifestError) -> [UInt8] {
    let letter = byte
    at += 1
    let width: Int
    switch letter {
    case UInt8(ascii: "0"): return [0]
    case UInt8(ascii: "a"): return [7]
    case UInt8(ascii: "b"): return [8]
    case UInt8(ascii: "t"), 0x09: return [9]
    case UInt8(ascii: "n"): return [10]
    case UInt8(ascii: "v"): return [11]
    case UInt8(ascii: "f"): return [12]
    case UInt8(ascii: "r"): return [13]
    case UInt8(ascii: "e"): return [27]
    case 0x20, UInt8(ascii: "\""), UInt8(ascii: "/"), UInt8(ascii: "\\"): return [letter]
    case UInt8(ascii: "N"): return Array("\u{85}".utf8)
    case UInt8(ascii: "_"): return Array("\u{a0}".utf8)
    case UInt8(ascii: "L"): return Array("\u{2028}".utf8)
    case UInt8(ascii: "P"): return Array("\u{2029}".utf8)
    case UInt8(ascii: "x"): width = 2
    case UInt8(ascii: "u"): width = 4
    case UInt8(ascii: "U"): width = 8
    default: throw error("the escape sequence is not known")
    }
    guard var value = number(width) else { throw error("the escape sequence names no character") }
    // JSON writes what is beyond 16 bits in two halves.
    if width == 4, (0xd800..<0xdc00).contains(value), byte == UInt8(ascii: "\\"), byte(1) == UInt8(ascii: "u") {
      at += 2
      guard let low = number(4), (0xdc00..<0xe000).contains(low) else {
        throw error("the escape sequence names no character")
      }
      value = 0x10000 + (value - 0xd800) << 10 + (low - 0xdc00)
    }
    guard let scalar = Unicode.Scalar(value) else { throw error("the escape sequence names no character") }
    return Array(String(scalar).utf8)
  }

  /// Removes `width` hexadecimal digits and returns their value.
  private mutating func number(_ width: Int) -> UInt32? {
    guard at + width <= bytes.count else { return nil }
    let digits = String(decoding: bytes[at..<at + width], as: UTF8.self)
    guard digits.utf8.count == width, digits.allSatisfy(\.isHexDigit) else { return nil }
    at += width
    return UInt32(digits, radix: 16)
  }

  /// Returns the text of several lines whose mark stands here, indented by `indent` or more.
  mutating func blockScalar(atLeast indent: Int) throws(ManifestError) -> String {
    let isFolded = byte == UInt8(ascii: ">")
    at += 1
    var keeps: Bool? = false
    var wanted: Int?
    while !YAMLStream.isBlank(byte) {
      switch byte {
      case UInt8(ascii: "+"): keeps = true
      case UInt8(ascii: "-"): keeps = nil
      case UInt8(ascii: "1")...UInt8(ascii: "9"): wanted = max(indent, 1) - 1 + Int(byte - UInt8(ascii: "0"))
      default: throw error("this is not understood behind the mark of a text")
      }
      at += 1
    }
    skipSpaces()
    guard isAtBreak else { throw error("a text of several lines begins on the next line") }
    nextLine()
    var lines: [ArraySlice<UInt8>] = []
    var endsWithBreak = true
    while !isAtEnd {
      let start = at
      while byte == 0x20, wanted.map({ column < $0 }) ?? true { at += 1 }
      if isAtBreak {
        lines.append([])
        nextLine()
        continue
      }
      if wanted == nil, column >= max(indent, 1) { wanted = column }
      guard let wanted, column >= wanted, !isMarker else {
        at = start
        break
      }
      let first = at
      while !isAtBreak { at += 1 }
      lines.append(bytes[first..<at])
      endsWithBreak = !isAtEnd
      nextLine()
    }
    let blank = lines.reversed().prefix { $0.isEmpty }.count
    lines.removeLast(blank)
    var text = isFolded ? YAMLStream.folded(lines) : Array(lines.joined(separator: [0x0a]))
    if let keeps, !lines.isEmpty, endsWithBreak { text += [UInt8](repeating: 0x0a, count: keeps ? blank + 1 : 1) }
    if keeps == true, lines.isEmpty { text += [UInt8](repeating: 0x0a, count: blank) }
    return String(decoding: text, as: UTF8.self)
  }

  /// Returns `lines` with a space in place of each single break between lines that are not indented further.
  private static func folded(_ lines: [ArraySlice<UInt8>]) -> [UInt8] {
    var result: [UInt8] = []
    var blank = 0
    var wasIndented = true
    for (i, line) in lines.enumerated() {
      if line.isEmpty {
        blank += 1
        continue
      }
      let isIndented = line.first == 0x20 || line.first == 0x09
      if i > 0 {
        let breaks = blank + (wasIndented || isIndented ? (i == blank ? 0 : 1) : 0)
        result += breaks == 0 ? [0x20] : [UInt8](repeating: 0x0a, count: breaks)
      }
      result += line
      blank = 0
      wasIndented = isIndented
    }
    return result
  }
}
