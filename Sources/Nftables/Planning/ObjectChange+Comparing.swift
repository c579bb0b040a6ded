extension ObjectChange {
  /// The change from `old`, if there is such a chain, to `wanted` of a policy's ruleset.
  init(of wanted: Chain, from old: LiveChain?) {
    let before = (old?.rules ?? []).map { rule in
      rule.rule.map { Printer.line(Rule(Renaming.logical.rule($0).statements)) } ?? "\(rule.text) (not ours)"
    }
    let after = wanted.rules.map { Printer.line(Rule($0.statements)) }
    let (added, removed) = ObjectChange.difference(from: before, to: after)
    // Comments are told where there is one; they decide nothing.
    let comments = Dictionary(
      wanted.rules.map { (Printer.line(Rule($0.statements)), $0.comment) }
    ) { first, _ in first }
    self.init(
      .chain, wanted.name, added: added.map { line in comments[line].flatMap { $0 }.map { "\(line) (\($0))" } ?? line },
      removed: (old?.oddities ?? []).map { "\($0) (not ours)" } + removed)
  }

  /// The removal of what an earlier change left, and no packet comes to.
  init(leftover name: String, _ kind: Kind) {
    self.init(kind, name, added: [], removed: ["what no packet comes to"])
  }

  /// The change from `old`, if there is such a set, to `wanted` of a policy's ruleset.
  init(of wanted: NamedSet, from old: LiveSet?) {
    let (gone, new) = (old?.elements ?? []).differences(from: wanted.elements)
    let isDynamic = wanted.isDynamic || old?.definition.isDynamic ?? false
    let foreign = (old.map { $0.oddities + $0.foreignElements } ?? []).map { "\($0) (not ours)" }
    self.init(
      wanted.value == .none ? .set : .map, wanted.name,
      added: isDynamic ? [] : new.map(ObjectChange.text),
      removed: foreign + (isDynamic ? [] : gone.map(ObjectChange.text)))
  }

  /// Returns `element` as a person reads it.
  private static func text(_ element: NamedSet.Element) -> String {
    let line = Printer.line(Renaming.logical.element(element).plain)
    return element.comment.map { "\(line) (\($0))" } ?? line
  }

  /// Returns the lines that are new and those that are gone, in their order.
  private static func difference(from before: [String], to after: [String]) -> (added: [String], removed: [String]) {
    var rest: [String: Int] = [:]
    for line in before { rest[line, default: 0] += 1 }
    var added: [String] = []
    for line in after {
      if let count = rest[line], count > 0 { rest[line] = count - 1 } else { added.append(line) }
    }
    var removed: [String] = []
    for line in before.reversed() where rest[line, default: 0] > 0 {
      rest[line, default: 0] -= 1
      removed.append(line)
    }
    return (added, removed.reversed())
  }
}

extension NamedSet.Element {
  /// The element without its comment.
  var plain: NamedSet.Element { NamedSet.Element(key, value: value) }
}
