import Packets

/// Rules that stand together and send each packet that they match to one of several addresses, by chance.
///
/// iptables has no target for that: each rule but the last takes its share of what those before it left. The rules may be
/// for several kinds of packets in turn, as long as all of them have the same addresses to go to.
struct Choice {
  /// How many rules there are.
  var count: Int

  /// What is matched besides chance, each as a rule.
  var kinds: [Rule]

  /// Where the packets go.
  var addresses: [Address]

  /// What becomes of their ports.
  var ports: PortRange?

  /// What the ports keep their distance from, if they do.
  var base: UInt16?

  /// Finds the choice that begins at position `start` of `rules`, if there is one.
  init?(_ rules: [Rule], at start: Int) {
    guard case .destination(.some, let ports, let base)? = rules[start].target, rules[start].share != nil else {
      return nil
    }
    kinds = []
    var found: [Rule: [Address]] = [:]
    var open: Set<Rule> = []
    var position = start
    repeat {
      guard position < rules.count, case .destination(let address?, ports, base)? = rules[position].target else {
        return nil
      }
      let kind = rules[position].withoutChance
      if found[kind] == nil {
        kinds.append(kind)
        open.insert(kind)
      } else if !open.contains(kind) {
        return nil
      }
      found[kind, default: []].append(address)
      if rules[position].share == nil { open.remove(kind) }
      position += 1
    } while !open.isEmpty
    let first = found[kinds[0], default: []]
    guard found.values.allSatisfy({ $0 == first }) else { return nil }
    addresses = first
    count = position - start
    self.ports = ports
    self.base = base
  }
}

extension Rule {
  /// The share of packets that it takes, if it takes one by chance: neither nothing nor everything.
  fileprivate var share: UInt32? {
    let shares = matches.compactMap { if case .probability(let share) = $0 { share } else { nil } }
    return shares.count == 1 && shares[0] > 0 && shares[0] < 1 << 31 ? shares[0] : nil
  }

  /// The rule without chance, what it does and what it is for.
  fileprivate var withoutChance: Rule {
    var rule = self
    if share != nil { rule.matches.removeAll { if case .probability = $0 { true } else { false } } }
    rule.target = nil
    rule.comment = nil
    return rule
  }
}
