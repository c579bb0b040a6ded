public import Firewalls
import Packets
import Policies
import Syntax

/// The reader of what tables mean, written from nft(8) and from what nft(8) sends to the kernel, and not from `Compiler`.
struct Decompiler {
  let universe: Universe

  /// The chains that were read.
  private(set) var host = HookedChains()

  /// The positions of the chains of the table that is being read.
  var positions: [String: Int] = [:]

  /// The sets of the table that is being read.
  var sets: [String: NamedSet] = [:]

  /// What named sets match, so that each is read once.
  var looked: [Looked: [Cube]] = [:]

  struct Looked: Hashable {
    var set: String
    var selector: Selector
  }

  var space: PacketSpace { universe.space }

  /// Creates a reader.
  init(in universe: Universe) { self.universe = universe }

  /// Returns the chains of the tables that `script` leaves behind in a kernel that had none.
  static func chains(after script: Script, in universe: Universe) throws(UnreadableRuleset) -> HookedChains {
    var decompiler = Decompiler(in: universe)
    do {
      for table in try script.tables() { try decompiler.read(table) }
    } catch {
      throw UnreadableRuleset(because: error)
    }
    return decompiler.host
  }

  /// Reads `table`.
  private mutating func read(_ table: Table) throws {
    positions = [:]
    sets = [:]
    looked = [:]
    for set in table.sets { sets[set.name] = set }
    for chain in table.chains {
      guard positions[chain.name] == nil else { throw Unreadable(message: "two chains are named `\(chain.name)`") }
      positions[chain.name] = host.chains.count
      host.chains.append(HookedChains.Chain("\(table.name) \(chain.name)"))
    }
    for chain in table.chains {
      guard let position = positions[chain.name] else { continue }
      for rule in chain.rules {
        host.chains[position].rules += try rules(of: rule, in: chain.name)
      }
      guard let hook = chain.hook else { continue }
      let point: HookedChains.Hook =
        switch hook.point {
        case .prerouting: .prerouting
        case .output: .output
        case .postrouting: .postrouting
        }
      host.entrances.append(
        HookedChains.Entrance(point, priority: hook.priority, translates: hook.kind == .nat, chain: position))
    }
  }

  /// Returns the position of the chain `name`.
  func position(of name: String) throws(Unreadable) -> Int {
    guard let position = positions[name] else { throw Unreadable(message: "there is no chain `\(name)`") }
    return position
  }

  /// Returns the action that is `verdict`.
  func action(_ verdict: Verdict) throws(Unreadable) -> HookedChains.Action {
    switch verdict {
    case .accept: .accept
    case .drop: .drop
    case .return: .return
    case .jump(let chain): .jump(try position(of: chain))
    case .goto(let chain): .goto(try position(of: chain))
    }
  }
}

extension Script: ParsedRuleset {
  /// Returns what the chains that the transaction leaves behind make a host do.
  public func reading(in universe: Universe) throws(UnreadableRuleset) -> RulesetReading {
    RulesetReading(try Decompiler.chains(after: self, in: universe))
  }

  /// Returns the tables that the transaction leaves behind in a kernel that had none.
  func tables() throws(Unreadable) -> [Table] {
    var tables: [Table] = []
    func position(_ name: String) -> Int? { tables.firstIndex { $0.name == name } }
    func chain(_ name: String, in table: String) throws(Unreadable) -> (Int, Int) {
      guard let i = position(table), let j = tables[i].chains.firstIndex(where: { $0.name == name }) else {
        throw Unreadable(message: "there is no chain `\(name)` in the table `\(table)`")
      }
      return (i, j)
    }
    for command in commands {
      switch command {
      case .ensure(let name), .create(let name):
        if position(name) == nil { tables.append(Table(name)) }
      case .delete(let name):
        guard let i = position(name) else { throw Unreadable(message: "there is no table `\(name)`") }
        tables.remove(at: i)
      case .flush(let name, let table):
        let (i, j) = try chain(name, in: table)
        tables[i].chains[j].rules = []
      case .define(let table):
        guard let i = position(table.name) else {
          tables.append(table)
          continue
        }
        tables[i].sets += table.sets
        for chain in table.chains {
          if let j = tables[i].chains.firstIndex(where: { $0.name == chain.name }) {
            tables[i].chains[j].rules += chain.rules
          } else {
            tables[i].chains.append(chain)
          }
        }
      case .append(let rule, let name, let table):
        let (i, j) = try chain(name, in: table)
        tables[i].chains[j].rules.append(rule)
      }
    }
    return tables
  }
}
