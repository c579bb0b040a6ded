public import Firewalls
public import Packets

extension Meaning {
  /// Returns what may become of the first packet of a connection, in words, whatever the answers are to what is unknown.
  ///
  /// - Parameters:
  ///   - packet: the packet as it arrives, or as it is sent if it has no interface.
  ///   - departing: the interface on which it leaves, if any.
  ///   - kind: what the routing table says that its destination is.
  /// - Returns: the fates, as `fate(of:)` says them.
  /// - Throws: `BudgetExceeded` if the packets are too complex.
  public func fates(
    of packet: Packet, departing: String?, to kind: AddressKind
  ) throws(BudgetExceeded) -> Set<String> {
    let space = universe.space
    let values = universe.values(of: packet, departing: departing, to: kind, at: 1_800_000_000, conditions: false)
    var box = PacketBox()
    for field in PacketField.all { box[field] = space.values(values[field]...values[field], of: field) }
    box[.hopLimit] = space.value(UInt8(64), of: .hopLimit)
    var rest = try space.set(of: box)
    var fates: Set<String> = []
    while let packet = rest.witness {
      fates.insert(fate(of: packet))
      let translation = translations.label(of: packet)
      var same = try verdicts.packets(labelled: verdicts.label(of: packet))
      same =
        translation == 0
        ? try same.subtracting(translations.domain)
        : try same.intersection(translations.packets(labelled: translation))
      same = masqueraded.contains(packet) ? try same.intersection(masqueraded) : try same.subtracting(masqueraded)
      rest = try rest.subtracting(same)
    }
    return fates
  }
}
