import Firewalls
import Packets
import Syntax

extension Compiler {
  /// Writes the chain that judges what is routed on.
  mutating func addRouted() {
    let chain = mangle.add(Name.routed)
    mangle.append(Rule(matches: [.state(Selector([.related, .established]))], target: .return), to: chain)
    mangle.append(Rule(matches: [.state(Selector(.invalid))], target: .drop), to: chain)
    // Over loopback comes only what the host sends itself.
    mangle.append(Rule(arrival: "lo", target: .return), to: chain)
    if firewall.rejects { mangle.append(Rule(matches: [Marks.has(Marks.refused)], target: .return), to: chain) }
    // It was addressed to the host and let in there; somebody then sent it elsewhere. A multicast packet that was let
    // in and is routed on besides is not translated, and is judged again.
    mangle.append(
      Rule(matches: [Marks.has(Marks.admitted), .state(Selector(.destinationTranslated))], target: .return), to: chain)
    addMasquerading(to: chain)
    let judging = addEssentials(to: chain, stem: Name.routed, accept: .return)
    addBlocks(to: judging, isForHost: false)
    let pass = Target.return
    // What is not limited comes first, as among the openings.
    for passage in firewall.passages where passage.limit == nil { add(passage, to: judging, pass: pass) }
    for passage in firewall.passages where passage.limit != nil { add(passage, to: judging, pass: pass) }
    mangle.append(Rule(target: refuse), to: judging)
  }

  /// Writes what marks packets whose source a passage hides into the chain at `chain`.
  ///
  /// Whether a packet is accepted is judged behind it, and where: what IP needs and echo requests are accepted before the
  /// passages, and of two passages that both let a packet through only one may hide it.
  private mutating func addMasquerading(to chain: Int) {
    for passage in firewall.passages where passage.masquerade {
      let decision = Decision(
        sources: passage.sources, destinations: passage.destinations, matches: passage.until.map { [.until($0)] } ?? [],
        comment: comment(passage.cause), target: Marks.set(Marks.masqueraded))
      for base in bases(of: passage.traffic) { mangle.append(decision, for: base, to: chain) }
    }
  }

  /// Writes what lets `passage` through into the chain at `chain`.
  private mutating func add(_ passage: Passage, to chain: Int, pass: Target) {
    report(
      interfaces: passage.sources + passage.destinations, until: passage.until, traffic: passage.traffic ?? [],
      at: passage.cause.span)
    var target = pass
    if passage.logged { target = mangle.logging(logPrefix(passage.cause.subject), then: target) }
    var decision = Decision(
      sources: passage.sources, destinations: passage.destinations, matches: passage.until.map { [.until($0)] } ?? [],
      comment: comment(passage.cause), target: target)
    guard mangle.concerns(decision) else { return }
    let bases = bases(of: passage.traffic)
    if let limit = passage.limit {
      warnOfFamilies(limit, passage.sources, at: passage.cause.span)
      let traffic = passage.traffic?.map { "\($0)" }.joined(separator: ",") ?? "all"
      let key = "\(passage.cause.subject) \(traffic)"
      if let match = counting(limit, key: key, shared: bases.count > 1, at: passage.cause.span) {
        decision.matches.append(match)
      }
      decision.isCounted = true
    }
    for base in bases { mangle.append(decision, for: base, to: chain) }
  }

  /// Returns what rules match for `traffic`, or for all of it if there is none.
  func bases(of traffic: [Traffic]?) -> [Rule] {
    guard let traffic else { return [Rule()] }
    var result: [Rule] = []
    var ranges: [TransportProtocol: [PortRange]] = [:]
    for part in traffic {
      if let range = part.ports {
        ranges[part.transport, default: []].append(range)
      } else if let rule = Rule.matching(part, family) {
        result.append(rule)
      }
    }
    for (transport, ranges) in ranges.sorted(by: { $0.key < $1.key }) {
      result += Self.chunks(of: ranges).map { Rule.matching(transport, $0) }
    }
    return result
  }

  /// Writes what is refused whatever is exposed into the chain at `chain`, which judges what is addressed to the host
  /// if `isForHost`, else what is routed on.
  mutating func addBlocks(to chain: Int, isForHost: Bool) {
    for block in firewall.blocks where isForHost || !block.sparesTransit {
      report(interfaces: block.sources, until: block.until, traffic: block.traffic ?? [], at: block.cause.span)
      let target = block.logged ? mangle.logging(logPrefix("blocked"), then: close) : refuse
      let decision = Decision(
        sources: block.sources, destinations: block.destinations.map { [Reach($0)] },
        matches: block.until.map { [.until($0)] } ?? [], comment: comment(block.cause), target: target)
      for base in bases(of: block.traffic) { mangle.append(decision, for: base, to: chain) }
    }
  }

  /// Writes the chain that judges what the host's own processes send.
  mutating func addDeparting(_ departures: [Departure]) {
    let chain = mangle.add(Name.departing)
    if firewall.rejects { mangle.append(Rule(target: Marks.clear(Marks.all)), to: chain) }
    mangle.append(Rule(matches: [.state(Selector([.related, .established]))], target: .return), to: chain)
    var loopback = Rule(target: .return)
    loopback.departure = Selector("lo")
    mangle.append(loopback, to: chain)
    let judging = addEssentials(to: chain, stem: Name.departing, accept: .return, isIncoming: false)
    for departure in departures {
      report(interfaces: [], until: departure.until, traffic: departure.traffic ?? [], at: departure.cause.span)
      let decision = Decision(
        sources: [.everywhere], destinations: [Reach(departure.destinations)],
        matches: departure.until.map { [.until($0)] } ?? [], comment: comment(departure.cause), target: .return)
      for base in bases(of: departure.traffic) { mangle.append(decision, for: base, to: judging) }
    }
    mangle.append(Rule(target: refuse), to: judging)
  }
}
