import Firewalls
import Packets

/// What a rule matches, while its matches are read one after the other; each narrows it.
struct Selection {
  /// The packets, as the union of boxes.
  var boxes: [PacketBox] = [PacketBox()]

  /// What they are besides, each of it.
  var sets: [PacketSet] = []

  /// The marks that they have.
  var marks: [HookedChains.MarkTest] = []

  /// Whether the destination of their connection was translated.
  var isTranslated: Bool?

  /// Returns a rule that does `action` with what is selected, and stands at `line`.
  func rule(_ action: HookedChains.Action, at line: RuleLine) -> HookedChains.Rule {
    var rule = HookedChains.Rule(action, utf8: line.text)
    rule.line = line.number
    rule.boxes = boxes
    rule.sets = sets
    rule.marks = marks
    rule.isTranslated = isTranslated
    return rule
  }

  /// Leaves what has one of `values` in `field`.
  mutating func narrow(
    _ field: PacketField, to values: ValueSet, in universe: Universe
  ) throws(BudgetExceeded) {
    if values == .all { return }
    // Boxes hold one set for each field; what a second match says of it stands beside them.
    guard boxes.allSatisfy({ $0[field] == .all }) else {
      sets.append(try universe.space.set(field, in: values))
      return
    }
    for i in boxes.indices { boxes[i][field] = values }
  }

  /// Leaves what is in one of `alternatives`, each of which narrows a box of everything.
  mutating func narrow(toOneOf alternatives: [[PacketField: ValueSet]], in universe: Universe) throws(BudgetExceeded) {
    let fields = Set(alternatives.flatMap(\.keys))
    guard boxes.count == 1, fields.allSatisfy({ boxes[0][$0] == .all }) else {
      sets.append(
        try universe.space.set(
          of: alternatives.map { sides in
            var box = PacketBox()
            for (field, values) in sides { box[field] = values }
            return box
          }))
      return
    }
    let base = boxes[0]
    boxes = alternatives.map { sides in
      var box = base
      for (field, values) in sides { box[field] = values }
      return box
    }
  }

  /// Leaves that for which `condition` holds, or does not if `isNegated`.
  mutating func narrow(
    when condition: PacketField, isNegated: Bool = false, in universe: Universe
  ) throws(BudgetExceeded) {
    let holds = try universe.space.set(when: condition)
    sets.append(isNegated ? try holds.complement() : holds)
  }

  /// Leaves nothing.
  mutating func empty() { boxes = [] }
}

extension Universe {
  /// Returns the one value `value`, or every other one if `isNegated`, of `field`.
  func values(
    _ range: ClosedRange<some FixedWidthInteger & UnsignedInteger>, isNegated: Bool, of field: PacketField
  ) -> ValueSet {
    let set = IntervalSet(UInt128(range.lowerBound)...UInt128(range.upperBound))
    return values(set, isNegated: isNegated, of: field)
  }

  /// Returns the values of `set`, or all others if `isNegated`, of `field`.
  func values(_ set: IntervalSet<UInt128>, isNegated: Bool, of field: PacketField) -> ValueSet {
    space.values(isNegated ? set.complement : set, of: field)
  }

  /// Returns the addresses of `ranges`, which are of `family`, or all others of it if `isNegated`.
  func addresses(
    _ ranges: [AddressRange], _ family: AddressFamily, isNegated: Bool, in field: PacketField
  ) -> ValueSet {
    // Thousands of rules have one block each.
    if ranges.count == 1, !isNegated, ranges[0].upper.value - ranges[0].lower.value < family.highest {
      return space.values(ranges[0].lower.value...ranges[0].upper.value, of: field)
    }
    switch family {
    case .ipv4:
      let set = IntervalSet(
        ranges.map { UInt32(truncatingIfNeeded: $0.lower.value)...UInt32(truncatingIfNeeded: $0.upper.value) })
      return space.values(isNegated ? set.complement : set, of: field)
    case .ipv6:
      return values(IntervalSet(ranges.map { $0.lower.value...$0.upper.value }), isNegated: isNegated, of: field)
    }
  }
}
