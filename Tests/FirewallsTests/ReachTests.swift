import Firewalls
import Packets
import Testing

/// The algebra of reaches, against every address and interface of a small world.
@Suite struct ReachTests {
  static let interfaces = ["a", "b", "c", "unknown"]

  /// Returns a reach of the small world that `seed` decides.
  private func reach(_ seed: inout RepeatableRandom) -> Reach {
    let names = ["a", "b", "c"].filter { _ in seed.next() & 1 == 0 }
    let set: InterfaceSet = seed.next() & 1 == 0 ? .only(names) : .except(names)
    let low = UInt32(seed.next() % 16)
    let high = min(15, low + UInt32(seed.next() % 8))
    return Reach(AddressSet(ipv4: IntervalSet(low...high), ipv6: .init()), on: set)
  }

  @Test func normalizingAndSubtractingKeepTheMeaning() {
    var seed = RepeatableRandom(state: 7)
    for _ in 0..<2000 {
      let mine = (0..<3).map { _ in reach(&seed) }
      let others = (0..<2).map { _ in reach(&seed) }
      let normal = mine.normalized
      let rest = mine.subtracting(others)
      for parts in [normal, rest] {
        for (i, part) in parts.enumerated() {
          #expect(!part.isEmpty)
          for other in parts[(i + 1)...] { #expect(part.interfaces.intersection(other.interfaces).isEmpty) }
        }
      }
      for name in Self.interfaces {
        for value in 0..<16 {
          let address = Address(.ipv4, UInt128(value))
          #expect(normal.contains(address, on: name) == mine.contains(address, on: name))
          #expect(
            rest.contains(address, on: name)
              == (mine.contains(address, on: name) && !others.contains(address, on: name)))
        }
      }
    }
  }
}

/// A small generator of random numbers that can be repeated (SplitMix64).
struct RepeatableRandom {
  /// The state.
  var state: UInt64

  /// Returns the next number.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
