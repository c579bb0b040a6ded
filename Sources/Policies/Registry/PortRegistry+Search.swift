import Packets

extension PortRegistry {
  /// The letters that stand for the transports.
  static let letters: [(letter: UInt8, transport: TransportProtocol)] = [
    (UInt8(ascii: "t"), .tcp), (UInt8(ascii: "u"), .udp), (UInt8(ascii: "s"), .sctp), (UInt8(ascii: "d"), .dccp),
  ]

  /// Returns the letter that stands for `transport`, if the registry knows it.
  static func letter(of transport: TransportProtocol) -> UInt8? {
    switch transport {
    case .tcp: UInt8(ascii: "t")
    case .udp: UInt8(ascii: "u")
    case .sctp: UInt8(ascii: "s")
    case .dccp: UInt8(ascii: "d")
    default: nil
    }
  }

  /// Returns where the names begin in the line of `port`, if there is such a line.
  static func line(of port: UInt16, in text: borrowing Span<UInt8>) -> Int? {
    // The first line that begins above the port; the one before it is the only one that can hold the port.
    var low = 0
    var high = text.count
    while low < high {
      let line = startOfLine(at: (low + high) / 2, in: text)
      if number(in: text, at: line) > Int(port) { high = line } else { low = startOfNextLine(at: line, in: text) }
    }
    guard low > 0 else { return nil }
    let line = startOfLine(at: low - 1, in: text)
    return ports(in: text, at: line).contains(port) ? endOfWord(at: line, in: text) : nil
  }

  /// Returns where the line of `name` begins, if there is one.
  static func line(of name: borrowing Span<UInt8>, in text: borrowing Span<UInt8>) -> Int? {
    var low = 0
    var high = text.count
    while low < high {
      let line = startOfLine(at: (low + high) / 2, in: text)
      let order = compareNames(text, line..<endOfWord(at: line, in: text), name)
      if order == 0 { return line }
      if order > 0 { high = line } else { low = startOfNextLine(at: line, in: text) }
    }
    return nil
  }

  /// Returns where the line that holds `position` begins.
  static func startOfLine(at position: Int, in text: borrowing Span<UInt8>) -> Int {
    var result = position
    while result > 0, text[result - 1] != UInt8(ascii: "\n") { result -= 1 }
    return result
  }

  /// Returns where the line after that of `position` begins.
  static func startOfNextLine(at position: Int, in text: borrowing Span<UInt8>) -> Int {
    var result = position
    while result < text.count, text[result] != UInt8(ascii: "\n") { result += 1 }
    return min(result + 1, text.count)
  }

  /// Returns where the word at `position` ends.
  static func endOfWord(at position: Int, in text: borrowing Span<UInt8>) -> Int {
    var result = position
    while result < text.count, text[result] > UInt8(ascii: " ") { result += 1 }
    return result
  }

  /// Returns the places of the key and the letters of the word `key:letters` after the space at `position`, and moves
  /// `position` behind it; nothing at the end of the line.
  static func nextToken(in text: borrowing Span<UInt8>, from position: inout Int) -> (
    key: Range<Int>, letters: Range<Int>
  )? {
    guard position < text.count, text[position] == UInt8(ascii: " ") else { return nil }
    let start = position + 1
    var colon = start
    while text[colon] != UInt8(ascii: ":") { colon += 1 }
    position = endOfWord(at: colon, in: text)
    return (start..<colon, colon + 1..<position)
  }

  /// Returns the number at `position`.
  static func number(in text: borrowing Span<UInt8>, at position: Int) -> Int {
    var result = 0
    var position = position
    while position < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) {
      result = result * 10 + Int(text[position] - UInt8(ascii: "0"))
      position += 1
    }
    return result
  }

  /// Returns the port or the range at `position`.
  static func ports(in text: borrowing Span<UInt8>, at position: Int) -> PortRange {
    let lower = number(in: text, at: position)
    var end = position
    while end < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[end]) { end += 1 }
    guard end < text.count, text[end] == UInt8(ascii: "-") else { return PortRange(UInt16(lower)) }
    return PortRange(from: UInt16(lower), through: UInt16(number(in: text, at: end + 1)))
  }
}

/// Returns how the word at `place` of `text` stands to `name` in lower case: below zero before it, zero if equal.
func compareNames(_ text: borrowing Span<UInt8>, _ place: Range<Int>, _ name: borrowing Span<UInt8>) -> Int {
  for i in 0..<min(place.count, name.count) {
    let a = loweredASCII(text[place.lowerBound + i])
    let b = loweredASCII(name[i])
    if a != b { return Int(a) - Int(b) }
  }
  return place.count - name.count
}

/// Returns the letter `byte` in lower case, and whatever else as it is.
func loweredASCII(_ byte: UInt8) -> UInt8 {
  (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}

extension String {
  /// Returns the text between two distances from the start, in bytes, in constant time.
  func utf8Slice(_ place: Range<Int>) -> Substring {
    self[utf8.index(startIndex, offsetBy: place.lowerBound)..<utf8.index(startIndex, offsetBy: place.upperBound)]
  }
}
