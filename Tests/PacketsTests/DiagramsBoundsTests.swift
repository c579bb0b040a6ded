import Packets
import Support
import Testing

/// The ends of fields, the budget, and inputs that are made to be large.
@Suite struct DiagramsBoundsTests {
  @Test(arguments: PacketField.all)
  func theEndsOfAFieldAreValuesOfIt(field: PacketField) throws {
    let space = PacketSpace()
    let highest = field.highest
    func set(_ range: ClosedRange<UInt128>) throws -> PacketSet {
      try space.set(field, in: space.values(range, of: field))
    }
    #expect(try set(0...highest).isAll)
    #expect(try set(0...0).union(set(1...highest)).isAll)
    #expect(try set(0...(highest - 1)).union(set(highest...highest)).isAll)
    #expect(try set(0...(highest - 1)).complement() == set(highest...highest))
    #expect(try set(0...(highest - 1)).complement().witness?[field] == highest)
    #expect(try set(highest...highest).values(of: field) == IntervalSet(highest...highest))
    #expect(try space.set(field, in: space.values(IntervalSet<UInt128>(), of: field)).isEmpty)
    #expect(try set(0...0).regions.map(\.sides) == [[field: IntervalSet(0...0)]])
    if highest < .max { #expect(try set(highest...(.max)) == set(highest...highest)) }
    let adjacent = try space.map(
      of: [(UInt32(1), 0...(highest / 2)), (2, (highest / 2 + 1)...highest), (3, 0...highest)].map {
        var box = PacketBox(label: $0.0)
        box[field] = space.values($0.1, of: field)
        return box
      })
    #expect(try adjacent.packets(labelled: 1) == set(0...(highest / 2)) && adjacent.labels == [1, 2])
  }

  /// Thousands of maps of which two each are chosen from take room for two each.
  @Test func manyMapsAreChosenFromInLittleRoom() throws {
    let space = PacketSpace(budget: 600_000)
    let count = 3000
    var boxes: [PacketBox] = []
    var maps: [PacketMap] = []
    for i in 0..<count {
      let place = space.value(UInt32(i), of: .destination)
      var near = PacketBox(label: UInt32(2 * i + 1))
      near[.destination] = place
      near[.source] = space.value(UInt32(7), of: .source)
      var far = PacketBox(label: UInt32(2 * i + 2))
      far[.destination] = place
      boxes += [near, far]
      for port in [2 * i, 2 * i + 1] {
        var box = PacketBox()
        box[.destinationPort] = space.value(UInt16(port), of: .destinationPort)
        maps.append(try space.map(of: [box]))
      }
    }
    let chosen = try space.map(of: boxes).choosing(among: maps, else: space.unlabelled)
    for i in [0, 1, 1500, count - 1] {
      var packet = PacketValues()
      packet[.destination] = UInt128(i)
      for (source, port) in [(7, 2 * i), (8, 2 * i + 1)] {
        packet[.source] = UInt128(source)
        packet[.destinationPort] = UInt128(port)
        #expect(chosen.label(of: packet) == 1)
        packet[.destinationPort] = UInt128(port ^ 1)
        #expect(chosen.label(of: packet) == 0)
      }
    }
  }

  /// Boxes each of which crosses all others in every field: there is no small diagram of them.
  static func crossing(_ count: Int, in space: PacketSpace) -> [PacketBox] {
    var random = SeededGenerator(seed: count)
    let fields: [PacketField] = [.destination, .destinationPort, .source, .sourcePort]
    return (0..<count).map { i in
      var box = PacketBox(label: UInt32(i + 1))
      for field in fields {
        let bounds = (UInt16.random(in: 0...0xffff, using: &random), UInt16.random(in: 0...0xffff, using: &random))
        box[field] = space.values(min(bounds.0, bounds.1)...max(bounds.0, bounds.1), of: field)
      }
      return box
    }
  }

  @Test func crossingBoxesEndInAnHonestError() throws {
    let space = PacketSpace(budget: 20_000)
    let small = try space.map(of: Self.crossing(5, in: space))
    let regions = Array(small.regions)
    #expect(throws: BudgetExceeded(limit: 20_000, of: .edges)) { try space.map(of: Self.crossing(500, in: space)) }
    #expect(space.size.edges <= 20_000)
    // What was there is as it was, and what is there already can be made again.
    #expect(Array(small.regions) == regions)
    #expect(try space.map(of: Self.crossing(5, in: space)) == small)
    #expect(throws: BudgetExceeded.self) { try space.map(of: Self.crossing(400, in: space)) }
  }

  @Test func workIsBoundedToo() throws {
    let space = PacketSpace(budget: 1)
    let box = PacketBox()
    #expect(try space.set(of: box).isAll)
    var narrow = PacketBox()
    narrow[.destinationPort] = space.value(UInt16(22), of: .destinationPort)
    #expect(throws: BudgetExceeded(limit: 1, of: .edges)) { try space.set(of: narrow) }
    let other = PacketSpace(budget: 1000)
    let boxes = Self.crossing(3, in: other)
    #expect {
      while true { _ = try other.map(of: boxes) }
    } throws: {
      ($0 as? BudgetExceeded)?.resource == .steps
    }
  }

  @Test func conditionsAreLimited() throws {
    let space = PacketSpace()
    let error = #expect(throws: BudgetExceeded.self) {
      for i in 0..<300 { _ = try space.condition("condition \(i)") }
    }
    #expect(error?.resource == .conditions && error?.limit == space.conditions.count)
    // The last one is a field like others.
    let last = PacketField(rawValue: UInt8(PacketField.all.count + space.conditions.count - 1))
    let set = try space.set(when: last)
    #expect(try set.complement().union(set).isAll && set.witness?[last] == 1 && set.forgetting(last).isAll)
  }

  /// The tables grow many times while diagrams are made of thousands of boxes.
  @Test func manyBoxesAreOneDiagramWhateverTheirOrder() throws {
    let space = PacketSpace()
    var random = SeededGenerator(seed: 3)
    let boxes = (0..<3000).map { i in
      var box = PacketBox(label: UInt32(i + 1))
      let width = random.pick([0, 0, 4, 8, 12])
      let lower = UInt128((UInt32.random(in: 0...0xff_ffff, using: &random) >> width) << width)
      box[.destination] = space.values(lower...(lower | ((UInt128(1) << width) - 1)), of: .destination)
      if random.chance(70) {
        box[.destinationPort] = space.value(UInt16.random(in: 0...40, using: &random), of: .destinationPort)
      }
      if random.chance(50) { box[.source] = space.value(UInt32.random(in: 0...200, using: &random), of: .source) }
      box[.family] = space.value(UInt8(random.pick([0, 1])), of: .family)
      return box
    }
    let map = try space.map(of: boxes)
    var halves = space.unlabelled
    for start in stride(from: 0, to: boxes.count, by: 500) {
      halves = try halves.overriding(space.map(of: Array(boxes[start..<start + 500]).shuffled(using: &random)))
    }
    #expect(halves == map)
    let fresh = PacketSpace()
    // Values that another space numbers otherwise.
    for i in (0..<500).reversed() { _ = fresh.value(UInt16(i), of: .destinationPort) }
    #expect(try fresh.unlabelled.isEmpty && fresh.set(of: []).isEmpty)
  }
}
