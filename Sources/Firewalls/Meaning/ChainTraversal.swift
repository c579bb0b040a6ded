import Packets

/// What rules have written on packets so far.
struct PacketState: Hashable {
  var packetMark: UInt32 = 0
  var connectionMark: UInt32 = 0
  /// The label of the translation of the destination, or 0.
  var translation: UInt32 = 0
  /// `true` iff the source becomes an address of the host.
  var isMasqueraded = false

  /// Returns `true` iff the marks are as `rule` wants them.
  func passes(_ rule: HookedChains.Rule) -> Bool {
    if let wanted = rule.isTranslated, wanted != (translation != 0) { return false }
    return rule.marks.allSatisfy { test in
      let value = test.mark == .packet ? packetMark : connectionMark
      return (value & test.mask == test.value) != test.isNegated
    }
  }

  /// Returns the state after `action`, or nothing if that does not change any.
  func after(_ action: HookedChains.Action) -> PacketState? {
    var state = self
    switch action {
    case .mark(.packet, let clear, let flip): state.packetMark = packetMark & ~clear ^ flip
    case .mark(.connection, let clear, let flip): state.connectionMark = connectionMark & ~clear ^ flip
    case .copy(.packet, .connection, let mask): state.connectionMark = connectionMark & ~mask | packetMark & mask
    case .copy(.connection, .packet, let mask): state.packetMark = packetMark & ~mask | connectionMark & mask
    case .copy: break
    case .translate(let label): state.translation = label
    case .masquerade: state.isMasqueraded = true
    default: return nil
    }
    return state
  }
}

/// How packets leave a chain.
struct ChainExit: Hashable {
  /// What was decided.
  enum Decision: Hashable {
    case accept, drop, reject
    /// Nothing; whoever called the chain goes on.
    case fallThrough
  }

  var decision: Decision
  var state: PacketState
}

/// The evaluation of chains for all packets at once.
///
/// A chain is a function from packets to exits, which depends on the state in which packets come to it. So each chain is
/// evaluated once for each state, from its last rule to its first: what a rule matches overrides what the rules behind
/// it do.
final class ChainTraversal {
  let chains: [HookedChains.Chain]
  let universe: Universe
  private var exitLabels: [ChainExit: UInt32] = [:]
  private(set) var exits: [ChainExit] = []
  private var known: [Visit: PacketMap] = [:]

  private struct Visit: Hashable {
    var chain: Int
    var rule: Int
    var state: PacketState
  }

  /// How many chains, each from a rule on and for a state, are looked at.
  static let mostVisits = 100_000

  /// Creates the evaluation of `chains`, none of which leads to itself.
  init(_ chains: [HookedChains.Chain], in universe: Universe) {
    self.chains = chains
    self.universe = universe
  }

  private var space: PacketSpace { universe.space }

  /// Returns the label of `exit`.
  func label(of exit: ChainExit) -> UInt32 {
    if let label = exitLabels[exit] { return label }
    exits.append(exit)
    exitLabels[exit] = UInt32(exits.count)
    return UInt32(exits.count)
  }

  /// Returns the exit that has `label`.
  func exit(labelled label: UInt32) -> ChainExit { exits[Int(label) - 1] }

  /// Returns how packets leave the chain at position `chain` that come to it in `state`: the labels are exits'.
  func exits(of chain: Int, in state: PacketState) throws(BudgetExceeded) -> PacketMap {
    try exits(of: chain, from: 0, in: state)
  }

  private func exits(of chain: Int, from first: Int, in state: PacketState) throws(BudgetExceeded) -> PacketMap {
    let visit = Visit(chain: chain, rule: first, state: state)
    if let result = known[visit] { return result }
    guard known.count < ChainTraversal.mostVisits else {
      throw BudgetExceeded(limit: ChainTraversal.mostVisits, of: .states)
    }
    let result = try evaluate(visit)
    known[visit] = result
    return result
  }

  private func evaluate(_ visit: Visit) throws(BudgetExceeded) -> PacketMap {
    let rules = chains[visit.chain].rules
    let state = visit.state
    var result = try space.everything.labelled(label(of: ChainExit(decision: .fallThrough, state: state)))
    var run: [HookedChains.Rule] = []
    for index in stride(from: rules.count - 1, through: visit.rule, by: -1) {
      let rule = rules[index]
      guard state.passes(rule) else { continue }
      if rule.sets.isEmpty, exit(of: rule.action, in: state) != nil {
        run.append(rule)
        continue
      }
      result = try flush(&run, state, before: result)
      let matched = try packets(of: rule)
      if let exit = exit(of: rule.action, in: state) {
        let label = label(of: exit)
        result = try matched.labelled(label).overriding(result)
        continue
      }
      switch rule.action {
      case .jump(let target):
        let called = try exits(of: target, in: state)
        result = try returning(called, matched, to: visit.chain, index + 1, state, before: result)
      case .goto(let target):
        let called = try exits(of: target, in: state)
        result = try called.restricted(to: matched).overriding(result)
      default:
        // It changes the state, and the rest of the chain is another function then.
        guard let changed = state.after(rule.action) else { continue }
        let rest = try exits(of: visit.chain, from: index + 1, in: changed)
        result = try rest.restricted(to: matched).overriding(result)
      }
    }
    return try flush(&run, state, before: result)
  }

  /// Returns what becomes of packets of `matched` that a chain was called for, with `called` as its exits, and of others
  /// as `rest` says; what falls through goes on at the rule `next`.
  private func returning(
    _ called: PacketMap, _ matched: PacketSet, to chain: Int, _ next: Int, _ state: PacketState,
    before rest: PacketMap
  ) throws(BudgetExceeded) -> PacketMap {
    let inside = try called.restricted(to: matched)
    // What goes on here and leaves this chain without a decision is done with: it must not be taken for what comes back.
    var result = try inside.relabelled { exit(labelled: $0).decision == .fallThrough ? 0 : $0 }
    for label in inside.labels where exit(labelled: label).decision == .fallThrough {
      let returned = exit(labelled: label).state
      guard returned != state else { continue }
      let onward = try exits(of: chain, from: next, in: returned)
      result = try onward.restricted(to: inside.packets(labelled: label)).overriding(result)
    }
    return try result.overriding(rest)
  }

  /// Returns the exit by which packets leave the chain at once through `action`, or nothing if they may not.
  private func exit(of action: HookedChains.Action, in state: PacketState) -> ChainExit? {
    switch action {
    case .accept: ChainExit(decision: .accept, state: state)
    case .drop: ChainExit(decision: .drop, state: state)
    case .reject: ChainExit(decision: .reject, state: state)
    case .return: ChainExit(decision: .fallThrough, state: state)
    case .translate, .masquerade: ChainExit(decision: .accept, state: state.after(action) ?? state)
    case .jump, .goto, .mark, .copy: nil
    }
  }

  /// Returns what `rule` matches, its marks apart.
  private func packets(of rule: HookedChains.Rule) throws(BudgetExceeded) -> PacketSet {
    var result = try space.set(of: rule.boxes)
    for set in rule.sets { result = try result.intersection(set) }
    return result
  }

  /// Returns `rest`, overridden by the rules of `run`, of which the last stands first in the chain; `run` is emptied.
  ///
  /// They are taken together, which is far faster than one by one.
  private func flush(
    _ run: inout [HookedChains.Rule], _ state: PacketState, before rest: PacketMap
  ) throws(BudgetExceeded) -> PacketMap {
    guard !run.isEmpty else { return rest }
    var boxes: [PacketBox] = []
    // Neighbours with one exit share a label; of several, the lowest decides.
    var order: [UInt32] = []
    for rule in run.reversed() {
      guard let exit = exit(of: rule.action, in: state) else { continue }
      let label = label(of: exit)
      if order.last != label { order.append(label) }
      for box in rule.boxes {
        var box = box
        box.label = UInt32(order.count)
        boxes.append(box)
      }
    }
    run.removeAll()
    if order.count == 1 {
      // No label is there to choose from.
      for i in boxes.indices { boxes[i].label = order[0] }
      return try space.map(of: boxes).overriding(rest)
    }
    return try space.map(of: boxes).relabelled { order[Int($0) - 1] }.overriding(rest)
  }
}
