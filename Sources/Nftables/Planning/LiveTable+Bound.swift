extension LiveTable {
  /// Takes rules that lead to chains which stand in them for what no ruleset of ours has.
  ///
  /// Such a chain has a name that the kernel made up, and comes and goes with its rule (`NFT_CHAIN_BINDING`,
  /// linux/netfilter/nf_tables.h).
  ///
  /// - Parameter bound: the rules of those chains, by the chains' names.
  public mutating func takeIn(bound: [String: [LiveRule]]) {
    guard !bound.isEmpty else { return }
    for i in chains.indices {
      for j in chains[i].rules.indices {
        guard let rule = chains[i].rules[j].rule else { continue }
        var references = References()
        references.add([rule])
        let inner = references.chains.sorted().flatMap { bound[$0] ?? [] }
        guard references.chains.contains(where: { bound[$0] != nil }) else { continue }
        let lines = inner.map { $0.rule.map(Printer.line) ?? $0.text }
        chains[i].rules[j].rule = nil
        chains[i].rules[j].text = "\(Printer.line(rule)) { \(lines.joined(separator: "; ")) }"
      }
    }
  }
}
