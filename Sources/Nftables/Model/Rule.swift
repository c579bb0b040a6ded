public import Packets
public import Syntax

/// What becomes of a packet.
public enum Verdict: Hashable, Sendable {
  /// This hook lets it through.
  case accept

  /// It is gone.
  case drop

  /// The chain that called this one goes on.
  case `return`

  /// The chain judges it, and this one goes on if it does not decide.
  case jump(String)

  /// The chain judges it instead of this one.
  case goto(String)
}

/// How two values are compared.
public enum Comparison: String, Hashable, Sendable {
  /// Equal, or one of a set.
  case equal = "=="

  /// Not equal, or none of a set.
  case unequal = "!="

  /// Below.
  case below = "<"
}

/// What a field is compared with.
public enum Operand: Hashable, Sendable {
  /// A constant.
  case datum(Datum)

  /// Any of some constants.
  case anyOf([Datum])

  /// The elements of a set of the table.
  case set(String)

  /// Returns what is any of `data`, which is no set if it is one constant.
  static func among(_ data: [Datum]) -> Operand { data.count == 1 ? .datum(data[0]) : .anyOf(data) }
}

/// A token bucket.
public struct Bucket: Hashable, Sendable {
  /// How fast it is filled.
  public var rate: Rate

  /// How many packets it lets through at once when it is full.
  public var burst: UInt32

  /// Creates a bucket.
  public init(_ rate: Rate, burst: UInt32) {
    self.rate = rate
    self.burst = burst
  }
}

/// Where a connection is sent instead.
public enum Destination: Hashable, Sendable {
  /// To the same address, and the port that a map has.
  case port(Selector, map: String)

  /// To the address and port that a map has.
  case mapped(AddressFamily, Selector, map: String)

  /// To one of these addresses and ports; connections of one source always go to the same.
  case spread(AddressFamily, over: [Target])

  /// An address and a port.
  public struct Target: Hashable, Sendable {
    /// The address.
    public var address: Address

    /// The port.
    public var port: UInt16

    /// Creates a target.
    public init(_ address: Address, _ port: UInt16) {
      self.address = address
      self.port = port
    }
  }
}

/// How a refusal is told to the sender.
public enum Rejection: Hashable, Sendable {
  /// By a TCP segment with RST.
  case tcpReset

  /// By ICMP or ICMPv6 "administratively prohibited".
  case adminProhibited
}

/// One step of a rule; a step that does not match ends the rule.
public enum Statement: Hashable, Sendable {
  /// The packet is compared.
  case match(Selector, Comparison, Operand)

  /// The verdict that the elements have for the packet, if any.
  case verdictMap(Selector, [VerdictElement])

  /// The verdict that a map of the table has for the packet, if any.
  case namedVerdictMap(Selector, String)

  /// Goes on only within the rate.
  case limit(Bucket)

  /// Goes on only within the rate that an element of a dynamic set keeps for the packet.
  case update(set: String, Selector, Bucket)

  /// The packet is counted.
  case counter

  /// The packet is logged.
  case log(prefix: String)

  /// A verdict.
  case verdict(Verdict)

  /// The packet is dropped, and its sender told.
  case reject(Rejection)

  /// The connection is sent elsewhere.
  case dnat(Destination)

  /// The source address becomes that of the interface.
  case masquerade

  /// A constant and its verdict.
  public struct VerdictElement: Hashable, Sendable {
    /// The constant.
    public var key: Datum

    /// The verdict.
    public var verdict: Verdict

    /// Creates an element.
    public init(_ key: Datum, _ verdict: Verdict) {
      self.key = key
      self.verdict = verdict
    }
  }
}

/// A rule of a chain.
public struct Rule: Hashable, Sendable {
  /// The steps.
  public var statements: [Statement]

  /// Where the rule comes from.
  public var comment: String?

  /// Creates a rule.
  public init(_ statements: [Statement], comment: String? = nil) {
    self.statements = statements
    self.comment = comment
  }
}
