/// The first packet of a new connection as it arrives, before any address translation.
public struct Packet: Hashable, Sendable {
  /// The name of the interface that the packet arrives on, or nothing if that is not known.
  public var interface: String?

  /// Where the packet comes from.
  public var source: Address

  /// Where the packet is sent.
  public var destination: Address

  /// The protocol above IP.
  public var transport: TransportProtocol

  /// The source port, or the ICMP code.
  public var sourcePort: UInt16

  /// The destination port, or the ICMP type.
  public var destinationPort: UInt16

  /// Creates a packet from its parts.
  ///
  /// - Requires: `source` and `destination` are of one family.
  public init(
    interface: String? = nil, source: Address, destination: Address, transport: TransportProtocol,
    sourcePort: UInt16 = 0, destinationPort: UInt16
  ) {
    precondition(source.family == destination.family)
    self.interface = interface
    self.source = source
    self.destination = destination
    self.transport = transport
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
  }

  /// The traffic that the packet is part of.
  public var traffic: Traffic {
    switch transport {
    case .icmp: .icmp(type: UInt8(truncatingIfNeeded: destinationPort), code: UInt8(truncatingIfNeeded: sourcePort))
    case .icmpv6: .icmpv6(type: UInt8(truncatingIfNeeded: destinationPort), code: UInt8(truncatingIfNeeded: sourcePort))
    default: .ports(transport, PortRange(destinationPort))
    }
  }
}
