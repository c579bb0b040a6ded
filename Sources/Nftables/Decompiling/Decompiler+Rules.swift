import Firewalls
import Packets
import Policies
import Syntax

extension Decompiler {
  /// Returns the rules that do what `rule` does; each statement narrows what comes to the next one.
  mutating func rules(of rule: Rule, in chain: String) throws -> [HookedChains.Rule] {
    var matched = Matched()
    var result: [HookedChains.Rule] = []
    let text = "chain \(chain)" + (rule.comment.map { ": \($0)" } ?? "")
    for statement in rule.statements {
      switch statement {
      case .match(let selector, let comparison, let operand):
        try matched.narrow(to: try cubes(selector, comparison, operand), in: universe)
      case .verdictMap(let selector, let elements):
        let cases = try elements.map { element in
          (try self.cubes(selector, [[element.key]]), try action(element.verdict))
        }
        result += try matched.rules(cases, text, in: universe)
        // A packet that no element is for ends the rule; one with a verdict has left it.
        return result
      case .namedVerdictMap(let selector, let name):
        let cases = try named(name).elements.map { element in
          guard case .verdict(let verdict) = element.value else {
            throw Unreadable(message: "`\(name)` is no verdict map")
          }
          return (try self.cubes(selector, [element.key]), try action(verdict))
        }
        result += try matched.rules(cases, text, in: universe)
        return result
      case .limit(let bucket):
        let condition = try universe.within(bucket.rate, burst: bucket.burst, perSource: false)
        try matched.narrow(to: [Cube(conditions: [condition])], in: universe)
      case .update(_, let selector, let bucket):
        let perSource = selector.parts.contains { part in
          if case .saddr = part.field { part.mask == nil } else { false }
        }
        guard perSource else { throw Unreadable(message: "a limit counts something else than sources") }
        var cube = Cube(
          conditions: [try universe.within(bucket.rate, burst: bucket.burst, perSource: true)])
        for part in selector.parts { try depend(on: part.field, &cube) }
        try matched.narrow(to: [cube], in: universe)
      case .counter, .log: continue
      case .verdict(let verdict):
        result += try matched.rules(try action(verdict), text, in: universe)
        return result
      case .reject:
        result += try matched.rules(.reject, text, in: universe)
        return result
      case .masquerade:
        result += try matched.rules(.masquerade, text, in: universe)
        return result
      case .dnat(let destination):
        result += try matched.rules(try translations(destination, of: matched.cubes), text, in: universe)
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
    let values = single.first.map { space.intervals(of: $0[packetField]) } ?? IntervalSet()
    var cube = Cube()
    try depend(on: field, &cube)
    var wanted = values.complement
    if comparison == .below {
      guard let bound = values.intervals.first?.lowerBound, bound > 0 else { return [] }
      wanted = IntervalSet(0...(bound - 1))
    }
    return cube.narrow(packetField, to: space.values(wanted, of: packetField), in: space) ? [cube] : []
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
      let intervals = try keys.compactMap { key in
        guard key.count == 1 else { throw Unreadable(message: "a key has too many parts") }
        return try part.values(key[0])
      }
      return start.narrow(field, to: space.values(IntervalSet(intervals), of: field), in: space) ? [start] : []
    }
    let fields = try selector.parts.map { part in
      guard let field = part.field.packetField else { throw Unreadable(message: "a status is part of a key") }
      return field
    }
    var result: [Cube] = []
    result.reserveCapacity(keys.count)
    for key in keys {
      guard key.count == fields.count else { throw Unreadable(message: "a key has too few parts") }
      var cube = start
      var isEmpty = false
      for i in fields.indices {
        let values = try selector.parts[i].values(key[i]).map { space.values($0, of: fields[i]) } ?? .none
        if !cube.narrow(fields[i], to: values, in: space) { isEmpty = true }
      }
      if !isEmpty { result.append(cube) }
    }
    return result
  }

  /// Narrows `cube` to packets that have `field`.
  private func depend(on field: Field, _ cube: inout Cube) throws {
    if field.needsPorts { cube.looksAtPorts = true }
    let (family, transport) = field.dependencies
    let fits =
      (family.map { cube.narrow(.family, to: space.value($0, of: .family), in: space) } ?? true)
      && (transport.map { cube.narrow(.transport, to: space.value($0, of: .transport), in: space) } ?? true)
    guard fits else { throw Unreadable(message: "fields that no packet has both are compared") }
  }

  // MARK: - What a rule does

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
        let cubes = try self.cubes(selector, [element.key]).compactMap {
          $0.intersection(Cube(of: family, in: space), in: space)
        }
        let distance = Int(port) - (try self.port(of: cubes))
        return (cubes, .translate(universe.label(of: .forward(to: [address], by: distance))))
      }
    case .spread(let family, let targets):
      let cubes = matched.compactMap { $0.intersection(Cube(of: family, in: space), in: space) }
      guard let first = targets.first, targets.allSatisfy({ $0.port == first.port && $0.address.family == family })
      else { throw Unreadable(message: "connections are spread over different ports") }
      let distance = Int(first.port) - (try port(of: cubes))
      return [
        (cubes, .translate(universe.label(of: .forward(to: targets.map(\.address), by: distance))))
      ]
    }
  }

  /// Returns the one destination port of `cubes`.
  private func port(of cubes: [Cube]) throws(Unreadable) -> Int {
    guard let ports = cubes.first?[.destinationPort], cubes.allSatisfy({ $0[.destinationPort] == ports }),
      let port = space.intervals(of: ports).intervals.first?.lowerBound,
      ports == space.value(port, of: .destinationPort)
    else { throw Unreadable(message: "a destination is chosen without looking at one port") }
    return Int(port)
  }
}
