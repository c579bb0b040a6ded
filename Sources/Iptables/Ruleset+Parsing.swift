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
  /// Counters are left out. The ruleset is as far as it was understood: if there are problems, it may lack something;
  /// if there are none, printing it gives a text of the same meaning.
  public static func parse(_ text: String, _ family: AddressFamily) -> (ruleset: Ruleset, problems: [Problem]) {
    let (ruleset, problems, _) = read(text, family)
    return (ruleset, problems)
  }

  /// Reads `text` as `parse` does, and returns besides the line of each rule, by table, chain and rule.
  static func read(
    _ text: String, _ family: AddressFamily
  ) -> (ruleset: Ruleset, problems: [Problem], lines: [[[RuleLine]]]) {
    var reader = RulesetReader(family: family)
    var number = 0
    let bytes = text.utf8.span
    var start = text.startIndex
    var first = 0
    for position in 0...bytes.count where position == bytes.count || bytes[position] == UInt8(ascii: "\n") {
      let end = text.utf8.index(start, offsetBy: position - first)
      number += 1
      reader.read(text[start..<end], number)
      guard position < bytes.count else { break }
      start = text.utf8.index(after: end)
      first = position + 1
    }
    reader.finish(number)
    return (reader.ruleset, reader.problems, reader.lines)
  }
}

/// A reader of the lines of a save file.
private struct RulesetReader {
  /// What was read.
  var ruleset: Ruleset

  /// What was not understood.
  var problems: [Ruleset.Problem] = []

  /// The lines of the rules, by table, chain and rule.
  private(set) var lines: [[[RuleLine]]] = []

  /// The lines of the rules of the table that is being read, by chain and rule.
  private var chainLines: [[RuleLine]] = []

  /// The chains of the table that is being read, in the order of their first mention.
  private var chains: [Chain] = []

  /// The positions of the chains, by name.
  private var positions: [String: Int] = [:]

  /// The chains that a line has declared; a jump anywhere else is to a target that is not known.
  private var declared: Set<String> = []

  /// The table that has begun and not ended.
  private var table: String?

  init(family: AddressFamily) { ruleset = Ruleset(family: family) }

  /// Reads `line`.
  mutating func read(_ line: Substring, _ number: Int) {
    var line = line
    while let last = line.utf8.last, last <= 0x20, last == 0x20 || last == 0x09 || last == 0x0d {
      line = Substring(line.utf8.dropLast())
    }
    guard let first = line.utf8.first, first != UInt8(ascii: "#") else { return }
    if first == UInt8(ascii: "*") {
      if table != nil { end(number, "a table begins before COMMIT ends the one before it") }
      table = String(line.utf8.dropFirst())
      if !Self.isName(table) { fail(number, "a table has a name, which is one word") }
      return
    }
    guard table != nil else { return fail(number, "it stands in no table") }
    if first == UInt8(ascii: "C"), line == "COMMIT" { return end(number, nil) }
    if first == UInt8(ascii: ":") { return declare(line, number) }
    guard let words = words(of: line) else { return fail(number, "a quote is not closed") }
    readCommand(words[...], RuleLine(number: number, text: line))
  }

  /// Ends the text, whose last line is `number`.
  mutating func finish(_ number: Int) {
    if table != nil { end(number, "COMMIT is missing") }
  }

  private mutating func fail(_ number: Int, _ message: String) {
    problems.append(.init(line: number, message: message))
  }

  /// Ends the table that has begun; `problem` says why that is wrong, if it is.
  private mutating func end(_ number: Int, _ problem: String?) {
    guard let name = table else { return }
    if let problem { fail(number, problem) }
    if ruleset.table(name) != nil { fail(number, "the table \(name) stands there twice") }
    for chain in chains.indices {
      for rule in chains[chain].rules.indices {
        switch chains[chain].rules[rule].target {
        case .jump(let name) where !declared.contains(name): chains[chain].rules[rule].target = .unknown(["-j", name])
        case .goto(let name) where !declared.contains(name): chains[chain].rules[rule].target = .unknown(["-g", name])
        default: break
        }
      }
    }
    ruleset.tables.append(Table(name, chains: chains))
    lines.append(chainLines)
    (chains, chainLines, positions, declared, table) = ([], [], [:], [], nil)
  }

  /// Reads the line of a chain and its policy, as in `:INPUT DROP [0:0]`.
  private mutating func declare(_ line: Substring, _ number: Int) {
    let words = line.utf8.dropFirst().split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.map {
      String(decoding: $0, as: UTF8.self)
    }
    guard (2...3).contains(words.count) else { return fail(number, "a chain has a name and a policy") }
    let name = words[0]
    let policy = Chain.Policy(rawValue: words[1])
    guard policy != nil || words[1] == "-" else { return fail(number, "the policy \(words[1]) is not known") }
    guard declared.insert(name).inserted else { return fail(number, "the chain \(name) stands there twice") }
    chains[position(of: name)].policy = policy
  }

  /// Reads the words of a line that adds a rule or a chain.
  private mutating func readCommand(_ words: ArraySlice<String>, _ line: RuleLine) {
    var words = words
    let number = line.number
    if let counters = words.first, counters.hasPrefix("["), counters.hasSuffix("]") { words.removeFirst() }
    guard let command = words.popFirst(), let name = words.popFirst(),
      command == "-A" || command == "-I" || command == "-N"
    else {
      return fail(number, "only -A, -I and -N are understood")
    }
    guard Self.isName(name) else { return fail(number, "the name of a chain is one word") }
    let chain = position(of: name)
    if command == "-N" {
      declared.insert(name)
      if !words.isEmpty { fail(number, "only the name of the chain is understood") }
      return
    }
    var place = chains[chain].rules.endIndex
    if command == "-I" {
      place = 0
      if let first = words.first, let rule: Int = Iptables.number(first) {
        words.removeFirst()
        guard (1...chains[chain].rules.count + 1).contains(rule) else {
          return fail(number, "there is no place \(rule) in the chain \(name)")
        }
        place = rule - 1
      }
    }
    chains[chain].rules.insert(Rule(words: words, ruleset.family), at: place)
    chainLines[chain].insert(line, at: place)
  }

  /// Returns `true` iff `text` can be the name of a table or a chain.
  private static func isName(_ text: String?) -> Bool {
    text.map { !$0.isEmpty && !$0.utf8.contains { $0 <= 0x20 } } ?? false
  }

  /// Returns the position of the chain `name`, which is made if there is none.
  private mutating func position(of name: String) -> Int {
    if let known = positions[name] { return known }
    chains.append(Chain(name))
    chainLines.append([])
    positions[name] = chains.count - 1
    return chains.count - 1
  }
}
