/// Returns the words of `line` as iptables-restore splits them: at spaces and tabs outside double quotes, within which
/// a backslash keeps the next character; nothing if a quote is not closed.
func words(of line: Substring) -> [String]? {
  var result: [String] = []
  var word: [UInt8] = []
  var isQuoted = false
  var isEscaped = false
  var hasBegun = false
  for byte in line.utf8 {
    if isQuoted {
      if isEscaped {
        word.append(byte)
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "\"") {
        isQuoted = false
      } else {
        word.append(byte)
      }
    } else if byte == UInt8(ascii: "\"") {
      isQuoted = true
      hasBegun = true
    } else if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
      if hasBegun { result.append(String(decoding: word, as: UTF8.self)) }
      word = []
      hasBegun = false
    } else {
      word.append(byte)
      hasBegun = true
    }
  }
  guard !isQuoted else { return nil }
  if hasBegun { result.append(String(decoding: word, as: UTF8.self)) }
  return result
}
