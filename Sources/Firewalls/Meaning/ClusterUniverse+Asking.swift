public import Packets

extension ClusterUniverse {
  /// An end of connections.
  public enum End: Hashable, Sendable {
    /// What has this address and is no pod.
    case outside(Address)
    /// The pods of the kind with this number.
    case pods(UInt128)
  }

  /// Returns the connections to the port of `traffic` of `target` that `source` may open, from any of its ports.
  ///
  /// - Requires: `traffic` is of a protocol with ports.
  public func connections(
    from source: End, to target: End, _ traffic: Traffic
  ) throws(BudgetExceeded) -> PacketSet {
    guard var box = packets.box(PacketBox(), of: traffic) else { return space.nothing }
    for (end, address, kind) in [
      (source, PacketField.source, PacketField.arrival), (target, .destination, .departure),
    ] {
      switch end {
      case .outside(let value):
        guard let narrowed = packets.box(box, of: value.family) else { return space.nothing }
        box = narrowed
        box[address] = space.value(value.value, of: address)
        box[kind] = space.value(UInt8(0), of: kind)
      case .pods(let number): box[kind] = space.value(number, of: kind)
      }
    }
    return try space.set(of: box).intersection(possible)
  }

  /// Returns a connection of `set` that a person can follow, if there is one.
  public func connection(of set: PacketSet) throws(BudgetExceeded) -> PacketValues? { try example(of: set) }
}
