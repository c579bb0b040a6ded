extension YAML {
  /// Creates the value that `text` is the document of; it reads what `text` writes, and refuses everything else.
  public init(_ text: String) throws(ManifestError) {
    var reader = Reader(text)
    self = try reader.document()
  }

  /// The state of a reader.
  private struct Reader {
    /// A line without its indentation.
    struct Line {
      var number: Int
      var indent: Int
      var content: ArraySlice<UInt8>
    }

    /// The lines that are neither empty nor comments.
    var lines: [Line] = []

    /// The position of the next line.
    var next = 0

    init(_ text: String) {
      let space = UInt8(ascii: " ")
      let bytes = Array(text.utf8)
      for (i, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
        let content = line.drop { $0 == space }
        guard let first = content.first, first != UInt8(ascii: "#") else { continue }
        lines.append(Line(number: i + 1, indent: line.count - content.count, content: content))
      }
    }

    /// Returns the error `message` about the line at `next`, or the last one.
    func error(_ message: String) -> ManifestError {
      ManifestError("line \(lines.indices.contains(next) ? lines[next].number : lines.last?.number ?? 1)", message)
    }

    mutating func document() throws(ManifestError) -> YAML {
      guard let first = lines.first else { throw error("there is nothing to read") }
      guard first.indent == 0 else { throw error("the first line is indented") }
      let value = try block(indent: 0, depth: 0)
      guard next == lines.count else { throw error("this does not belong to what is above it") }
      return value
    }

    /// Returns the value that begins at the next line, all of whose lines are indented by `indent` or more.
    mutating func block(indent: Int, depth: Int) throws(ManifestError) -> YAML {
      guard depth < 32 else { throw error("it is nested too deeply") }
      if isItem { return try sequence(indent: indent, depth: depth) }
      var line = lines[next].content
      if isEmptyCollection(line) { return try inline() }
      _ = try scalar(&line)
      if line.first == UInt8(ascii: ":") { return try mapping(indent: indent, depth: depth) }
      return try inline()
    }

    /// `true` iff the next line begins an item of a list.
    var isItem: Bool {
      next < lines.count && lines[next].content.starts(with: [UInt8(ascii: "-"), UInt8(ascii: " ")])
    }

    mutating func sequence(indent: Int, depth: Int) throws(ManifestError) -> YAML {
      var items: [YAML] = []
      while isItem, lines[next].indent == indent {
        // What follows the dash is as if it stood on a line of its own.
        lines[next].indent += 2
        lines[next].content = lines[next].content.dropFirst(2)
        items.append(try block(indent: indent + 2, depth: depth + 1))
      }
      return .sequence(items)
    }

    mutating func mapping(indent: Int, depth: Int) throws(ManifestError) -> YAML {
      var fields: [Field] = []
      var keys: Set<String> = []
      while next < lines.count, lines[next].indent == indent, !isItem {
        var content = lines[next].content
        guard case .string(let key) = try scalar(&content), content.first == UInt8(ascii: ":") else {
          throw error("a key is expected")
        }
        guard keys.insert(key).inserted else { throw error("`\(key)` is there twice") }
        content = content.dropFirst()
        guard content.isEmpty else {
          guard content.first == UInt8(ascii: " ") else { throw error("a space is expected behind the key") }
          lines[next].content = content.dropFirst()
          fields.append(Field(key, try inline()))
          continue
        }
        next += 1
        guard next < lines.count, lines[next].indent == indent + (isItem ? 0 : 2) else {
          throw error("`\(key)` has no value")
        }
        fields.append(Field(key, try block(indent: lines[next].indent, depth: depth + 1)))
      }
      return .mapping(fields)
    }

    /// Returns `true` iff `content` is `{}` or `[]`.
    func isEmptyCollection(_ content: ArraySlice<UInt8>) -> Bool {
      content.elementsEqual("{}".utf8) || content.elementsEqual("[]".utf8)
    }

    /// Returns the scalar or empty collection that is the rest of the next line.
    mutating func inline() throws(ManifestError) -> YAML {
      var content = lines[next].content
      let value: YAML
      if isEmptyCollection(content) {
        value = content.first == UInt8(ascii: "{") ? .mapping([]) : .sequence([])
      } else {
        value = try scalar(&content)
        guard content.isEmpty else { throw error("this is not understood behind a value") }
      }
      next += 1
      return value
    }

    /// Removes a scalar from the front of `content` and returns it.
    func scalar(_ content: inout ArraySlice<UInt8>) throws(ManifestError) -> YAML {
      if content.first == UInt8(ascii: "\"") { return .string(try quoted(&content)) }
      let bytes = content.prefix(while: YAML.isPlain)
      content = content.dropFirst(bytes.count)
      let word = String(decoding: bytes, as: UTF8.self)
      if word == "true" || word == "false" { return .boolean(word == "true") }
      if let number = Int(word), number >= 0, String(number) == word { return .number(number) }
      guard YAML.isPlain(word) else { throw error("`\(word)` needs quotes") }
      return .string(word)
    }

    /// Removes a string in double quotes from the front of `content` and returns it.
    func quoted(_ content: inout ArraySlice<UInt8>) throws(ManifestError) -> String {
      var bytes: [UInt8] = []
      content = content.dropFirst()
      while let byte = content.popFirst() {
        switch byte {
        case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
        case UInt8(ascii: "\\"): bytes.append(contentsOf: try escaped(&content))
        default: bytes.append(byte)
        }
      }
      throw error("a closing quote is missing")
    }

    /// Removes what follows a backslash from the front of `content` and returns what it stands for.
    func escaped(_ content: inout ArraySlice<UInt8>) throws(ManifestError) -> [UInt8] {
      let letter = content.popFirst()
      let width: Int
      switch letter {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): return [letter ?? 0]
      case UInt8(ascii: "n"): return [0x0a]
      case UInt8(ascii: "t"): return [0x09]
      case UInt8(ascii: "x"): width = 2
      case UInt8(ascii: "u"): width = 4
      case UInt8(ascii: "U"): width = 8
      default: throw error("the escape sequence is not known")
      }
      let digits = String(decoding: content.prefix(width), as: UTF8.self)
      content = content.dropFirst(width)
      guard digits.utf8.count == width, digits.allSatisfy(\.isHexDigit), let value = UInt32(digits, radix: 16),
        let scalar = Unicode.Scalar(value)
      else { throw error("the escape sequence names no character") }
      return Array(String(scalar).utf8)
    }
  }
}
