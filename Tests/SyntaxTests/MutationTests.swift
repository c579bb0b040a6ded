import Syntax
import Testing

/// What must hold of every input holds of a short policy with small and large accidents.
@Suite(.timeLimit(.minutes(10))) struct MutationTests {
  private let bytes = Array(everything.utf8)
  private let tokens = parsed(everything).tree.tokens

  private func text(of index: Int) -> ArraySlice<UInt8> { bytes[Int(tokens[index].lower)..<Int(tokens[index].upper)] }

  @Test func tokensAreLeftOut() {
    for i in tokens.indices {
      checkInvariants(of: Array(bytes[..<Int(tokens[i].lower)] + bytes[Int(tokens[i].upper)...]))
    }
  }

  @Test func tokensAreDoubled() {
    for i in tokens.indices {
      checkInvariants(of: Array(bytes[..<Int(tokens[i].upper)] + text(of: i) + bytes[Int(tokens[i].upper)...]))
    }
  }

  @Test func neighboursAreExchanged() {
    for i in tokens.indices.dropLast(2) where tokens[i].kind != .space {
      let j = i + 2
      let between = bytes[Int(tokens[i].upper)..<Int(tokens[j].lower)]
      checkInvariants(
        of: Array(bytes[..<Int(tokens[i].lower)] + text(of: j) + between + text(of: i) + bytes[Int(tokens[j].upper)...])
      )
    }
  }

  @Test(arguments: ["}", "{", ".", "}.", "{}", "\"", ";}", "zone ", "service a {", "\u{1}", "expose\n", "block,"])
  func theSameMistakeAThousandTimes(_ text: String) {
    checkInvariants(of: Array(String(repeating: text, count: 1000).utf8))
  }

  @Test func theEndIsMissing() {
    for end in stride(from: 0, through: bytes.count, by: 2) { checkInvariants(of: Array(bytes[..<end])) }
  }

  @Test(arguments: [0x00, 0x20, 0xfd] as [UInt8])
  func aByteIsChanged(by mask: UInt8) {
    // Each byte is changed in one of the ways.
    for i in bytes.indices where i % 3 == Int(mask % 3) {
      var changed = bytes
      if mask == 0 { changed[i] = 0 } else { changed[i] ^= mask }
      checkInvariants(of: changed)
    }
  }

  @Test(arguments: [
    "\n", ";", ",", "{", "}", "#", "\"", " ", "\r\n", "\n\n# c\n", " # c\n", "\n# c", "{}", "\u{1F600}",
  ])
  func somethingIsPutBetweenTokens(_ text: String) {
    for token in tokens where token.kind != .space {
      checkInvariants(of: Array(bytes[..<Int(token.lower)] + text.utf8 + bytes[Int(token.lower)...]))
    }
  }

  @Test func linesAreJoinedAndCut() {
    // Each statement that can be is put on one line, and each list over as many as it has elements.
    checkInvariants(of: Array(listing.utf8))
    checkInvariants(of: bytes)
    let oneLine = listing.replacing(/[ ]*#[^\n]*/, with: "").replacing(/\n(\s*limit)/, with: { " \($0.1)" })
    checkInvariants(of: Array(oneLine.utf8))
    checkInvariants(of: Array(oneLine.replacing(", ", with: ",\n").utf8))
    checkInvariants(of: Array(oneLine.replacing(", ", with: ", # c\n\n\n # d\n").utf8))
    checkInvariants(of: Array(oneLine.replacing(" {", with: "\n{").utf8))
    checkInvariants(of: Array(oneLine.replacing(" {", with: " # c\n{").utf8))
    for clause in ["as", "via", "on", "until", "because", "ticket", "masquerade", "except"] {
      checkInvariants(of: Array(oneLine.replacing(" \(clause) ", with: "\n# c\n\(clause) ").utf8))
      checkInvariants(of: Array(oneLine.replacing(" \(clause) ", with: " # c\n\n\(clause) ").utf8))
    }
    checkInvariants(of: Array(oneLine.split(separator: "\n").joined(separator: ";").utf8))
  }
}
