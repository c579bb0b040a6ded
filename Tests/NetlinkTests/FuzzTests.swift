import Netlink
import Nftables
import Support
import Testing

/// Bytes that no kernel sends: every reader ends, with an answer or an error.
@Suite struct FuzzTests {
  /// Every reader of answers.
  static let readers: [@Sendable (any NetfilterSocket) throws -> Void] = [
    { _ = try Kernel($0).table(named: "portcullis") }, { _ = try Kernel($0).generation() },
    { _ = try Kernel($0).baseChains() }, { _ = try Kernel($0).forEachConnection { _ in } },
    { _ = try Listeners($0).withoutProcesses() }, { _ = try ChangeEvents($0).next(within: 1) },
    { try Kernel($0).carryOut(Transaction("portcullis", [.createTable, .addChain("x", hook: nil)])) },
  ]

  @Test func `mutated answers`() throws {
    let host = try Host()
    try host.load(Samples.everything)
    let socket = RecordingSocket(try NetlinkSocket(inNamespace: "/run/netns/\(host.namespace.name)"))
    _ = try #require(try Kernel(socket).table(named: "portcullis"))
    let answers = try #require(RecordedSocket(parsing: socket.text)).answers
    // The record is answered as the kernel was.
    let replayed = try #require(RecordedSocket(parsing: socket.text))
    #expect(try Kernel(replayed).table(named: "portcullis")?.unknowns == [])
    var random = SeededGenerator(seed: 7)
    for _ in 0..<400 {
      var mutated = answers
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let i = Int.random(in: mutated.indices, using: &random)
        guard !mutated[i].isEmpty else { continue }
        let at = Int.random(in: mutated[i].indices, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: mutated[i][at] = UInt8.random(in: 0...255, using: &random)
        case 1: mutated[i][at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: mutated[i].removeSubrange(at..<min(at + 4, mutated[i].count))
        default: mutated[i][at] = 0
        }
      }
      for reader in FuzzTests.readers { try? reader(RecordedSocket(answers: mutated)) }
    }
  }

  @Test func `random answers`() {
    var random = SeededGenerator(seed: 11)
    for _ in 0..<2000 {
      // Well-formed on the outside, so that what is inside is reached: a length, a type, a number, then anything.
      let size = Int.random(in: 0...200, using: &random)
      var bytes: [UInt8] = [
        UInt8(size + 16), 0, UInt8.random(in: 0...25, using: &random), UInt8.random(in: 9...11, using: &random),
      ]
      bytes += [UInt8.random(in: 0...3, using: &random), 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
      bytes += (0..<size).map { _ in UInt8.random(in: 0...(Bool.random(using: &random) ? 255 : 20), using: &random) }
      for reader in FuzzTests.readers { try? reader(RecordedSocket(answers: [bytes, bytes])) }
    }
  }

  @Test func `lists nested deeply and lengths that lie`() {
    // Each attribute holds the rest.
    var bytes: [UInt8] = []
    for i in stride(from: 240, to: 4, by: -4) { bytes += [UInt8(i), 0, 1, 0x80] }
    let header: [UInt8] = [UInt8(bytes.count + 16), 1, 9, 10, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    for reader in FuzzTests.readers { try? reader(RecordedSocket(answers: [header + bytes])) }
    for length in 0..<24 {
      let lying: [UInt8] = [UInt8(length), 0, 2, 0, 0, 3, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]
      for reader in FuzzTests.readers { try? reader(RecordedSocket(answers: [lying])) }
    }
  }
}
