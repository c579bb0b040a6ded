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

  /// Whole answers of a kernel to a reader of tables, with the right lengths, types and numbers, and with random contents:
  /// what decodes rules and elements is reached.
  @Test func `random answers`() throws {
    var random = SeededGenerator(seed: 11)
    var (tables, rules, elements, refused) = (0, 0, 0, 0)
    for _ in 0..<3000 {
      var forger = Forger(random: random)
      let answers = forger.answers()
      random = forger.random
      for reader in FuzzTests.readers { try? reader(RecordedSocket(answers: answers)) }
      do throws(NetlinkError) {
        guard let live = try Kernel(RecordedSocket(answers: answers)).table(named: "portcullis") else { continue }
        tables += 1
        rules += live.chains.reduce(0) { $0 + $1.rules.count }
        elements += live.sets.reduce(0) { $0 + $1.elements.count }
      } catch {
        refused += 1
      }
    }
    #expect(tables > 500 && refused > 100, "\(tables) tables were read, and \(refused) refused")
    #expect(rules > 1000, "\(rules) rules")
    #expect(elements > 500, "\(elements) elements")
  }

  /// Single messages of every type for every reader.
  @Test func `random messages`() {
    var random = SeededGenerator(seed: 13)
    for _ in 0..<3000 {
      var forger = Forger(random: random)
      let subsystem = UInt8.random(in: 0...11, using: &forger.random)
      let type = UInt8.random(in: 0...25, using: &forger.random)
      let body = [2, 0, 0, 0] + forger.attributes(depth: 3)
      let answer = Forger.message(type, subsystem, number: 1, body)
      random = forger.random
      for reader in FuzzTests.readers { try? reader(RecordedSocket(answers: [answer, answer])) }
    }
  }

  @Test func `lists nested deeply and lengths that lie`() {
    // Each attribute holds the rest.
    for size in [240, 4096, 65_532] {
      var bytes: [UInt8] = []
      for length in stride(from: size, to: 4, by: -4) { bytes += [UInt8(length & 255), UInt8(length >> 8), 1, 0x80] }
      for type in 0...25 as ClosedRange<UInt8> {
        let answer = Forger.message(type, 10, number: 1, [1, 0, 0, 0] + bytes)
        for reader in FuzzTests.readers { try? reader(RecordedSocket(answers: [answer])) }
      }
    }
    for length in 0..<24 as Range<UInt8> {
      // An answer (`NLMSG_ERROR`) that says it is longer or shorter than it is, with an attribute that does too.
      let lying: [UInt8] = [length, 0, 0, 0, 2, 0, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]
      for reader in FuzzTests.readers { try? reader(RecordedSocket(answers: [lying])) }
      let attribute = Forger.message(0, 10, number: 1, [1, 0, 0, 0, length, 0, 1, 0, 112, 0])
      for reader in FuzzTests.readers { try? reader(RecordedSocket(answers: [attribute])) }
    }
  }
}
