import Nftables
import Packets
import Syntax

/// A packet as a base chain sees it.
struct Probe {
  var packet: Packet
  var outbound: String?
  var destinationType: AddressType?
  var hopLimit: UInt8 = 64
  var seconds = 1_800_000_000

  /// What is to be known of the packet.
  func datum(_ field: Field) -> Datum? {
    let p = packet
    let family = p.source.family
    let hasPorts = !p.transport.isICMP
    switch field {
    case .nfproto: return .family(family)
    case .l4proto: return .transport(p.transport)
    case .iif, .iifname: return .interface(p.interface ?? "")
    case .oif, .oifname, .fibDestinationInterface: return .interface(outbound ?? "")
    case .time: return .seconds(seconds)
    case .ctState, .ctStatus: return nil
    case .fibDestinationType: return destinationType.map { .addressType($0) }
    case .fibSourceType: return nil
    case .saddr(let f): return f == family ? .address(p.source) : nil
    case .daddr(let f): return f == family ? .address(p.destination) : nil
    case .hopLimit: return family == .ipv6 ? .number(hopLimit) : nil
    // Of ICMP these are the type with the code, and the checksum.
    case .sport: return .port(hasPorts ? p.sourcePort : p.destinationPort << 8 | p.sourcePort)
    case .dport: return .port(hasPorts ? p.destinationPort : 0xbeef)
    case .icmpType: return p.transport == .icmp ? .number(UInt8(p.destinationPort)) : nil
    case .icmpCode: return p.transport == .icmp ? .number(UInt8(p.sourcePort)) : nil
    case .icmpv6Type: return p.transport == .icmpv6 ? .number(UInt8(p.destinationPort)) : nil
    case .icmpv6Code: return p.transport == .icmpv6 ? .number(UInt8(p.sourcePort)) : nil
    }
  }
}

/// The kernel's way through a table, as far as tables of ours go; buckets are never empty.
struct Interpreter {
  enum Outcome: Equatable { case accept, drop, reject }

  let table: Table
  private let chains: [String: Chain]
  private let sets: [String: NamedSet]
  /// What was logged on the way, and where connections were sent.
  private(set) var logged: [String] = []
  private(set) var translation: Translated?
  private(set) var masqueraded = false

  enum Translated: Equatable {
    case port(UInt16)
    case targets([Destination.Target])
  }

  init(_ table: Table) {
    self.table = table
    chains = Dictionary(uniqueKeysWithValues: table.chains.map { ($0.name, $0) })
    sets = Dictionary(uniqueKeysWithValues: table.sets.map { ($0.name, $0) })
  }

  /// Returns what becomes of `probe` in the base chain `name`.
  mutating func judge(_ probe: Probe, in name: String = "prerouting") -> Outcome {
    run(name, probe, depth: 0) ?? .accept
  }

  private mutating func run(_ name: String, _ probe: Probe, depth: Int) -> Outcome? {
    precondition(depth < 15, "too many chains")
    guard let chain = chains[name] else { fatalError("no chain \(name)") }
    for rule in chain.rules {
      var verdict: Verdict?
      steps: for statement in rule.statements {
        switch statement {
        case .match(let selector, let comparison, let operand):
          guard let key = self.key(selector, probe) else { break steps }
          let isIn =
            switch operand {
            case .datum(let datum): Interpreter.matches(key, [datum])
            case .anyOf(let data): data.contains { Interpreter.matches(key, [$0]) }
            case .set(let set): element(of: set, key) != nil
            }
          switch comparison {
          case .equal: guard isIn else { break steps }
          case .unequal: guard !isIn else { break steps }
          case .below:
            guard case .seconds(let now) = key[0], case .datum(.seconds(let end)) = operand, now < end else {
              break steps
            }
          }
        case .verdictMap(let selector, let elements):
          guard let key = self.key(selector, probe) else { break steps }
          verdict = elements.first { Interpreter.matches(key, [$0.key]) }?.verdict
        case .namedVerdictMap(let selector, let map):
          guard let key = self.key(selector, probe) else { break steps }
          if case .verdict(let v)? = element(of: map, key)?.value { verdict = v }
        case .limit, .update, .counter: break
        case .log(let prefix): logged.append(prefix)
        case .verdict(let v): verdict = v
        case .reject(.tcpReset): return .reject
        case .reject: return .reject
        case .masquerade:
          masqueraded = true
          return .accept
        case .dnat(let destination):
          switch destination {
          case .port(let selector, let map):
            guard let key = self.key(selector, probe), case .data(let data)? = element(of: map, key)?.value,
              case .port(let port) = data[0]
            else { break steps }
            translation = .port(port)
          case .mapped(let family, let selector, let map):
            guard family == probe.packet.source.family, let key = self.key(selector, probe),
              case .data(let data)? = element(of: map, key)?.value, case .address(let address) = data[0],
              case .port(let port) = data[1]
            else { break steps }
            translation = .targets([.init(address, port)])
          case .spread(let family, let targets):
            guard family == probe.packet.source.family else { break steps }
            translation = .targets(targets)
          }
          return .accept
        }
        switch verdict {
        case nil: break
        case .accept?: return .accept
        case .drop?: return .drop
        case .return?: return nil
        case .jump(let next)?: if let outcome = run(next, probe, depth: depth + 1) { return outcome }
        case .goto(let next)?: return run(next, probe, depth: depth + 1)
        }
        verdict = nil
      }
    }
    return nil
  }

  /// Returns the values of the fields of `selector`, with their bits masked, or nothing if the packet lacks one.
  private func key(_ selector: Selector, _ probe: Probe) -> [Datum]? {
    var key: [Datum] = []
    for part in selector.parts {
      guard let datum = probe.datum(part.field) else { return nil }
      guard let mask = part.mask else {
        key.append(datum)
        continue
      }
      switch datum {
      case .address(let a): key.append(.address(Address(a.family, a.value & mask)))
      case .port(let port): key.append(.port(port & UInt16(mask)))
      default: fatalError("masked \(datum)")
      }
    }
    return key
  }

  /// Returns the element of the set `name` that matches `key`; there must not be two.
  private func element(of name: String, _ key: [Datum]) -> NamedSet.Element? {
    guard let set = sets[name] else { fatalError("no set \(name)") }
    let found = set.elements.filter { Interpreter.matches(key, $0.key) }
    precondition(found.count < 2, "overlapping elements in \(name): \(found)")
    return found.first
  }

  /// Returns `true` iff each value of `key` is in what stands at its place in `pattern`.
  private static func matches(_ key: [Datum], _ pattern: [Datum]) -> Bool {
    precondition(key.count == pattern.count)
    return zip(key, pattern).allSatisfy { value, wanted in
      switch (value, wanted) {
      case (.address(let a), .addresses(let range)): range.contains(a)
      case (.port(let p), .ports(let range)): range.contains(p)
      default: value == wanted
      }
    }
  }
}
