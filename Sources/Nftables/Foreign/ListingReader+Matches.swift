import Firewalls
import Packets
import Syntax

/// Packets that match a comparison.
enum Comparand {
  /// The union of these.
  case cubes([Cube])
  /// These.
  case set(PacketSet)
  /// Those that have one of these marks.
  case marks([HookedChains.MarkTest])
  /// Nobody knows.
  case unknown
}

extension ListingReader {
  /// Narrows each of `ways`, which exclude one another, to the packets of the statement `match`.
  mutating func match(_ match: JSONValue, _ ways: inout [Matched]) throws {
    let comparand = try self.comparand(match)
    switch comparand {
    case .cubes(let cubes):
      for i in ways.indices { try ways[i].narrow(to: cubes, in: universe) }
    case .set(let set):
      for i in ways.indices { ways[i].sets.append(set) }
    case .marks(let tests) where ways.count * tests.count <= 64:
      ways = ways.flatMap { way in
        tests.map { test in
          var way = way
          way.marks.append(test)
          return way
        }
      }
    case .marks, .unknown:
      let condition = try unknown(match.text)
      for i in ways.indices { try ways[i].narrow(to: [Cube(conditions: [condition])], in: universe) }
    }
  }

  /// Returns what the statement `match` compares with what.
  private func comparand(_ match: JSONValue) throws -> Comparand {
    guard let left = match["left"], let right = match["right"] else { return .unknown }
    let comparison = match["op"]?.string ?? "=="
    if let parts = left["concat"]?.array {
      guard comparison == "==" || comparison == "!=", let cubes = self.cubes(of: parts, among: right) else {
        return .unknown
      }
      guard comparison == "!=" else { return .cubes(cubes) }
      var having = Cube()
      for part in parts.compactMap(ListedField.init) where !part.depend(&having, in: universe.space) {
        return .cubes([])
      }
      return .set(try universe.set(of: [having]).subtracting(universe.set(of: cubes)))
    }
    guard let field = ListedField(left) else { return .unknown }
    switch field.kind {
    case .status:
      guard right == .string("dnat") || right == .array([.string("dnat")]), comparison == "in" || comparison == "=="
      else {
        return .unknown
      }
      return .cubes([Cube(isTranslated: true)])
    case .mark(let mark):
      guard knowsMarks, comparison == "==" || comparison == "!=",
        let values = elements(of: right).flatMap({ field.values(.array($0)) })
      else { return .unknown }
      let mask = UInt32(truncatingIfNeeded: field.mask ?? UInt128(UInt32.max))
      var numbers: [UInt32] = []
      for range in values.intervals {
        guard range.upperBound - range.lowerBound < 64 else { return .unknown }
        numbers += range.map { UInt32(truncatingIfNeeded: $0) }
      }
      let tests = numbers.map { HookedChains.MarkTest(mark, value: $0, mask: mask, isNegated: comparison == "!=") }
      // Other than each of several is not the same as other than one of them.
      return comparison == "!=" && tests.count != 1 ? .unknown : .marks(tests)
    default: break
    }
    guard let packetField = field.field, let elements = elements(of: right) else { return .unknown }
    if elements.contains(.string("*")) { return .unknown }
    var cube = Cube()
    guard let named = field.values(.array(elements)), let values = field.unmasked(named) else { return .unknown }
    guard field.depend(&cube, in: universe.space) else { return .cubes([]) }
    let every = field.every
    let wanted: IntervalSet<UInt128>
    switch comparison {
    case "==", "in": wanted = values
    case "!=": wanted = every.subtracting(values)
    case "<", "<=", ">", ">=":
      guard field.mask == nil, let value = values.intervals.first, value.lowerBound == value.upperBound,
        let highest = every.intervals.first?.upperBound
      else { return .unknown }
      let bound = value.lowerBound
      switch comparison {
      case "<": wanted = bound == 0 ? IntervalSet() : IntervalSet(0...(bound - 1))
      case "<=": wanted = IntervalSet(0...min(bound, highest))
      case ">": wanted = bound >= highest ? IntervalSet() : IntervalSet((bound + 1)...highest)
      default: wanted = bound > highest ? IntervalSet() : IntervalSet(bound...highest)
      }
    default: return .unknown
    }
    let space = universe.space
    return .cubes(cube.narrow(packetField, to: space.values(wanted, of: packetField), in: space) ? [cube] : [])
  }

  /// Returns the elements of `right`, a set with or without a name or a single value; nothing if they may change.
  func elements(of right: JSONValue) -> [JSONValue]? {
    if let name = right.string, name.hasPrefix("@") {
      guard let set = sets["\(table) \(name.dropFirst())"] else { return nil }
      let flags = set["flags"]?.array ?? set["flags"].map { [$0] } ?? []
      if flags.contains(.string("dynamic")) || flags.contains(.string("timeout")) || set["timeout"] != nil {
        return nil
      }
      let elements = set["elem"]?.array ?? []
      // One that counts matches no longer when it has counted enough (NFTA_SET_ELEM_EXPRESSIONS).
      let isPlain = elements.allSatisfy { $0["elem"]?["limit"] == nil && $0["elem"]?["quota"] == nil }
      return isPlain ? elements : nil
    }
    if let some = right["set"]?.array { return some }
    return [right]
  }

  /// Returns the cubes whose `parts` are among the elements of `right`, or nothing if something is not known.
  func cubes(of parts: [JSONValue], among right: JSONValue) -> [Cube]? {
    guard let elements = elements(of: right) else { return nil }
    var result: [Cube] = []
    for element in elements {
      guard let cube = self.cube(of: parts, equal: element) else { return nil }
      result += cube
    }
    return result
  }

  /// Returns the cube, if any packet is in it, whose `parts` are those of `element`; or nothing if something is not known.
  func cube(of parts: [JSONValue], equal element: JSONValue) -> [Cube]? {
    if element["elem"] != nil { return element.plainElement.flatMap { self.cube(of: parts, equal: $0) } }
    let data = parts.count == 1 ? [element] : element["concat"]?.array ?? []
    guard data.count == parts.count else { return nil }
    var cube = Cube()
    let space = universe.space
    for (part, datum) in zip(parts, data) {
      guard let field = ListedField(part), let packetField = field.field,
        let values = field.values(datum).flatMap({ field.unmasked($0) })
      else { return nil }
      guard field.depend(&cube, in: space),
        cube.narrow(packetField, to: space.values(values, of: packetField), in: space)
      else { return [] }
    }
    return [cube]
  }

  /// Returns the parts of `key`, which may be one alone.
  func parts(of key: JSONValue) -> [JSONValue] { key["concat"]?.array ?? [key] }
}
