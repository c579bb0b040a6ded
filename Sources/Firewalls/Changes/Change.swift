public import Packets

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
    /// They are refused as before, and the sender learns of it, or no longer does.
    case answers
    /// They are no first packets of a connection, or never leave the host.
    case later
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
    var result = try attributed(
      .opens, accepted.subtracting(acceptedBefore), refusing: oldFirewall, .old, accepting: newFirewall, .new)
    result += try attributed(
      .closes, acceptedBefore.subtracting(accepted), refusing: newFirewall, .new, accepting: oldFirewall, .old)
    let moved = try old.translations.differing(from: new.translations)
      .union(old.masqueraded.symmetricDifference(new.masqueraded))
      .intersection(new.accepted).intersection(old.accepted)
    result += try attributed(.translates, possibly(moved), refusing: nil, .old, accepting: newFirewall, .new)
    let limited = try possibly(new.accepted.symmetricDifference(old.accepted))
      .intersection(accepted).intersection(acceptedBefore)
    result += try attributed(.limits, limited, refusing: nil, .old, accepting: newFirewall, .new)
    let answered = try possibly(
      old.verdicts.differing(from: new.verdicts).subtracting(new.accepted).subtracting(old.accepted))
    if !answered.isEmpty { result.append(Change(.answers, answered, cause: nil, in: .new)) }
    // Whatever differs is told, be it for a reason that is not foreseen here.
    var rest = try possibly(old.differing(from: new))
    for change in result { rest = try rest.subtracting(change.packets) }
    if !rest.isEmpty { result.append(Change(.later, rest, cause: nil, in: .new)) }
    return result
  }

  /// Returns the packets that are in `set` if the right things hold of what is not known of them.
  private func possibly(_ set: PacketSet) throws(BudgetExceeded) -> PacketSet {
    var result = set
    for field in universe.space.conditionFields { result = try result.forgetting(field) }
    return result
  }

  /// Returns `packets`, which `accepting` accepts and the other firewall does not, by their causes.
  private func attributed(
    _ kind: Change.Kind, _ packets: PacketSet, refusing: Firewall?, _ refusingSide: Change.Side,
    accepting: Firewall?, _ acceptingSide: Change.Side
  ) throws(BudgetExceeded) -> [Change] {
    var rest = packets
    var result: [Change] = []
    // What both expose, and only one blocks, changes because of the block.
    if !rest.isEmpty, let refusing {
      let definition = MeaningDefinition(firewall: refusing, universe: universe)
      let exposed = try definition.decisions().map.domain
      let blocks = try definition.refusals().restricted(to: rest.intersection(exposed))
      for label in blocks.labels {
        let some = try blocks.packets(labelled: label)
        result.append(Change(kind, some, cause: refusing.blocks[Int(label) - 1].cause, in: refusingSide))
        rest = try rest.subtracting(some)
      }
    }
    if !rest.isEmpty, let accepting {
      let decisions = try MeaningDefinition(firewall: accepting, universe: universe).decisions()
      let parts = try decisions.map.restricted(to: rest)
      for label in parts.labels {
        let some = try parts.packets(labelled: label)
        result.append(Change(kind, some, cause: decisions.causes[Int(label) - 1], in: acceptingSide))
        rest = try rest.subtracting(some)
      }
    }
    // What hosts send and what arrives have different reasons.
    let arriving = try universe.arriving
    for part in [try rest.intersection(arriving), try rest.subtracting(arriving)] where !part.isEmpty {
      result.append(Change(kind, part, cause: nil, in: acceptingSide))
    }
    return result
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
