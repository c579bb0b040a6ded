import Firewalls
import Packets
import Policies
import Syntax

/// Packets that come to a statement of a rule.
private struct Matched {
  /// What the statements before matched, if it is simple: the union of these.
  var cubes: [Cube] = [Cube()]

  /// What they matched besides, each of them.
  var sets: [PacketSet] = []
}

extension Decompiler {
  /// The most boxes that one rule is written out as.
  private static let mostCubes = 4096

  /// Returns the rules that do what `rule` does; each statement narrows what comes to the next one.
  mutating func rules(of rule: Rule, in chain: String) throws -> [HookedChains.Rule] {
    var matched = Matched()
    var result: [HookedChains.Rule] = []
    let text = "chain \(chain)" + (rule.comment.map { ": \($0)" } ?? "")
    for statement in rule.statements {
      switch statement {
      case .match(let selector, let comparison, let operand):
        try narrow(&matched, to: try cubes(selector, comparison, operand))
      case .verdictMap(let selector, let elements):
        let cases = try elements.map { element in
          (try self.cubes(selector, [[element.key]]), try action(element.verdict))
        }
        result += try branch(matched, cases, text)
        // A packet that no element is for ends the rule; one with a verdict has left it.
        return result
      case .namedVerdictMap(let selector, let name):
        let cases = try named(name).elements.map { element in
          guard case .verdict(let verdict) = element.value else {
            throw Unreadable(message: "`\(name)` is no verdict map")
          }
          return (try self.cubes(selector, [element.key]), try action(verdict))
        }
        result += try branch(matched, cases, text)
        return result
      case .limit(let bucket):
        let condition = try universe.within(bucket.rate, burst: bucket.burst, perSource: false)
        try narrow(&matched, to: [Cube(conditions: [condition])])
      case .update(_, let selector, let bucket):
        let perSource = selector.parts.contains { part in
          if case .saddr = part.field { part.mask == nil } else { false }
        }
        guard perSource else { throw Unreadable(message: "a limit counts something else than sources") }
        var cube = Cube(
          conditions: [try universe.within(bucket.rate, burst: bucket.burst, perSource: true)])
        for part in selector.parts { try depend(on: part.field, &cube) }
        try narrow(&matched, to: [cube])
      case .counter, .log: continue
      case .verdict(let verdict):
        result += try self.rules(matched, try action(verdict), text)
        return result
      case .reject:
        result += try self.rules(matched, .reject, text)
        return result
      case .masquerade:
        result += try self.rules(matched, .masquerade, text)
        return result
      case .dnat(let destination):
        result += try branch(matched, try translations(destination, of: matched.cubes), text)
        return result
      }
    }
    return result
  }

  /// Returns the set `name` of the table.
  func named(_ name: String) throws(Unreadable) -> NamedSet {
    guard let set = sets[name] else { throw Unreadable(message: "there is no set `\(name)`") }
    return set
  }

  // MARK: - What a rule matches

  /// Narrows `matched` to the union of `cubes`.
  private func narrow(_ matched: inout Matched, to cubes: [Cube]) throws {
    if matched.cubes.count > 1, cubes.count > 1, matched.cubes.count * cubes.count > Decompiler.mostCubes {
      matched.sets.append(try set(of: cubes))
      return
    }
    matched.cubes = matched.cubes.flatMap { a in cubes.compactMap { a.intersection($0) } }
  }

  /// Returns the packets of `cubes`.
  private func set(of cubes: [Cube]) throws -> PacketSet {
    var result = try space.set(of: cubes.filter { $0.conditions.count < 2 }.map { $0.box(in: space) })
    for cube in cubes where cube.conditions.count > 1 {
      var part = try space.set(of: cube.box(in: space))
      for condition in cube.conditions.dropFirst() {
        part = try part.intersection(space.set(when: condition))
      }
      result = try result.union(part)
    }
    return result
  }

  /// Returns what `selector` matches when it is compared with `operand`.
  private mutating func cubes(
    _ selector: Selector, _ comparison: Comparison, _ operand: Operand
  ) throws -> [Cube] {
    let keys: [[Datum]]
    switch operand {
    case .datum(let datum): keys = [[datum]]
    case .anyOf(let data): keys = data.map { [$0] }
    case .set(let name):
      let looked = Looked(set: name, selector: selector)
      if comparison == .equal, let known = self.looked[looked] { return known }
      keys = try named(name).elements.map(\.key)
      guard comparison == .equal else { break }
      let cubes = try self.cubes(selector, keys)
      self.looked[looked] = cubes
      return cubes
    }
    switch comparison {
    case .equal: return try cubes(selector, keys)
    case .unequal, .below: break
    }
    guard selector.parts.count == 1, let field = selector.parts.first?.field else {
      throw Unreadable(message: "several fields are compared, and not for being equal")
    }
    let single = try cubes(selector, keys)
    guard let packetField = field.packetField else {
      guard comparison == .unequal else { throw Unreadable(message: "`\(field.words)` is compared by size") }
      return [Cube(isTranslated: false)]
    }
    let values = IntervalSet(single.flatMap { $0.sides[packetField]?.intervals ?? [] })
    var cube = Cube()
    try depend(on: field, &cube)
    if comparison == .unequal {
      cube.sides[packetField] = values.complement.intersection(IntervalSet(0...packetField.highest))
    } else {
      guard let bound = values.intervals.first?.lowerBound else { return [] }
      guard bound > 0 else { return [] }
      cube.sides[packetField] = IntervalSet(0...(bound - 1))
    }
    return [cube]
  }

  /// Returns what `selector` matches when it is one of `keys`.
  private func cubes(_ selector: Selector, _ keys: [[Datum]]) throws -> [Cube] {
    var start = Cube()
    for part in selector.parts { try depend(on: part.field, &start) }
    // Neighbours that differ in the only field make one cube.
    if selector.parts.count == 1, let part = selector.parts.first {
      guard let field = part.field.packetField else {
        guard keys == [[.destinationTranslated]] else { throw Unreadable(message: "a status is not known") }
        start.isTranslated = true
        return [start]
      }
      var intervals: [ClosedRange<UInt128>] = []
      for key in keys {
        guard key.count == 1 else { throw Unreadable(message: "a key has too many parts") }
        intervals += try part.values(key[0]).intervals
      }
      return start.narrow(field, to: IntervalSet(intervals)) ? [start] : []
    }
    return try keys.compactMap { key in
      guard key.count == selector.parts.count else { throw Unreadable(message: "a key has too few parts") }
      var cube = start
      for (part, datum) in zip(selector.parts, key) {
        guard let field = part.field.packetField else { throw Unreadable(message: "a status is part of a key") }
        guard cube.narrow(field, to: try part.values(datum)) else { return nil }
      }
      return cube
    }
  }

  /// Narrows `cube` to packets that have `field`.
  private func depend(on field: Field, _ cube: inout Cube) throws {
    if field.needsPorts { cube.looksAtPorts = true }
    let (family, transport) = field.dependencies
    let fits =
      (family.map { cube.narrow(.family, to: IntervalSet(only: $0)) } ?? true)
      && (transport.map { cube.narrow(.transport, to: IntervalSet(only: $0)) } ?? true)
    guard fits else { throw Unreadable(message: "fields that no packet has both are compared") }
  }

  // MARK: - What a rule does

  /// Returns rules that do `action` to what is matched.
  private func rules(
    _ matched: Matched, _ action: HookedChains.Action, _ text: String
  ) throws -> [HookedChains.Rule] {
    try branch(matched, [([Cube()], action)], text)
  }

  /// Returns rules that do the action of each case to what is matched and is of the case; cases exclude one another.
  private func branch(
    _ matched: Matched, _ cases: [(cubes: [Cube], action: HookedChains.Action)], _ text: String
  ) throws -> [HookedChains.Rule] {
    // Those of one action stand together, so that they are evaluated at once.
    var order: [HookedChains.Action] = []
    var cubes: [HookedChains.Action: [Cube]] = [:]
    for one in cases {
      if cubes[one.action] == nil { order.append(one.action) }
      cubes[one.action, default: []] += one.cubes
    }
    var result: [HookedChains.Rule] = []
    for action in order {
      var part = matched
      try narrow(&part, to: cubes[action, default: []])
      part.cubes = try part.cubes.flatMap(withPortsOfOthers)
      for wanted in [nil, true, false] as [Bool?] {
        let some = part.cubes.filter { $0.isTranslated == wanted }
        guard !some.isEmpty else { continue }
        var rule = HookedChains.Rule(action, text: text)
        rule.isTranslated = wanted
        rule.sets = part.sets
        if some.contains(where: { $0.conditions.count > 1 }) {
          rule.sets.append(try set(of: some))
        } else {
          rule.boxes = some.map { $0.box(in: space) }
        }
        result.append(rule)
      }
    }
    return result
  }

  /// Returns `cube` for protocols that have ports, if it looks at ports, and for others, whose packets have any bits there.
  private func withPortsOfOthers(_ cube: Cube) throws -> [Cube] {
    guard cube.looksAtPorts else { return [cube] }
    var ported = cube
    let protocols = IntervalSet(
      TransportProtocol.withPorts.map { UInt128($0.transport.rawValue)...UInt128($0.transport.rawValue) })
    var result = ported.narrow(.transport, to: protocols) ? [ported] : []
    var others = cube
    guard others.narrow(.transport, to: protocols.complement.intersection(IntervalSet(0...255))) else { return result }
    others.sides[.destinationPort] = nil
    others.sides[.sourcePort] = nil
    others.conditions.append(try universe.unknown("ports of a protocol without any"))
    result.append(others)
    return result
  }

  /// Returns where packets of `matched` are sent by `destination`.
  private func translations(
    _ destination: Destination, of matched: [Cube]
  ) throws -> [(cubes: [Cube], action: HookedChains.Action)] {
    switch destination {
    case .port(let selector, let map):
      return try named(map).elements.map { element in
        guard case .data(let data) = element.value, data.count == 1, case .port(let port) = data[0] else {
          throw Unreadable(message: "`\(map)` leads to no port")
        }
        let cubes = try self.cubes(selector, [element.key])
        return (cubes, .translate(universe.label(of: .redirect(by: Int(port) - (try self.port(of: cubes))))))
      }
    case .mapped(let family, let selector, let map):
      return try named(map).elements.map { element in
        guard case .data(let data) = element.value, data.count == 2, case .address(let address) = data[0],
          case .port(let port) = data[1], address.family == family
        else { throw Unreadable(message: "`\(map)` leads to no address and port") }
        let cubes = try self.cubes(selector, [element.key]).compactMap { $0.intersection(self.cube(of: family)) }
        let distance = Int(port) - (try self.port(of: cubes))
        return (cubes, .translate(universe.label(of: .forward(to: [address], by: distance))))
      }
    case .spread(let family, let targets):
      let cubes = matched.compactMap { $0.intersection(self.cube(of: family)) }
      guard let first = targets.first, targets.allSatisfy({ $0.port == first.port && $0.address.family == family })
      else { throw Unreadable(message: "connections are spread over different ports") }
      let distance = Int(first.port) - (try port(of: cubes))
      return [
        (cubes, .translate(universe.label(of: .forward(to: targets.map(\.address), by: distance))))
      ]
    }
  }

  /// Returns the packets of `family`.
  private func cube(of family: AddressFamily) -> Cube {
    Cube(sides: [.family: IntervalSet(only: family.number)])
  }

  /// Returns the one destination port of `cubes`.
  private func port(of cubes: [Cube]) throws(Unreadable) -> Int {
    guard let port = cubes.first?.sides[.destinationPort]?.intervals.first?.lowerBound,
      cubes.allSatisfy({ $0.sides[.destinationPort] == IntervalSet(only: port) })
    else { throw Unreadable(message: "a destination is chosen without looking at one port") }
    return Int(port)
  }
}
