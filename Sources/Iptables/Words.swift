/// Returns the words of `line` as iptables-restore splits them, or nothing if a quote is not closed.
///
/// They end at spaces and tabs outside double quotes, within which a backslash keeps the next character, and at a
/// closing quote.
func words(of line: Substring) -> [String]? {
  var result: [String] = []
  result.reserveCapacity(16)
  let bytes = line.utf8.span
  func part(_ range: Range<Int>) -> Substring {
    let start = line.utf8.index(line.startIndex, offsetBy: range.lowerBound)
    return line[start..<line.utf8.index(start, offsetBy: range.count)]
  }
  // Where the word began that is being read, if it is one stretch of the line.
  var start: Int?
  var at = 0
  while at < bytes.count {
    switch bytes[at] {
    case UInt8(ascii: " "), UInt8(ascii: "\t"):
      if let first = start { result.append(String(part(first..<at))) }
      start = nil
    case UInt8(ascii: "\""):
      var word = start.map { Array(part($0..<at).utf8) } ?? []
      guard let end = quoted(bytes, behind: at, into: &word) else { return nil }
      result.append(String(decoding: word, as: UTF8.self))
      at = end
      start = nil
    default:
      if start == nil { start = at }
    }
    at += 1
  }
  if let first = start { result.append(String(part(first..<at))) }
  return result
}

/// Appends to `word` what stands between the quote at `position` and the one that closes it, and returns where that is,
/// or nothing if there is none.
private func quoted(_ bytes: Span<UInt8>, behind position: Int, into word: inout [UInt8]) -> Int? {
  var isEscaped = false
  for at in position + 1..<bytes.count {
    let byte = bytes[at]
    if !isEscaped, byte == UInt8(ascii: "\"") { return at }
    isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
    if !isEscaped { word.append(byte) }
  }
  return nil
}

/// Returns the number that `text` writes in decimal digits alone, or nothing if it is none or too large.
func number<Value: FixedWidthInteger>(_ text: some StringProtocol) -> Value? {
  text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Value(text) : nil
}

/// Returns what of `text` stands before the first `separator`, which is an ASCII character, and what stands behind it, if
/// there is one.
func halves(of text: Substring, at separator: Unicode.Scalar) -> (Substring, Substring?) {
  guard let position = text.utf8.firstIndex(of: UInt8(ascii: separator)) else { return (text, nil) }
  return (text[..<position], text[text.utf8.index(after: position)...])
}
