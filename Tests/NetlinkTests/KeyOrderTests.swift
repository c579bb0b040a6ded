import Support
import Testing

@testable import Netlink

/// Elements are put in the order of their keys.
@Suite struct KeyOrderTests {
  /// Keys of every length that is ordered, some of them equal, behind other bytes.
  @Test(arguments: 1...32) func keysStandInTheOrderOfTheirBytes(length: Int) {
    var random = SeededGenerator(seed: length)
    for count in [0, 1, 2, 7, 40] {
      let values: [UInt8] = [0, 1, 127, 128, 255]
      let keys = (0..<count).map { _ in (0..<length).map { _ in random.pick(values) } }
      var order = KeyOrder()
      for key in keys {
        let bytes = [9, 9, 9] + key + [9]
        order.append(bytes.span, 3..<3 + length)
      }
      #expect(order.count == count)
      let sorted = keys.sorted { $0.lexicographicallyPrecedes($1) }
      guard let positions = order.positions() else {
        #expect(keys == sorted)
        continue
      }
      #expect(positions.sorted() == Array(0..<count))
      #expect(positions.map { keys[$0] } == sorted)
      var arranged = keys
      arranged.arrange(by: positions)
      #expect(arranged == sorted)
    }
  }

  @Test func everyOrderIsArranged() {
    func permutations(_ count: Int) -> [[Int]] {
      guard count > 0 else { return [[]] }
      return permutations(count - 1).flatMap { rest in
        (0..<count).map { place in Array(rest[..<place]) + [count - 1] + Array(rest[place...]) }
      }
    }
    for positions in permutations(6) {
      var letters = ["a", "b", "c", "d", "e", "f"]
      let wanted = positions.map { letters[$0] }
      letters.arrange(by: positions)
      #expect(letters == wanted)
    }
  }
}
