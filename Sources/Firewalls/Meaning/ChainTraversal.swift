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
  /// The exits by label; 0 is none, and what stands there is never asked for.
  ///
  /// That of a packet which is refused is the same whatever its state, which nobody sees any more.
  private var exits =
    [ChainTraversal.untouched]
    + [.accept, .drop, .reject].map {
      ChainExit(decision: $0, state: PacketState())
    }
  private var known: [Visit: PacketMap] = [:]

  private struct Visit: Hashable {
    var chain: Int
    var rule: Int
    var state: PacketState
  }

  /// The exit of packets on which nothing was done.
  private static let untouched = ChainExit(decision: .fallThrough, state: PacketState())

  /// The label of `untouched`, above those of all others: what is without it is told by the bounds of its labels, and
  /// needs no walk when this one alone is replaced.
  private static let untouchedLabel: UInt32 = 0x7fff_ffff

  /// How many chains, each from a rule on and for a state, are looked at.
  static let mostVisits = 100_000

  /// Creates the evaluation of `chains`, none of which leads to itself.
  init(_ chains: [HookedChains.Chain], in universe: Universe) {
    self.chains = chains
    self.universe = universe
  }

  private var space: PacketSpace { universe.space }

  /// Returns the label of `exit`, which is that of the verdict where nothing is left to be told.
  func label(of exit: ChainExit) -> UInt32 {
    switch exit.decision {
    case .drop: return Verdict.drop.label
    case .reject: return Verdict.reject.label
    case .accept where exit.state == PacketState(): return Verdict.accept.label
    case .fallThrough where exit == ChainTraversal.untouched: return ChainTraversal.untouchedLabel
    case .accept, .fallThrough: break
    }
    if let label = exitLabels[exit] { return label }
    exits.append(exit)
    exitLabels[exit] = UInt32(exits.count - 1)
    return UInt32(exits.count - 1)
  }

  /// Returns the exit that has `label`.
  func exit(labelled label: UInt32) -> ChainExit {
    label == ChainTraversal.untouchedLabel ? ChainTraversal.untouched : exits[Int(label)]
  }

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
    var run = ExitRun()
    for index in stride(from: rules.count - 1, through: visit.rule, by: -1) {
      // Never a rule as a whole, which would be copied.
      guard state.passes(rules[index]) else { continue }
      let onward = try onward(from: visit, rules[index].action, behind: index)
      if rules[index].sets.isEmpty, !mayReturn(rules[index].action, onward) {
        if rules[index].boxes.contains(where: { $0.isEverything }) {
          // Nothing comes to the rules behind it.
          run = ExitRun()
          result = onward
        } else {
          run.prepend(rules[index].boxes, onward)
        }
        continue
      }
      result = try flush(&run, before: result)
      let matched = try packets(of: rules[index])
      if case .jump = rules[index].action {
        result = try returning(onward, matched, to: visit.chain, index + 1, state, before: result)
      } else {
        result = try onward.restricted(to: matched).overriding(result)
      }
    }
    return try flush(&run, before: result)
  }

  /// Returns how packets leave the chain of `visit`, or the one that is called, to which the rule at `index` does `action`.
  private func onward(
    from visit: Visit, _ action: HookedChains.Action, behind index: Int
  ) throws(BudgetExceeded) -> PacketMap {
    if let exit = exit(of: action, in: visit.state) { return try space.everything.labelled(label(of: exit)) }
    switch action {
    case .jump(let target), .goto(let target): return try exits(of: target, in: visit.state)
    default:
      // It changes the state, and the rest of the chain is another function then.
      let changed = visit.state.after(action) ?? visit.state
      return try exits(of: visit.chain, from: index + 1, in: changed)
    }
  }

  /// Returns `true` if packets may come back that `action` sends on to where they leave by the exits `onward`.
  private func mayReturn(_ action: HookedChains.Action, _ onward: PacketMap) -> Bool {
    guard case .jump = action else { return false }
    return onward.onlyLabel.map { exit(labelled: $0).decision == .fallThrough } ?? true
  }

  /// Returns what becomes of packets of `matched` that a chain was called for, with `called` as its exits, and of others
  /// as `rest` says; what falls through goes on at the rule `next`.
  private func returning(
    _ called: PacketMap, _ matched: PacketSet, to chain: Int, _ next: Int, _ state: PacketState,
    before rest: PacketMap
  ) throws(BudgetExceeded) -> PacketMap {
    let inside = try called.restricted(to: matched)
    // What goes on here and leaves this chain without a decision is done with: it must not be taken for what comes back.
    var settled: [UInt32: UInt32] = [:]
    var onwards: [(label: UInt32, exits: PacketMap)] = []
    for label in inside.labels {
      let exit = exit(labelled: label)
      guard exit.decision == .fallThrough else {
        settled[label] = label
        continue
      }
      let onward = exit.state == state ? rest : try exits(of: chain, from: next, in: exit.state)
      if let only = onward.onlyLabel {
        settled[label] = only
      } else if exit.state != state {
        onwards.append((label, onward))
      }
    }
    var result = try inside.relabelled { settled[$0] ?? 0 }
    for (label, onward) in onwards {
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

  /// Returns `rest`, overridden by the rules of `run`, which is emptied.
  private func flush(_ run: inout ExitRun, before rest: PacketMap) throws(BudgetExceeded) -> PacketMap {
    defer { run = ExitRun() }
    return try run.exits(before: rest)
  }
}
