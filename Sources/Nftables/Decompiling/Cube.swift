import Firewalls
import Packets

/// Packets whose fields have values of one set each, while a rule is being read.
struct Cube {
  /// The values of the fields that were looked at.
  var sides = Sides()

  /// What must hold besides, such as to be within a rate.
  var conditions: [PacketField] = []

  /// Whether the destination must have been translated.
  var isTranslated: Bool?

  /// `true` iff the ports of whatever protocol are among the fields.
  var looksAtPorts = false

  /// The protocols that have ports, by number.
  static let protocolsWithPorts = IntervalSet(
    TransportProtocol.withPorts.map { UInt128($0.transport.rawValue)...UInt128($0.transport.rawValue) })

  /// `true` iff it looks at ports of protocols that may have none.
  var looksAtPortsOfOthers: Bool {
    looksAtPorts && !(sides[.transport]?.isSubset(of: Cube.protocolsWithPorts) ?? false)
  }

  /// `true` iff every packet is in it.
  var isEverything: Bool { sides.isEmpty && conditions.isEmpty && isTranslated == nil && !looksAtPorts }

  /// Narrows `field` to `values`; returns `false` if nothing is left.
  mutating func narrow(_ field: PacketField, to values: IntervalSet<UInt128>) -> Bool {
    let rest = sides[field].map { $0.intersection(values) } ?? values
    sides[field] = rest
    return !rest.isEmpty
  }

  /// Returns what is in both `self` and `other`, or nothing if no packet is.
  func intersection(_ other: Cube) -> Cube? {
    var result = self
    for field in PacketField.all {
      if let values = other.sides[field], !result.narrow(field, to: values) { return nil }
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

  /// Returns the box of the fields in `space`, with the label `label`; conditions beyond the first one are not in it.
  func box(in space: PacketSpace) -> PacketBox {
    var box = PacketBox()
    for field in PacketField.all {
      if let values = sides[field] { box[field] = space.values(values, of: field) }
    }
    return conditions.first.map(box.when) ?? box
  }
}

/// The values of some fields, which are not conditions.
struct Sides: ExpressibleByDictionaryLiteral {
  // A dictionary would take three times as long to read a ruleset of ten thousand services.
  private var values = [IntervalSet<UInt128>?](repeating: nil, count: PacketField.all.count)

  init() {}

  init(dictionaryLiteral elements: (PacketField, IntervalSet<UInt128>)...) {
    for (field, set) in elements { self[field] = set }
  }

  /// `true` iff no field was looked at.
  var isEmpty: Bool { values.allSatisfy { $0 == nil } }

  /// The values of `field`, or nothing if it was not looked at.
  subscript(field: PacketField) -> IntervalSet<UInt128>? {
    get { values[Int(field.rawValue)] }
    set { values[Int(field.rawValue)] = newValue }
  }
}

extension IntervalSet<UInt128> {
  /// Creates the set of `value` alone.
  init(only value: some FixedWidthInteger & UnsignedInteger) { self.init(UInt128(value)...UInt128(value)) }
}
