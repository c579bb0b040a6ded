import Packets

/// Measures packet sets on synthetic rules, and writes what was measured as JSON.
@main
struct PacketSetsBenchmark {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    let counts = arguments.isEmpty ? [1_000, 10_000, 100_000] : arguments.compactMap { Int($0) }
    var rows: [String] = []
    for count in counts { rows.append(try measured(count, times: count > 50_000 ? 3 : 7)) }
    print("[\n  " + rows.joined(separator: ",\n  ") + "\n]")
  }

  /// Returns the medians of `times` runs over `count` rules, as a JSON object.
  static func measured(_ count: Int, times: Int) throws -> String {
    let first = rules(count, seed: UInt64(count))
    var edited = first
    for (i, other) in rules(10, seed: 7).enumerated() { edited[(2 * i + 1) * count / 20] = other }
    var rest: [(String, Int)] = []
    var runs: [String: [Duration]] = [:]
    var order: [String] = []
    let clock = ContinuousClock()
    func time<Result>(_ name: String, _ work: () throws -> Result) rethrows -> Result {
      let start = clock.now
      let result = try work()
      if runs[name] == nil { order.append(name) }
      runs[name, default: []].append(clock.now - start)
      return result
    }
    for _ in 0..<times {
      let space = PacketSpace()
      let meaning = try time("meaning") { try self.meaning(of: first, in: space) }
      let other = try time("edited") { try self.meaning(of: edited, in: space) }
      let again = try time("again") { try self.meaning(of: first, in: space) }
      precondition(time("equal") { again == meaning && again != other })
      let opened = try time("difference") {
        (try meaning.subtracting(other), try other.subtracting(meaning))
      }
      let chain = PacketSpace()
      let verdicts = try time("first match") { try firstMatch(first, in: chain) }
      let judges = PacketSpace()
      let live = try time("dead") {
        try judges.map(of: first.enumerated().map { $1.box($0 + 1, in: judges) }).labels
      }
      rest = [
        ("nodes", meaning.size.nodes), ("edges", meaning.size.edges), ("edges made", space.size.edges),
        ("edges of the difference", opened.0.size.edges + opened.1.size.edges),
        ("edges of first match", verdicts.size.edges), ("edges made for it", chain.size.edges),
        ("dead rules", count - live.count), ("edges made for them", judges.size.edges),
      ]
    }
    let medians = order.map { name in
      let sorted = runs[name, default: []].sorted()
      return (name, sorted[sorted.count / 2] / .microseconds(1))
    }
    return (["\"rules\": \(count)"] + medians.map { "\"\($0) µs\": \($1)" } + rest.map { "\"\($0)\": \($1)" })
      .joined(separator: ", ").braced
  }

  /// Returns what is accepted and not denied: what a policy means, in which order does not matter.
  static func meaning(of rules: [Rule], in space: PacketSpace) throws -> PacketSet {
    let accepted = try space.set(of: rules.lazy.filter(\.accepts).map { $0.box(1, in: space) })
    return try accepted.subtracting(space.set(of: rules.lazy.filter { !$0.accepts }.map { $0.box(1, in: space) }))
  }

  /// Returns the map of what accepts (1) and what denies (2) each packet: the first rule that it matches.
  static func firstMatch(_ rules: [Rule], in space: PacketSpace) throws -> PacketMap {
    // Rules in a row that decide the same share a label; labels are in the order of the rules.
    var label = rules.first?.accepts == true ? 1 : 2
    let boxes = rules.map { rule in
      if rule.accepts != (label % 2 == 1) { label += 1 }
      return rule.box(label, in: space)
    }
    return try space.map(of: boxes).relabelled { $0 % 2 == 1 ? 1 : 2 }
  }
}

extension String {
  fileprivate var braced: String { "{" + self + "}" }
}
