import Firewalls
import Packets

/// Packets that come to a statement of a rule: what all statements before it match.
struct Matched {
  /// What they match, if it is simple: the union of these.
  var cubes: [Cube] = [Cube()]

  /// What they match besides, each of them.
  var sets: [PacketSet] = []

  /// The marks that the packets have, each of them.
  var marks: [HookedChains.MarkTest] = []

  /// The most boxes that one rule is written out as.
  private static let mostCubes = 4096

  /// Narrows the packets to the union of `cubes`.
  mutating func narrow(to cubes: [Cube], in universe: Universe) throws(BudgetExceeded) {
    if self.cubes.count > 1, cubes.count > 1, self.cubes.count * cubes.count > Matched.mostCubes,
      cubes.allSatisfy({ $0.isTranslated == nil })
    {
      sets.append(try universe.set(of: cubes))
      return
    }
    if self.cubes.count == 1, self.cubes[0].isEverything {
      self.cubes = cubes
    } else {
      self.cubes = self.cubes.flatMap { a in cubes.compactMap { a.intersection($0, in: universe.space) } }
    }
  }

  /// Returns rules that do `action` to the packets.
  func rules(
    _ action: HookedChains.Action, _ text: String, in universe: Universe
  ) throws(BudgetExceeded) -> [HookedChains.Rule] {
    try rules([([Cube()], action)], text, in: universe)
  }

  /// Returns rules that do the action of each case to packets that are of the case; cases exclude one another.
  func rules(
    _ cases: [(cubes: [Cube], action: HookedChains.Action)], _ text: String, in universe: Universe
  ) throws(BudgetExceeded) -> [HookedChains.Rule] {
    // Those of one action stand together, so that they are evaluated at once.
    var order: [HookedChains.Action] = []
    var cubes: [HookedChains.Action: [Cube]] = [:]
    for one in cases {
      if cubes[one.action] == nil { order.append(one.action) }
      cubes[one.action, default: []] += one.cubes
    }
    var result: [HookedChains.Rule] = []
    for action in order {
      var part = self
      try part.narrow(to: cubes[action, default: []], in: universe)
      let split = try universe.splitByPorts(part.cubes)
      for wanted in [nil, true, false] as [Bool?] where split.contains(where: { $0.isTranslated == wanted }) {
        let some = split.allSatisfy { $0.isTranslated == wanted } ? split : split.filter { $0.isTranslated == wanted }
        var rule = HookedChains.Rule(action, text: text)
        rule.isTranslated = wanted
        rule.marks = marks
        rule.sets = part.sets
        if some.contains(where: { $0.conditions.count > 1 }) {
          rule.sets.append(try universe.set(of: some))
        } else {
          rule.boxes = some.map(\.boxOfFirstCondition)
        }
        result.append(rule)
      }
    }
    return result
  }
}

extension Universe {
  /// Returns the packets of `cubes`, whatever became of their destination.
  func set(of cubes: [Cube]) throws(BudgetExceeded) -> PacketSet {
    let cubes = try splitByPorts(cubes)
    var result = try space.set(of: cubes.filter { $0.conditions.count < 2 }.map(\.boxOfFirstCondition))
    for cube in cubes where cube.conditions.count > 1 {
      var part = try space.set(of: cube.boxOfFirstCondition)
      for condition in cube.conditions.dropFirst() {
        part = try part.intersection(space.set(when: condition))
      }
      result = try result.union(part)
    }
    return result
  }

  /// Returns `cubes`, of which those that look at ports of protocols without any are cut in two: for protocols that have
  /// ports, and for others, whose packets have any bits where it looks.
  func splitByPorts(_ cubes: [Cube]) throws(BudgetExceeded) -> [Cube] {
    let protocols = space.protocolsWithPorts
    let ported = space.intervals(of: protocols)
    // Most ask for one protocol, and thousands for the same one.
    var last: (transport: ValueSet, isPorted: Bool) = (protocols, true)
    var result: [Cube] = []
    result.reserveCapacity(cubes.count)
    for cube in cubes {
      let transport = cube[.transport]
      if cube.looksAtPorts, transport != last.transport {
        last = (transport, transport != .all && space.intervals(of: transport).isSubset(of: ported))
      }
      if cube.looksAtPorts, !last.isPorted {
        result += try withPortsOfOthers(cube, protocols)
      } else {
        result.append(cube)
      }
    }
    return result
  }

  /// Returns `cube` for `protocols`, which have ports, and for others, whose packets have any bits where it looks at ports.
  private func withPortsOfOthers(_ cube: Cube, _ protocols: ValueSet) throws(BudgetExceeded) -> [Cube] {
    var ported = cube
    var result = ported.narrow(.transport, to: protocols, in: space) ? [ported] : []
    var others = cube
    let rest = space.values(
      space.intervals(of: protocols).complement.intersection(IntervalSet(0...255)), of: .transport)
    guard others.narrow(.transport, to: rest, in: space) else { return result }
    others.widen(.destinationPort)
    others.widen(.sourcePort)
    others.looksAtPorts = false
    others.conditions.append(try unknown("ports of a protocol without any"))
    result.append(others)
    return result
  }
}
