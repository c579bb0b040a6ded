import Support

/// A maker of answers as the kernel writes them (little-endian headers, attributes padded to 4 bytes), with contents by
/// chance.
struct Forger {
  var random: SeededGenerator

  /// Returns a message of `type` of `subsystem` with the number `number` (`struct nlmsghdr`).
  static func message(
    _ type: UInt8, _ subsystem: UInt8, number: UInt8, flags: UInt8 = 0, _ body: [UInt8]
  ) -> [UInt8] {
    let length = UInt32(16 + body.count)
    var bytes = (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    bytes += [type, subsystem, flags, 0, number, 0, 0, 0, 0, 0, 0, 0] + body
    while bytes.count & 3 != 0 { bytes.append(0) }
    return bytes
  }

  /// Returns the attribute `type` (`struct nlattr`).
  static func attribute(_ type: UInt8, _ value: [UInt8], isNested: Bool = false) -> [UInt8] {
    let length = 4 + value.count
    var bytes = [UInt8(length & 255), UInt8(length >> 8), type, isNested ? 0x80 : 0] + value
    while bytes.count & 3 != 0 { bytes.append(0) }
    return bytes
  }

  static func text(_ type: UInt8, _ text: String) -> [UInt8] { attribute(type, Array(text.utf8) + [0]) }

  static func number(_ type: UInt8, _ value: UInt32) -> [UInt8] {
    attribute(type, (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) })
  }

  private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  private mutating func small(_ highest: Int) -> Int { Int.random(in: 0...highest, using: &random) }

  private mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...(Bool.random(using: &random) ? 255 : 20), using: &random) }
  }

  /// The names of expressions, and of what is none.
  private static let names = [
    "meta", "ct", "fib", "payload", "byteorder", "bitwise", "hash", "cmp", "range", "lookup", "immediate", "counter",
    "limit", "dynset", "log", "nat", "masq", "reject", "quota", "x", "",
  ]

  /// Returns some attributes, which may hold others.
  mutating func attributes(depth: Int) -> [UInt8] {
    var result: [UInt8] = []
    for _ in 0..<small(6) {
      let type = UInt8(small(12))
      switch small(6) {
      case 0 where depth > 0: result += Forger.attribute(type, attributes(depth: depth - 1), isNested: chance(50))
      case 1: result += Forger.text(type, Forger.names[small(Forger.names.count - 1)])
      case 2, 3: result += Forger.number(type, UInt32(small(40)))
      case 4: result += Forger.attribute(type, bytes(8))
      default: result += Forger.attribute(type, bytes(small(20)))
      }
    }
    // One in some has a length that lies.
    if chance(5), result.count > 8 { result[0] = result[0] &+ UInt8(small(8)) }
    return result
  }

  /// Returns a list of expressions that may stand in a rule: for each, its name and its data.
  private mutating func expressions() -> [UInt8] {
    var result: [UInt8] = []
    for _ in 0..<small(5) {
      let name = Forger.text(1, Forger.names[small(Forger.names.count - 1)])
      // A value stands in a list of its own.
      var data = attributes(depth: 1)
      for type in 1...5 as ClosedRange<UInt8> where chance(70) {
        data +=
          chance(30)
          ? Forger.attribute(type, Forger.attribute(1, bytes([1, 2, 4, 16][small(3)])), isNested: true)
          : Forger.number(type, UInt32(small(24)))
      }
      result += Forger.attribute(1, name + Forger.attribute(2, data, isNested: true), isNested: true)
    }
    return result
  }

  /// Returns elements of a set with keys of `length` bytes.
  private mutating func elements(_ length: Int) -> [UInt8] {
    var result: [UInt8] = []
    for _ in 0..<small(6) {
      func value(_ bytes: [UInt8]) -> [UInt8] { Forger.attribute(1, bytes) }
      var element = Forger.attribute(1, value(bytes(chance(90) ? length : small(40))), isNested: true)
      if chance(20) { element += Forger.attribute(10, value(bytes(length)), isNested: true) }
      if chance(20) { element += Forger.number(3, UInt32(small(2))) }
      if chance(30) { element += attributes(depth: 2) }
      result += Forger.attribute(1, element, isNested: true)
    }
    return result
  }

  /// Returns the answers to a reader of the table `portcullis`, in the order in which it asks.
  mutating func answers() -> [[UInt8]] {
    var result: [[UInt8]] = []
    var number: UInt8 = 0
    func end() -> [UInt8] { Forger.message(3, 0, number: number, flags: 2, [0, 0, 0, 0]) }
    func part(_ type: UInt8, _ attributes: [UInt8]) -> [UInt8] {
      Forger.message(type, 10, number: number, flags: 2, [1, 0, 0, 0] + attributes)
    }
    let generation = Forger.number(1, 7)
    number += 1
    result.append(Forger.message(15, 10, number: number, [0, 0, 0, 0] + generation))
    // Tables, chains, sets, the elements of each, rules, objects, flow tables.
    number += 1
    result.append(part(0, Forger.text(1, "portcullis") + (chance(10) ? attributes(depth: 1) : [])) + end())
    number += 1
    let chains = ["input", "judge"]
    result.append(
      chains.flatMap { name in
        let hook = Forger.attribute(4, Forger.number(1, UInt32(small(5))) + Forger.number(2, UInt32(small(300))))
        return part(
          3,
          Forger.text(1, "portcullis") + Forger.text(3, name) + (chance(50) ? hook : [])
            + (chance(20) ? attributes(depth: 2) : []))
      } + end())
    number += 1
    let types: [(UInt32, Int)] = [(7, 4), (8, 16), (12, 1), (13, 2), (7, 4), (8, 16), (UInt32(small(100)), small(40))]
    let sets = (0..<small(3)).map { ("set\($0)", types[small(types.count - 1)]) }
    result.append(
      sets.flatMap { name, type in
        part(
          9,
          Forger.text(1, "portcullis") + Forger.text(2, name) + Forger.number(3, UInt32(chance(60) ? 0 : small(127)))
            + Forger.number(4, type.0) + Forger.number(5, UInt32(type.1)) + (chance(20) ? attributes(depth: 2) : []))
      } + end())
    for (name, type) in sets {
      number += 1
      result.append(
        part(
          12,
          Forger.text(1, "portcullis") + Forger.text(2, name)
            + Forger.attribute(3, elements(type.1), isNested: true)) + end())
    }
    number += 1
    result.append(
      (0..<small(6)).flatMap { _ in
        part(
          6,
          Forger.text(1, "portcullis") + Forger.text(2, chains[small(1)])
            + Forger.attribute(4, expressions(), isNested: true) + (chance(10) ? attributes(depth: 1) : []))
      } + end())
    for type in [18, 22] as [UInt8] {
      number += 1
      result.append((chance(10) ? part(type, attributes(depth: 1)) : []) + end())
    }
    number += 1
    result.append(Forger.message(15, 10, number: number, [0, 0, 0, 0] + generation))
    return result
  }
}
