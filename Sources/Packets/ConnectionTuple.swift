/// What tells a packet's connection: who sends to whom.
public struct ConnectionTuple: Hashable, Sendable {
  /// The protocol.
  public var transport: TransportProtocol

  /// Who sends.
  public var source: Address

  /// To whom.
  public var destination: Address

  /// The source port, or the identifier of ICMP; zero if the protocol has none.
  public var sourcePort: UInt16

  /// The destination port; the type and the code of ICMP, in this order; zero if the protocol has none.
  public var destinationPort: UInt16

  /// Creates a tuple.
  public init(
    _ transport: TransportProtocol, _ source: Address, _ sourcePort: UInt16, to destination: Address,
    _ destinationPort: UInt16
  ) {
    self.transport = transport
    self.source = source
    self.sourcePort = sourcePort
    self.destination = destination
    self.destinationPort = destinationPort
  }
}
