import Firewalls
import Packets
import Syntax

/// The translation of one family of a firewall.
///
/// `mangle` judges, since it comes before every translation of the destination, and leaves marks for the tables behind
/// it: `nat` translates what is marked so, `filter` answers what is refused, and `security` drops what an accept of
/// somebody else let past `filter`. Every chain goes on with `goto`, so that a return leaves the table to others.
struct Compiler {
  /// The firewall.
  let firewall: Firewall

  /// The family.
  let family: AddressFamily

  /// Where comments find their lines.
  let sources: Sources

  /// The table that judges.
  var mangle: TableBuilder

  /// The table that translates.
  var nat: TableBuilder

  /// What cannot be said.
  var diagnostics: [Diagnostic] = []

  /// The names of interfaces that were found fit or unfit.
  var knownInterfaces: Set<String> = []

  /// The names of the tables of counts.
  var counters: Set<String> = []

  /// How many names were made for what is counted.
  var counterKeys: [String: Int] = [:]

  /// Creates the translation of the part of `firewall` for `family`.
  init(_ firewall: Firewall, _ family: AddressFamily, sources: Sources) {
    self.firewall = firewall
    self.family = family
    self.sources = sources
    mangle = TableBuilder("mangle", family: family)
    nat = TableBuilder("nat", family: family)
  }

  /// The names of our chains that others refer to.
  enum Name {
    static let arriving = "PORTCULLIS-ARRIVING"
    static let delivered = "PORTCULLIS-DELIVERED"
    static let routed = "PORTCULLIS-ROUTED"
    static let departing = "PORTCULLIS-DEPARTING"
    static let host = "PORTCULLIS-HOST"
    static let admit = "PORTCULLIS-ADMIT"
    static let admitTranslated = "PORTCULLIS-ADMIT-NAT"
    static let refuse = "PORTCULLIS-REFUSE"
    static let close = "PORTCULLIS-CLOSE"
    static let translate = "PORTCULLIS-TRANSLATE"
    static let masquerade = "PORTCULLIS-MASQUERADE"
    static let answer = "PORTCULLIS-ANSWER"
    static let net = "PORTCULLIS-NET"
  }

  /// What happens to what is refused, after it was logged if it is.
  var close: Target { firewall.rejects ? .goto(Name.close) : .drop }

  /// What happens to what nothing accepts.
  var refuse: Target { firewall.logDenied == nil ? close : .goto(Name.refuse) }

  /// Returns the tables that enforce the firewall.
  mutating func ruleset() -> Ruleset {
    mangle.hook("PREROUTING", to: Name.arriving)
    mangle.hook("INPUT", to: Name.delivered)
    mangle.hook("FORWARD", to: Name.routed)
    mangle.hook("OUTPUT", to: firewall.departures == nil ? nil : Name.departing)
    mangle.hook("POSTROUTING", to: nil)
    addArriving()
    addDelivered()
    addRouted()
    addHost()
    if let departures = firewall.departures { addDeparting(departures) }
    addVerdicts()

    let translates = addTranslations()
    let masquerades = firewall.passages.contains { $0.masquerade }
    var tables: [Table] = []
    // The tables that act on marks come first: they do nothing until `mangle` sets them.
    if translates || masquerades {
      nat.hook("PREROUTING", to: translates ? Name.translate : nil)
      for hook in ["INPUT", "OUTPUT"] { nat.hook(hook, to: nil) }
      nat.hook("POSTROUTING", to: masquerades ? Name.masquerade : nil)
      if masquerades {
        _ = nat.add(
          Name.masquerade, rules: [Rule(matches: [Marks.has(Marks.masqueraded)], target: .masquerade)])
      }
      tables.append(nat.table)
    }
    if firewall.rejects { tables += [answering, net] }
    return Ruleset(family: family, tables: tables + [mangle.table])
  }

  /// Writes the chain that every arriving packet enters, before any translation.
  private mutating func addArriving() {
    // A list of types means any of them in IPv4, but all of them in IPv6 (xt_addrtype.c, match_type6).
    let types: [AddressTypes] =
      family == .ipv4 ? [[.local, .broadcast, .anycast, .multicast]] : [.local, .anycast, .multicast]
    _ = mangle.add(
      Name.arriving,
      rules: [
        Rule(target: Marks.clear(Marks.all)),
        Rule(matches: [.state(Selector([.related, .established]))], target: .return),
        Rule(matches: [.state(Selector(.invalid))], target: .drop),
        Rule(arrival: "lo", target: .return),
      ] + types.map { Rule(matches: [.destinationType($0)], target: .goto(Name.host)) })
  }

  /// Writes the chain that makes sure that nothing reaches a socket that was not let in under the address and port
  /// that the policy knows, whoever translated what in between.
  private mutating func addDelivered() {
    var rules = [
      Rule(matches: [.state(Selector([.related, .established]))], target: .return),
      Rule(arrival: "lo", target: .return),
    ]
    if firewall.rejects { rules.append(Rule(matches: [Marks.has(Marks.refused)], target: .return)) }
    rules += [
      Rule(
        matches: [
          Marks.has(Marks.translated), .state(Selector([.untracked, .destinationTranslated], isNegated: true)),
        ],
        target: .drop),
      Rule(matches: [Marks.has(Marks.admitted)], target: .return), Rule(target: refuse),
    ]
    _ = mangle.add(Name.delivered, rules: rules)
  }

  /// Writes the chains that judge what is addressed to the host.
  private mutating func addHost() {
    let chain = mangle.add(Name.host)
    let judging = addEssentials(to: chain, stem: Name.host, accept: .goto(Name.admit))
    addBlocks(to: judging, isForHost: true)
    addOpenings(to: judging)
    mangle.append(Rule(target: refuse), to: judging)
  }

  /// Writes the rules that accept what IP needs, and echo requests if they are open, into the chain at `chain`, and
  /// returns the position of the chain that judges the rest.
  ///
  /// ICMP has a chain of its own on the way there, so that nothing else is asked for its types.
  mutating func addEssentials(to chain: Int, stem: String, accept: Target, isIncoming: Bool = true) -> Int {
    let icmp: TransportProtocol = family == .ipv4 ? .icmp : .icmpv6
    mangle.append(Rule(transport: icmp, target: .goto(stem + "-ICMP")), to: chain)
    if family == .ipv6, isIncoming {
      var rule = Rule(
        transport: .udp,
        matches: [
          .ports(
            .udp, source: PortRange(Essentials.dhcpv6Server), destination: PortRange(Essentials.dhcpv6Client))
        ], target: accept)
      rule.source = Selector(Prefix(containing: Address(.ipv6, 0xfe80 << 112), length: 10))
      mangle.append(rule, to: chain)
    }
    if !isIncoming {
      // The host renews its lease: what it sends to everybody for one passes no table.
      let (client, server): (UInt16, UInt16) =
        family == .ipv4 ? (68, 67) : (Essentials.dhcpv6Client, Essentials.dhcpv6Server)
      let match = Match.ports(.udp, source: PortRange(client), destination: PortRange(server))
      mangle.append(Rule(transport: .udp, matches: [match], target: accept), to: chain)
    }
    mangle.append(Rule(target: .goto(stem + "-JUDGE")), to: chain)

    let inner = mangle.add(stem + "-ICMP")
    for type in family == .ipv4 ? Essentials.icmp : Essentials.icmpv6 {
      var rule = Rule(transport: icmp, matches: [.icmp(family, type: type, code: nil)], target: accept)
      if family == .ipv6, isIncoming, Essentials.icmpv6OnLink.contains(type) { rule.matches.append(.hopLimit(255)) }
      mangle.append(rule, to: inner)
    }
    if isIncoming, firewall.pingOpen {
      let request = family == .ipv4 ? Essentials.echoRequest : Essentials.echoRequestV6
      mangle.append(
        Rule(
          transport: icmp,
          matches: [
            .icmp(family, type: request, code: nil),
            .limit(Rate(Essentials.echoRate, per: .second), burst: Essentials.echoBurst),
          ], comment: "ping", target: accept), to: inner)
    }
    mangle.append(Rule(target: .goto(stem + "-JUDGE")), to: inner)
    return mangle.add(stem + "-JUDGE")
  }

  /// Writes the chains that carry out verdicts.
  private mutating func addVerdicts() {
    _ = mangle.add(Name.admit, rules: [Rule(target: Marks.set(Marks.admitted))])
    _ = mangle.add(Name.admitTranslated, rules: [Rule(target: Marks.set(Marks.admitted | Marks.translated))])
    if let limit = firewall.logDenied {
      var log = Rule(target: .log(prefix: "portcullis refused: "))
      let place = firewall.logPlace ?? Span(file: 0, lower: 0, upper: 0)
      if let match = counting(limit, key: "log denied", at: place) { log.matches.append(match) }
      _ = mangle.add(Name.refuse, rules: [log, Rule(target: close)])
    }
    if firewall.rejects { _ = mangle.add(Name.close, rules: [Rule(target: Marks.set(Marks.refused))]) }
  }

  /// The hooks of `filter` and `security` that refused packets may come through.
  private var guardedHooks: [(hook: String, isOurs: Bool)] {
    [("INPUT", true), ("FORWARD", true), ("OUTPUT", firewall.departures != nil)]
  }

  /// The table that answers what is refused; a refusal can be sent from nowhere else.
  private var answering: Table {
    var filter = TableBuilder("filter", family: family)
    for (hook, isOurs) in guardedHooks { filter.hook(hook, to: isOurs ? Name.answer : nil) }
    let refused = Marks.has(Marks.refused)
    _ = filter.add(
      Name.answer,
      rules: [
        Rule(transport: .tcp, matches: [refused], target: .reject(with: "tcp-reset")),
        Rule(
          matches: [refused],
          target: .reject(with: family == .ipv4 ? "icmp-port-unreachable" : "icmp6-port-unreachable")),
      ])
    return filter.table
  }

  /// The table that drops what is refused even if somebody else's rule in `filter` accepted it first.
  private var net: Table {
    var security = TableBuilder("security", family: family)
    for (hook, isOurs) in guardedHooks { security.hook(hook, to: isOurs ? Name.net : nil) }
    _ = security.add(Name.net, rules: [Rule(matches: [Marks.has(Marks.refused)], target: .drop)])
    return security.table
  }
}
