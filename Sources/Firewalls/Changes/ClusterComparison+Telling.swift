public import Packets
import Syntax

/// What is told of the connections and ways that change.
extension ClusterComparison {
  /// A way to pods that changes.
  public struct Way {
    /// What changes: a way that led nowhere opens, one that leads nowhere now closes.
    public let kind: Change.Kind

    /// The connections.
    public let packets: PacketSet

    fileprivate let packet: PacketValues

    /// The way with one connection that comes by it, in words.
    public var example: String

    /// What becomes of a connection that comes by it, before and after.
    public var outcomes: (before: String, after: String)

    /// What publishes it, if there is such a thing.
    public var cause: ClusterCause?

    /// Where that stands.
    public var side: Change.Side
  }

  /// The most ways that are told apart.
  private static let mostWays = 1000

  /// Returns the ways to pods that change, by their doors, and the first one of those that are too many to be told.
  public func ways() throws(BudgetExceeded) -> (told: [Way], next: Way?) {
    let found = try universe.ways(
      changedFrom: old.meaning.entrances, to: new.meaning.entrances, atMost: ClusterComparison.mostWays)
    return (found.ways.map { way($0) }, found.next.map { way($0) })
  }

  /// Returns `changed` in words, with its cause.
  private func way(_ changed: ChangedWay) -> Way {
    var way = Way(
      kind: changed.labels.before == 0 ? .opens : changed.labels.after == 0 ? .closes : .translates,
      packets: changed.packets, packet: changed.example, example: universe.textOfWay(changed.example),
      outcomes: (
        universe.text(ofOutcome: changed.labels.before), universe.text(ofOutcome: changed.labels.after)
      ), cause: nil, side: .new)
    for side in [Change.Side.new, .old] where way.cause == nil {
      way.cause = cause(of: changed.example, through: changed.door, side)
      way.side = side
    }
    return way
  }

  /// Returns `way` in words, with `sources` as those of its sources.
  public func text(of way: Way, from sources: String) -> String { universe.textOfWay(way.packet, from: sources) }

  /// Returns what publishes `door` for the port of `packet` on `side`, if something does.
  private func cause(of packet: PacketValues, through door: Door?, _ side: Change.Side) -> ClusterCause? {
    func isOf(_ way: Entrance) -> Bool {
      guard way.door == door else { return false }
      guard let traffic = way.traffic, let ports = traffic.ports else { return true }
      return ports.contains(UInt16(truncatingIfNeeded: packet[.destinationPort]))
        && UInt128(traffic.transport.rawValue) == packet[.transport]
    }
    switch self.side(side).what {
    case .rules(let rules): return rules.entrances.first(where: isOf)?.origin.map { .object($0) }
    case .policy(let policy):
      let way = policy.ways.first { way in
        UInt64(exactly: packet[.time]).map(way.moments.contains) ?? false && isOf(way.entrance)
      }
      return way.map { .line($0.cause) }
    }
  }

  /// What is behind the fate of a connection.
  public struct Decider {
    /// The line or the object.
    public var cause: ClusterCause

    /// What it does, in words before its name; empty where it is what decides.
    public var role = ""
  }

  /// Returns what becomes of the connection `packet` on `side` in words, and what decides: the lines of a policy, or the
  /// places of files.
  public func fate(
    of packet: PacketValues, _ side: Change.Side
  ) throws(BudgetExceeded) -> (words: String, deciders: [Decider]) {
    let (what, meaning) = (self.side(side).what, self.side(side).meaning)
    switch what {
    case .rules(let rules):
      return (meaning.fate(of: packet), try deciders(of: packet, in: rules).map { Decider(cause: .object($0)) })
    case .policy(let policy): return (meaning.fate(of: packet), deciders(of: packet, in: policy, meaning))
    }
  }

  /// Returns where `rules` close `packet`, or else where they let it through.
  private func deciders(
    of packet: PacketValues, in rules: ClusterRules
  ) throws(BudgetExceeded) -> [ClusterRules.Origin] {
    var (closing, letting): ([ClusterRules.Origin], [ClusterRules.Origin]) = ([], [])
    for direction in [ClusterRules.Direction.egress, .ingress] {
      let isolations = rules.isolations(of: packet, direction, in: universe)
      if isolations.isEmpty { continue }
      let grants = try rules.grants(of: packet, direction, in: universe, blocksHavePods: blocksHavePods)
      if grants.isEmpty { closing += isolations.map(\.origin) } else { letting += grants.map(\.origin) }
    }
    var known = Set<ClusterRules.Origin>()
    return (closing.isEmpty ? letting : closing).filter { known.insert($0).inserted }
  }

  /// Returns the lines of `policy` that decide about `packet`: those of the receiving end, and of the sending one.
  private func deciders(of packet: PacketValues, in policy: ClusterSide, _ meaning: ClusterMeaning) -> [Decider] {
    guard let period = policy.period(at: packet[.time]) else { return [] }
    let firewall = period.firewall
    let (isLetIn, isLetOut) = (meaning.admitted.contains(packet), meaning.departing.contains(packet))
    func covers(_ boxes: [PacketBox]) -> Bool { boxes.contains { space.contains(packet, in: $0) } }
    var result: [Decider] = []
    if isLetIn {
      let admission = firewall.workloads.lazy.flatMap { workload in
        workload.admissions.lazy.filter { covers(firewall.boxes(of: $0, to: workload, in: universe)) }
      }.first
      let passing = firewall.workloads.lazy.flatMap { workload in
        firewall.published(to: workload, on: period.day, in: universe).filter { covers($0.boxes) }
      }.first
      if let cause = admission?.cause ?? passing?.cause {
        result.append(Decider(cause: .line(cause), role: isLetOut ? "" : "let in by "))
      }
    } else {
      for line in period.lines where result.isEmpty && covers(universe.boxes(of: line)) {
        let refusal = period.refusals.first { refusal in
          line.blocks.contains(refusal.block) && covers(universe.boxes(of: refusal, until: nil, on: line))
        }
        if let refusal { result.append(Decider(cause: .line(policy.blocks[refusal.block]))) }
      }
    }
    let departure = firewall.workloads.lazy.compactMap { workload in
      workload.departures.first { covers(firewall.boxes(of: $0, from: workload, in: universe)) }
        // Whoever uses something may look up names.
        ?? workload.departures.first { _ in covers(firewall.lookups(of: workload, in: universe)) }
    }.first
    if let departure { result.append(Decider(cause: .line(departure.cause), role: isLetIn ? "" : "let out by ")) }
    return result
  }

  /// Returns the fields of `object`, which is one of files on `side`, by which connections of `packets` are let through, in
  /// order.
  public func fields(
    of object: ClusterRules.Origin, letting packets: PacketSet, on side: Change.Side
  ) throws(BudgetExceeded) -> [String] {
    var result: [String] = []
    for grant in self.side(side).what.rules?.grants ?? []
    where grant.origin.object == object && !result.contains(grant.origin.path) {
      let boxes = try self.side(side).what.rules?.boxes(of: grant, in: universe, blocksHavePods: blocksHavePods)
      if try !space.set(of: boxes ?? []).intersection(packets).isEmpty { result.append(grant.origin.path) }
    }
    return result
  }

  /// Returns what is not known and decides whether connections of `packets` change, as it is called in the files.
  public func conditions(of packets: PacketSet) throws(BudgetExceeded) -> [String] {
    let map = try packets.labelled(1)
    return zip(space.conditionFields, space.conditions).filter { map.looks(at: [$0.0]) }.map(\.1)
  }
}
