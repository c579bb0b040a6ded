public import Packets
import Syntax

/// Connections that come by one way and of which something else becomes than before.
struct ChangedWay {
  /// The connections.
  let packets: PacketSet

  /// One of them.
  let example: PacketValues

  /// What became of them, and what becomes of them, as outcomes.
  let labels: (before: UInt32, after: UInt32)

  /// The door.
  let door: Door?
}

extension ClusterUniverse {
  /// Returns the ways whose outcome is another one in `new` than in `old`, each connection in one alone, up to `most` of
  /// them, and the first one of the others if there are any.
  func ways(
    changedFrom old: PacketMap, to new: PacketMap, atMost most: Int
  ) throws(BudgetExceeded) -> (ways: [ChangedWay], next: ChangedWay?) {
    var result: [ChangedWay] = []
    if old == new { return (result, nil) }
    let changed = try old.differing(from: new)
    for number in values(of: .departure, in: changed) {
      let door = self.door(numbered: number)
      var rest = try changed.intersection(space.set(.departure, in: space.value(number, of: .departure)))
      while let packet = try example(of: rest, throughDoors: true) {
        // The ports of a door are ways of their own.
        var same = rest
        for field in [PacketField.transport, .destinationPort] where door?.hasPorts ?? false {
          same = try same.intersection(space.set(field, in: space.value(packet[field], of: field)))
        }
        let labels = (before: old.label(of: packet), after: new.label(of: packet))
        same = try part(of: part(of: same, labelled: labels.before, in: old), labelled: labels.after, in: new)
        let way = ChangedWay(packets: same, example: packet, labels: labels, door: door)
        if result.count == most { return (result, way) }
        result.append(way)
        rest = try rest.subtracting(same)
      }
    }
    return (result, nil)
  }

  /// Returns the packets of `set` that have `label` in `map`, where 0 is none.
  private func part(
    of set: PacketSet, labelled label: UInt32, in map: PacketMap
  ) throws(BudgetExceeded) -> PacketSet {
    let some = try map.restricted(to: set)
    return try label == 0 ? set.subtracting(some.domain) : some.packets(labelled: label)
  }

  /// Returns the numbers of the kinds of pods, or of the doors, in `set`.
  public func values(of field: PacketField, in set: PacketSet) -> [UInt128] {
    set.values(of: field).intersection(IntervalSet(0...UInt128(PodKinds.limit))).intervals.flatMap { Array($0) }
  }

  /// Returns the packets of `set` that have `value` in `field`.
  public func part(
    of set: PacketSet, _ field: PacketField, _ value: UInt128
  ) throws(BudgetExceeded) -> PacketSet {
    try set.intersection(space.set(field, in: space.value(value, of: field)))
  }

  /// Returns the ports of `set`, at most six ranges of each protocol, in words.
  public func ports(of set: PacketSet) throws(BudgetExceeded) -> String {
    var words: [String] = []
    for number in set.values(of: .transport).intervals.flatMap({ Array($0) }) {
      let transport = TransportProtocol(rawValue: UInt8(truncatingIfNeeded: number))
      let ranges = try part(of: set, .transport, number).values(of: .destinationPort)
        .intersection(IntervalSet(0...65_535)).intervals
      words += ranges.prefix(6).map { range in
        "\(PortRange(from: UInt16(range.lowerBound), through: UInt16(range.upperBound)))/\(transport)"
      }
      if ranges.count > 6 { words.append("more \(transport) ports") }
    }
    return words.joined(separator: ", ")
  }
}

extension Door {
  /// `true` iff ports tell where it leads.
  fileprivate var hasPorts: Bool { if case .web = self { false } else { true } }
}
