public import Packets

/// The chains of rules that the packets of a host meet, whatever program put them into the kernel.
///
/// A reader of rulesets makes one; `meaning` tells what becomes of every packet. The order of hooks and the meaning of
/// chains are those of netfilter (nft(8), iptables(8); https://wiki.nftables.org/wiki-nftables/index.php/Netfilter_hooks).
public struct HookedChains {
  /// A point on the way of packets.
  public enum Hook: Int, Hashable, Sendable, Comparable {
    /// What arrives, before it is known where it goes.
    case prerouting
    /// What goes to processes of the host.
    case input
    /// What is routed on.
    case forward
    /// What processes of the host send.
    case output
    /// What leaves.
    case postrouting

    /// Returns `true` iff `a` is listed before `b`.
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  /// Where the kernel enters a chain.
  public struct Entrance: Hashable, Sendable {
    /// The point.
    public var hook: Hook

    /// The place among others there: lower ones come first.
    public var priority: Int

    /// `true` iff the chain translates: it sees only the first packet of each connection.
    public var translates: Bool

    /// The chain, by its position.
    public var chain: Int

    /// What becomes of packets that no rule decides: `accept` or `drop`.
    public var policy: Verdict

    /// The families of the packets that it sees.
    public var families: Set<AddressFamily>

    /// `true` iff the chain's rules can tell on which interface a packet will leave; else they see none.
    public var knowsDeparture = true

    /// Creates an entrance.
    public init(
      _ hook: Hook, priority: Int, translates: Bool = false, chain: Int, policy: Verdict = .accept,
      families: Set<AddressFamily> = [.ipv4, .ipv6]
    ) {
      self.hook = hook
      self.priority = priority
      self.translates = translates
      self.chain = chain
      self.policy = policy
      self.families = families
    }
  }

  /// What a rule does with the packets that it matches.
  public enum Action: Hashable, Sendable {
    /// The entrance lets them through.
    case accept
    /// They disappear.
    case drop
    /// They are answered by a refusal.
    case reject
    /// The chain that called this one goes on; in a chain that the kernel enters, its policy decides.
    case `return`
    /// A chain judges them, and this one goes on with what that does not decide.
    case jump(Int)
    /// A chain judges them, and what it does not decide goes on where this chain was called from.
    case goto(Int)
    /// Bits of a mark change, and they go on: those of `clear` become 0, and then those of `flip` are flipped.
    case mark(Mark, clear: UInt32, flip: UInt32)
    /// One mark becomes the bits of the other one under a mask, keeping its other bits, and they go on.
    case copy(from: Mark, to: Mark, mask: UInt32)
    /// The destination is translated as the label of a universe says, and the entrance lets them through.
    case translate(UInt32)
    /// The source becomes an address of this host, and the entrance lets them through.
    case masquerade
  }

  /// A number that rules write on packets, to read it later.
  public enum Mark: Hashable, Sendable {
    /// That of the packet (`meta mark`); 0 at first.
    case packet
    /// That of the connection (`ct mark`); 0 at first.
    case connection
  }

  /// A look at a mark: whether the bits under `mask` are those of `value`.
  public struct MarkTest: Hashable, Sendable {
    /// Which mark.
    public var mark: Mark
    /// The bits, which are within `mask`.
    public var value: UInt32
    /// The bits that are looked at.
    public var mask: UInt32
    /// `true` iff they must differ.
    public var isNegated: Bool

    /// Creates a look at a mark.
    public init(_ mark: Mark = .packet, value: UInt32, mask: UInt32 = .max, isNegated: Bool = false) {
      self.mark = mark
      self.value = value
      self.mask = mask
      self.isNegated = isNegated
    }
  }

  /// A rule.
  public struct Rule {
    /// What it matches, as the union of boxes with the label 1; one box of everything at first.
    public var boxes: [PacketBox] = [PacketBox()]

    /// What it matches besides, each of them.
    public var sets: [PacketSet] = []

    /// The marks that the packet must have, each of them.
    public var marks: [MarkTest] = []

    /// Whether the destination of the connection must have been translated, or must not.
    public var isTranslated: Bool?

    /// What it does.
    public var action: Action

    /// The rule as its source writes it, or where it stands; a reader of proofs sees it.
    public var text: String {
      get { String(decoding: utf8, as: UTF8.self) }
      set { utf8 = Array(newValue.utf8)[...] }
    }

    /// The text, where it stands in its source: of ten thousands, few are ever seen.
    private var utf8: ArraySlice<UInt8>

    /// The number of its line, counted from 1, if its source has lines.
    public var line: Int?

    /// Creates a rule that matches every packet.
    public init(_ action: Action, text: String) { self.init(action, utf8: Array(text.utf8)[...]) }

    /// Creates a rule that matches every packet; `utf8` is its text.
    public init(_ action: Action, utf8: ArraySlice<UInt8>) {
      self.action = action
      self.utf8 = utf8
    }
  }

  /// A chain of rules, in the order in which they judge.
  public struct Chain {
    /// The name, with what is needed to tell it from others.
    public var name: String

    /// The rules.
    public var rules: [Rule]

    /// Creates a chain.
    public init(_ name: String, rules: [Rule] = []) {
      self.name = name
      self.rules = rules
    }
  }

  /// The chains.
  public var chains: [Chain] = []

  /// Where the kernel enters them.
  public var entrances: [Entrance] = []

  /// Creates a host without rules, which accepts everything.
  public init() {}

  /// Adds the chains of `other`, which packets meet too; at one hook and priority they are taken for registered later.
  public mutating func join(_ other: HookedChains) {
    let offset = chains.count
    chains += other.chains.map { chain in
      var chain = chain
      for i in chain.rules.indices {
        switch chain.rules[i].action {
        case .jump(let target): chain.rules[i].action = .jump(target + offset)
        case .goto(let target): chain.rules[i].action = .goto(target + offset)
        case .accept, .drop, .reject, .return, .mark, .copy, .translate, .masquerade: continue
        }
      }
      return chain
    }
    entrances += other.entrances.map { entrance in
      var entrance = entrance
      entrance.chain += offset
      return entrance
    }
  }

  /// Returns the names of chains of `self` and of `other` that are entered at one hook and priority, where it matters which
  /// comes first: both have rules, and one tells the other by what it writes on packets.
  public func rivals(in other: HookedChains) -> [(String, String)] {
    guard changesPackets || other.changesPackets else { return [] }
    return entrances.flatMap { mine in
      other.entrances.compactMap { theirs in
        guard mine.hook == theirs.hook, mine.priority == theirs.priority,
          !chains[mine.chain].rules.isEmpty, !other.chains[theirs.chain].rules.isEmpty
        else { return nil }
        return (chains[mine.chain].name, other.chains[theirs.chain].name)
      }
    }
  }

  /// `true` iff a rule writes a mark or another address.
  private var changesPackets: Bool {
    chains.contains { chain in
      chain.rules.contains {
        switch $0.action {
        case .mark, .copy, .translate, .masquerade: true
        case .accept, .drop, .reject, .return, .jump, .goto: false
        }
      }
    }
  }

  /// Returns the entrances at `hook` in the order in which the kernel enters them.
  func entrances(at hook: Hook) -> [Entrance] {
    // At one priority, the one that was registered last comes first (`nf_hook_entries_grow`, net/netfilter/core.c).
    entrances.enumerated().filter { $0.element.hook == hook }
      .sorted { ($0.element.priority, -$0.offset) < ($1.element.priority, -$1.offset) }.map(\.element)
  }
}
