import Support
import Testing

@testable import Packets

/// The laws of sets and maps, as identities of diagrams.
@Suite struct DiagramsLawTests {
  struct Sample {
    let space = PacketSpace()
    var world: BoxWorld
    let (a, b, c): (PacketMap, PacketMap, PacketMap)

    init(_ seed: Int) throws {
      world = try DiagramsTests.world(seed, in: space)
      a = try world.formula(depth: 2).map(in: space)
      b = try world.formula(depth: 2).map(in: space)
      c = try world.formula(depth: 1).map(in: space)
    }
  }

  @Test(arguments: 1000..<1080)
  func setsAreABooleanAlgebra(seed: Int) throws {
    let sample = try Sample(seed)
    let (a, b, c) = (try sample.a.domain, try sample.b.domain, try sample.c.domain)
    let (none, all) = (sample.space.nothing, sample.space.everything)
    #expect(try a.union(b) == b.union(a))
    #expect(try a.intersection(b) == b.intersection(a))
    #expect(try a.union(b).union(c) == a.union(b.union(c)))
    #expect(try a.intersection(b).intersection(c) == a.intersection(b.intersection(c)))
    #expect(try a.union(a) == a && a.intersection(a) == a)
    #expect(try a.union(a.intersection(b)) == a && a.intersection(a.union(b)) == a)
    #expect(try a.union(b).complement() == a.complement().intersection(b.complement()))
    #expect(try a.intersection(b).complement() == a.complement().union(b.complement()))
    #expect(try a.intersection(b.union(c)) == a.intersection(b).union(a.intersection(c)))
    #expect(try a.union(b.intersection(c)) == a.union(b).intersection(a.union(c)))
    #expect(try a.subtracting(b) == a.intersection(b.complement()))
    #expect(try a.complement().complement() == a)
    #expect(try a.union(a.complement()) == all && a.intersection(a.complement()) == none)
    #expect(try a.union(none) == a && a.intersection(all) == a && a.subtracting(none) == a)
    #expect(try a.subtracting(all).isEmpty && none.complement().isAll)
    #expect(try a.isSubset(of: b) == (a.union(b) == b))
    #expect(try a.intersection(b).isSubset(of: a) && a.isSubset(of: a.union(b)))
    let both = try a.union(b).count + a.intersection(b).count
    #expect(abs(both - (a.count + b.count)) <= both * 1e-12)
  }

  @Test(arguments: 1080..<1160)
  func mapsObeyTheirLaws(seed: Int) throws {
    let sample = try Sample(seed)
    let (a, b, c, space) = (sample.a, sample.b, sample.c, sample.space)
    #expect(try a.overriding(b).overriding(c) == a.overriding(b.overriding(c)))
    #expect(try a.overriding(a) == a && a.overriding(space.unlabelled) == a && space.unlabelled.overriding(a) == a)
    #expect(try a.least(b) == b.least(a) && a.least(b).least(c) == a.least(b.least(c)) && a.least(a) == a)
    #expect(try a.overriding(b).domain == a.domain.union(b.domain))
    #expect(try a.overriding(b) == a.overriding(b.removing(a.domain)))
    let set = try c.domain
    #expect(try a.restricted(to: set).overriding(a.removing(set)) == a)
    #expect(try a.restricted(to: set) == a.removing(set.complement()))
    #expect(try a.restricted(to: set).domain == a.domain.intersection(set))
    #expect(try a.differing(from: b) == b.differing(from: a) && a.differing(from: a).isEmpty)
    let same = try a.differing(from: b).complement()
    #expect(try a.restricted(to: same) == b.restricted(to: same))
    #expect(try a.differing(from: b).isEmpty == (a == b))
    #expect(try a.relabelled { $0 } == a && a.relabelled { _ in 0 }.isEmpty)
    #expect(try a.relabelled { $0 + 7 }.relabelled { $0 - 7 } == a)
    var union = space.unlabelled
    for label in a.labels { union = try union.overriding(a.packets(labelled: label).labelled(label)) }
    #expect(union == a)
    #expect(try a.packets(labelled: Set(a.labels)) == a.domain)
  }

  @Test(arguments: 1220..<1300)
  func boxesAboveAMapAreThoseOverridingIt(seed: Int) throws {
    var sample = try Sample(seed)
    let space = sample.space
    for count in 0...8 {
      let boxes = sample.world.boxes(count).map { $0.box(in: space) }
      for rest in [sample.a, sample.c, try space.everything.labelled(2), space.unlabelled] {
        #expect(try space.map(of: boxes, over: rest) == space.map(of: boxes).overriding(rest))
      }
    }
  }

  @Test(arguments: 1300..<1400)
  func aChoiceAmongMapsIsEachWhereItIsChosen(seed: Int) throws {
    var sample = try Sample(seed)
    let space = sample.space
    for _ in 0..<4 {
      let boxes = sample.world.boxes(sample.world.random.pick([1, 3, 8])).map { $0.box(in: space) }
      let maps = [sample.a, sample.b, try space.everything.labelled(3), space.unlabelled, sample.c].shuffled(
        using: &sample.world.random)
      let number = try space.map(of: boxes).relabelled { $0 % UInt32(maps.count + 1) }
      let rest = sample.world.random.pick([sample.c, space.unlabelled, sample.a])
      var oneByOne = try rest.removing(number.domain)
      for (i, map) in maps.enumerated() {
        oneByOne = try map.restricted(to: number.packets(labelled: UInt32(i + 1))).overriding(oneByOne)
      }
      #expect(try number.choosing(among: maps, else: rest) == oneByOne)
    }
  }

  @Test(arguments: 1160..<1220)
  func pairsKeepBothLabels(seed: Int) throws {
    let sample = try Sample(seed)
    let (a, b, space) = (sample.a, sample.b, sample.space)
    let pairs = try a.paired(with: b)
    #expect(try pairs.relabelled { space.pair($0).0 } == a)
    #expect(try pairs.relabelled { space.pair($0).1 } == b)
    #expect(try pairs.domain == a.domain.union(b.domain))
    #expect(try pairs.relabelled { space.pair($0).0 == space.pair($0).1 ? 0 : 1 }.domain == a.differing(from: b))
  }

  @Test(arguments: 1220..<1280)
  func fixedAndForgottenFieldsAreNotLookedAt(seed: Int) throws {
    var sample = try Sample(seed)
    let fields = sample.world.fields
    let field = sample.world.random.pick(fields)
    let other = sample.world.random.pick(fields)
    let (a, b) = (try sample.a.domain, try sample.b.domain)
    let forgotten = try a.forgetting(field)
    #expect(try a.isSubset(of: forgotten) && forgotten.forgetting(field) == forgotten)
    #expect(try a.union(b).forgetting(field) == forgotten.union(b.forgetting(field)))
    #expect(try forgotten.forgetting(other) == a.forgetting(other).forgetting(field))
    #expect(a.isEmpty == forgotten.isEmpty)
    var union = sample.space.nothing
    for value in sample.world.grid.values[field] ?? [] { union = try union.union(a.fixing(field, to: value)) }
    #expect(union == forgotten)
    let value = sample.world.random.pick(sample.world.grid.values[field] ?? [])
    let slice = try sample.space.set(field, in: sample.space.value(value, of: field))
    #expect(try a.fixing(field, to: value) == a.intersection(slice).forgetting(field))
  }
}
