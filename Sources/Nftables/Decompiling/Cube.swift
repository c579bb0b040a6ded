import Firewalls
import Packets

/// Packets whose fields have values of one set each, all of one space, while a rule is being read.
struct Cube {
  /// The values of the fields, conditions apart.
  private(set) var box = PacketBox()

  /// What must hold besides, such as to be within a rate.
  var conditions: [PacketField] = []

  /// Whether the destination must have been translated.
  var isTranslated: Bool?

  /// `true` iff the ports of whatever protocol are among the fields.
  var looksAtPorts = false

  /// `true` iff every packet is in it.
  var isEverything: Bool { box.isEverything && conditions.isEmpty && isTranslated == nil && !looksAtPorts }

  /// The values of `field`.
  subscript(field: PacketField) -> ValueSet { box[field] }

  /// Lets `field` have any value.
  mutating func widen(_ field: PacketField) { box[field] = .all }

  /// Narrows `field` to `values`; returns `false` if nothing is left.
  mutating func narrow(_ field: PacketField, to values: ValueSet, in space: PacketSpace) -> Bool {
    box[field] = space.intersection(box[field], values, of: field)
    return box[field] != .none
  }

  /// Returns what is in both `self` and `other`, or nothing if no packet is.
  func intersection(_ other: Cube, in space: PacketSpace) -> Cube? {
    var result = self
    for field in PacketField.all where other[field] != .all {
      if !result.narrow(field, to: other[field], in: space) { return nil }
    }
    for condition in other.conditions where !result.conditions.contains(condition) {
      result.conditions.append(condition)
    }
    result.looksAtPorts = looksAtPorts || other.looksAtPorts
    if let wanted = other.isTranslated {
      if let mine = isTranslated, mine != wanted { return nil }
      result.isTranslated = wanted
    }
    return result
  }

  /// The box of the fields, and of the first condition; others are not in it.
  var boxOfFirstCondition: PacketBox { conditions.first.map(box.when) ?? box }
}

extension Cube {
  /// Creates the cube of the packets of `family`, in `space`.
  init(of family: AddressFamily, in space: PacketSpace) {
    box[.family] = space.value(family.number, of: .family)
  }
}

extension PacketSpace {
  /// The protocols that have ports, by number.
  var protocolsWithPorts: ValueSet {
    values(
      IntervalSet(TransportProtocol.withPorts.map { UInt128($0.transport.rawValue)...UInt128($0.transport.rawValue) }),
      of: .transport)
  }
}
