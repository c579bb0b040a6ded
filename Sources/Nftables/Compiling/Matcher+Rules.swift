import Firewalls
import Packets

extension Matcher {
  /// Returns the rules that look up `entries` of `shape`.
  func rulesOf(_ entries: [Entry], _ shape: Shape, named name: String, into assembly: inout Assembly) -> [Rule] {
    if shape.contents == .none && !shape.hasAddress || entries.count <= Matcher.few(shape) {
      return entries.map { entry in
        let steps = linearMatches(entry, shape)
        guard phase != .plain else {
          return Rule(steps + [.counter, .verdict(dispatcher.verdict)], comment: comment(entry, assembly))
        }
        return Rule(steps + [.verdict(.jump(chain(entry, into: &assembly)))], comment: comment(entry, assembly))
      }
    }
    let fields = selector(shape)
    let isInterval = shape.source == .interval || shape.destination == .interval
    var set = NamedSet(
      assembly.fresh(name + shape.suffix), key: fields.types, value: phase == .plain ? .none : .verdict,
      isInterval: isInterval, size: isInterval ? nil : Matcher.size(for: entries.count), counts: true)
    set.elements.reserveCapacity(entries.count)
    for entry in entries {
      let value = phase == .plain ? NamedSet.Element.Value.none : .verdict(.jump(chain(entry, into: &assembly)))
      set.elements.append(NamedSet.Element(key(entry, shape), value: value, comment: comment(entry, assembly)))
    }
    assembly.sets.append(set)
    guard phase == .plain else { return [Rule([.namedVerdictMap(fields, set.name)])] }
    return [Rule([.match(fields, .equal, .set(set.name)), .verdict(dispatcher.verdict)])]
  }

  /// Returns the size of a set of `count` elements: the next power of two, so that there is room to add some.
  static func size(for count: Int) -> Int {
    var size = 16
    while size < count { size *= 2 }
    return size
  }

  /// Returns what leads back to the policy from `entry`.
  private func comment(_ entry: Entry, _ assembly: Assembly) -> String {
    entry.others.isEmpty
      ? dispatcher.decisions[Int(entry.decision)].comment
      : assembly.comment(dispatcher.decisions[Int(entry.decision)].cause, others: true)
  }

  /// Returns the chain that decides `entry`, which is made if there are several decisions.
  private func chain(_ entry: Entry, into assembly: inout Assembly) -> String {
    let own = dispatcher.decisions[Int(entry.decision)].chain
    let all = ([own] + entry.others.map { dispatcher.decisions[Int($0)].chain }).compactMap { $0 }
    var chains: [String] = []
    for chain in all where !chains.contains(chain) { chains.append(chain) }
    if chains.count == 1 { return chains[0] }
    return assembly.combination(of: chains)
  }

  /// Returns the fields that a look-up of `shape` compares.
  private func selector(_ shape: Shape) -> Selector {
    var parts: [MaskedField] = []
    func add(_ part: Shape.Part, _ field: Field, _ family: AddressFamily) {
      switch part {
      case .any: break
      case .interval: parts.append(MaskedField(field))
      case .prefix(let length):
        let mask = length == family.width ? nil : Prefix.mask(length: length, family: family)
        parts.append(MaskedField(field, mask: mask))
      }
    }
    let family = shape.family ?? .ipv4
    add(shape.source, .saddr(family), family)
    add(shape.destination, .daddr(family), family)
    switch shape.contents {
    case .none, .range: break
    case .icmpType: parts.append(MaskedField(family == .ipv4 ? .icmpType : .icmpv6Type))
    case .icmpTypeAndCode:
      parts.append(MaskedField(family == .ipv4 ? .icmpType : .icmpv6Type))
      parts.append(MaskedField(family == .ipv4 ? .icmpCode : .icmpv6Code))
    case .port(let bits):
      parts.append(MaskedField(.l4proto))
      if bits > 0 {
        parts.append(MaskedField(.dport, mask: bits == 16 ? nil : UInt128(0xffff << (16 - bits) & 0xffff)))
      }
    }
    return Selector(parts)
  }

  /// Returns the key of `entry` in a set of `shape`.
  private func key(_ entry: Entry, _ shape: Shape) -> [Datum] {
    var key: [Datum] = []
    key.reserveCapacity(shape.partCount)
    let family = shape.family ?? .ipv4
    func add(_ part: Shape.Part, _ lower: UInt128, _ upper: UInt128) {
      switch part {
      case .any: break
      case .prefix: key.append(.address(Address(family, lower)))
      case .interval:
        key.append(.all(of: AddressRange(from: Address(family, lower), through: Address(family, upper))))
      }
    }
    add(shape.source, entry.source, entry.sourceEnd)
    add(shape.destination, entry.destination, entry.destinationEnd)
    switch shape.contents {
    case .none, .range: break
    case .icmpType: key.append(.number(UInt8(truncatingIfNeeded: entry.traffic >> 8)))
    case .icmpTypeAndCode:
      key.append(.number(UInt8(truncatingIfNeeded: entry.traffic >> 8)))
      key.append(.number(UInt8(truncatingIfNeeded: entry.traffic)))
    case .port(let bits):
      key.append(.transport(entry.transport))
      if bits > 0 { key.append(.port(entry.ports.lower)) }
    }
    return key
  }

  /// Returns the comparisons of a rule for `entry` alone.
  private func linearMatches(_ entry: Entry, _ shape: Shape) -> [Statement] {
    var steps: [Statement] = []
    let family = shape.family ?? .ipv4
    func add(_ part: Shape.Part, _ field: Field, _ lower: UInt128, _ upper: UInt128) {
      var end = upper
      switch part {
      case .any: return
      case .prefix(let length): end = lower | (family.highest & ~Prefix.mask(length: length, family: family))
      case .interval: break
      }
      let range = AddressRange(from: Address(family, lower), through: Address(family, end))
      steps.append(.match(Selector(field), .equal, .datum(.all(of: range))))
    }
    add(shape.source, .saddr(family), entry.source, entry.sourceEnd)
    add(shape.destination, .daddr(family), entry.destination, entry.destinationEnd)
    switch shape.contents {
    case .none: break
    case .icmpType, .icmpTypeAndCode:
      let type = UInt8(truncatingIfNeeded: entry.traffic >> 8)
      let code = UInt8(truncatingIfNeeded: entry.traffic)
      steps.append(
        .match(Selector(family == .ipv4 ? .icmpType : .icmpv6Type), .equal, .datum(.number(type))))
      if shape.contents == .icmpTypeAndCode {
        steps.append(.match(Selector(family == .ipv4 ? .icmpCode : .icmpv6Code), .equal, .datum(.number(code))))
      }
    case .range, .port:
      steps.append(.match(Selector(.l4proto), .equal, .datum(.transport(entry.transport))))
      if case .port(let bits) = shape.contents {
        let upper = entry.ports.lower | (bits == 0 ? .max : UInt16.max >> UInt16(bits))
        if bits > 0 {
          steps.append(
            .match(Selector(.dport), .equal, .datum(.all(of: PortRange(from: entry.ports.lower, through: upper)))))
        }
      } else {
        steps.append(.match(Selector(.dport), .equal, .datum(.all(of: entry.ports))))
      }
    }
    return steps
  }
}
