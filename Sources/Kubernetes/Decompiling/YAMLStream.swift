/// The documents of a YAML text as kubectl, helm and people write manifests: blocks, flow collections (hence JSON), every
/// kind of scalar, comments, several documents.
///
/// What manifests do not need is an error that says so: anchors and aliases, tags, directives, complex keys. Plain scalars
/// have the types that kubectl gives them, which are those of YAML 1.1 (`yes` is a truth value, `0o17` a number).
struct YAMLStream {
  let bytes: [UInt8]
  /// The position of the next byte.
  var at = 0
  /// Where the line of `at` begins.
  var lineStart = 0

  /// Where the items of the lists begin that are fields of a document, in order.
  private var itemStarts: [Int] = []

  private static let deepest = 64

  /// A document with the numbers of its lines, counted from 1.
  struct Document {
    /// What it says.
    var value: YAML

    /// Where it begins.
    var line: Int

    /// Where the items of the lists begin that are its fields, in order.
    var itemLines: [Int]
  }

  /// Returns the documents of `text`; those without content are left out.
  static func documents(of text: String) throws(ManifestError) -> [YAML] {
    try locatedDocuments(of: text).map(\.value)
  }

  /// Returns the documents of `text` with their places; those without content are left out.
  static func locatedDocuments(of text: String) throws(ManifestError) -> [Document] {
    var stream = YAMLStream(bytes: Array(text.utf8))
    return try stream.documents()
  }

  private init(bytes: [UInt8]) {
    // A byte order mark says nothing here.
    self.bytes = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
  }

  private mutating func documents() throws(ManifestError) -> [Document] {
    // Other control characters may not stand in YAML, and a return stands before a line feed.
    for (i, byte) in bytes.enumerated() where byte < 0x20 && byte != 0x09 && byte != 0x0a {
      guard byte == 0x0d, i + 1 < bytes.count, bytes[i + 1] == 0x0a else {
        at = i
        throw error("a control character does not stand in YAML")
      }
    }
    var result: [Document] = []
    // Lines are counted up to where the last one was asked for.
    var (line, counted) = (1, 0)
    func number(of position: Int) -> Int {
      for byte in bytes[counted..<position] where byte == 0x0a { line += 1 }
      counted = position
      return line
    }
    while true {
      try skipToContent()
      while isMarker {
        skipMarker()
        try skipToContent()
      }
      if isAtEnd { return result }
      if column == 0, byte == UInt8(ascii: "%") { throw error("directives are not read here") }
      itemStarts = []
      let start = number(of: at)
      let value = try node(atLeast: 0, depth: 0)
      if value != .null {
        result.append(Document(value: value, line: start, itemLines: itemStarts.map(number)))
      }
      try skipToContent()
      guard isAtEnd || isMarker else { throw error("this does not belong to what is above it") }
    }
  }

  // MARK: - Characters

  var isAtEnd: Bool { at >= bytes.count }

  /// The next byte; a line feed at the end.
  var byte: UInt8 { at < bytes.count ? bytes[at] : 0x0a }

  func byte(_ distance: Int) -> UInt8 { at + distance < bytes.count ? bytes[at + distance] : 0x0a }

  var column: Int { at - lineStart }

  static func isBreak(_ byte: UInt8) -> Bool { byte == 0x0a || byte == 0x0d }

  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || isBreak(byte) }

  var isAtBreak: Bool { YAMLStream.isBreak(byte) }

  func error(_ message: String) -> ManifestError {
    var line = 1
    for byte in bytes[..<min(at, bytes.count)] where byte == 0x0a { line += 1 }
    return ManifestError("line \(line)", message)
  }

  /// Goes behind the next line break, or to the end.
  mutating func nextLine() {
    while !isAtEnd, bytes[at] != 0x0a { at += 1 }
    if !isAtEnd { at += 1 }
    lineStart = at
  }

  /// Goes behind spaces, and behind a comment that follows them.
  mutating func skipSpaces() {
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
  var isMarker: Bool {
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
    case UInt8(ascii: "@"), UInt8(ascii: "`"), UInt8(ascii: "%"), UInt8(ascii: "]"), UInt8(ascii: "}"),
      UInt8(ascii: ","):
      throw error("no value begins so")
    case UInt8(ascii: ":") where YAMLStream.isBlank(byte(1)): throw error("a key is expected before the colon")
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
      if depth == 1 { itemStarts.append(at) }
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
        if depth == 1 { itemStarts.append(at) }
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
    case UInt8(ascii: "|"), UInt8(ascii: ">"), UInt8(ascii: "?"): throw error("no value of a collection begins so")
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
      if byte == UInt8(ascii: "#") { while !isAtBreak { at += 1 } }
      if isAtEnd { throw error("a collection does not end") }
      guard isAtBreak else {
        if isMarker { throw error("a collection does not end") }
        return
      }
      nextLine()
    }
  }
}

extension YAML {
  /// Returns the documents of `text`, which anybody may have written; those without content are left out.
  ///
  /// Anchors, aliases, tags, directives and complex keys are errors.
  public static func documents(in text: String) throws(ManifestError) -> [YAML] { try YAMLStream.documents(of: text) }
}
