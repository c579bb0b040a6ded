import Packets
import Syntax

extension Ruleset {
  /// Returns the text that iptables-restore or ip6tables-restore reads.
  ///
  /// - Parameters:
  ///   - header: lines that stand above it as comments.
  ///   - inserting: `true` iff rules in the chains that the kernel calls are put before those of others.
  /// - Returns: the text, each table as one section.
  public func text(header: [String] = [], inserting: Bool = false) -> String {
    var out = TextWriter()
    out.reserve(tables.reduce(256) { $0 + $1.chains.reduce(0) { $0 + 40 + 140 * $1.rules.count } })
    for line in header {
      out.write(line.isEmpty ? "#\n" : "# ")
      if !line.isEmpty { out.write(line + "\n") }
    }
    for table in tables { out.write(table, inserting: inserting) }
    return out.text
  }
}

extension TextWriter {
  /// Appends the section of `table`.
  mutating func write(_ table: Table, inserting: Bool) {
    write("*\(table.name)\n")
    for chain in table.chains { write(":\(chain.name) \(chain.policy?.rawValue ?? "-") [0:0]\n") }
    for chain in table.chains {
      let inserts = inserting && chain.policy != nil
      for rule in inserts ? chain.rules.reversed() : chain.rules {
        write(inserts ? "-I" : "-A")
        writeWord(chain.name)
        write(rule)
        write("\n")
      }
    }
    write("COMMIT\n")
  }

  /// Appends what `rule` matches and does, in the order of iptables-save.
  private mutating func write(_ rule: Rule) {
    if let source = rule.source { write(source, " -s ") { $0.write($1) } }
    if let destination = rule.destination { write(destination, " -d ") { $0.write($1) } }
    if let arrival = rule.arrival { write(arrival, " -i") { $0.writeWord($1) } }
    if let departure = rule.departure { write(departure, " -o") { $0.writeWord($1) } }
    if let transport = rule.transport { write(transport, " -p ") { $0.write($1.savedName) } }
    for match in rule.matches { write(match) }
    if let comment = rule.comment {
      write(" -m comment --comment ")
      writeQuoted(comment)
    }
    if let target = rule.target { write(target) }
  }

  /// Appends `option` and the value of `selector`, with the sign of negation before them if it is negated.
  private mutating func write<Value>(
    _ selector: Selector<Value>, _ option: String, value: (inout TextWriter, Value) -> Void
  ) {
    if selector.isNegated { write(" !") }
    write(option)
    value(&self, selector.value)
  }

  /// Appends `match`.
  private mutating func write(_ match: Match) {
    switch match {
    case .destinationPort(let transport, let range):
      write(" -m \(transport) --dport ")
      write(range)
    case .ports(let transport, let source, let destination):
      write(" -m \(transport) --sport ")
      write(source)
      write(" --dport ")
      write(destination)
    case .destinationPorts(let ranges):
      write(" -m multiport --dports ")
      for (i, range) in ranges.enumerated() {
        if i > 0 { write(",") }
        write(range)
      }
    case .icmp(let family, let type, let code):
      write(family == .ipv4 ? " -m icmp --icmp-type " : " -m icmp6 --icmpv6-type ")
      write(type)
      if let code { write("/\(code)") }
    case .sourceRange(let range): write(" -m iprange --src-range \(range.lower)-\(range.upper)")
    case .destinationRange(let range): write(" -m iprange --dst-range \(range.lower)-\(range.upper)")
    case .state(let states):
      write(" -m conntrack")
      if states.isNegated { write(" !") }
      write(" --ctstate ")
      write(states.value)
    case .destinationType(let types):
      write(" -m addrtype --dst-type ")
      write(types)
    case .mark(let value, let mask, let isNegated):
      write(isNegated ? " -m mark ! --mark " : " -m mark --mark ")
      writeHexadecimal(value)
      write("/")
      writeHexadecimal(mask)
    case .hopLimit(let limit): write(" -m hl --hl-eq \(limit)")
    case .limit(let rate, let burst): write(" -m limit --limit \(rate.savedText) --limit-burst \(burst)")
    case .hashLimit(let rate, let burst, let perSource, let name, let expiry):
      write(" -m hashlimit --hashlimit-upto \(rate.savedText) --hashlimit-burst \(burst)")
      if perSource { write(" --hashlimit-mode srcip") }
      write(" --hashlimit-name")
      writeWord(name)
      write(" --hashlimit-htable-expire \(expiry)")
    case .until(let date): write(" -m time --datestop \(date)T23:59:59")
    case .probability(let share):
      // Eleven decimals, as iptables-save has them.
      let decimals = String((UInt128(share) * 100_000_000_000 + 1 << 30) >> 31)
      write(" -m statistic --mode random --probability 0.")
      write(String(repeating: "0", count: max(0, 11 - decimals.utf8.count)) + decimals)
    case .unknown(let words): for word in words { writeWord(word) }
    }
  }

  /// Appends the names of `options`.
  private mutating func write<Options: NamedOptions>(_ options: Options) {
    write(Options.names.filter { options.contains($0.option) }.map(\.name).joined(separator: ","))
  }

  /// Appends `target`.
  private mutating func write(_ target: Target) {
    switch target {
    case .accept: write(" -j ACCEPT")
    case .drop: write(" -j DROP")
    case .return: write(" -j RETURN")
    case .jump(let chain):
      write(" -j")
      writeWord(chain)
    case .goto(let chain):
      write(" -g")
      writeWord(chain)
    case .mark(let value, let mask):
      write(" -j MARK --set-xmark ")
      writeHexadecimal(value)
      write("/")
      writeHexadecimal(mask)
    case .log(let prefix):
      write(" -j LOG --log-prefix ")
      writeQuoted(prefix)
    case .reject(let kind):
      write(" -j REJECT --reject-with")
      writeWord(kind)
    case .destination(let address, let ports, let base):
      write(" -j DNAT --to-destination ")
      if let address { write(address.family == .ipv6 && ports != nil ? "[\(address)]" : "\(address)") }
      if let ports {
        write(":")
        write(ports, separator: "-")
      }
      if let base { write("/\(base)") }
    case .masquerade: write(" -j MASQUERADE")
    case .unknown(let words): for word in words { writeWord(word) }
    }
  }

  /// Appends a space and `word`, quoted where it would fall apart.
  private mutating func writeWord(_ word: String) {
    write(" ")
    let isPlain = !word.isEmpty && word.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x27 && $0 != 0x5c }
    if isPlain { write(word) } else { writeQuoted(word) }
  }
}

extension TransportProtocol {
  /// The name that iptables-save prints behind `-p`.
  var savedName: String { self == .icmpv6 ? "ipv6-icmp" : description }
}

extension Rate {
  /// The rate as iptables-save abbreviates it.
  var savedText: String {
    switch unit {
    case .second: "\(count)/sec"
    case .minute: "\(count)/min"
    case .hour: "\(count)/hour"
    case .day: "\(count)/day"
    }
  }
}
