/// A laboratory: a host under test, what surrounds it, and the answers that packets must get.
///
/// It is written by hand, from what a policy means, and knows nothing of the compiler. `Tests/KernelTests/README.md`
/// describes its file format.
public struct Lab: Sendable {
  /// The file that it was read from, for messages.
  public var file: String

  /// The name of the host under test.
  public var host = ""

  /// The interfaces of the host.
  public var links: [Link] = []

  /// Those who are at the other ends of the links.
  public var peers: [Peer] = []

  /// What listens, on the host and on peers.
  public var listeners: [Listener] = []

  /// What another program translates, as Docker does for a published port.
  public var translations: [Translation] = []

  /// `true` iff the host forwards packets from one link to another.
  public var forwards = false

  /// The back ends that the laboratory says nothing about, with the reason.
  public var exceptions: [RulesetKind: String] = [:]

  /// What happens, in order.
  public var steps: [Step] = []

  /// An interface of the host under test.
  public struct Link: Sendable {
    /// The name of the interface, here and at its other end.
    public var name: String
    /// The addresses with the lengths of their networks' prefixes.
    public var addresses: [(address: LabAddress, length: Int)]
  }

  /// A name for addresses at the other end of a link.
  public struct Peer: Sendable {
    /// The name.
    public var name: String
    /// The link that it is on.
    public var link: String
    /// Its addresses.
    public var addresses: [LabAddress]
  }

  /// A server.
  public struct Listener: Sendable {
    /// The host or the peer that it runs on.
    public var place: String
    /// The port that it listens on.
    public var port: LabPort
    /// The addresses that it is bound to; none: all.
    public var addresses: [LabAddress]
  }

  /// A translation of the destination that somebody else's table does before routing.
  public struct Translation: Sendable {
    /// The public port.
    public var port: LabPort
    /// Where it leads.
    public var target: LabAddress
    /// The port there.
    public var targetPort: UInt16
  }

  /// Something that happens.
  public enum Step: Sendable {
    /// A packet or connection is tried.
    case question(Question)
    /// A ruleset is loaded over the one before: the same one again, or the one with that name.
    case load(String?, line: Int)
    /// A connection that was held must still carry data both ways, or must not.
    case held(name: String, alive: Bool, line: Int, text: String)
    /// Time passes.
    case wait(milliseconds: Int)
  }
}

/// A packet, or several alike, and the answer that is expected.
public struct Question: Sendable {
  /// The line in the file.
  public var line: Int
  /// The line as it is written.
  public var text: String
  /// The host or peer that sends.
  public var sender: String
  /// The source address.
  public var source: LabAddress
  /// `true` iff the sender does not have that address.
  public var isSpoofed = false
  /// The source port, if it matters.
  public var sourcePort: UInt16?
  /// The destination address.
  public var destination: LabAddress
  /// The destination port or the kind of ICMP message.
  public var port: LabPort
  /// The flags of a TCP segment that is sent by itself.
  public var flags: String?
  /// The name of the held connection that an ICMP error speaks of.
  public var quoted: String?
  /// The name that the connection is held under.
  public var holdName: String?
  /// How many of them are sent.
  public var count = 1
  /// What must come of it.
  public var expectation: ExpectedOutcome
  /// The back ends to which the question is not put, with the reason.
  public var exceptions: [RulesetKind: String] = [:]
}

/// What must come of a packet.
public struct ExpectedOutcome: Sendable {
  /// The fate of a packet.
  public enum Fate: Sendable, Equatable {
    /// It is delivered and answered.
    case open
    /// It is delivered; nothing is said of an answer.
    case arrives
    /// Nobody gets it, and whether the sender hears of it does not matter.
    case closed
    /// Nobody gets it, and the sender hears nothing.
    case silent
    /// Nobody gets it, and the sender is told so.
    case refused
    /// So many of them are delivered.
    case counted(ClosedRange<Int>)
  }

  /// The fate of the packet.
  public var fate: Fate
  /// The address that it must be delivered to, if not the one it was sent to.
  public var address: LabAddress?
  /// The port that it must be delivered to, if not the one it was sent to.
  public var port: UInt16?
  /// The source that the receiver must see, if not the one it was sent from.
  public var source: LabAddress?
  /// The words of a refusal that is meant in particular: `reset`, `admin`, `port`.
  public var refusal: String?
}

/// A way to load rules into the kernel.
public enum RulesetKind: String, Sendable, CaseIterable {
  /// `nft -f`.
  case nftables
  /// `iptables-nft-restore` and `ip6tables-nft-restore`.
  case iptablesNft = "iptables-nft"
  /// `iptables-legacy-restore` and `ip6tables-legacy-restore`.
  case iptablesLegacy = "iptables-legacy"
}

/// A ruleset as text.
public enum Ruleset: Sendable, Equatable {
  /// One file for `nft -f`, or several that are loaded one after the other.
  case nftables([String])
  /// A file for `iptables-restore` and one for `ip6tables-restore`, of the `legacy` variant or the nf_tables one.
  case iptables(ipv4: String, ipv6: String, legacy: Bool)

  /// How it is loaded.
  public var kind: RulesetKind {
    switch self {
    case .nftables: .nftables
    case .iptables(_, _, let legacy): legacy ? .iptablesLegacy : .iptablesNft
    }
  }
}
