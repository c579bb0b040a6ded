import Netlink
import Nftables
import Support
import Testing

/// Each golden table, written to the kernel and read from it.
@Suite struct GoldenTableTests {
  @Test(arguments: Goldens.texts.map(\.path))
  func `is listed as the text is, and read back`(path: String) throws {
    let text = try #require(Goldens.texts.first { $0.path == path }?.text)
    try check(text)
  }

  @Test func `every field, comparison and statement is listed as the text is, and read back`() throws {
    try check(Samples.everything)
  }

  @Test func thereAreGoldenTables() { #expect(Goldens.texts.count > 40) }

  /// Compares what netlink and nft(8) make of `text`.
  private func check(_ text: String) throws {
    let table = try Goldens.table(text)
    let host = try Host()
    let wanted = try host.objects(of: text)
    let generation = try host.kernel.generation().number
    try host.kernel.check(.creating(table))
    #expect(try host.kernel.generation().number == generation)
    #expect(try host.kernel.table(named: table.name) == nil)
    try host.kernel.carryOut(.creating(table), generation: generation)
    #expect(try host.objects() == wanted)
    let live = try #require(try host.kernel.table(named: table.name))
    #expect(live.unknowns == [])
    expectEqual(live.table, table.canonical)
    // What nft(8) makes of its own listing is the same again.
    let listing = try host.listing()
    try host.load("flush ruleset\n" + listing)
    #expect(try host.listing() == listing)
    // A table that nft(8) loaded is read as the same table.
    try host.load("flush ruleset\n" + text)
    let loaded = try #require(try host.kernel.table(named: table.name))
    #expect(loaded.unknowns == [])
    expectEqual(loaded.table, table.canonical)
  }
}

/// Records what is different between `table` and `wanted`.
func expectEqual(_ table: Table, _ wanted: Table, sourceLocation: SourceLocation = #_sourceLocation) {
  guard table != wanted else { return }
  let a = Script([.define(table)]).text.split(separator: "\n", omittingEmptySubsequences: false)
  let b = Script([.define(wanted)]).text.split(separator: "\n", omittingEmptySubsequences: false)
  let i = zip(a, b).enumerated().first { $1.0 != $1.1 }?.offset ?? min(a.count, b.count)
  Issue.record(
    "line \(i + 1): \(i < a.count ? a[i] : "(end)")\nwanted:  \(i < b.count ? b[i] : "(end)")",
    sourceLocation: sourceLocation)
}
