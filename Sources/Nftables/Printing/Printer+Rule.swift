import Packets
import Syntax

extension Printer {
  /// Writes `rule` without a line break.
  mutating func write(_ rule: Rule) {
    for (i, statement) in rule.statements.enumerated() {
      if i > 0 { out.write(" ") }
      write(statement)
    }
    write(comment: rule.comment)
  }

  /// Writes `statement`.
  private mutating func write(_ statement: Statement) {
    switch statement {
    case .match(let selector, let comparison, let operand):
      write(selector)
      out.write(" ")
      if comparison != .equal { out.write("\(comparison.rawValue) ") }
      write(operand)
    case .verdictMap(let selector, let elements):
      write(selector)
      out.write(" vmap { ")
      for (i, element) in elements.enumerated() {
        if i > 0 { out.write(", ") }
        write(element.key)
        out.write(" : ")
        write(element.verdict)
      }
      out.write(" }")
    case .namedVerdictMap(let selector, let map):
      write(selector)
      out.write(" vmap @\(map)")
    case .limit(let bucket): write(bucket)
    case .update(let set, let selector, let bucket):
      out.write("update @\(set) { ")
      write(selector)
      out.write(" ")
      write(bucket)
      out.write(" }")
    case .counter: out.write("counter")
    case .log(let prefix): out.write("log prefix \"\(prefix)\"")
    case .verdict(let verdict): write(verdict)
    case .reject(.tcpReset): out.write("reject with tcp reset")
    case .reject(.adminProhibited): out.write("reject with icmpx admin-prohibited")
    case .dnat(let destination): write(destination)
    case .masquerade: out.write("masquerade")
    }
  }

  /// Writes `selector`.
  private mutating func write(_ selector: Selector) {
    for (i, part) in selector.parts.enumerated() {
      if i > 0 { out.write(" . ") }
      out.write(part.field.words)
      guard let mask = part.mask else { continue }
      out.write(" & ")
      switch part.field.type {
      case .ipv4: out.write(Address(.ipv4, mask))
      case .ipv6: out.write(Address(.ipv6, mask))
      default: out.write(Int(mask))
      }
    }
  }

  /// Writes `operand`.
  private mutating func write(_ operand: Operand) {
    switch operand {
    case .datum(let datum): write(datum)
    case .anyOf(let data):
      out.write("{ ")
      for (i, datum) in data.enumerated() {
        if i > 0 { out.write(", ") }
        write(datum)
      }
      out.write(" }")
    case .set(let name): out.write("@\(name)")
    }
  }

  /// Writes `verdict`.
  mutating func write(_ verdict: Verdict) {
    switch verdict {
    case .accept: out.write("accept")
    case .drop: out.write("drop")
    case .return: out.write("return")
    case .jump(let chain):
      out.write("jump ")
      out.write(chain)
    case .goto(let chain):
      out.write("goto ")
      out.write(chain)
    }
  }

  /// Writes `bucket`.
  private mutating func write(_ bucket: Bucket) {
    out.write("limit rate \(bucket.rate.count)/\(bucket.rate.unit.rawValue) burst \(bucket.burst) packets")
  }

  /// Writes `destination`.
  private mutating func write(_ destination: Destination) {
    switch destination {
    case .port(let selector, let map):
      out.write("dnat to :")
      write(selector)
      out.write(" map @\(map)")
    case .mapped(let family, let selector, let map):
      out.write(family == .ipv4 ? "dnat ip to " : "dnat ip6 to ")
      write(selector)
      out.write(" map @\(map)")
    case .spread(let family, let targets):
      out.write(family == .ipv4 ? "dnat ip to jhash ip saddr" : "dnat ip6 to jhash ip6 saddr")
      // A fixed seed, so that connections go on to the same targets after the ruleset is replaced.
      out.write(" mod \(targets.count) seed 0x1 map { ")
      for (i, target) in targets.enumerated() {
        if i > 0 { out.write(", ") }
        out.write("\(i) : ")
        out.write(target.address)
        out.write(" . \(target.port)")
      }
      out.write(" }")
    }
  }
}
