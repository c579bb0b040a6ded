/// A JSON document (RFC 8259); the members of objects stay in the order in which they are given.
public indirect enum JSON: Sendable {
  /// `null`.
  case null

  /// `true` or `false`.
  case bool(Bool)

  /// A whole number.
  case number(Int)

  /// A text.
  case string(String)

  /// Values in order.
  case array([JSON])

  /// Named values in order.
  case object([(name: String, value: JSON)])

  /// Returns the text `s`, or `null`.
  public static func optional(_ s: String?) -> JSON { s.map { .string($0) } ?? .null }

  /// The document, indented by two spaces a level, with a line break at its end.
  public var text: String {
    var result: [UInt8] = []
    write(to: &result, depth: 0)
    result.append(UInt8(ascii: "\n"))
    return String(decoding: result, as: UTF8.self)
  }

  /// Appends the value to `output` as it stands `depth` levels deep.
  private func write(to output: inout [UInt8], depth: Int) {
    switch self {
    case .null: output += "null".utf8
    case .bool(let b): output += (b ? "true" : "false").utf8
    case .number(let n): output += String(n).utf8
    case .string(let s): JSON.write(s, to: &output)
    case .array(let values):
      JSON.write(values, between: "[", and: "]", to: &output, depth: depth) { value, output in
        value.write(to: &output, depth: depth + 1)
      }
    case .object(let members):
      JSON.write(members, between: "{", and: "}", to: &output, depth: depth) { member, output in
        JSON.write(member.name, to: &output)
        output += ": ".utf8
        member.value.write(to: &output, depth: depth + 1)
      }
    }
  }

  /// Appends `items`, each on a line of its own and written by `each`.
  private static func write<T>(
    _ items: [T], between open: StaticString, and close: StaticString, to output: inout [UInt8], depth: Int,
    each: (T, inout [UInt8]) -> Void
  ) {
    output += open.description.utf8
    for (i, item) in items.enumerated() {
      if i > 0 { output.append(UInt8(ascii: ",")) }
      output.append(UInt8(ascii: "\n"))
      output += repeatElement(UInt8(ascii: " "), count: 2 * (depth + 1))
      each(item, &output)
    }
    if !items.isEmpty {
      output.append(UInt8(ascii: "\n"))
      output += repeatElement(UInt8(ascii: " "), count: 2 * depth)
    }
    output += close.description.utf8
  }

  /// Appends `s` with its quotes.
  ///
  /// What a terminal could take for a command is escaped too, though JSON itself would allow it.
  private static func write(_ s: String, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    for c in s.unicodeScalars {
      switch c {
      case "\"": output += #"\""#.utf8
      case "\\": output += #"\\"#.utf8
      case "\n": output += #"\n"#.utf8
      case "\r": output += #"\r"#.utf8
      case "\t": output += #"\t"#.utf8
      case _ where c.isInvisible:
        for unit in String(c).utf16 {
          let digits = String(unit, radix: 16)
          output += #"\u"#.utf8
          output += repeatElement(UInt8(ascii: "0"), count: 4 - digits.utf8.count)
          output += digits.utf8
        }
      default: output += UTF8.encode(c).map { Array($0) } ?? []
      }
    }
    output.append(UInt8(ascii: "\""))
  }
}
