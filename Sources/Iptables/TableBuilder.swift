import Packets
import Syntax

/// A table that grows.
struct TableBuilder {
  /// The name of the table.
  let name: String

  /// The family of its packets.
  let family: AddressFamily

  /// The chains that the kernel calls, each with its one jump.
  private(set) var hooks: [Chain] = []

  /// The chains that rules call.
  private(set) var chains: [Chain] = []

  /// The chains that tell whether an address is in a reach, by the reach.
  var predicates: [Side: String] = [:]

  /// The chains that log what they accept, by what they do.
  var loggers: [Logger: String] = [:]

  /// How many chains have the name that stands here with a number behind it.
  private var numbered: [String: Int] = [:]

  /// The names of the chains that several rules call.
  private var shared: Set<String> = []

  /// What a chain logs and then does.
  struct Logger: Hashable {
    /// What the line begins with.
    var prefix: String
    /// What happens next.
    var target: Target
  }

  /// Creates an empty table.
  init(_ name: String, family: AddressFamily) {
    self.name = name
    self.family = family
  }

  /// The table.
  var table: Table { Table(name, chains: hooks + chains) }

  /// Makes the kernel call `chain` at `hook`, or only names the hook if there is no chain.
  mutating func hook(_ hook: String, to chain: String?) {
    hooks.append(Chain(hook, policy: .accept, rules: chain.map { [Rule(target: .jump($0))] } ?? []))
  }

  /// Creates the chain `name` and returns its position.
  mutating func add(_ name: String, rules: [Rule] = []) -> Int {
    precondition(name.utf8.count <= 28)
    chains.append(Chain(name, rules: rules))
    return chains.count - 1
  }

  /// Returns the next name that is `stem` with a number behind it.
  ///
  /// Stems of at most 19 bytes leave room for every number within the 28 bytes of a name.
  mutating func nextName(_ stem: String) -> String {
    numbered[stem, default: 0] += 1
    return "\(stem)-\(numbered[stem, default: 0])"
  }

  /// Appends `rule` to the chain at `position`.
  mutating func append(_ rule: Rule, to position: Int) { chains[position].rules.append(rule) }

  /// Creates the chain `name` of `rule` unless there is one.
  mutating func share(_ name: String, _ rule: Rule) {
    if shared.insert(name).inserted { _ = add(name, rules: [rule]) }
  }
}
