import Packets

extension Script {
  /// Reads what `text` writes, and nothing else.
  public init(parsing text: String) throws(ScriptError) {
    var parser = Parser(scanner: try Scanner(text))
    self = try parser.script()
  }
}

/// The reader of what `Printer` writes.
struct Parser {
  /// The text.
  var scanner: Scanner

  /// Returns the transaction.
  mutating func script() throws(ScriptError) -> Script {
    var script = Script([])
    while true {
      switch scanner.next.kind {
      case .end: return script
      case .lineBreak: try scanner.skip()
      case .note:
        script.notes.append(scanner.text)
        try scanner.skip()
      default: script.commands.append(try command())
      }
    }
  }

  /// Returns the command that comes next.
  private mutating func command() throws(ScriptError) -> Script.Command {
    switch try scanner.word() {
    case "table":
      try scanner.expect("inet")
      let name = try scanner.word()
      try scanner.expect("{")
      return try scanner.take("}") ? .ensure(name) : .define(try table(name))
    case "create":
      try scanner.expect("table inet")
      return .create(try scanner.word())
    case "delete":
      try scanner.expect("table inet")
      return .delete(try scanner.word())
    case "flush":
      try scanner.expect("chain inet")
      let table = try scanner.word()
      return .flush(chain: try scanner.word(), table: table)
    case "add":
      try scanner.expect("rule inet")
      let table = try scanner.word()
      let chain = try scanner.word()
      return .append(try rule(), chain: chain, table: table)
    case let word: throw scanner.error("`\(word)` begins no command")
    }
  }

  /// Returns `true` if the block goes on, behind any line breaks, and goes behind its brace if it does not.
  private mutating func goesOn() throws(ScriptError) -> Bool {
    while scanner.next.kind == .lineBreak { try scanner.skip() }
    return try !scanner.take("}")
  }

  /// Returns the table `name`, whose brace is open.
  private mutating func table(_ name: String) throws(ScriptError) -> Table {
    var table = Table(name)
    while try goesOn() {
      switch try scanner.word() {
      case "set", "map": table.sets.append(try set())
      case "chain": table.chains.append(try chain())
      case let word: throw scanner.error("`\(word)` stands in no table")
      }
    }
    return table
  }

  /// Returns the set whose name comes next.
  private mutating func set() throws(ScriptError) -> NamedSet {
    var set = NamedSet(try scanner.word(), key: [])
    try scanner.expect("{")
    while try goesOn() {
      switch try scanner.word() {
      case "type":
        set.key = try types()
        if try scanner.take(":") { set.value = try scanner.take("verdict") ? .verdict : .data(try types()) }
      case "size": set.size = try scanner.number()
      case "flags":
        repeat {
          switch try scanner.word() {
          case "interval": set.isInterval = true
          case "dynamic": set.isDynamic = true
          case "timeout": set.hasTimeouts = true
          case let word: throw scanner.error("`\(word)` is no flag")
          }
        } while try scanner.take(",")
      case "timeout":
        let word = try scanner.word()
        guard word.hasSuffix("s"), let seconds = Int(word.dropLast()) else {
          throw scanner.error("`\(word)` is no number of seconds")
        }
        set.timeout = seconds
        set.hasTimeouts = true
      case "counter": set.counts = true
      case "elements":
        try scanner.expect("= {")
        while try goesOn() {
          set.elements.append(try element(of: set))
          try scanner.expect(",")
        }
      case let word: throw scanner.error("`\(word)` stands in no set")
      }
    }
    return set
  }

  /// Returns the types that come next, with dots between them.
  private mutating func types() throws(ScriptError) -> [DataType] {
    var types: [DataType] = []
    repeat {
      let word = try scanner.word()
      guard let type = DataType(rawValue: word) else { throw scanner.error("`\(word)` is no type") }
      types.append(type)
    } while try scanner.take(".")
    return types
  }

  /// Returns the element that comes next.
  private mutating func element(of set: NamedSet) throws(ScriptError) -> NamedSet.Element {
    var element = NamedSet.Element(try data(set.key))
    if try scanner.take("comment") { element.comment = try scanner.quoted() }
    guard try scanner.take(":") else { return element }
    switch set.value {
    case .none: throw scanner.error("a set leads to nothing")
    case .verdict: element.value = .verdict(try verdict())
    case .data(let types): element.value = .data(try data(types))
    }
    return element
  }

  /// Returns constants of `types`, with dots between them.
  private mutating func data(_ types: [DataType]) throws(ScriptError) -> [Datum] {
    var data: [Datum] = []
    for type in types {
      if !data.isEmpty { try scanner.expect(".") }
      data.append(try datum(type))
    }
    guard !data.isEmpty else { throw scanner.error("the type of the set is missing") }
    return data
  }

  /// Returns the chain whose name comes next.
  private mutating func chain() throws(ScriptError) -> Chain {
    var chain = Chain(try scanner.word())
    try scanner.expect("{")
    while try goesOn() {
      if try scanner.take("type") {
        chain.hook = try hook()
      } else {
        chain.rules.append(try rule())
      }
    }
    return chain
  }

  /// Returns the hook that comes next, behind `type`.
  private mutating func hook() throws(ScriptError) -> BaseHook {
    guard let kind = BaseHook.Kind(rawValue: try scanner.word()) else { throw scanner.error("no kind of chain") }
    try scanner.expect("hook")
    guard let point = BaseHook.Point(rawValue: try scanner.word()) else { throw scanner.error("no hook of ours") }
    try scanner.expect("priority")
    let priority = try scanner.number(Int.self)
    try scanner.expect("; policy accept ;")
    return BaseHook(kind, at: point, priority: priority)
  }

  /// Returns the verdict that comes next.
  mutating func verdict() throws(ScriptError) -> Verdict {
    switch try scanner.word() {
    case "accept": return .accept
    case "drop": return .drop
    case "return": return .return
    case "jump": return .jump(try scanner.word())
    case "goto": return .goto(try scanner.word())
    case let word: throw scanner.error("`\(word)` is no verdict")
    }
  }
}
