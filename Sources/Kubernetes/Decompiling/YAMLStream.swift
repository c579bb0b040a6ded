/// The documents of a YAML text as kubectl, helm and people write manifests: blocks, flow collections (hence JSON), every
/// kind of scalar, comments, several documents.
///
/// What manifests do not need is an error that says so: anchors and aliases, tags, directives, complex keys. Plain scalars
/// have the types that kubectl gives them, which are those of YAML 1.1 (`yes` is a truth value, `0o17` a number).
struct YAMLStream {
  private let bytes: [UInt8]
  /// The position of the next byte.
  private var at = 0
  /// Where the line of `at` begins.
  private var lineStart = 0

  private static let deepest = 64

  /// Returns the documents of `text`; those without content are left out.
  static func documents(of text: String) throws(ManifestError) -> [YAML] {
    var stream = YAMLStream(bytes: Array(text.utf8))
    return try stream.documents()
  }

  private init(bytes: [UInt8]) {
    // A byte order mark says nothing here.
    self.bytes = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
  }

  private mutating func documents() throws(ManifestError) -> [YAML] {
    var result: [YAML] = []
    while true {
      try skipToContent()
      while isMarker {
        skipMarker()
        try skipToContent()
      }
      if isAtEnd { return result }
      if column == 0, byte == UInt8(ascii: "%") { throw error("directives are not read here") }
      let value = try node(atLeast: 0, depth: 0)
      if value != .null { result.append(value) }
      try skipToContent()
      guard isAtEnd || isMarker else { throw error("this does not belong to what is above it") }
    }
  }

  // MARK: - Characters

  private var isAtEnd: Bool { at >= bytes.count }

  /// The next byte; a line feed at the end.
  private var byte: UInt8 { at < bytes.count ? bytes[at] : 0x0a }

  private func byte(_ distance: Int) -> UInt8 { at + distance < bytes.count ? bytes[at + distance] : 0x0a }

  private var column: Int { at - lineStart }

  private static func isBreak(_ byte: UInt8) -> Bool { byte == 0x0a || byte == 0x0d }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || isBreak(byte) }

  private var isAtBreak: Bool { YAMLStream.isBreak(byte) }

  private func error(_ message: String) -> ManifestError {
    var line = 1
    for byte in bytes[..<min(at, bytes.count)] where byte == 0x0a { line += 1 }
    return ManifestError("line \(line)", message)
  }

  /// Goes behind the next line break, or to the end.
  private mutating func nextLine() {
    while !isAtEnd, bytes[at] != 0x0a { at += 1 }
    if !isAtEnd { at += 1 }
    lineStart = at
  }

  /// Goes behind spaces, and behind a comment that follows them.
  private mutating func skipSpaces() {
    let start = at
    while !isAtEnd, byte == 0x20 || byte == 0x09 { at += 1 }
    guard byte == UInt8(ascii: "#"), at > start || column == 0 else { return }
    while !isAtBreak { at += 1 }
  }

  /// Goes to the next byte that is neither a space, a line break nor in a comment.
  private mutating func skipToContent() throws(ManifestError) {
    while !isAtEnd {
      let isIndentation = at == lineStart
      let start = at
      skipSpaces()
      if isAtEnd { return }
      if isAtBreak {
        nextLine()
        continue
      }
      if isIndentation, bytes[start..<at].contains(0x09) { throw error("a tab is no indentation") }
      return
    }
  }

  /// `true` iff a line begins here that ends a document, or begins one.
  private var isMarker: Bool {
    guard column == 0, !isAtEnd, YAMLStream.isBlank(byte(3)) else { return false }
    return byte == byte(1) && byte == byte(2) && (byte == UInt8(ascii: "-") || byte == UInt8(ascii: "."))
  }

  private mutating func skipMarker() { at += 3 }

  // MARK: - Blocks

  /// Returns the value that begins here, whose lines are indented by `indent` or more.
  private mutating func node(atLeast indent: Int, depth: Int) throws(ManifestError) -> YAML {
    guard depth < YAMLStream.deepest else { throw error("it is nested too deeply") }
    if isItem { return try sequence(at: column, depth: depth) }
    try refuseWhatIsNotRead()
    if try isKeyHere() { return try mapping(at: column, depth: depth) }
    return try value(atLeast: indent, depth: depth)
  }

  /// `true` iff an item of a list begins here.
  private var isItem: Bool { byte == UInt8(ascii: "-") && YAMLStream.isBlank(byte(1)) }

  private func refuseWhatIsNotRead() throws(ManifestError) {
    switch byte {
    case UInt8(ascii: "&"), UInt8(ascii: "*"): throw error("anchors and aliases are not read here")
    case UInt8(ascii: "!"): throw error("tags are not read here")
    case UInt8(ascii: "?") where YAMLStream.isBlank(byte(1)): throw error("complex keys are not read here")
    case UInt8(ascii: "@"), UInt8(ascii: "`"), UInt8(ascii: "%"): throw error("no value begins so")
    default: break
    }
  }

  /// Returns `true` iff a key with its colon stands here, on one line.
  private func isKeyHere() throws(ManifestError) -> Bool {
    var probe = self
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      let start = probe.lineStart
      guard (try? probe.quoted(atLeast: 0)) != nil, probe.lineStart == start else { return false }
      while probe.byte == 0x20 { probe.at += 1 }
    case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: ">"): return false
    default:
      _ = probe.plainLine(inFlow: false)
      while probe.byte == 0x20 { probe.at += 1 }
    }
    return probe.byte == UInt8(ascii: ":") && YAMLStream.isBlank(probe.byte(1))
  }

  private mutating func sequence(at indent: Int, depth: Int) throws(ManifestError) -> YAML {
    var items: [YAML] = []
    while !isAtEnd, column == indent, isItem, !isMarker {
      at += 1
      skipSpaces()
      if isAtBreak {
        try skipToContent()
        let isNested = !isAtEnd && column > indent && !isMarker
        items.append(isNested ? try node(atLeast: indent + 1, depth: depth + 1) : .null)
      } else {
        items.append(try node(atLeast: indent + 1, depth: depth + 1))
      }
      try skipToContent()
    }
    if !isAtEnd, column > indent { throw error("this is indented more than the items above it") }
    return .sequence(items)
  }

  private mutating func mapping(at indent: Int, depth: Int) throws(ManifestError) -> YAML {
    var fields: [YAML.Field] = []
    var keys: Set<String> = []
    while !isAtEnd, column == indent, !isMarker, !isItem {
      try refuseWhatIsNotRead()
      guard try isKeyHere() else { throw error("a key is expected") }
      let key = try key(inFlow: false)
      guard keys.insert(key).inserted else { throw error("`\(key)` is there twice") }
      guard key != "<<" else { throw error("merge keys are not read here") }
      while byte == 0x20 { at += 1 }
      at += 1
      skipSpaces()
      fields.append(YAML.Field(key, try field(of: indent, depth: depth)))
      try skipToContent()
    }
    if !isAtEnd, column > indent { throw error("this is indented more than the keys above it") }
    return .mapping(fields)
  }

  /// Returns what stands behind the colon of a key that is indented by `indent`.
  private mutating func field(of indent: Int, depth: Int) throws(ManifestError) -> YAML {
    guard isAtBreak else {
      try refuseWhatIsNotRead()
      if isItem { throw error("a list begins on a line of its own") }
      return try value(atLeast: indent + 1, depth: depth + 1)
    }
    try skipToContent()
    if isAtEnd || isMarker { return .null }
    if column > indent { return try node(atLeast: indent + 1, depth: depth + 1) }
    // Lists may stand at the indentation of their key.
    return column == indent && isItem ? try sequence(at: indent, depth: depth + 1) : .null
  }

  /// Returns the key that begins here.
  private mutating func key(inFlow: Bool) throws(ManifestError) -> String {
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") { return try quoted(atLeast: 0) }
    return String(decoding: plainLine(inFlow: inFlow), as: UTF8.self)
  }

  /// Returns the scalar or flow collection that begins here and is not a block.
  private mutating func value(atLeast indent: Int, depth: Int) throws(ManifestError) -> YAML {
    let result: YAML
    switch byte {
    case UInt8(ascii: "|"), UInt8(ascii: ">"): return .string(try blockScalar(atLeast: indent))
    case UInt8(ascii: "["), UInt8(ascii: "{"): result = try flow(depth: depth)
    case UInt8(ascii: "\""), UInt8(ascii: "'"): result = .string(try quoted(atLeast: indent))
    default: return try plain(atLeast: indent)
    }
    skipSpaces()
    guard isAtBreak else { throw error("this is not understood behind a value") }
    return result
  }

  // MARK: - Flow collections

  private mutating func flow(depth: Int) throws(ManifestError) -> YAML {
    guard depth < YAMLStream.deepest else { throw error("it is nested too deeply") }
    let isMapping = byte == UInt8(ascii: "{")
    let end = isMapping ? UInt8(ascii: "}") : UInt8(ascii: "]")
    at += 1
    var items: [YAML] = []
    var fields: [YAML.Field] = []
    var keys: Set<String> = []
    while true {
      try skipInFlow()
      if byte == end { break }
      try refuseWhatIsNotRead()
      if isMapping {
        let key = try key(inFlow: true)
        guard keys.insert(key).inserted else { throw error("`\(key)` is there twice") }
        try skipInFlow()
        var value = YAML.null
        if byte == UInt8(ascii: ":") {
          at += 1
          try skipInFlow()
          if byte != UInt8(ascii: ","), byte != end { value = try flowValue(depth: depth + 1) }
        }
        fields.append(YAML.Field(key, value))
      } else {
        items.append(try flowValue(depth: depth + 1))
      }
      try skipInFlow()
      if byte == UInt8(ascii: ",") {
        at += 1
      } else if byte != end {
        throw error("a comma or the end of a collection is expected")
      }
    }
    at += 1
    return isMapping ? .mapping(fields) : .sequence(items)
  }

  private mutating func flowValue(depth: Int) throws(ManifestError) -> YAML {
    try refuseWhatIsNotRead()
    switch byte {
    case UInt8(ascii: "["), UInt8(ascii: "{"): return try flow(depth: depth)
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return .string(try quoted(atLeast: 0))
    default:
      let word = plainLine(inFlow: true)
      guard !word.isEmpty else { throw error("a value is expected") }
      return YAML(plain: String(decoding: word, as: UTF8.self))
    }
  }

  /// Goes behind white space, line breaks and comments in a flow collection.
  private mutating func skipInFlow() throws(ManifestError) {
    while true {
      skipSpaces()
      if isAtEnd { throw error("a collection does not end") }
      guard isAtBreak else {
        if isMarker { throw error("a collection does not end") }
        return
      }
      nextLine()
    }
  }
}

// MARK: - Scalars

extension YAMLStream {
  /// Removes what a plain scalar has on this line, without spaces at its end, and returns it.
  private mutating func plainLine(inFlow: Bool) -> ArraySlice<UInt8> {
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
  private mutating func plain(atLeast indent: Int) throws(ManifestError) -> YAML {
    var words = Array(plainLine(inFlow: false))
    skipSpaces()
    guard isAtBreak else { throw error("a key with a value is not expected here") }
    guard !words.isEmpty else { return .null }
    var isFirst = true
    while !isAtEnd {
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
      isFirst = false
      skipSpaces()
      guard isAtBreak else { throw error("a key is not expected in a text of several lines") }
    }
    let text = String(decoding: words, as: UTF8.self)
    return isFirst ? YAML(plain: text) : .string(text)
  }

  /// Returns the quoted scalar that begins here; further lines of it are indented by `indent` or more.
  private mutating func quoted(atLeast indent: Int) throws(ManifestError) -> String {
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
  private mutating func blockScalar(atLeast indent: Int) throws(ManifestError) -> String {
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
      nextLine()
    }
    let blank = lines.reversed().prefix { $0.isEmpty }.count
    lines.removeLast(blank)
    var text = isFolded ? YAMLStream.folded(lines) : Array(lines.joined(separator: [0x0a]))
    if let keeps, !lines.isEmpty { text += [UInt8](repeating: 0x0a, count: keeps ? blank + 1 : 1) }
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
