public import Firewalls
import Packets
import Policies
public import Syntax

extension Difference {
  /// Returns what changes if `rules` take the place of what `policy` makes of `host`, or the other way round if
  /// `areOld`.
  public static func between(
    _ policy: ComparedPolicy, host: String, and rules: ForeignRules, areOld: Bool
  ) -> Difference {
    guard let firewall = policy.pipeline.firewalls.first(where: { $0.name == host }) else {
      var result = Difference()
      result.failures = ["`\(host)` is no host of the policy"]
      return result
    }
    let own = RulesComparison.Side.policy(policy.pipeline, firewall)
    let sides: [RulesComparison.Side] = areOld ? [.rules(rules), own] : [own, .rules(rules)]
    return RulesComparison(old: sides[0], new: sides[1], at: "host \(host)", from: policy.pipeline.today).difference()
  }

  /// Returns what changes from the day `today` on if the rules `new` take the place of `old`, of a host or of a cluster both.
  public static func between(_ old: ForeignRules, _ new: ForeignRules, on today: CalendarDate) -> Difference {
    if new.format == .manifests { return betweenClusters(old, new, on: today) }
    return RulesComparison(old: .rules(old), new: .rules(new), at: "the host", from: today).difference()
  }
}

/// The comparison of a host where one side at least is rules of another program.
private struct RulesComparison {
  /// What is compared.
  enum Side {
    case policy(Pipeline, Firewall)
    case rules(ForeignRules)

    var firewall: Firewall? { if case .policy(_, let firewall) = self { firewall } else { nil } }
    var policy: Policy { if case .policy(let pipeline, _) = self { pipeline.policy } else { Policy() } }
    var rules: ForeignRules? { if case .rules(let rules) = self { rules } else { nil } }
  }

  /// A side with what it means.
  struct Meant {
    var side: Side
    var whole: Meaning
    /// What it means for first packets of connections that do not come over loopback.
    var first: Meaning
    var chains: HookedChains?

    /// Returns what becomes of `packet`, with the line that decides.
    func fate(of packet: PacketValues) throws(BudgetExceeded) -> String {
      if case .policy(let pipeline, let firewall) = side { return try pipeline.fate(of: packet, first, firewall) }
      return try fate(of: packet, in: first)
    }

    /// Returns what becomes of `packet`, whichever packet of its connection it is, with the rule that decides.
    func laterFate(of packet: PacketValues) throws(BudgetExceeded) -> String { try fate(of: packet, in: whole) }

    private func fate(of packet: PacketValues, in meaning: Meaning) throws(BudgetExceeded) -> String {
      let (fate, decided) = meaning.conditionalFate(of: packet)
      let met = try chains?.encounters(of: decided, in: meaning.universe) ?? []
      // What refuses it is met last; what lets it through is a rule, if there is one.
      if case .policy(let policy)? = met.last?.what, policy != .accept {
        return fate + " (the policy of the chain \(met.last?.chain ?? ""))"
      }
      let rules = met.compactMap { if case .rule(let rule) = $0.what { rule } else { nil } }
      return fate + (rules.last.map { " (\($0.line.map { "line \($0): " } ?? "")\($0.text))" } ?? "")
    }
  }

  let old: Side
  let new: Side
  let place: String
  let today: CalendarDate
  let universe = Universe()

  init(old: Side, new: Side, at place: String, from today: CalendarDate) {
    self.old = old
    self.new = new
    self.place = place
    self.today = today
  }

  func difference() -> Difference {
    var result = Difference()
    result.hosts = 1
    do {
      result.rows = try rows(&result)
    } catch let error as UnreadableRuleset {
      result.failures = [error.message]
    } catch let error as BudgetExceeded {
      result.failures = [UnreadableRuleset(error).message]
    } catch let error as EvaluationError {
      result.failures = [error.description]
    } catch {
      result.failures = ["\(error)"]
    }
    return result
  }

  private func rows(_ result: inout Difference) throws -> [Difference.Row] {
    let window = Universe.moments(from: today)
    let readings = try [old, new].map { try $0.rules?.read(in: universe) }
    var families = Set(AddressFamily.allCases)
    for case let reading? in readings {
      families.formIntersection(reading.families)
      result.unknowns += reading.unknowns
    }
    if families.isEmpty {
      throw UnreadableRuleset(message: "one side is about IPv4 alone and the other one about IPv6")
    }
    result.families = families.count == 2 ? [] : families.map { $0 == .ipv4 ? "IPv4" : "IPv6" }
    let about = try universe.packets(of: families)
      .intersection(universe.space.set(.time, in: universe.space.values(window, of: .time)))
    // First packets of connections over the wire are what a policy is about; of others one word does.
    let first = try universe.new.subtracting(universe.looped)
    func meant(_ side: Side, _ reading: RulesetReading?) throws -> Meant {
      let all = try reading?.chains.meaning(in: universe) ?? side.firewall?.meaning(in: universe)
      guard let whole = try all?.restricted(to: about) else { preconditionFailure("a side is neither") }
      return Meant(side: side, whole: whole, first: try whole.restricted(to: first), chains: reading?.chains)
    }
    let (before, after) = (try meant(old, readings[0]), try meant(new, readings[1]))
    let comparison = Comparison(before.first, old.firewall, after.first, new.firewall)
    let words = FlowWords(old: old.policy, new: new.policy)
    let addresses = (new.firewall ?? old.firewall)?.addresses ?? AddressSet()
    let foreign = [old, new].compactMap { $0.rules?.path }.joined(separator: " and ")
    var rows = try comparison.changes().map { change in
      var (row, packet) = try words.row(
        of: change, in: comparison, at: place, to: addresses, atMost: 40, in: window, universe)
      (row.before, row.after) = (try before.fate(of: packet), try after.fate(of: packet))
      let side = change.side == .new ? new : old
      if let cause = change.cause, case .policy(let pipeline, _) = side {
        row.cause = pipeline.line(of: cause, isNew: change.side == .new)
      } else {
        row.reason = "the rules of \(foreign) differ"
      }
      return row
    }
    // Packets that are not tracked are told with the new ones, where both are treated alike.
    let differing = try before.whole.differing(from: after.whole)
    let asNew = try differing.intersection(first).labelled(1)
      .fixing(.state, to: UInt128(ConnectionState.new.rawValue)).domain
    let untracked = try universe.space.set(
      .state, in: universe.space.value(ConnectionState.untracked.rawValue, of: .state))
    let rest = try differing.subtracting(first).subtracting(asNew.intersection(untracked))
    if let packet = try universe.example(of: rest, to: addresses) {
      var row = Difference.Row(.later, at: place)
      row.reason = "the rules of \(foreign) treat packets of known connections, stray ones, or loopback differently"
      row.extent = try words.extent(of: rest, universe)
      row.witness = universe.text(of: packet)
      row.before = try before.laterFate(of: packet)
      row.after = try after.laterFate(of: packet)
      rows.append(row)
    }
    return rows
  }
}
