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
    let bytes = Array(text.utf8)
    var number = 0
    var start = 0
    let span = bytes.span
    while start <= span.count {
      var end = start
      while end < span.count, span[end] != UInt8(ascii: "\n") { end += 1 }
      number += 1
      reader.read(bytes[start..<end], number)
      start = end + 1
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

  /// `true` iff a rule has jumped to what no line before it had declared.
  private var hasUndeclared = false

  /// The chain of the rule before, whose name most lines have too.
  private var latest: (name: Word, position: Int)?

  /// The declared chain that a rule jumped to last.
  private var latestTarget: String?

  /// The words of the line that is read.
  private var list = WordList()

  /// The table that has begun and not ended.
  private var table: String?

  init(family: AddressFamily) { ruleset = Ruleset(family: family) }

  /// Reads `line`.
  mutating func read(_ line: ArraySlice<UInt8>, _ number: Int) {
    var line = line
    while let last = line.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") || last == UInt8(ascii: "\r") {
      line.removeLast()
    }
    guard let first = line.first, first != UInt8(ascii: "#") else { return }
    if first == UInt8(ascii: "*") {
      if table != nil { end(number, "a table begins before COMMIT ends the one before it") }
      let name = Word(line).dropFirst()
      table = name.text
      if !name.isName { fail(number, "a table has a name, which is one word of ASCII characters") }
      return
    }
    guard table != nil else { return fail(number, "it stands in no table") }
    if first == UInt8(ascii: "C"), Word(line) == "COMMIT" { return end(number, nil) }
    if first == UInt8(ascii: ":") { return declare(line, number) }
    guard list.read(line) else { return fail(number, "a quote is not closed") }
    readCommand(RuleLine(number: number, text: line))
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
    for chain in chains.indices where hasUndeclared {
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
    (hasUndeclared, latest, latestTarget) = (false, nil, nil)
  }

  /// Reads the line of a chain and its policy, as in `:INPUT DROP [0:0]`.
  private mutating func declare(_ line: ArraySlice<UInt8>, _ number: Int) {
    let words = line.dropFirst().split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.map(Word.init(_:))
    guard (2...3).contains(words.count) else { return fail(number, "a chain has a name and a policy") }
    guard words[0].isName else { return fail(number, "the name of a chain is one word of ASCII characters") }
    let name = words[0].text
    let policy = Chain.Policy(rawValue: words[1].text)
    guard policy != nil || words[1] == "-" else { return fail(number, "the policy \(words[1].text) is not known") }
    guard declared.insert(name).inserted else { return fail(number, "the chain \(name) stands there twice") }
    chains[position(of: name)].policy = policy
  }

  /// Reads the words of `line`, which adds a rule or a chain.
  private mutating func readCommand(_ line: RuleLine) {
    var reader = WordReader(words: list.words[...])
    let number = line.number
    if let counters = list.words.first, counters.hasPrefix("["), counters.bytes.last == UInt8(ascii: "]") {
      _ = reader.next()
    }
    guard let command = reader.next(), let name = reader.next(),
      command == "-A" || command == "-I" || command == "-N"
    else {
      return fail(number, "only -A, -I and -N are understood")
    }
    if latest?.name.bytes != name.bytes {
      guard name.isName else { return fail(number, "the name of a chain is one word of ASCII characters") }
      latest = (name, position(of: name.text))
    }
    guard let chain = latest?.position else { return }
    if command == "-N" {
      declared.insert(name.text)
      if !reader.isAtEnd { fail(number, "only the name of the chain is understood") }
      return
    }
    var place = chains[chain].rules.endIndex
    if command == "-I" {
      place = 0
      let start = reader.position
      let word = reader.next()
      if let word, word.number(Int.self) == nil, word.bytes.first.map({ $0 >= 0x30 && $0 <= 0x39 }) ?? false {
        return fail(number, "the place \(word.text) in the chain \(name.text) is no number")
      }
      if let rule = word?.number(Int.self) {
        guard (1...chains[chain].rules.count + 1).contains(rule) else {
          return fail(number, "there is no place \(rule) in the chain \(name.text)")
        }
        place = rule - 1
      } else {
        reader.goBack(to: start)
      }
    }
    let rule = Rule(&reader, ruleset.family)
    switch rule.target {
    case .jump(let name)? where name != latestTarget, .goto(let name)? where name != latestTarget:
      if declared.contains(name) { latestTarget = name } else { hasUndeclared = true }
    default: break
    }
    if place == chains[chain].rules.endIndex {
      chains[chain].rules.append(rule)
      chainLines[chain].append(line)
    } else {
      chains[chain].rules.insert(rule, at: place)
      chainLines[chain].insert(line, at: place)
    }
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
