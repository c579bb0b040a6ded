public import Packets
import Syntax

/// The first packets of connections that single lines of a firewall are about, as boxes; what a line does within a rate
/// alone, it does.
///
/// What arrives over loopback and what IP needs is accepted whatever the lines say, and is not left out here.
extension Firewall {
  /// Returns what `opening` lets in, unless a block refuses it.
  public func boxes(of opening: Opening, in universe: Universe) -> [PacketBox] {
    let kinds = universe.kinds(AddressKind.delivered)
    return MeaningDefinition(firewall: self, universe: universe).boxes(opening, label: 1).map {
      universe.first($0, to: kinds)
    }
  }

  /// Returns what `passage` routes on, unless a block refuses it.
  public func boxes(of passage: Passage, in universe: Universe) -> [PacketBox] {
    let kinds = universe.kinds([.elsewhere])
    return MeaningDefinition(firewall: self, universe: universe).boxes(passage).map { universe.first($0, to: kinds) }
  }

  /// Returns what arrives and is accepted whatever is exposed or blocked: what IP needs, and what comes over loopback.
  public func needed(in universe: Universe) throws(BudgetExceeded) -> PacketSet {
    let definition = MeaningDefinition(firewall: self, universe: universe)
    return try definition.essentials(areArriving: true).union(definition.echoes()).union(universe.looped)
  }

  /// Returns what `block` refuses.
  public func boxes(of block: Refusal, in universe: Universe) -> [PacketBox] {
    let kinds = block.sparesTransit ? universe.kinds(AddressKind.delivered) : .all
    return MeaningDefinition(firewall: self, universe: universe).boxes(block).map { universe.first($0, to: kinds) }
  }
}

extension Universe {
  /// Returns the first packets of connections that arrive in `box`, sent to addresses of `kinds`.
  fileprivate func first(_ box: PacketBox, to kinds: ValueSet) -> PacketBox {
    var box = box
    box[.direction] = space.value(UInt8(0), of: .direction)
    box[.state] = space.value(ConnectionState.new.rawValue, of: .state)
    box[.destinationKind] = kinds
    return box
  }

  /// Returns the values that `field` may have in `packets` if all the others are as `packet` has them.
  public func values(
    of field: PacketField, around packet: PacketValues, in packets: PacketSet
  ) throws(BudgetExceeded) -> IntervalSet<UInt128> {
    var rest = packets
    for other in PacketField.all where other != field { rest = try rest.fixing(other, to: packet[other]) }
    return rest.values(of: field)
  }

  /// Returns the first packet of a connection that `packet` is, as a person would write it down.
  public func first(_ packet: PacketValues) -> Packet {
    let family: AddressFamily = packet[.family] == 0 ? .ipv4 : .ipv6
    // A name that no interface can have stands for one that the policy does not name.
    return Packet(
      interface: InterfaceName.name(of: packet[.arrival]) ?? "\u{1}",
      source: Address(family, min(packet[.source], family.highest)),
      destination: Address(family, min(packet[.destination], family.highest)),
      transport: TransportProtocol(rawValue: UInt8(truncatingIfNeeded: packet[.transport])),
      sourcePort: UInt16(truncatingIfNeeded: packet[.sourcePort]),
      destinationPort: UInt16(truncatingIfNeeded: packet[.destinationPort]))
  }
}
