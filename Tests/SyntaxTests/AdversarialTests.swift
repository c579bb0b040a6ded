import Syntax
import Testing

/// Hostile input is answered in bounded time, with a bounded number of findings.
@Suite(.timeLimit(.minutes(5))) struct AdversarialTests {
  @Test(arguments: [
    "{", "}", "\"", "\u{0}", ",", ";", "#", "\\", "zone a {", "cluster c { workload s {", "service s { port ", "never ",
    "a, ", "\"\\", "é", "\u{202E}", "9", "1.", ":", "-", "block a,\n", "block a\nuntil\n", "\n\n# c\n", "zone a {}",
  ])
  func aPatternIsRepeated(_ pattern: String) {
    let bytes = Array(String(repeating: pattern, count: 3_000).utf8)
    let (tree, diagnostics) = parse(SourceFile(path: "a.port", bytes: bytes), at: 0)
    #expect(rebuilt(bytes, tree.tokens) == bytes)
    #expect(diagnostics.count <= 101)
  }

  @Test func anUnreadableFileHasAtMost100FindingsAndAWordOnTheRest() {
    let text = String(repeating: "zzzz\n", count: 1_000)
    let diagnostics = parsed(text).diagnostics
    #expect(diagnostics.count == 101)
    #expect(diagnostics.last?.message == "900 more errors in this file are not shown")
  }

  @Test func numbersMayBeLong() {
    let digits = String(repeating: "9", count: 400)
    for text in [
      "service s { port \(digits)/tcp }", "block \(digits)", "block 10.0.0.\(digits)", "block 10.0.0.0/\(digits)",
      "policy { log denied \(digits)/second }", "block a until \(digits)-01-01", "block 1.1.1.1-\(digits)",
      "policy { nodeports \(digits) }", "service s { port \(digits)/icmp }", "block \(digits)::1",
    ] {
      let diagnostics = parsed(text).diagnostics
      #expect(diagnostics.count == 1, "\(text)")
      #expect(diagnostics.allSatisfy { $0.message.utf8.count < 200 })
    }
  }

  @Test func aLineMayBeLong() {
    let text =
      "zone a { " + (0..<10_000).map { "10.\($0 / 65536).\($0 / 256 % 256).\($0 % 256)" }.joined(separator: ", ")
      + " }\n"
    let (tree, diagnostics) = parsed(text)
    #expect(diagnostics.isEmpty && tree.zones[0].members.count == 10_000)
    let tidy = formatted(SourceFile(path: "a", text: text))
    #expect(tidy?.split(separator: "\n").allSatisfy { $0.utf8.count <= 100 } == true)
  }

  @Test func noBytesAreTooStrange() {
    var state: UInt64 = 88_172_645_463_325_252
    for _ in 0..<100 {
      var bytes: [UInt8] = []
      for _ in 0..<400 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        bytes.append(UInt8(truncatingIfNeeded: state >> 32))
      }
      checkInvariants(of: bytes)
    }
  }
}
