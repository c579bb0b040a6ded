// swift-format-ignore-file: NeverForceUnwrap

import Firewalls
import Nftables
import Packets
import Support
import Testing

@Suite struct ParsingTests {
  @Test(arguments: LoadingTests.shapes.map(\.0)) func whatIsWrittenIsRead(name: String) throws {
    let firewall = LoadingTests.shapes.first { $0.0 == name }!.1
    let (table, _) = NftablesBackend.table(for: firewall, sources: sampleSources)
    let script = NftablesBackend.replacement(by: table, for: firewall)
    #expect(try Script(parsing: script.text) == script)
    let (steps, _) = NftablesBackend.replacement(for: firewall, in: .b, sources: sampleSources)
    for script in [steps.stage, steps.swap, steps.retire, steps.clean] {
      #expect(try Script(parsing: script.text) == script)
    }
  }

  @Test(arguments: 0..<30 as Range<UInt64>) func randomRulesetsAreRead(seed: UInt64) throws {
    var world = RandomWorld(seed: seed)
    let firewall = world.firewall(services: 30)
    let (table, _) = NftablesBackend.table(for: firewall, sources: sampleSources)
    let script = NftablesBackend.replacement(by: table, for: firewall)
    #expect(try Script(parsing: script.text) == script)
  }

  /// Whatever the text, the reader says so or makes of it what writes the same again.
  @Test func mutatedTextIsReadOrRefused() throws {
    var world = RandomWorld(seed: 7)
    let firewall = world.firewall(services: 6)
    let (table, _) = NftablesBackend.table(for: firewall, sources: sampleSources)
    let text = Array(NftablesBackend.replacement(by: table, for: firewall).text.utf8)
    var refused = 0
    for _ in 0..<300 {
      var bytes = text
      let at = Int.random(in: 0..<bytes.count, using: &world.random)
      switch Int.random(in: 0..<3, using: &world.random) {
      case 0: bytes.removeSubrange(at..<min(bytes.count, at + 5))
      case 1: bytes[at] = UInt8.random(in: 9...126, using: &world.random)
      default: bytes = Array(bytes.prefix(at))
      }
      do {
        let script = try Script(parsing: String(decoding: bytes, as: UTF8.self))
        #expect(try Script(parsing: script.text) == script)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 100)
  }

  @Test(arguments: [
    "add rule inet x y meta time < -5 accept\n",
    "flush ruleset\n", "table ip x {\n}\n", "table inet x {\n\tset s {\n\t\ttype ether_addr\n\t}\n}\n",
  ])
  func whatIsNotWrittenIsRefused(text: String) {
    #expect(throws: ScriptError.self) { try Script(parsing: text) }
  }
}
