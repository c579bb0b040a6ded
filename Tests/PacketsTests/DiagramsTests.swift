import Packets
import Support
import Testing

/// Whatever is made of sets and maps means what an evaluator of single packets says, and equal meanings are one diagram.
@Suite struct DiagramsTests {
  static let conditionNames = ["within 5 a second", "unknown match", "third"]

  /// Returns a world over fields and conditions of `space`.
  static func world(_ seed: Int, in space: PacketSpace, conditions count: Int? = nil) throws -> BoxWorld {
    let names = conditionNames.prefix(count ?? seed % 4)
    return BoxWorld(seed: seed, conditions: try names.map { try space.condition($0) })
  }

  @Test(arguments: 0..<300)
  func formulasMeanWhatTheEvaluatorSays(seed: Int) throws {
    let space = PacketSpace()
    var world = try Self.world(seed, in: space)
    let packets = world.grid.packets
    var roots: [[UInt32]: PacketMap] = [:]
    for _ in 0..<8 {
      let formula = world.formula(depth: 3)
      let map = try formula.map(in: space)
      let expected = packets.map { formula.label(of: $0, on: world.grid) }
      #expect(packets.map { map.label(of: $0) } == expected)
      // Canonical: the same labels are the same diagram, and other labels are another.
      if let other = roots[expected] { #expect(other == map) }
      for (labels, other) in roots where labels != expected { #expect(other != map) }
      roots[expected] = map

      #expect(map.labels == Set(expected).subtracting([0]).sorted())
      #expect(map.isEmpty == expected.allSatisfy { $0 == 0 })
      let domain = try map.domain
      #expect(packets.map { domain.contains($0) } == expected.map { $0 != 0 })
      #expect(domain.witness == zip(packets, expected).filter { $0.1 != 0 }.map(\.0).min(by: Self.precedes))
    }
  }

  static func precedes(_ a: PacketValues, _ b: PacketValues) -> Bool {
    for level in UInt8(0)..<20 {
      let field = PacketField(rawValue: level)
      if a[field] != b[field] { return a[field] < b[field] }
    }
    return false
  }

  @Test(arguments: 300..<400)
  func regionsAreDisjointAndRebuildTheSameDiagram(seed: Int) throws {
    let space = PacketSpace()
    var world = try Self.world(seed, in: space)
    let map = try world.formula(depth: 2).map(in: space)
    let regions = Array(map.regions)
    for packet in world.grid.packets {
      let holding = regions.filter { $0.sides.allSatisfy { $0.value.contains(packet[$0.key]) } }
      #expect(holding.map(\.label) == (map.label(of: packet) == 0 ? [] : [map.label(of: packet)]))
    }
    #expect(Array(map.regions) == regions)
    var rebuilt = space.unlabelled
    var sum = 0.0
    for region in regions {
      var set = space.everything
      for (field, values) in region.sides {
        set = try set.intersection(space.set(field, in: space.values(values, of: field)))
      }
      #expect(try !set.isEmpty && rebuilt.domain.intersection(set).isEmpty)
      rebuilt = try rebuilt.overriding(set.labelled(region.label))
      sum += set.count
    }
    #expect(rebuilt == map)
    #expect(try abs(sum - map.domain.count) <= sum * 1e-12)
  }

  @Test(arguments: 400..<460)
  func valuesAndCountsAreThoseOfThePackets(seed: Int) throws {
    let space = PacketSpace()
    var world = try Self.world(seed, in: space)
    let set = try world.formula(depth: 2).map(in: space).domain
    for field in world.fields + world.conditions {
      let values = set.values(of: field)
      for lower in world.grid.values[field] ?? [] {
        let isThere = world.grid.packets.contains { $0[field] == lower && set.contains($0) }
        #expect(values.contains(lower) == isThere)
      }
    }
    // One value for each field that has very many, so that the number is exact.
    var point = space.everything
    let wide = Set(PacketField.all).subtracting(world.fields.filter { $0.highest < 0x1_0000 })
    for field in wide {
      point = try point.fixing(field, to: 0).intersection(space.set(field, in: space.value(UInt8(0), of: field)))
    }
    var expected = 0.0
    for packet in world.grid.packets where set.contains(packet) && wide.allSatisfy({ packet[$0] == 0 }) {
      expected += world.fields.filter { !wide.contains($0) }.reduce(1) { $0 * world.grid.width(of: packet[$1], in: $1) }
    }
    #expect(try set.intersection(point).count == expected)
  }

  @Test(arguments: 460..<520)
  func manyBoxesAtOnceAreTheBoxesOneByOne(seed: Int) throws {
    let space = PacketSpace()
    var world = try Self.world(seed, in: space)
    let boxes = world.boxes(40, labels: 1...40)
    let map = try space.map(of: boxes.map { $0.box(in: space) })
    for packet in world.grid.packets {
      #expect(map.label(of: packet) == boxes.lazy.filter { $0.contains(packet) }.map(\.label).min() ?? 0)
    }
    let shuffled = boxes.shuffled(using: &world.random)
    #expect(try space.map(of: shuffled.map { $0.box(in: space) }) == map)
    var oneByOne = space.unlabelled
    for box in boxes.sorted(by: { $0.label < $1.label }) {
      oneByOne = try oneByOne.overriding(space.map(of: [box.box(in: space)]))
    }
    #expect(oneByOne == map)
    #expect(try space.set(of: boxes.map { $0.box(in: space) }) == map.domain)
  }

  @Test(arguments: 520..<580)
  func aShiftedFieldIsAnotherValueOfIt(seed: Int) throws {
    let space = PacketSpace()
    var world = try Self.world(seed, in: space)
    let map = try world.formula(depth: 2).map(in: space)
    for field in world.fields where field.highest < 0x1_0000 {
      let highest = Int(field.highest)
      for distance in [0, 1, -1, highest, -highest, highest + 1, -highest - 1, highest / 2, -highest / 3] {
        let shifted = try map.shifting(field, by: distance)
        for var packet in world.grid.packets {
          for value in Set([0, 1, highest / 2, highest - 1, highest, Int(packet[field])]) where value <= highest {
            packet[field] = UInt128(value)
            var moved = packet
            let isThere = (0...highest).contains(value + distance)
            if isThere { moved[field] = UInt128(value + distance) }
            #expect(shifted.label(of: packet) == (isThere ? map.label(of: moved) : 0))
          }
        }
        let back = try shifted.shifting(field, by: -distance)
        let kept = try map.shifting(field, by: 0).restricted(
          to: space.everything.labelled(1).shifting(field, by: distance).shifting(field, by: -distance).domain)
        #expect(back == kept)
      }
    }
  }

  @Test func aBoxWithAConditionHoldsOnlyWhenItDoes() throws {
    let space = PacketSpace()
    let conditions = try ["a", "b", "c"].map { try space.condition($0) }
    #expect(try space.condition("b") == conditions[1])
    let boxes = conditions.enumerated().map { PacketBox(label: UInt32($0 + 1)).when($1) }
    let map = try space.map(of: boxes)
    for bits in 0..<8 {
      var packet = PacketValues()
      for (i, condition) in conditions.enumerated() { packet[condition] = UInt128(bits >> i & 1) }
      #expect(map.label(of: packet) == (bits == 0 ? 0 : UInt32(bits.trailingZeroBitCount + 1)))
    }
    #expect(
      try space.set(when: conditions[2])
        == map.removing(space.set(of: [boxes[0], boxes[1]])).domain
        .union(space.set(when: conditions[2])))
  }

  @Test func packetsAreEqualWhateverFieldsWereSet() throws {
    let space = PacketSpace()
    let condition = try space.condition("a")
    var packet = PacketValues()
    packet[condition] = 0
    #expect(packet == PacketValues())
    #expect(space.everything.witness == PacketValues())
    packet[condition] = 1
    #expect(try space.set(when: condition).witness == packet)
    packet[condition] = 0
    #expect(packet == PacketValues() && packet.hashValue == PacketValues().hashValue)
  }
}
