/// Returns the words of `line` as iptables-restore splits them, or nothing if a quote is not closed.
///
/// They end at spaces and tabs outside double quotes, within which a backslash keeps the next character, and at a
/// closing quote.
func words(of line: Substring) -> [String]? {
  var result: [String] = []
  var word: [UInt8] = []
  var isQuoted = false
  var isEscaped = false
  func end(_ word: inout [UInt8]) {
    result.append(String(decoding: word, as: UTF8.self))
    word.removeAll(keepingCapacity: true)
  }
  for byte in line.utf8 {
    if isQuoted {
      if isEscaped {
        word.append(byte)
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "\"") {
        isQuoted = false
        end(&word)
      } else {
        word.append(byte)
      }
    } else if byte == UInt8(ascii: "\"") {
      isQuoted = true
    } else if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
      if !word.isEmpty { end(&word) }
    } else {
      word.append(byte)
    }
  }
  guard !isQuoted else { return nil }
  if !word.isEmpty { end(&word) }
  return result
}

/// Returns the number that `text` writes in decimal digits alone, or nothing if it is none or too large.
func number<Value: FixedWidthInteger>(_ text: some StringProtocol) -> Value? {
  text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Value(text) : nil
}
