import CNetfilter
import Glibc

/// A base chain of any table, as the kernel has it.
public struct SurveyedChain: Hashable, Sendable {
  /// The family of its table, as nft(8) names it.
  public var family: String

  /// The name of its table.
  public var table: String

  /// The name.
  public var name: String

  /// `filter`, `nat` or `route`.
  public var type: String

  /// The hook, as nft(8) names it.
  public var hook: String

  /// Its place among others at the hook; lower ones come first.
  public var priority: Int

  /// `true` iff what no rule decides is dropped.
  public var dropsByDefault: Bool

  /// Creates a chain.
  public init(
    family: String, table: String, name: String, type: String, hook: String, priority: Int, dropsByDefault: Bool
  ) {
    self.family = family
    self.table = table
    self.name = name
    self.type = type
    self.hook = hook
    self.priority = priority
    self.dropsByDefault = dropsByDefault
  }
}

extension Kernel {
  /// The base chains of all tables of nf_tables, in the order of family, hook, priority and name.
  ///
  /// iptables-legacy has chains that nf_tables does not know.
  public func baseChains() throws(NetlinkError) -> [SurveyedChain] {
    for _ in 0..<Kernel.mostAttempts {
      do throws(NetlinkError) {
        var chains: [SurveyedChain] = []
        let isSteady = try ask(request(NFT_MSG_GETCHAIN, flags: NLM_F_DUMP)) { message throws(NetlinkError) in
          if let chain = try SurveyedChain(message) { chains.append(chain) }
          guard chains.count < 100_000 else { throw .tooLarge("the chains of all tables") }
        }
        guard isSteady else { continue }
        return chains.sorted { a, b in
          (a.family, a.hook, a.priority) == (b.family, b.hook, b.priority)
            ? (a.table, a.name) < (b.table, b.name)
            : (a.family, a.hook, a.priority) < (b.family, b.hook, b.priority)
        }
      } catch {
        switch error {
        case .lostAnswers, .system(EINTR, _): continue
        default: throw error
        }
      }
    }
    throw .restless
  }
}

extension SurveyedChain {
  /// The families, by their numbers (`NFPROTO_...`).
  private static let families: [UInt8: String] = [
    1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6",
  ]

  /// Creates the chain that `message` (`NFT_MSG_NEWCHAIN`) is about, or nothing if it has no hook.
  fileprivate init?(_ message: Message) throws(NetlinkError) {
    guard message.body.count >= 4 else { throw .malformed("a chain without its header") }
    let number = message.bytes[message.body.lowerBound]
    let attributes = try message.attributes(after: 4).table()
    guard let hook = try attributes.nested(Int(NFTA_CHAIN_HOOK.rawValue)) else { return nil }
    let point = hook.number(Int(NFTA_HOOK_HOOKNUM.rawValue)) ?? 0
    let names: [UInt32: String] =
      switch number {
      case 3: [0: "input", 1: "output", 2: "forward"]
      case 5: [0: "ingress", 1: "egress"]
      default: [0: "prerouting", 1: "input", 2: "forward", 3: "output", 4: "postrouting", 5: "ingress"]
      }
    self.init(
      family: SurveyedChain.families[number] ?? "family \(number)",
      table: attributes.text(Int(NFTA_CHAIN_TABLE.rawValue)) ?? "",
      name: attributes.text(Int(NFTA_CHAIN_NAME.rawValue)) ?? "",
      type: attributes.text(Int(NFTA_CHAIN_TYPE.rawValue)) ?? "", hook: names[point] ?? "hook \(point)",
      priority: Int(Int32(bitPattern: hook.number(Int(NFTA_HOOK_PRIORITY.rawValue)) ?? 0)),
      dropsByDefault: attributes.number(Int(NFTA_CHAIN_POLICY.rawValue)) == 0)
  }
}
