import Firewalls
import Packets
import Policies
import Syntax

/// The maker of the table for a firewall.
///
/// Base chains only send packets on to the chain that judges them, and have the policy `accept`; the verdict is
/// always that of a rule. So a table can be made ready before a packet sees it.
struct Compiler {
  /// The firewall.
  let firewall: Firewall

  /// The table that is being made.
  var assembly: Assembly

  /// The groups of decisions that share a chain.
  var groups: [DecisionGroup: String] = [:]

  /// For each group with a limit, the ports that it has already.
  var limitedPorts: [DecisionGroup: Set<Traffic>] = [:]

  /// The names of interfaces that were complained of.
  var refusedNames: Set<String> = []

  /// The priority of chains that judge: behind connection tracking, before anyone's destination translation.
  static let judging = -150

  /// The priority of destination translation: just before that of others, so that theirs cannot win.
  static let translating = -101

  /// The priority of source translation.
  static let masquerading = 100

  /// Returns the table `name` for `firewall`, and what cannot be expressed.
  static func table(named name: String, for firewall: Firewall, sources: Sources) -> (Table, [Diagnostic]) {
    var compiler = Compiler(firewall: firewall, assembly: Assembly(sources: sources))
    compiler.judge()
    compiler.translate()
    compiler.masquerade()
    compiler.judgeDepartures()
    compiler.refuse()
    // Base chains last, so that a reader finds where packets enter at the end and everything that is named before it.
    let chains = compiler.assembly.chains.filter { $0.hook == nil } + compiler.assembly.chains.filter { $0.hook != nil }
    return (Table(name, sets: compiler.assembly.sets, chains: chains).pruned, compiler.assembly.diagnostics)
  }

  /// Makes the chains that judge what arrives.
  private mutating func judge() {
    let blocked = blocks(ofHostAlone: false)
    let opened = blocks(ofHostAlone: true) + openings()
    let passed = passages()
    var rules = [
      // Alone, since it is compared in place, where a set would have to be searched for nearly every packet.
      Compiler.accept(.established),
      Rule([
        .verdictMap(
          Selector(.ctState), [.init(.state(.related), .accept), .init(.state(.invalid), .goto("invalid"))])
      ]),
      Rule([.match(Selector(.iif), .equal, .datum(.interface("lo"))), .verdict(.accept)]),
      Rule([
        .verdictMap(
          Selector(.nfproto),
          [.init(.family(.ipv4), .jump("essentials_ip")), .init(.family(.ipv6), .jump("essentials_ip6"))])
      ]),
    ]
    essentials()
    rules += blocked
    rules.append(
      Rule([
        .match(Selector(.fibDestinationType), .equal, .anyOf(AddressType.allCases.map { .addressType($0) })),
        .verdict(.goto("host")),
      ]))
    rules.append(Rule([.verdict(.goto("transit"))]))
    assembly.add(chain: "host", opened + [Rule([.verdict(.goto("refuse"))])])
    assembly.add(chain: "transit", passed + [Rule([.verdict(.goto("refuse"))])])
    assembly.add(chain: "judge", rules)
    assembly.add(
      chain: "prerouting", hook: BaseHook(.filter, at: .prerouting, priority: Compiler.judging),
      [Rule([.verdict(.goto("judge"))])])
  }

  /// Makes the chains that refuse.
  private mutating func refuse() {
    var rules: [Rule] = []
    if let limit = firewall.logDenied {
      let bucket = self.bucket(limit, at: firewall.logPlace.map { Cause("log denied", at: $0) })
      rules.append(Rule([.limit(bucket), .log(prefix: "portcullis refused: ")]))
    }
    rules.append(Rule([.counter]))
    if firewall.rejects {
      rules.append(
        Rule([.match(Selector(.l4proto), .equal, .datum(.transport(.tcp))), .reject(.tcpReset)]))
      rules.append(Rule([.reject(.adminProhibited)]))
    } else {
      rules.append(Rule([.verdict(.drop)]))
    }
    assembly.add(chain: "refuse", rules)
    // Never answered: an answer to a stray segment would end the connection that it pretends to be part of.
    assembly.add(chain: "invalid", [Rule([.counter, .verdict(.drop)])])
  }

  /// Makes the chains that accept what IP needs.
  private mutating func essentials() {
    var four = Compiler.messages(.icmpType, Essentials.icmp)
    let onLink = Essentials.icmpv6.filter { Essentials.icmpv6OnLink.contains($0) }
    let others = Essentials.icmpv6.filter { !Essentials.icmpv6OnLink.contains($0) }
    var six = Compiler.messages(.icmpv6Type, others)
    six.append(
      Rule([
        .match(Selector(.icmpv6Type), .equal, .anyOf(onLink.map { .number($0) })),
        .match(Selector(.hopLimit), .equal, .datum(.number(255))), .verdict(.accept),
      ]))
    let linkLocal = Prefix(containing: Address(.ipv6, UInt128(0xfe80) << 112), length: 10)
    six.append(
      Rule([
        .match(Selector(.saddr(.ipv6)), .equal, .datum(.all(of: linkLocal.range))),
        .match(Selector(.l4proto), .equal, .datum(.transport(.udp))),
        .match(Selector(.sport), .equal, .datum(.port(Essentials.dhcpv6Server))),
        .match(Selector(.dport), .equal, .datum(.port(Essentials.dhcpv6Client))), .verdict(.accept),
      ]))
    if firewall.pingOpen {
      let bucket = Bucket(Rate(Essentials.echoRate, per: .second), burst: Essentials.echoBurst)
      four.append(
        Rule([
          .match(Selector(.icmpType), .equal, .datum(.number(Essentials.echoRequest))), .limit(bucket),
          .verdict(.accept),
        ]))
      six.append(
        Rule([
          .match(Selector(.icmpv6Type), .equal, .datum(.number(Essentials.echoRequestV6))), .limit(bucket),
          .verdict(.accept),
        ]))
    }
    assembly.add(chain: "essentials_ip", four)
    assembly.add(chain: "essentials_ip6", six)
  }

  /// Returns the rule that accepts packets that connection tracking finds in `state`.
  private static func accept(_ state: ConnectionState) -> Rule {
    Rule([.match(Selector(.ctState), .equal, .datum(.state(state))), .verdict(.accept)])
  }

  /// Returns the rule that accepts the messages of `types`.
  static func messages(_ field: Field, _ types: [UInt8]) -> [Rule] {
    [Rule([.match(Selector(field), .equal, .anyOf(types.map { .number($0) })), .verdict(.accept)])]
  }

  /// Makes the chains that judge what the host's own processes send, if they may not send everything.
  private mutating func judgeDepartures() {
    guard let departures = firewall.departures else { return }
    let dhcp = [(68, 67), (Essentials.dhcpv6Client, Essentials.dhcpv6Server)] as [(UInt16, UInt16)]
    var rules = [
      Compiler.accept(.established), Compiler.accept(.related),
      Rule([.match(Selector(.oif), .equal, .datum(.interface("lo"))), .verdict(.accept)]),
    ]
    rules += Compiler.messages(.icmpType, Essentials.icmp)
    rules += Compiler.messages(.icmpv6Type, Essentials.icmpv6)
    for (family, ports) in zip(AddressFamily.allCases, dhcp) {
      rules.append(
        Rule([
          .match(Selector(.nfproto), .equal, .datum(.family(family))),
          .match(Selector(.l4proto), .equal, .datum(.transport(.udp))),
          .match(Selector(.sport), .equal, .datum(.port(ports.0))),
          .match(Selector(.dport), .equal, .datum(.port(ports.1))), .verdict(.accept),
        ]))
    }
    rules += departing(departures)
    rules.append(Rule([.verdict(.goto("refuse"))]))
    assembly.add(chain: "departures", rules)
    assembly.add(
      chain: "output", hook: BaseHook(.filter, at: .output, priority: Compiler.judging),
      [Rule([.verdict(.goto("departures"))])])
  }
}
