import Testing

@testable import Nftables

/// A kernel that takes transactions as the real one does, and refuses what that refuses.
struct FakeKernel {
  struct Refusal: Error, CustomStringConvertible {
    var description: String
  }

  /// The table, if there is one.
  private(set) var live: LiveTable?
  private var nextHandle: UInt64 = 1

  init(_ table: Table? = nil) throws {
    if let table { try take(.creating(table.canonical)) }
  }

  /// Carries out `transaction`, or throws and changes nothing.
  mutating func take(_ transaction: Transaction) throws {
    var copy = self
    for command in transaction.commands { try copy.take(command, transaction.table) }
    // References count when the transaction is over.
    if let live = copy.live { try copy.check(live) }
    self = copy
  }

  /// Lets the elements of every gate go away.
  mutating func expire() {
    for i in live?.sets.indices ?? 0..<0 where live?.sets[i].definition.hasTimeouts == true {
      guard live?.sets[i].definition.isDynamic == false else { continue }
      live?.sets[i].elements = []
      live?.sets[i].lifetimes = []
    }
  }

  /// Lets `change` happen behind everybody's back.
  mutating func edit(_ change: (inout LiveTable) -> Void) {
    guard var table = live else { return }
    change(&table)
    live = table
  }

  private mutating func handle() -> UInt64 {
    nextHandle += 1
    return nextHandle
  }

  private func check(_ table: LiveTable) throws {
    let chains = Set(table.chains.map(\.name))
    let sets = Set(table.sets.map(\.definition.name))
    var references = References()
    for chain in table.chains { references.add(chain.rules.compactMap(\.rule)) }
    for set in table.sets { references.add(set.elements) }
    guard references.chains.isSubset(of: chains) else { throw Refusal(description: "a chain is still used") }
    guard references.sets.isSubset(of: sets) else { throw Refusal(description: "a set is still used") }
  }

  private mutating func take(_ command: Command, _ name: String) throws {
    if case .createTable = command {
      guard live == nil else { throw Refusal(description: "there is a table") }
      live = LiveTable(name, handle: handle(), generation: 1)
      return
    }
    guard var table = live else { throw Refusal(description: "there is no table") }
    func chain(_ name: String) throws -> Int {
      guard let i = table.chains.firstIndex(where: { $0.name == name }) else {
        throw Refusal(description: "there is no chain \(name)")
      }
      return i
    }
    func set(_ name: String) throws -> Int {
      guard let i = table.sets.firstIndex(where: { $0.definition.name == name }) else {
        throw Refusal(description: "there is no set \(name)")
      }
      return i
    }
    switch command {
    case .createTable: break
    case .deleteTable:
      live = nil
      return
    case .addChain(let name, let hook):
      guard !table.chains.contains(where: { $0.name == name }) else {
        throw Refusal(description: "there is a chain \(name)")
      }
      table.chains.append(LiveChain(name, handle: handle(), hook: hook))
    case .deleteChain(let name):
      let i = try chain(name)
      guard table.chains[i].rules.isEmpty else { throw Refusal(description: "\(name) has rules") }
      table.chains.remove(at: i)
    case .flushChain(let name): table.chains[try chain(name)].rules = []
    case .addRules(let rules, let name, let counts):
      let i = try chain(name)
      var rest = counts[...]
      for rule in rules {
        let size = rule.statements.count { $0 == .counter }
        let own = counts.isEmpty ? Array(repeating: Count(), count: size) : Array(rest.prefix(size))
        rest = rest.dropFirst(size)
        table.chains[i].rules.append(LiveRule(handle: handle(), rule: rule.canonical, counts: own))
      }
      guard rest.isEmpty else { throw Refusal(description: "there are counts for no counter") }
    case .insertRule(let rule, let name):
      table.chains[try chain(name)].rules.insert(LiveRule(handle: handle(), rule: rule.canonical), at: 0)
    case .deleteRule(let handle, let name):
      let i = try chain(name)
      guard let j = table.chains[i].rules.firstIndex(where: { $0.handle == handle }) else {
        throw Refusal(description: "there is no rule \(handle)")
      }
      table.chains[i].rules.remove(at: j)
    case .deleteObject(let object):
      guard let i = table.objects.firstIndex(of: object) else { throw Refusal(description: "there is no \(object)") }
      table.objects.remove(at: i)
    case .addSet(let new, let counts):
      guard !table.sets.contains(where: { $0.definition.name == new.name }) else {
        throw Refusal(description: "there is a set \(new.name)")
      }
      var definition = new
      definition.elements = []
      let own = new.counts ? counts.isEmpty ? new.elements.map { _ in Count() } : counts : []
      table.sets.append(LiveSet(definition, handle: handle(), elements: new.elements, counts: own))
    case .deleteSet(let name): table.sets.remove(at: try set(name))
    case .addElements(let elements, let definition, let timeout, _):
      let i = try set(definition.name)
      for element in elements {
        guard !table.sets[i].elements.contains(where: { $0.key == element.key }) else {
          throw Refusal(description: "there is such an element in \(definition.name)")
        }
        table.sets[i].elements.append(element)
        if definition.counts { table.sets[i].counts.append(Count()) }
        if let timeout { table.sets[i].lifetimes.append(Lifetime(timeout: timeout, left: timeout)) }
      }
      guard timeout == nil else { break }
      let order = table.sets[i].elements.indices.sorted { a, b in
        NamedSet.Element.precedes(table.sets[i].elements[a], table.sets[i].elements[b])
      }
      let old = table.sets[i]
      table.sets[i].elements = order.map { old.elements[$0] }
      if definition.counts { table.sets[i].counts = order.map { old.counts[$0] } }
    case .deleteElements(let elements, let definition):
      let i = try set(definition.name)
      for element in elements {
        guard let j = table.sets[i].elements.firstIndex(where: { $0.key == element.key }) else {
          throw Refusal(description: "there is no such element in \(definition.name)")
        }
        table.sets[i].elements.remove(at: j)
        if definition.counts { table.sets[i].counts.remove(at: j) }
      }
    }
    live = table
  }
}
