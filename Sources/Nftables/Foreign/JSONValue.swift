/// A value of JSON (RFC 8259), as nft(8) prints them: numbers are whole.
indirect enum JSONValue: Hashable {
  case null
  case bool(Bool)
  case number(Int)
  case string(String)
  case array([JSONValue])
  /// The members in their order; of several with one name, the last counts.
  case object([Member])

  /// A name and its value.
  struct Member: Hashable {
    var name: String
    var value: JSONValue
  }

  /// The value of the member `name`, or nothing if there is none.
  subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name == name }?.value
  }

  /// The one member, or nothing if there are none or several.
  var only: Member? {
    guard case .object(let members) = self, members.count == 1 else { return nil }
    return members.first
  }

  /// The text, or nothing if the value is none.
  var string: String? { if case .string(let text) = self { text } else { nil } }

  /// The number, or nothing if the value is none.
  var number: Int? { if case .number(let number) = self { number } else { nil } }

  /// The elements, or nothing if the value is no array.
  var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

  /// What an element of a set stands for; nothing if it does so for some packets alone, or for some time.
  ///
  /// Comments and counters decide nothing; a rate, a quota or a timeout does.
  var plainElement: JSONValue? {
    guard let element = self["elem"] else { return self }
    guard case .object(let members) = element,
      members.allSatisfy({ ["val", "comment", "counter"].contains($0.name) })
    else { return nil }
    return element["val"]
  }

  /// The value in JSON without spaces, for messages.
  var text: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let value): String(value)
    case .string(let value): "\"\(value)\""
    case .array(let values): "[\(values.map(\.text).joined(separator: ","))]"
    case .object(let members): "{\(members.map { "\"\($0.name)\":\($0.value.text)" }.joined(separator: ","))}"
    }
  }
}

/// A reader of JSON.
struct JSONReader {
  /// How deep values may stand in one another.
  private static let deepest = 64

  private let octets: [UInt8]
  private var position = 0

  private init(_ text: String) { octets = Array(text.utf8) }

  /// Returns the value that `text` writes.
  static func value(of text: String) throws(Unreadable) -> JSONValue {
    var reader = JSONReader(text)
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.position == reader.octets.count else { throw reader.error("there is more behind the value") }
    return value
  }

  private func error(_ words: String) -> Unreadable {
    let line = octets.prefix(position).count { $0 == UInt8(ascii: "\n") } + 1
    return Unreadable(message: "line \(line) of the JSON, octet \(position): \(words)")
  }

  private var next: UInt8? { position < octets.count ? octets[position] : nil }

  private mutating func skipSpace() {
    while let octet = next, octet == 0x20 || octet == 0x0a || octet == 0x0d || octet == 0x09 { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(Unreadable) -> JSONValue {
    guard depth < JSONReader.deepest else { throw error("values stand too deep in one another") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return .number(try number())
    }
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(Unreadable) -> JSONValue {
    guard octets[position...].starts(with: word.utf8) else { throw error("no value begins like this") }
    position += word.utf8.count
    return value
  }

  private mutating func object(depth: Int) throws(Unreadable) -> JSONValue {
    position += 1
    var members: [JSONValue.Member] = []
    skipSpace()
    if take("}") { return .object([]) }
    repeat {
      skipSpace()
      let name = try string()
      skipSpace()
      guard take(":") else { throw error("`:` is missing") }
      members.append(.init(name: name, value: try value(depth: depth + 1)))
      skipSpace()
    } while take(",")
    guard take("}") else { throw error("`}` is missing") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(Unreadable) -> JSONValue {
    position += 1
    var values: [JSONValue] = []
    skipSpace()
    if take("]") { return .array([]) }
    repeat {
      values.append(try value(depth: depth + 1))
      skipSpace()
    } while take(",")
    guard take("]") else { throw error("`]` is missing") }
    return .array(values)
  }

  private mutating func number() throws(Unreadable) -> Int {
    let start = position
    _ = take("-")
    while let octet = next, octet >= UInt8(ascii: "0"), octet <= UInt8(ascii: "9") { position += 1 }
    guard let value = Int(String(decoding: octets[start..<position], as: UTF8.self)) else {
      throw error("a whole number is wanted")
    }
    if let octet = next, octet == UInt8(ascii: ".") || octet | 0x20 == UInt8(ascii: "e") {
      throw error("a whole number is wanted")
    }
    return value
  }

  private mutating func string() throws(Unreadable) -> String {
    guard take("\"") else { throw error("a text is wanted") }
    var text: [UInt8] = []
    while let octet = next {
      position += 1
      switch octet {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &text)
      default: text.append(octet)
      }
    }
    throw error("a text has no end")
  }

  private mutating func escape(into text: inout [UInt8]) throws(Unreadable) {
    guard let octet = next else { throw error("a text has no end") }
    position += 1
    switch octet {
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "u"):
      guard position + 4 <= octets.count,
        let unit = UInt16(String(decoding: octets[position..<position + 4], as: UTF8.self), radix: 16)
      else { throw error("four digits are wanted behind `\\u`") }
      position += 4
      // Halves of a pair are not put together: nft(8) writes none.
      text += Array((Unicode.Scalar(unit).map { String(Character($0)) } ?? "\u{fffd}").utf8)
    default: text.append(octet)
    }
  }
}
