public import Packets
public import Syntax

/// The parts of all packets that definitions, chains and comparisons speak of alike.
extension Universe {
  /// What arrives; the rest is what processes of the host send.
  public var arriving: PacketSet {
    get throws(BudgetExceeded) { try space.set(.direction, in: space.value(UInt8(0), of: .direction)) }
  }

  /// What is addressed to the host.
  public var delivered: PacketSet {
    get throws(BudgetExceeded) { try space.set(.destinationKind, in: kinds(AddressKind.delivered)) }
  }

  /// What comes back over loopback.
  public var looped: PacketSet {
    get throws(BudgetExceeded) {
      try space.set(.arrival, in: space.value(InterfaceName.value(of: "lo"), of: .arrival))
    }
  }

  /// The first packets of connections.
  public var new: PacketSet {
    get throws(BudgetExceeded) { try space.set(.state, in: space.value(ConnectionState.new.rawValue, of: .state)) }
  }

  /// Returns the packets of `families`.
  public func packets(of families: some Sequence<AddressFamily>) throws(BudgetExceeded) -> PacketSet {
    let numbers = IntervalSet(families.map { UInt128($0.number)...UInt128($0.number) })
    return try space.set(.family, in: space.values(numbers, of: .family))
  }

  /// Returns `kinds` as the values of a field.
  func kinds(_ kinds: [AddressKind]) -> ValueSet {
    space.values(IntervalSet(kinds.map { UInt128($0.rawValue)...UInt128($0.rawValue) }), of: .destinationKind)
  }

  /// Returns the moments from the beginning of `day` on, in seconds since 1970, UTC.
  public static func moments(from day: CalendarDate) -> IntervalSet<UInt128> {
    let last = UInt128(lastMoment)
    return IntervalSet(min(UInt128(max(0, day.daysSinceEpoch)) * 86_400, last)...last)
  }
}
