/// What rules and elements refer to: chains and sets of their table.
struct References: Hashable {
  /// The names of chains.
  var chains: Set<String> = []

  /// The names of sets and maps.
  var sets: Set<String> = []

  /// Adds where `verdict` leads.
  mutating func add(_ verdict: Verdict) {
    switch verdict {
    case .jump(let chain), .goto(let chain): chains.insert(chain)
    case .accept, .drop, .return: break
    }
  }

  /// Adds what `statement` refers to.
  mutating func add(_ statement: Statement) {
    switch statement {
    case .match(_, _, .set(let set)), .namedVerdictMap(_, let set), .update(let set, _, _),
      .dnat(.port(_, let set)), .dnat(.mapped(_, _, let set)):
      sets.insert(set)
    case .verdict(let verdict): add(verdict)
    case .verdictMap(_, let elements): for element in elements { add(element.verdict) }
    case .match, .limit, .counter, .log, .reject, .dnat(.spread), .masquerade: break
    }
  }

  /// Adds what `rules` refer to.
  mutating func add(_ rules: [Rule]) {
    for rule in rules { for statement in rule.statements { add(statement) } }
  }

  /// Adds what the elements of `set` lead to.
  mutating func add(_ set: NamedSet) { if set.value == .verdict { add(set.elements) } }

  /// Adds what `elements` lead to.
  mutating func add(_ elements: [NamedSet.Element]) {
    // Most elements lead where the one before them does.
    var last: Verdict?
    for i in elements.indices {
      guard case .verdict(let verdict) = elements[i].value, verdict != last else { continue }
      add(verdict)
      last = verdict
    }
  }
}

/// New names for chains and sets of a table.
struct Renaming: Sendable {
  /// Returns the new name of a chain.
  var chain: @Sendable (String) -> String

  /// Returns the new name of a set or a map.
  var set: @Sendable (String) -> String

  /// The renaming that takes every object to the name that the policy's ruleset has for it.
  static let logical = Renaming(chain: { $0.logicalName }, set: { $0.logicalName })

  /// Returns `verdict` with its chain renamed.
  func verdict(_ verdict: Verdict) -> Verdict {
    switch verdict {
    case .jump(let name): .jump(chain(name))
    case .goto(let name): .goto(chain(name))
    case .accept, .drop, .return: verdict
    }
  }

  /// Returns `statement` with what it refers to renamed.
  func statement(_ statement: Statement) -> Statement {
    switch statement {
    case .match(let selector, let comparison, .set(let name)): .match(selector, comparison, .set(set(name)))
    case .namedVerdictMap(let selector, let name): .namedVerdictMap(selector, set(name))
    case .update(let name, let selector, let bucket): .update(set: set(name), selector, bucket)
    case .dnat(.port(let selector, let map)): .dnat(.port(selector, map: set(map)))
    case .dnat(.mapped(let family, let selector, let map)): .dnat(.mapped(family, selector, map: set(map)))
    case .verdict(let verdict): .verdict(self.verdict(verdict))
    case .verdictMap(let selector, let elements):
      .verdictMap(selector, elements.map { .init($0.key, verdict($0.verdict)) })
    case .match, .limit, .counter, .log, .reject, .dnat(.spread), .masquerade: statement
    }
  }

  /// Returns `rule` with what it refers to renamed.
  func rule(_ rule: Rule) -> Rule { Rule(rule.statements.map(statement), comment: rule.comment) }

  /// Returns `element` with where it leads renamed.
  func element(_ element: NamedSet.Element) -> NamedSet.Element {
    guard case .verdict(let verdict) = element.value else { return element }
    return NamedSet.Element(element.key, value: .verdict(self.verdict(verdict)), comment: element.comment)
  }
}

// The chains and sets of a live table have the names of the policy's ruleset, or these with a number behind a point, so
// that the next one can be made ready beside the one that judges; no compiler of ours writes a point into a name.
extension String {
  /// The name that the policy's ruleset has for the object.
  var logicalName: String {
    guard let point = utf8.lastIndex(of: UInt8(ascii: ".")) else { return self }
    let digits = utf8[utf8.index(after: point)...]
    let isNumber = !digits.isEmpty && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return isNumber ? String(self[..<point]) : self
  }

  /// Returns the first name for the object that is not among `taken`.
  func freeName(besides taken: Set<String>) -> String {
    if !taken.contains(self) { return self }
    var number = 2
    while taken.contains("\(self).\(number)") { number += 1 }
    return "\(self).\(number)"
  }
}
