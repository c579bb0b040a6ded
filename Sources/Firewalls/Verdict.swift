public import Packets

/// What becomes of a packet.
public enum Verdict: String, Hashable, Sendable {
  /// It is let in.
  case accept
  /// It disappears.
  case drop
  /// It is answered by a refusal.
  case reject
}

extension Verdict {
  /// The label in maps of verdicts.
  public var label: UInt32 {
    switch self {
    case .accept: 1
    case .drop: 2
    case .reject: 3
    }
  }

  /// Returns the verdict that has `label`, or nothing if none has.
  public init?(label: UInt32) {
    switch label {
    case 1: self = .accept
    case 2: self = .drop
    case 3: self = .reject
    default: return nil
    }
  }
}

extension Firewall {
  /// Returns `true` iff `address` is one of the host's own, or one that several hosts listen to.
  public func isLocal(_ address: Address) -> Bool {
    addresses.contains(address) || AddressSet.loopback.contains(address) || AddressSet.shared.contains(address)
  }

  /// Returns what the routing table says of `address` when something arrives for it.
  public func kind(of address: Address) -> AddressKind {
    if AddressSet.multicast.contains(address) { return .multicast }
    if AddressSet.shared.contains(address) { return .broadcast }
    return isLocal(address) ? .local : .elsewhere
  }
}
