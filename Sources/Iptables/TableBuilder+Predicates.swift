import Firewalls
import Packets

// A reach of many addresses is told by a chain of its own, which sets a bit of the mark or clears it and comes back;
// each reach is written once, however many openings it is the audience of.
extension TableBuilder {
  /// How the rules of one decision match one end of the connection.
  enum Selection {
    /// By these, one rule each; none means that nothing of this family matches.
    case parts([Part])
    /// By the bit that the chain sets.
    case chain(String)
  }

  /// Returns how to match `side` with at most `limit` rules.
  mutating func select(_ side: Side, atMost limit: Int) -> Selection {
    if let parts = side.alternatives(family, atMost: limit) { return .parts(parts) }
    if let known = predicates[side] { return .chain(known) }
    let stem = side.end == .source ? "PORTCULLIS-FROM" : "PORTCULLIS-TO"
    let bit = side.end == .source ? Marks.from : Marks.to
    let yes = stem + "-YES"
    share(yes, Rule(target: Marks.set(bit)))
    let name = nextName(stem)
    predicates[side] = name
    let chain = add(name)
    fill(chain, stem: stem, with: side, yes: yes)
    append(Rule(target: Marks.clear(bit)), to: chain)
    return .chain(name)
  }

  /// Writes the rules that go to `yes` from the chain at `chain`, or come to its end.
  private mutating func fill(_ chain: Int, stem: String, with side: Side, yes: String) {
    // The sets of interfaces are disjoint: first those that are named, each judged to its end, then all others.
    var rest: AddressSet?
    var named: [(name: String, addresses: AddressSet?)] = []
    for reach in side.reaches {
      switch reach.interfaces {
      case .only(let names): named += names.map { ($0, reach.addresses) }
      case .except(let names):
        rest = reach.addresses
        for name in names where !side.reaches.contains(where: { $0.interfaces.names(name) }) {
          named.append((name, nil))
        }
      }
    }
    named.sort { $0.name < $1.name }
    for (interface, addresses) in named {
      if let addresses, !addresses.isEmpty(family) {
        let blocks = Side.blocks(of: addresses, family, atMost: 1)
        guard let block = blocks?.first else {
          let inner = nextName(stem)
          var call = Rule(target: .goto(inner))
          Part(end: side.end, interface: Selector(interface), addresses: .any).restrict(&call)
          append(call, to: chain)
          let position = add(inner)
          fill(position, stem: stem, with: addresses, end: side.end, yes: yes)
          append(Rule(target: Marks.clear(side.end == .source ? Marks.from : Marks.to)), to: position)
          continue
        }
        var rule = Rule(target: .goto(yes))
        Part(end: side.end, interface: Selector(interface), addresses: block).restrict(&rule)
        append(rule, to: chain)
      }
      // What came here on this interface is not in the reach; the bit is cleared before it returns.
      if rest != nil {
        let no = side.end == .source ? "PORTCULLIS-FROM-NO" : "PORTCULLIS-TO-NO"
        share(no, Rule(target: Marks.clear(side.end == .source ? Marks.from : Marks.to)))
        var rule = Rule(target: .goto(no))
        Part(end: side.end, interface: Selector(interface), addresses: .any).restrict(&rule)
        append(rule, to: chain)
      }
    }
    if let rest, !rest.isEmpty(family) { fill(chain, stem: stem, with: rest, end: side.end, yes: yes) }
  }

  /// Writes the rules that go to `yes` for `addresses` into the chain at `chain`; the names of further
  /// chains begin with `stem`.
  private mutating func fill(_ chain: Int, stem: String, with addresses: AddressSet, end: Side.End, yes: String) {
    if family == .ipv4 ? addresses.ipv4.isAll : addresses.ipv6.isAll {
      append(Rule(target: .goto(yes)), to: chain)
      return
    }
    var blocks: [Prefix] = []
    for range in addresses.ranges(family) {
      let prefixes = range.prefixes
      if prefixes.count <= 8 {
        blocks += prefixes
      } else {
        var rule = Rule(target: .goto(yes))
        Part(end: end, addresses: .range(range)).restrict(&rule)
        append(rule, to: chain)
      }
    }
    branch(blocks[...], into: chain, stem: stem, depth: 0, end: end, yes: yes)
  }

  /// Writes the rules that go to `yes` for `blocks`, which are in order and disjoint, into the chain at `chain`; many
  /// are grouped by their first bits into chains of their own.
  private mutating func branch(
    _ blocks: ArraySlice<Prefix>, into chain: Int, stem: String, depth: Int, end: Side.End, yes: String
  ) {
    guard blocks.count > 12, depth < 3, let first = blocks.first, let last = blocks.last else {
      for block in blocks {
        var rule = Rule(target: .goto(yes))
        Part(end: end, addresses: .block(block)).restrict(&rule)
        append(rule, to: chain)
      }
      return
    }
    let width = family.width
    let common = (first.address.value ^ last.address.value).leadingZeroBitCount - (128 - width)
    // The longest first bits that make at most 16 groups.
    var length = min(common + 1, width)
    while length < width, Self.groups(of: blocks, byFirst: length + 1, atMost: 16) != nil { length += 1 }
    for group in Self.groups(of: blocks, byFirst: length, atMost: .max) ?? [] {
      guard group.count > 1, let lead = group.first else {
        branch(group, into: chain, stem: stem, depth: 3, end: end, yes: yes)
        continue
      }
      let name = nextName(stem)
      let inner = add(name)
      var rule = Rule(target: .goto(name))
      Part(end: end, addresses: .block(Prefix(containing: lead.address, length: length))).restrict(&rule)
      append(rule, to: chain)
      branch(group, into: inner, stem: stem, depth: depth + 1, end: end, yes: yes)
      append(Rule(target: Marks.clear(end == .source ? Marks.from : Marks.to)), to: inner)
    }
  }

  /// Returns the runs of `blocks` that share their first `length` bits, a wider block being a run of its own, or
  /// nothing if there are more than `limit`.
  private static func groups(
    of blocks: ArraySlice<Prefix>, byFirst length: Int, atMost limit: Int
  ) -> [ArraySlice<Prefix>]? {
    var result: [ArraySlice<Prefix>] = []
    var start = blocks.startIndex
    while start < blocks.endIndex {
      var end = start + 1
      if blocks[start].length >= length {
        let range = Prefix(containing: blocks[start].address, length: length).range
        while end < blocks.endIndex, range.contains(blocks[end].address) { end += 1 }
      }
      result.append(blocks[start..<end])
      if result.count > limit { return nil }
      start = end
    }
    return result
  }
}

extension InterfaceSet {
  /// Returns `true` iff `name` is one of the members that the set names.
  fileprivate func names(_ name: String) -> Bool {
    if case .only(let names) = self { names.contains(name) } else { false }
  }
}
