import Syntax

/// Returns the tree and the findings of `text`.
func parsed(_ text: String) -> (tree: Tree, diagnostics: [Diagnostic]) {
  parse(SourceFile(path: "test.port", text: text), at: 0)
}

/// Returns what `text` is cut into, put together again.
func rebuilt(_ bytes: [UInt8], _ tokens: [Token]) -> [UInt8]? {
  var end: UInt32 = 0
  var result: [UInt8] = []
  for token in tokens {
    guard token.lower == end, token.upper >= token.lower, Int(token.upper) <= bytes.count else { return nil }
    result += bytes[Int(token.lower)..<Int(token.upper)]
    end = token.upper
  }
  return tokens.last?.kind == .end ? result : nil
}

/// The positions that 1️⃣, 2️⃣ and so on mark in a text, and the text without them.
struct Marked {
  /// The text.
  var text = ""
  /// The offset in bytes of each marker, by its number counted from 0.
  var offsets: [Int] = []

  /// Creates the text of `marked`.
  init(_ marked: String) {
    var found: [Int: Int] = [:]
    for c in marked {
      let scalars = Array(c.unicodeScalars)
      if scalars.count == 3, scalars[2].value == 0x20e3,
        let digit = scalars[0].properties.numericType.map({ _ in Int(scalars[0].value) - 48 })
      {
        found[digit - 1] = text.utf8.count
      } else {
        text.append(c)
      }
    }
    offsets = (0..<found.count).compactMap { found[$0] }
  }
}
