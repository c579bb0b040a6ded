import Packets
import Syntax

extension Script {
  /// The transaction as nft(8) reads it.
  public var text: String {
    var printer = Printer()
    printer.write(self)
    return printer.out.text
  }
}

/// The writer of transactions; `Parser` reads what it writes.
struct Printer {
  /// What is written.
  var out = TextBuffer()

  /// Returns `rule` on a line of its own.
  static func line(_ rule: Rule) -> String {
    var printer = Printer()
    printer.write(rule)
    return printer.out.text
  }

  /// Returns `element` on a line of its own.
  static func line(_ element: NamedSet.Element) -> String {
    var printer = Printer()
    printer.write(element)
    return printer.out.text
  }

  /// Writes `script`.
  mutating func write(_ script: Script) {
    for note in script.notes { out.write("# \(note)\n") }
    for command in script.commands { write(command) }
  }

  /// Writes `command`.
  private mutating func write(_ command: Script.Command) {
    switch command {
    case .ensure(let table): out.write("table inet \(table) { }\n")
    case .create(let table): out.write("create table inet \(table)\n")
    case .delete(let table): out.write("delete table inet \(table)\n")
    case .flush(let chain, let table): out.write("flush chain inet \(table) \(chain)\n")
    case .define(let table): write(table)
    case .append(let rule, let chain, let table):
      out.write("add rule inet \(table) \(chain) ")
      write(rule)
      out.write("\n")
    }
  }

  /// Writes `table`.
  private mutating func write(_ table: Table) {
    out.reserve(table.sets.reduce(4096) { $0 + $1.elements.count * 96 })
    out.write("table inet \(table.name) {\n")
    var isFirst = true
    for set in table.sets {
      if !isFirst { out.write("\n") }
      isFirst = false
      write(set)
    }
    for chain in table.chains {
      if !isFirst { out.write("\n") }
      isFirst = false
      write(chain)
    }
    out.write("}\n")
  }

  /// Writes `set`.
  private mutating func write(_ set: NamedSet) {
    out.write(set.value == .none ? "\tset " : "\tmap ")
    out.write(set.name)
    out.write(" {\n\t\ttype ")
    write(set.key)
    switch set.value {
    case .none: break
    case .verdict: out.write(" : verdict")
    case .data(let types):
      out.write(" : ")
      write(types)
    }
    out.write("\n")
    if let size = set.size { out.write("\t\tsize \(size)\n") }
    let flags =
      (set.isDynamic ? ["dynamic"] : []) + (set.isInterval ? ["interval"] : [])
      + (set.hasTimeouts ? ["timeout"] : [])
    if !flags.isEmpty { out.write("\t\tflags \(flags.joined(separator: ", "))\n") }
    if let timeout = set.timeout { out.write("\t\ttimeout \(timeout)s\n") }
    if set.counts { out.write("\t\tcounter\n") }
    if !set.elements.isEmpty {
      out.write("\t\telements = {\n")
      for i in set.elements.indices {
        out.write("\t\t\t")
        write(set.elements[i])
        out.write(",\n")
      }
      out.write("\t\t}\n")
    }
    out.write("\t}\n")
  }

  /// Writes `types` with dots between them.
  private mutating func write(_ types: [DataType]) {
    for (i, type) in types.enumerated() {
      if i > 0 { out.write(" . ") }
      out.write(type.rawValue)
    }
  }

  /// Writes `element`.
  private mutating func write(_ element: NamedSet.Element) {
    write(element.key)
    write(comment: element.comment)
    switch element.value {
    case .none: break
    case .verdict(let verdict):
      out.write(" : ")
      write(verdict)
    case .data(let data):
      out.write(" : ")
      write(data)
    }
  }

  /// Writes `data` with dots between them.
  private mutating func write(_ data: [Datum]) {
    for i in data.indices {
      if i > 0 { out.write(" . ") }
      write(data[i])
    }
  }

  /// Writes `comment`, if there is one, in quotes, which it does not hold.
  mutating func write(comment: String?) {
    guard let comment else { return }
    out.write(" comment \"")
    out.write(comment)
    out.write(byte: UInt8(ascii: "\""))
  }

  /// Writes `chain`.
  private mutating func write(_ chain: Chain) {
    out.write("\tchain \(chain.name) {\n")
    if let hook = chain.hook {
      out.write(
        "\t\ttype \(hook.kind.rawValue) hook \(hook.point.rawValue) priority \(hook.priority); policy accept;\n")
    }
    for rule in chain.rules {
      out.write("\t\t")
      write(rule)
      out.write("\n")
    }
    out.write("\t}\n")
  }

  /// Writes `datum`.
  mutating func write(_ datum: Datum) {
    switch datum {
    case .address(let address): out.write(address)
    case .addresses(let range): write(range)
    case .port(let port): out.write(Int(port))
    case .ports(let range):
      out.write(Int(range.lower))
      out.write(byte: UInt8(ascii: "-"))
      out.write(Int(range.upper))
    case .transport(let transport): write(transport)
    case .number(let number): out.write(Int(number))
    case .interface(let name): out.write("\"\(name)\"")
    case .family(let family): out.write(family == .ipv4 ? "ipv4" : "ipv6")
    case .state(let state): out.write(state.rawValue)
    case .destinationTranslated: out.write("dnat")
    case .addressType(let type): out.write(type.rawValue)
    case .seconds(let seconds): out.write(seconds)
    }
  }

  /// Writes `transport` by its name, if it is one that every nft(8) knows without a file.
  private mutating func write(_ transport: TransportProtocol) {
    switch transport {
    case .tcp: out.write("tcp")
    case .udp: out.write("udp")
    default: out.write(Int(transport.rawValue))
    }
  }

  /// Writes `range` as a block if it is one.
  private mutating func write(_ range: AddressRange) {
    let free = range.lower.value ^ range.upper.value
    out.write(range.lower)
    if free & (free &+ 1) == 0, range.lower.value & free == 0 {
      out.write(byte: UInt8(ascii: "/"))
      out.write(range.family.width - (128 - free.leadingZeroBitCount))
    } else {
      out.write(byte: UInt8(ascii: "-"))
      out.write(range.upper)
    }
  }
}
