public import Packets
import Syntax

/// Packets of which something else becomes than before, for one reason.
public struct Change {
  /// What changes for them.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// They were refused, and are accepted.
    case opens
    /// They were accepted, and are refused.
    case closes
    /// They are accepted as before, and sent elsewhere.
    case translates
    /// They are accepted as before, and within another rate, or now within one, or no longer.
    case limits
    /// They are possibly accepted as before, and what it depends on is not known and another thing than before.
    case depends
    /// They are refused as before, and the sender learns of it, or no longer does.
    case answers
    /// They are no first packets of a connection, or never leave the host.
    case later
    /// They are refused as before, and one end of the connection alone would let them through now, or no longer.
    case oneEnd
  }

  /// Where the line stands that makes the change.
  public enum Side: Hashable, Sendable {
    /// In what was before.
    case old
    /// In what is now.
    case new
  }

  /// What changes.
  public var kind: Kind

  /// The packets.
  public var packets: PacketSet

  /// The line that makes the change, if one does: that which accepts them now, or refused them before.
  public var cause: Cause?

  /// Where that line stands.
  public var side: Side

  /// Creates a change.
  public init(_ kind: Kind, _ packets: PacketSet, cause: Cause?, in side: Side) {
    self.kind = kind
    self.packets = packets
    self.cause = cause
    self.side = side
  }
}

/// The difference between what two firewalls mean, which are of one universe.
public struct Comparison {
  /// What the old one means.
  public let old: Meaning

  /// What the new one means.
  public let new: Meaning

  /// The old firewall, if it is known: rules of another program have none.
  public let oldFirewall: Firewall?

  /// The new firewall, if it is known.
  public let newFirewall: Firewall?

  /// Creates the comparison of `old` and `new`.
  public init(_ old: Meaning, _ oldFirewall: Firewall?, _ new: Meaning, _ newFirewall: Firewall?) {
    self.old = old
    self.oldFirewall = oldFirewall
    self.new = new
    self.newFirewall = newFirewall
  }

  private var universe: Universe { old.universe }

  /// Returns what changes, each packet in one change alone, in a stable order.
  public func changes() throws(BudgetExceeded) -> [Change] {
    if old.isEqual(to: new) { return [] }
    // What is accepted within a rate alone is accepted, and so is what an unknown match may let in.
    let (accepted, acceptedBefore) = (try possibly(new.accepted), try possibly(old.accepted))
    let (before, after) = (deciders(oldFirewall), deciders(newFirewall))
    var result = try attributed(
      .opens, accepted.subtracting(acceptedBefore), refused: (before, .old), accepted: [(after, .new)])
    result += try attributed(
      .closes, acceptedBefore.subtracting(accepted), refused: (after, .new), accepted: [(before, .old)])
    // Of what is accepted as before, lines that are as before are not the cause.
    let changed = [
      (deciders(newFirewall?.changed(from: oldFirewall)), Change.Side.new),
      (deciders(oldFirewall?.changed(from: newFirewall)), .old), (after, .new),
    ]
    let moved = try old.translations.differing(from: new.translations)
      .union(old.masqueraded.symmetricDifference(new.masqueraded))
      .intersection(new.accepted).intersection(old.accepted)
    result += try attributed(.translates, possibly(moved), accepted: changed)
    let others = try new.accepted.symmetricDifference(old.accepted)
      .intersection(accepted).intersection(acceptedBefore)
    let unknown = try possibly(dependent(others))
    result += try attributed(.limits, possibly(others).subtracting(unknown), accepted: changed)
    result += try attributed(.depends, unknown, accepted: changed)
    let answered = try possibly(
      old.verdicts.differing(from: new.verdicts).subtracting(new.accepted).subtracting(old.accepted))
    if !answered.isEmpty { result.append(Change(.answers, answered, cause: nil, in: .new)) }
    // Whatever differs is told, be it for a reason that is not foreseen here.
    var rest = try possibly(old.differing(from: new))
    for change in result { rest = try rest.subtracting(change.packets) }
    if !rest.isEmpty { result.append(Change(.later, rest, cause: nil, in: .new)) }
    return result
  }

  /// Returns a packet of `change` with the conditions that show it, if some do.
  public func example(of change: Change, to destinations: AddressSet) throws(BudgetExceeded) -> PacketValues? {
    if change.kind == .limits || change.kind == .depends {
      let shown = try new.accepted.symmetricDifference(old.accepted).intersection(change.packets)
      if let packet = try universe.example(of: shown, to: destinations) { return packet }
    }
    return try universe.example(of: change.packets, to: destinations)
  }

  /// Returns under which conditions the packets of `change` are accepted, in words.
  public func conditions(of change: Change) throws(BudgetExceeded) -> [String] {
    switch change.kind {
    case .opens: try new.conditions(of: change.packets)
    case .closes: try old.conditions(of: change.packets)
    case .limits, .depends:
      try ["before: \(list(old.conditions(of: change.packets)))", "now: \(list(new.conditions(of: change.packets)))"]
    case .translates, .answers, .later, .oneEnd: []
    }
  }

  private func list(_ conditions: [String]) -> String {
    conditions.isEmpty ? "whatever the rate" : conditions.joined(separator: ", or ")
  }

  /// Returns the packets that are in `set` if the right things hold of what is not known of them.
  private func possibly(_ set: PacketSet) throws(BudgetExceeded) -> PacketSet {
    var result = set
    for field in universe.space.conditionFields { result = try result.forgetting(field) }
    return result
  }

  /// Returns the packets of which something that is not known decides whether they are in `set`.
  private func dependent(_ set: PacketSet) throws(BudgetExceeded) -> PacketSet {
    var result = universe.space.nothing
    for (field, name) in zip(universe.space.conditionFields, universe.space.conditions)
    where name.hasPrefix("unknown: ") {
      let (without, with) = (try set.fixing(field, to: 0), try set.fixing(field, to: 1))
      result = try result.union(without.symmetricDifference(with))
    }
    return result
  }

  private func deciders(_ firewall: Firewall?) -> Deciders? { firewall.map { Deciders($0, universe) } }

  /// Returns `packets` by their causes: first the blocks of `refused`, then the lines of each of `accepted`.
  private func attributed(
    _ kind: Change.Kind, _ packets: PacketSet, refused: (by: Deciders?, side: Change.Side)? = nil,
    accepted: [(by: Deciders?, side: Change.Side)]
  ) throws(BudgetExceeded) -> [Change] {
    var rest = packets
    var result: [Change] = []
    // What both expose, and only one blocks, changes because of the block.
    if !rest.isEmpty, let refused, let deciders = refused.by {
      let blocks = try deciders.refusals().restricted(to: rest.intersection(deciders.decisions().map.domain))
      for label in blocks.labels {
        let some = try blocks.packets(labelled: label)
        result.append(Change(kind, some, cause: deciders.firewall.blocks[Int(label) - 1].cause, in: refused.side))
        rest = try rest.subtracting(some)
      }
    }
    for (deciders, side) in accepted where !rest.isEmpty {
      guard let decisions = try deciders?.decisions() else { continue }
      let parts = try decisions.map.restricted(to: rest)
      for label in parts.labels {
        let some = try parts.packets(labelled: label)
        result.append(Change(kind, some, cause: decisions.causes[Int(label) - 1], in: side))
        rest = try rest.subtracting(some)
      }
    }
    if rest.isEmpty { return result }
    // What hosts send and what arrives have different reasons.
    let arriving = try universe.arriving
    for part in [try rest.intersection(arriving), try rest.subtracting(arriving)] where !part.isEmpty {
      result.append(Change(kind, part, cause: nil, in: accepted.first?.side ?? .new))
    }
    return result
  }
}

/// Which lines of a firewall decide, worked out when it is first asked for.
private final class Deciders {
  let firewall: Firewall
  private let definition: MeaningDefinition
  private var accepting: (map: PacketMap, causes: [Cause])?
  private var refusing: PacketMap?

  init(_ firewall: Firewall, _ universe: Universe) {
    self.firewall = firewall
    definition = MeaningDefinition(firewall: firewall, universe: universe)
  }

  /// Returns which line accepts each packet, blocks apart.
  func decisions() throws(BudgetExceeded) -> (map: PacketMap, causes: [Cause]) {
    if let accepting { return accepting }
    let result = try definition.decisions()
    accepting = result
    return result
  }

  /// Returns which block refuses each packet.
  func refusals() throws(BudgetExceeded) -> PacketMap {
    if let refusing { return refusing }
    let result = try definition.refusals()
    refusing = result
    return result
  }
}

extension Firewall {
  /// Returns the firewall with only those lines that accept what no line of `other` accepts in the same way.
  fileprivate func changed(from other: Firewall?) -> Firewall {
    guard let other else { return self }
    var result = self
    let openings = Set(other.openings.map(OpeningTerms.init))
    result.openings.removeAll { openings.contains(OpeningTerms($0)) }
    let passages = Set(other.passages.map(PassageTerms.init))
    result.passages.removeAll { passages.contains(PassageTerms($0)) }
    return result
  }
}

/// What an opening says, wherever it is written.
private struct OpeningTerms: Hashable {
  let sources: [Reach]
  let destinations: AddressSet?
  let traffic: Traffic
  let translation: Opening.Translation?
  let limit: Limit?
  let until: CalendarDate?

  init(_ opening: Opening) {
    (sources, destinations, traffic) = (opening.sources, opening.destinations, opening.traffic)
    (translation, limit, until) = (opening.translation, opening.limit.map(Universe.canonical), opening.until)
  }
}

/// What a passage says, wherever it is written.
private struct PassageTerms: Hashable {
  let sources, destinations: [Reach]
  let traffic: [Traffic]?
  let masquerade: Bool
  let limit: Limit?
  let until: CalendarDate?

  init(_ passage: Passage) {
    (sources, destinations, traffic) = (passage.sources, passage.destinations, passage.traffic)
    (masquerade, limit, until) = (passage.masquerade, passage.limit.map(Universe.canonical), passage.until)
  }
}

extension Meaning {
  /// Returns the conditions under which alone packets of `set` are accepted, in words; none if all of them are at any rate.
  ///
  /// Each one is enough for some of them.
  func conditions(of set: PacketSet) throws(BudgetExceeded) -> [String] {
    let fields = universe.space.conditionFields
    let reduced = try accepted.intersection(set)
    let map = try reduced.labelled(1)
    let met = fields.indices.filter { map.looks(at: [fields[$0]]) }
    guard !met.isEmpty else { return [] }
    /// Returns what is accepted if no condition holds but that at the position `holding`.
    func part(holding: Int?) throws(BudgetExceeded) -> PacketSet {
      var result = reduced
      for i in met { result = try result.fixing(fields[i], to: i == holding ? 1 : 0) }
      return result
    }
    let free = try part(holding: nil)
    var result: [String] = []
    for i in met where try !part(holding: i).isSubset(of: free) {
      let name = universe.space.conditions[i]
      let words = name.hasPrefix("unknown: ") ? "depends on: \(name.dropFirst(9))" : name
      result.append(free.isEmpty ? words : "\(words) (some of it)")
    }
    // Where several must hold at once, none of them alone is enough.
    guard result.isEmpty else { return result }
    return try set.isSubset(of: free) ? [] : ["under several conditions at once"]
  }
}

extension MeaningDefinition {
  /// Returns which line accepts each packet, blocks apart: labels are positions in `causes`, from 1 on.
  ///
  /// Of several, the first without a limit counts, or else the first; what a line accepts within a rate, it accepts.
  func decisions() throws(BudgetExceeded) -> (map: PacketMap, causes: [Cause]) {
    var causes: [Cause] = []
    var delivered: [PacketBox] = []
    var routed: [PacketBox] = []
    var sent: [PacketBox] = []
    func add(_ boxes: [PacketBox], _ cause: Cause, to list: inout [PacketBox]) {
      causes.append(cause)
      for var box in boxes {
        box.label = UInt32(causes.count)
        list.append(box)
      }
    }
    for opening in rankedOpenings { add(boxes(opening, label: 1), opening.cause, to: &delivered) }
    let passages = firewall.passages.filter { $0.limit == nil } + firewall.passages.filter { $0.limit != nil }
    for passage in passages { add(boxes(passage), passage.cause, to: &routed) }
    for departure in firewall.departures ?? [] { add(boxes(departure), departure.cause, to: &sent) }
    let space = universe.space
    let (arriving, here) = (try universe.arriving, try universe.delivered)
    let map = try space.map(of: delivered).restricted(to: here)
      .overriding(space.map(of: routed).removing(here)).restricted(to: arriving)
      .overriding(space.map(of: sent).removing(arriving))
    return (map, causes)
  }

  /// Returns which block refuses each packet: labels are positions in the firewall's list, from 1 on.
  func refusals() throws(BudgetExceeded) -> PacketMap {
    var boxes: [PacketBox] = []
    let space = universe.space
    for (index, block) in firewall.blocks.enumerated() {
      for var box in self.boxes(block) {
        if block.sparesTransit { box[.destinationKind] = universe.kinds(AddressKind.delivered) }
        box.label = UInt32(index + 1)
        boxes.append(box)
      }
    }
    return try space.map(of: boxes)
  }
}
