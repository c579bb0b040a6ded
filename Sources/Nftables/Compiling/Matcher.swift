import Firewalls
import Packets

/// The maker of the look-ups of one phase and family.
struct Matcher {
  /// Whose decisions are looked up.
  let dispatcher: Dispatcher

  /// The phase that all decisions are in.
  let phase: Decision.Phase

  /// How many decisions a key keeps: a plain one is decided by the first, and says whether there are others.
  private var limit: Int { phase == .plain ? 2 : .max }

  /// Returns rules that decide `candidates` of `family`, or of both if it is nothing.
  func rules(
    for candidates: [FamilyCandidate], _ family: AddressFamily?, named name: String, into assembly: inout Assembly
  ) -> [Rule] {
    guard let family else { return lookUps(candidates, nil, named: name, into: &assembly) }
    var rest = candidates
    var rules: [Rule] = []
    for isSource in [true, false] {
      let wide = takeWide(&rest, family, isSource: isSource)
      for (set, group) in wide {
        let zone = assembly.fresh(name + (isSource ? "_from" : "_to"))
        let inner = self.rules(for: group, family, named: zone, into: &assembly)
        assembly.add(chain: zone, inner)
        assembly.sets.append(
          NamedSet(
            zone, key: [family == .ipv4 ? .ipv4 : .ipv6], isInterval: true,
            elements: set.ranges(family).map { NamedSet.Element([.all(of: $0)]) }))
        let field = isSource ? Field.saddr(family) : .daddr(family)
        rules.append(Rule([.match(Selector(field), .equal, .set(zone)), .verdict(.jump(zone))]))
      }
    }
    return lookUps(rest, family, named: name, into: &assembly) + rules
  }

  /// Takes out of `candidates` those whose sources (or destinations) are so many blocks, and have so much traffic, that
  /// one set for the addresses and another for the traffic are far smaller than one for their product.
  private func takeWide(
    _ candidates: inout [FamilyCandidate], _ family: AddressFamily, isSource: Bool
  ) -> [(AddressSet, [FamilyCandidate])] {
    var blocks: [AddressSet: Int] = [:]
    var keys: [AddressSet: Int] = [:]
    for c in candidates {
      guard let set = isSource ? c.sources : c.destinations, Matcher.isLarge(set, family) else { continue }
      if blocks[set] == nil { blocks[set] = set.blockCount(family) }
      let other = isSource ? c.destinations : c.sources
      keys[set, default: 0] += other?.blockCount(family) ?? 1
    }
    let wide = blocks.filter { set, count in
      let number = keys[set] ?? 0
      return count * number > 16 * (count + number)
    }
    guard !wide.isEmpty else { return [] }
    var groups: [AddressSet: [FamilyCandidate]] = [:]
    var order: [AddressSet] = []
    candidates.removeAll { c in
      guard let set = isSource ? c.sources : c.destinations, Matcher.isLarge(set, family), wide[set] != nil else {
        return false
      }
      var narrowed = c
      if isSource { narrowed.sources = nil } else { narrowed.destinations = nil }
      if groups[set] == nil { order.append(set) }
      groups[set, default: []].append(narrowed)
      return true
    }
    return order.map { ($0, groups[$0] ?? []) }
  }

  /// Returns `true` iff `set` is more than 64 blocks, which is known at once of a single IPv4 interval.
  private static func isLarge(_ set: AddressSet, _ family: AddressFamily) -> Bool {
    switch family {
    case .ipv4: set.ipv4.intervals.count > 1 && set.blockCount(.ipv4) > 64
    case .ipv6: set.blockCount(.ipv6) > 64
    }
  }

  /// Returns the look-ups for `candidates`, one for each shape of their keys.
  private func lookUps(
    _ candidates: [FamilyCandidate], _ family: AddressFamily?, named name: String, into assembly: inout Assembly
  ) -> [Rule] {
    var keys: [Shape: [Key]] = [:]
    for i in candidates.indices { expand(candidates[i], family, into: &keys) }
    var entries = merged(keys)
    var rules: [Rule] = []
    Matcher.useIntervals(&entries, limit: limit)
    for (shape, group) in entries.sorted(by: { $0.key < $1.key }) {
      rules += rulesOf(group, shape, named: name, into: &assembly)
    }
    return rules
  }

  /// Returns the entries of `keys`, with blocks of ports, which a set finds by their first bits, in the place of ranges of
  /// ports, unless these are few.
  private func merged(_ keys: [Shape: [Key]]) -> [Shape: [Entry]] {
    var entries: [Shape: [Entry]] = [:]
    var blocks: [Shape: [Entry]] = [:]
    for (shape, group) in keys where shape.contents == .range {
      let merged = merge(group)
      if merged.count <= Matcher.few(shape) {
        entries[shape] = merged
        continue
      }
      for entry in merged {
        entry.ports.forEachBlock { lower, bits in
          var block = entry
          block.traffic = Entry.code(entry.transport, PortRange(lower))
          var target = shape
          target.contents = .port(bits: bits)
          blocks[target, default: []].append(block)
        }
      }
    }
    for (shape, group) in keys where shape.contents != .range && blocks[shape] == nil { entries[shape] = merge(group) }
    for (shape, group) in blocks { entries[shape] = merge((keys[shape] ?? []).map { Entry($0) } + group) }
    return entries
  }

  /// Adds the keys of `candidate` to `keys`, by their shapes.
  private func expand(_ candidate: FamilyCandidate, _ family: AddressFamily?, into keys: inout [Shape: [Key]]) {
    var contents = Shape.Contents.none
    var traffic: UInt64 = 0
    switch candidate.traffic {
    case nil: break
    case .icmp(let type, let code)?, .icmpv6(let type, let code)?:
      contents = code == nil ? .icmpType : .icmpTypeAndCode
      traffic = UInt64(type) << 8 | UInt64(code ?? 0)
    case .ports(let transport, let range)?:
      if range == .all {
        contents = .port(bits: 0)
        traffic = Entry.code(transport, PortRange(0))
      } else {
        contents = range.isSingle ? .port(bits: 16) : .range
        traffic = Entry.code(transport, range)
      }
    }
    let family = family ?? candidate.traffic?.family
    func add(_ source: UInt128, _ sourcePart: Shape.Part, _ destination: UInt128, _ destinationPart: Shape.Part) {
      let shape = Shape(family: family, source: sourcePart, destination: destinationPart, contents: contents)
      keys[shape, default: []].append(
        Key(source: source, destination: destination, traffic: traffic, decision: candidate.decision))
    }
    func addDestinations(_ source: UInt128, _ part: Shape.Part) {
      guard let family, let destinations = candidate.destinations else { return add(source, part, 0, .any) }
      destinations.forEachBlock(family) { add(source, part, $0, .prefix($1)) }
    }
    guard let family, let sources = candidate.sources else { return addDestinations(0, .any) }
    sources.forEachBlock(family) { addDestinations($0, .prefix($1)) }
  }

  /// Returns the entries of `keys` of one shape in order, one for each key.
  private func merge(_ keys: [Key]) -> [Entry] {
    var merged: [Entry] = []
    merged.reserveCapacity(keys.count)
    for key in keys.sorted(by: Key.precedes) {
      let last = merged.count - 1
      if last < 0 || !merged[last].hasKey(of: key) {
        merged.append(Entry(key))
      } else if key.decision != merged[last].decision, key.decision != merged[last].others.last,
        merged[last].others.count + 1 < limit
      {
        merged[last].others.append(key.decision)
      }
    }
    return merged
  }

  /// Returns `entries` of one shape in order, one for each key.
  private func merge(_ entries: [Entry]) -> [Entry] {
    guard entries.count > 1 else { return entries }
    var merged: [Entry] = []
    merged.reserveCapacity(entries.count)
    for entry in entries.sorted(by: { Key.precedes($0.key, $1.key) }) {
      guard let last = merged.last, last.hasKey(of: entry.key) else {
        merged.append(entry)
        continue
      }
      let index = merged.count - 1
      for decision in [entry.decision] + entry.others
      where decision != last.decision && !merged[index].others.contains(decision) {
        if merged[index].others.count + 1 < limit { merged[index].others.append(decision) }
      }
      merged[index].others.sort()
    }
    return merged
  }

  /// Returns how many linear rules cost no more than a look-up of `shape`.
  static func few(_ shape: Shape) -> Int { shape.hasAddress ? 2 : 4 }
}

extension Matcher {
  /// Puts shapes that differ only in the length of a prefix into one of intervals, where there are many lengths.
  ///
  /// A masked hash costs some 90 ns for each length, a set of intervals 200 ns and up, growing with its elements, and
  /// a concatenation with one 185 ns to 1.9 microseconds.
  private static func useIntervals(_ entries: inout [Shape: [Entry]], limit: Int) {
    for part in [\Shape.source, \Shape.destination] {
      var groups: [Shape: [Shape]] = [:]
      for shape in entries.keys where shape[keyPath: part].length != nil && shape.contents != .range {
        // A single field alone takes one kind of set, several fields another; of two addresses only one is an interval.
        if part == \Shape.destination, shape.source != .any { continue }
        var general = shape
        general[keyPath: part] = .interval
        groups[general, default: []].append(shape)
      }
      for (general, shapes) in groups {
        let count = shapes.reduce(0) { $0 + (entries[$1]?.count ?? 0) }
        let isSingleField = general.contents == .none && (general.source == .any || general.destination == .any)
        let most = isSingleField ? 3 : count <= 8192 ? 6 : 16
        guard shapes.count > most else { continue }
        let members = shapes.flatMap { shape in
          (entries[shape] ?? []).map { (length: shape[keyPath: part].length ?? 0, entry: $0) }
        }
        for shape in shapes { entries[shape] = nil }
        entries[general] = intervals(
          members, family: general.family ?? .ipv4, isSource: part == \Shape.source, limit: limit)
      }
    }
  }

  /// Returns disjoint intervals that decide as `members` do.
  private static func intervals(
    _ members: [(length: Int, entry: Entry)], family: AddressFamily, isSource: Bool, limit: Int
  ) -> [Entry] {
    func value(_ entry: Entry) -> UInt128 { isSource ? entry.source : entry.destination }
    func other(_ entry: Entry) -> UInt128 { isSource ? entry.destination : entry.source }
    let sorted = members.sorted { a, b in
      if other(a.entry) != other(b.entry) { return other(a.entry) < other(b.entry) }
      if a.entry.traffic != b.entry.traffic { return a.entry.traffic < b.entry.traffic }
      if value(a.entry) != value(b.entry) { return value(a.entry) < value(b.entry) }
      return a.length < b.length
    }
    var result: [Entry] = []
    var start = 0
    while start < sorted.count {
      let first = sorted[start].entry
      var end = start
      while end < sorted.count, other(sorted[end].entry) == other(first), sorted[end].entry.traffic == first.traffic {
        end += 1
      }
      let pieces = sorted[start..<end].map { member in
        let lower = value(member.entry)
        let free = family.highest & ~Prefix.mask(length: member.length, family: family)
        return Flattening.Piece(
          lower: lower, upper: lower | free, decisions: ([member.entry.decision] + member.entry.others).sorted())
      }
      for piece in Flattening(pieces, limit: limit).pieces {
        var entry = first
        if isSource {
          (entry.source, entry.sourceEnd) = (piece.lower, piece.upper)
        } else {
          (entry.destination, entry.destinationEnd) = (piece.lower, piece.upper)
        }
        entry.decision = piece.decisions[0]
        entry.others = Array(piece.decisions.dropFirst())
        result.append(entry)
      }
      start = end
    }
    return result
  }
}
