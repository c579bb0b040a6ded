import Packets
import Syntax

extension Resolver {
  /// Resolves the zones, each after those that it is made of.
  mutating func resolveZones() {
    let places = names.declarations(of: .zone)
    var parts: [[Part]] = []
    var exceptions: [[Part]] = []
    for place in places {
      let declaration = trees[place.tree].zones[place.index]
      parts.append(declaration.members.compactMap { zonePart($0) })
      exceptions.append(declaration.exceptions.compactMap { zonePart($0) })
    }
    policy.zones = places.map { place in
      let declaration = trees[place.tree].zones[place.index]
      return Zone(name: declaration.name, addresses: .all, hasAddresses: false, span: declaration.span)
    }
    let needs = zip(parts, exceptions).map { ($0 + $1).compactMap(\.zone) }
    let (order, cycles) = orderByNeed(needs)
    for cycle in cycles { report(.zoneCycle(cycle.map { places[$0].name })) }
    for i in order { makeZone(at: i, of: parts[i], except: exceptions[i]) }
  }

  /// A part of a zone.
  private enum Part {
    case addresses(AddressRange)
    case zone(Int)
    case everything

    /// The position of the zone, if the part is one.
    var zone: Int? { if case .zone(let i) = self { i } else { nil } }
  }

  /// Returns what `term` means as a part of a zone.
  private mutating func zonePart(_ term: Spelled<Term>) -> Part? {
    switch term.value {
    case .addresses(let range): return .addresses(range)
    case .internet, .named(.zone?, "internet"): return .everything
    case .localhost, .serviceClass:
      report(.unfitting(term.value, at: term.span, as: .zonePart))
      return nil
    case .named(let kind, let name):
      return find(name, said: kind, at: term.span, as: .zonePart).map { .zone($0.position) }
    }
  }

  /// Gives the zone at position `i` the addresses of `parts` without `exceptions`.
  private mutating func makeZone(at i: Int, of parts: [Part], except exceptions: [Part]) {
    let members = Set(parts.compactMap(\.zone)).sorted()
    policy.zones[i].members = members.map { ID($0) }
    policy.zones[i].exceptions = Set(exceptions.compactMap(\.zone)).sorted().map { ID($0) }
    guard !parts.isEmpty || !exceptions.isEmpty else { return }
    let addresses = (parts.isEmpty ? .all : union(of: parts)).subtracting(union(of: exceptions))
    policy.zones[i].addresses = addresses
    policy.zones[i].ownAddresses = parts.isEmpty ? .all : union(of: parts.filter { $0.zone == nil })
    // A zone that is made of zones without addresses has none written either.
    policy.zones[i].hasAddresses =
      !exceptions.isEmpty || members.isEmpty
      || !members.allSatisfy { !policy.zones[$0].hasAddresses }
    if addresses.isEmpty { report(.emptyZone(policy.zones[i].name)) }
  }

  /// Returns the addresses of all `parts`, whose zones are resolved.
  private func union(of parts: [Part]) -> AddressSet {
    var ranges: [AddressRange] = []
    for part in parts {
      switch part {
      case .addresses(let range): ranges.append(range)
      case .everything: return .all
      case .zone(let i):
        let addresses = policy.zones[i].addresses
        if addresses.isAll { return .all }
        ranges += addresses.ranges
      }
    }
    return AddressSet(ranges)
  }
}

/// Returns the positions of `needs` in such an order that each comes after those that it needs, and the circles among
/// them, each from its lowest position on.
///
/// What is on a circle, or needs something that is, comes last.
func orderByNeed(_ needs: [[Int]]) -> (order: [Int], cycles: [[Int]]) {
  var users: [[Int]] = Array(repeating: [], count: needs.count)
  var missing = needs.map(\.count)
  for (i, list) in needs.enumerated() { for j in list { users[j].append(i) } }
  var order = needs.indices.filter { missing[$0] == 0 }
  var next = 0
  while next < order.count {
    for user in users[order[next]] {
      missing[user] -= 1
      if missing[user] == 0 { order.append(user) }
    }
    next += 1
  }
  guard order.count < needs.count else { return (order, []) }
  var cycles: [[Int]] = []
  // 0: not seen; otherwise the number of the walk that came by.
  var seen = Array(repeating: 0, count: needs.count)
  for start in needs.indices where missing[start] > 0 && seen[start] == 0 {
    var path: [Int] = []
    var here = start
    while seen[here] == 0 {
      seen[here] = start + 1
      path.append(here)
      // What is left needs something that is left, else it would have been put in order.
      guard let step = needs[here].first(where: { missing[$0] > 0 }) else { break }
      here = step
    }
    if seen[here] == start + 1, let first = path.firstIndex(of: here) {
      let circle = path[first...]
      let lowest = circle.indices.min { circle[$0] < circle[$1] } ?? first
      cycles.append(Array(circle[lowest...]) + Array(circle[..<lowest]))
    }
  }
  return (order + needs.indices.filter { missing[$0] > 0 }, cycles)
}
