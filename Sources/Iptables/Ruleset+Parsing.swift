public import Packets

extension Ruleset {
  /// A line that is not understood as a whole; what a rule has of unknown matches is kept in the rule instead.
  public struct Problem: Hashable, Sendable {
    /// The number of the line, counted from 1.
    public var line: Int
    /// What is wrong with it.
    public var message: String
  }

  /// Reads what iptables-save or ip6tables-save printed, or what iptables-restore would read.
  ///
  /// Counters are left out. The ruleset is as far as it was understood.
  public static func parse(_ text: String, _ family: AddressFamily) -> (ruleset: Ruleset, problems: [Problem]) {
    var reader = RulesetReader(family: family)
    var number = 0
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      reader.read(line, number)
    }
    return (reader.ruleset, reader.problems)
  }
}

/// A reader of the lines of a save file.
private struct RulesetReader {
  /// What was read.
  var ruleset: Ruleset

  /// What was not understood.
  var problems: [Ruleset.Problem] = []

  /// The positions of the chains of the table that is being read, by name.
  private var positions: [String: Int] = [:]

  /// `true` iff a table has begun and not ended.
  private var isInTable = false

  init(family: AddressFamily) { ruleset = Ruleset(family: family) }

  /// Reads `line`.
  mutating func read(_ line: Substring, _ number: Int) {
    guard let first = line.utf8.first, first != UInt8(ascii: "#") else { return }
    func fail(_ message: String) { problems.append(.init(line: number, message: message)) }
    switch first {
    case UInt8(ascii: "*"):
      ruleset.tables.append(Table(String(line.dropFirst())))
      positions = [:]
      isInTable = true
    case UInt8(ascii: ":"):
      guard isInTable else { return fail("a chain stands in no table") }
      let parts = line.dropFirst().split(separator: " ")
      guard parts.count >= 2 else { return fail("a chain has a name and a policy") }
      _ = position(of: String(parts[0]), policy: Chain.Policy(rawValue: String(parts[1])))
    default:
      if line == "COMMIT" {
        isInTable = false
        return
      }
      guard isInTable else { return fail("a rule stands in no table") }
      guard var words = words(of: line)?[...] else { return fail("a quote is not closed") }
      if let counters = words.first, counters.hasPrefix("["), counters.hasSuffix("]") { words.removeFirst() }
      guard words.count >= 2, ["-A", "-I", "-N"].contains(words[words.startIndex]) else {
        return fail("only -A, -I and -N are understood")
      }
      let command = words.removeFirst()
      let chain = position(of: words.removeFirst(), policy: nil)
      if command == "-N" { return }
      var index: Int?
      if command == "-I", let place = words.first.flatMap({ Int($0) }), place > 0 {
        index = place - 1
        words.removeFirst()
      }
      let rule = Rule(words: Array(words), ruleset.family)
      let table = ruleset.tables.count - 1
      if command == "-A" {
        ruleset.tables[table].chains[chain].rules.append(rule)
      } else {
        let count = ruleset.tables[table].chains[chain].rules.count
        ruleset.tables[table].chains[chain].rules.insert(rule, at: min(index ?? 0, count))
      }
    }
  }

  /// Returns the position of the chain `name`, which is made if there is none.
  private mutating func position(of name: String, policy: Chain.Policy?) -> Int {
    if let known = positions[name] { return known }
    let table = ruleset.tables.count - 1
    ruleset.tables[table].chains.append(Chain(name, policy: policy))
    positions[name] = ruleset.tables[table].chains.count - 1
    return ruleset.tables[table].chains.count - 1
  }
}
