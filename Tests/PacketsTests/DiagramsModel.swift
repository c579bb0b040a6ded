@testable import Packets
import Support

/// A box that is described in plain values, for an evaluator that knows nothing of diagrams.
struct PlainBox {
  var sides: [PacketField: IntervalSet<UInt128>] = [:]
  var condition: PacketField?
  var label: UInt32

  func contains(_ packet: PacketValues) -> Bool {
    sides.allSatisfy { $0.value.contains(packet[$0.key]) } && condition.map { packet[$0] == 1 } ?? true
  }

  func box(in space: PacketSpace) -> PacketBox {
    var box = PacketBox(label: label)
    for (field, values) in sides { box[field] = space.values(values, of: field) }
    return condition.map { box.when($0) } ?? box
  }
}

/// A map of packets as it was made, so that it can be evaluated packet by packet.
indirect enum Formula {
  case boxes([PlainBox])
  case override(Formula, Formula)
  case least(Formula, Formula)
  case restrict(Formula, Formula)
  case remove(Formula, Formula)
  case differ(Formula, Formula)
  case complement(Formula)
  /// Labels become their remainder by the number.
  case relabel(Formula, UInt32)
  case select(Formula, UInt32)
  case fix(Formula, PacketField, UInt128)
  case forget(Formula, PacketField)

  /// Returns the label of `packet`; `grid` has a value out of each class of values for each field.
  func label(of packet: PacketValues, on grid: Grid) -> UInt32 {
    switch self {
    case .boxes(let boxes): return boxes.lazy.filter { $0.contains(packet) }.map(\.label).min() ?? 0
    case .override(let a, let b):
      let first = a.label(of: packet, on: grid)
      return first != 0 ? first : b.label(of: packet, on: grid)
    case .least(let a, let b):
      let labels = (a.label(of: packet, on: grid), b.label(of: packet, on: grid))
      return labels.0 == 0 ? labels.1 : labels.1 == 0 ? labels.0 : min(labels.0, labels.1)
    case .restrict(let a, let b): return b.label(of: packet, on: grid) == 0 ? 0 : a.label(of: packet, on: grid)
    case .remove(let a, let b): return b.label(of: packet, on: grid) != 0 ? 0 : a.label(of: packet, on: grid)
    case .differ(let a, let b): return a.label(of: packet, on: grid) == b.label(of: packet, on: grid) ? 0 : 1
    case .complement(let a): return a.label(of: packet, on: grid) == 0 ? 1 : 0
    case .relabel(let a, let divisor): return a.label(of: packet, on: grid) % divisor
    case .select(let a, let label): return a.label(of: packet, on: grid) == label && label != 0 ? 1 : 0
    case .fix(let a, let field, let value):
      var packet = packet
      packet[field] = value
      return a.label(of: packet, on: grid)
    case .forget(let a, let field):
      var packet = packet
      for value in grid.values[field, default: [0]] {
        packet[field] = value
        if a.label(of: packet, on: grid) != 0 { return 1 }
      }
      return 0
    }
  }

  /// Returns what the space makes of the formula.
  func map(in space: PacketSpace) throws -> PacketMap {
    switch self {
    case .boxes(let boxes): return try space.map(of: boxes.map { $0.box(in: space) })
    case .override(let a, let b): return try a.map(in: space).overriding(b.map(in: space))
    case .least(let a, let b): return try a.map(in: space).least(b.map(in: space))
    case .restrict(let a, let b): return try a.map(in: space).restricted(to: b.map(in: space).domain)
    case .remove(let a, let b): return try a.map(in: space).removing(b.map(in: space).domain)
    case .differ(let a, let b): return try a.map(in: space).differing(from: b.map(in: space)).labelled(1)
    case .complement(let a): return try a.map(in: space).domain.complement().labelled(1)
    case .relabel(let a, let divisor): return try a.map(in: space).relabelled { $0 % divisor }
    case .select(let a, let label): return try a.map(in: space).packets(labelled: label).labelled(1)
    case .fix(let a, let field, let value): return try a.map(in: space).fixing(field, to: value)
    case .forget(let a, let field): return try a.map(in: space).domain.forgetting(field).labelled(1)
    }
  }
}

/// Packets of which one stands for each class that boxes with given bounds can tell apart.
struct Grid {
  /// The lowest value of each class, in order, by field; fields that are absent have one class.
  var values: [PacketField: [UInt128]] = [:]

  /// One packet of each class: the lowest.
  var packets: [PacketValues] {
    var packets = [PacketValues()]
    for (field, values) in values.sorted(by: { $0.key < $1.key }) {
      packets = packets.flatMap { packet in
        values.map { value in
          var packet = packet
          packet[field] = value
          return packet
        }
      }
    }
    return packets
  }

  /// Returns how many values of `field` are in the class whose lowest one is `lower`.
  func width(of lower: UInt128, in field: PacketField) -> Double {
    guard let next = values[field]?.first(where: { $0 > lower }) else { return Double(field.highest - lower) + 1 }
    return Double(next - lower)
  }
}

/// A small world of boxes, in which they meet often.
struct BoxWorld {
  var random: SeededGenerator
  let fields: [PacketField]
  let conditions: [PacketField]
  let grid: Grid

  /// Creates a world over `count` of the fields; `conditions` are those of the space.
  init(seed: Int, fields count: Int = 3, bounds: Int = 3, conditions: [PacketField] = []) {
    var random = SeededGenerator(seed: seed)
    let fields = Array(PacketField.all.shuffled(using: &random).prefix(count)).sorted()
    var grid = Grid()
    for field in fields {
      let highest = field.highest
      var cuts: Set<UInt128> = [0]
      for _ in 0..<bounds {
        let near = random.pick([0, 1, highest / 2, highest / 2 + 1, highest - min(highest, 1), highest])
        cuts.insert(random.chance(50) ? near : UInt128.random(in: 0...highest, using: &random))
      }
      grid.values[field] = cuts.sorted()
    }
    for condition in conditions { grid.values[condition] = [0, 1] }
    self.random = random
    self.fields = fields
    self.conditions = conditions
    self.grid = grid
  }

  /// Returns some values of `field`: none, all, or some of its classes.
  mutating func values(of field: PacketField) -> IntervalSet<UInt128> {
    let lowers = grid.values[field, default: [0]]
    var parts: [ClosedRange<UInt128>] = []
    let share = random.pick([30, 50, 80])
    for (i, lower) in lowers.enumerated() where random.chance(share) {
      parts.append(lower...(i + 1 < lowers.count ? lowers[i + 1] - 1 : field.highest))
    }
    return IntervalSet(parts)
  }

  mutating func boxes(_ count: Int, labels: ClosedRange<UInt32> = 1...4) -> [PlainBox] {
    (0..<count).map { _ in
      var box = PlainBox(label: UInt32.random(in: labels, using: &random))
      for field in fields where random.chance(60) { box.sides[field] = values(of: field) }
      if !conditions.isEmpty, random.chance(40) { box.condition = random.pick(conditions) }
      return box
    }
  }

  mutating func formula(depth: Int) -> Formula {
    guard depth > 0, !random.chance(15) else { return .boxes(boxes(Int.random(in: 0...6, using: &random))) }
    let a = formula(depth: depth - 1)
    switch Int.random(in: 0..<11, using: &random) {
    case 0, 1: return .override(a, formula(depth: depth - 1))
    case 2: return .least(a, formula(depth: depth - 1))
    case 3: return .restrict(a, formula(depth: depth - 1))
    case 4, 5: return .remove(a, formula(depth: depth - 1))
    case 6: return .differ(a, formula(depth: depth - 1))
    case 7: return random.chance(50) ? .complement(a) : .select(a, UInt32.random(in: 0...4, using: &random))
    case 8: return .relabel(a, UInt32.random(in: 1...4, using: &random))
    case 9:
      let field = random.pick(fields + conditions)
      return .fix(a, field, random.pick(grid.values[field, default: [0]]))
    default: return .forget(a, random.pick(fields + conditions))
    }
  }
}

extension PacketMap {
  /// Returns the map of the lowest labels of both.
  func least(_ other: PacketMap) throws -> PacketMap { PacketMap(space, try space.combine(root, other.root, .least)) }
}
