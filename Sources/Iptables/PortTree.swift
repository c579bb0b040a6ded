import Packets

/// Decisions for ranges of ports, divided so that few have to be asked for any port.
///
/// A node first asks those of its entries that reach over its parts, and what must be asked before these, then the part
/// that the port is in.
struct PortTree {
  /// Something that is decided for a range of ports.
  struct Entry {
    /// The ports.
    var range: PortRange
    /// The position in a list of what is decided.
    var index: Int
  }

  /// How many entries a node asks one after the other.
  private static let leafSize = 12

  /// Into how many parts a node is divided.
  private static let fanOut = 12

  /// The entries that are asked first, or all of them if there are no parts.
  private(set) var entries: [Entry]

  /// The parts, with the ports that each is for.
  private(set) var parts: [(range: PortRange, tree: PortTree)] = []

  /// Creates the tree of `entries`, which are in the order of their first ports.
  ///
  /// Of two entries for a port, that is asked first of which `precedes` says so, if it says so of one.
  init(_ entries: [Entry], precedes: ((Int, Int) -> Bool)?) {
    let starts = Self.starts(of: entries)
    guard entries.count > Self.leafSize, starts.count > 1 else {
      self.entries = entries
      return
    }
    var (straddling, inner) = Self.divided(entries, at: starts)
    if let precedes, !straddling.isEmpty {
      // What precedes an entry that is asked here is asked here too, and what precedes that.
      var added = straddling
      while !added.isEmpty {
        let later = added
        func isFirst(_ entry: Entry) -> Bool {
          later.contains { entry.range.overlaps($0.range) && precedes(entry.index, $0.index) }
        }
        added = inner.flatMap { $0.filter(isFirst) }
        guard !added.isEmpty else { break }
        for i in inner.indices { inner[i].removeAll(where: isFirst) }
        straddling += added
      }
    }
    self.entries = straddling.sorted { $0.index < $1.index }
    for (i, entries) in inner.enumerated() where !entries.isEmpty {
      let last = i + 1 < starts.count ? starts[i + 1] - 1 : entries.reduce(0) { max($0, $1.range.upper) }
      parts.append((PortRange(from: starts[i], through: last), PortTree(entries, precedes: precedes)))
    }
  }

  /// Returns those of `entries` that reach over the parts that begin at `starts`, and the others, part by part.
  private static func divided(_ entries: [Entry], at starts: [UInt16]) -> (straddling: [Entry], inner: [[Entry]]) {
    var straddling: [Entry] = []
    var inner: [[Entry]] = Array(repeating: [], count: starts.count)
    var part = 0
    for entry in entries {
      while part + 1 < starts.count, starts[part + 1] <= entry.range.lower { part += 1 }
      let isInside = part + 1 == starts.count || entry.range.upper < starts[part + 1]
      if isInside { inner[part].append(entry) } else { straddling.append(entry) }
    }
    return (straddling, inner)
  }

  /// Returns where the parts of `entries` begin, of about equally many entries each.
  private static func starts(of entries: [Entry]) -> [UInt16] {
    guard let first = entries.first else { return [] }
    var result = [first.range.lower]
    let count = max(2, min(fanOut, (entries.count + leafSize - 1) / leafSize))
    for i in 1..<count {
      let start = entries[i * entries.count / count].range.lower
      if start != result[result.count - 1] { result.append(start) }
    }
    return result
  }
}

extension Compiler {
  /// Writes the decisions of `tree` into chains of a table, the first into the chain at `chain`.
  ///
  /// The names of further chains begin with `stem`; `end` is what happens to what nothing matches, if anything: every
  /// chain ends so, that none has to return. `leaf` writes the rules of entries.
  mutating func write(
    _ tree: PortTree, of transport: TransportProtocol, to table: WritableKeyPath<Compiler, TableBuilder>,
    into chain: Int, stem: String, end: Target?,
    write leaf: (inout Compiler, Int, [PortTree.Entry]) -> Void
  ) {
    leaf(&self, chain, tree.entries)
    for part in tree.parts {
      let name = self[keyPath: table].nextName(stem)
      var rule = Rule.matching(transport, [part.range])
      rule.target = .goto(name)
      self[keyPath: table].append(rule, to: chain)
      let inner = self[keyPath: table].add(name)
      write(part.tree, of: transport, to: table, into: inner, stem: stem, end: end, write: leaf)
    }
    if let end { self[keyPath: table].append(Rule(target: end), to: chain) }
  }
}
