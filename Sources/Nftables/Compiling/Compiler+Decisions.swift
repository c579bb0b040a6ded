import Firewalls
import Packets
import Policies
import Syntax

/// What decisions have in common that share a chain.
struct DecisionGroup: Hashable {
  /// What the chain does in the end.
  var verdict: Verdict

  /// The last day.
  var until: CalendarDate?

  /// How many connections.
  var limit: Limit?

  /// What the log says, if it is logged.
  var subject: String?

  /// The decision that has a bucket of its own, or nothing if buckets are told apart by their keys.
  var own: Int?

  /// `true` iff the chain has something to do besides the verdict.
  var isConditional: Bool { until != nil || limit != nil || subject != nil }
}

extension Compiler {
  /// Returns rules that refuse what is blocked: on the way to the host alone, or on every way.
  mutating func blocks(ofHostAlone isOfHost: Bool) -> [Rule] {
    var decisions: [Decision] = []
    var candidates: [Candidate] = []
    for block in firewall.blocks where block.sparesTransit == isOfHost {
      let group = DecisionGroup(
        verdict: .goto("refuse"), until: block.until, subject: block.logged ? block.cause.subject : nil)
      decisions.append(decision(group, traffic: nil, cause: block.cause))
      for reach in block.sources where isExpressible(reach.interfaces, at: block.cause) {
        add(
          Candidate(
            inbound: reach.interfaces, sources: reach.addresses, destinations: block.destinations,
            decision: Int32(decisions.count - 1)), block.traffic, to: &candidates)
      }
    }
    return Dispatcher(decisions: decisions, verdict: .goto("refuse"))
      .rules(for: candidates, named: isOfHost ? "host_blocks" : "blocks", into: &assembly)
  }

  /// Returns rules that accept what is open on the host.
  mutating func openings() -> [Rule] {
    var decisions: [Decision] = []
    var candidates: [Candidate] = []
    decisions.reserveCapacity(firewall.openings.count)
    candidates.reserveCapacity(firewall.openings.count)
    for index in firewall.openings.indices {
      let opening = firewall.openings[index]
      var group = DecisionGroup(
        verdict: .accept, until: opening.until, limit: opening.limit,
        subject: opening.logged ? opening.cause.subject : nil)
      if opening.limit != nil { group = withBucket(group, opening.traffic, index) }
      decisions.append(decision(group, traffic: opening.traffic, cause: opening.cause))
      for reach in opening.sources where isExpressible(reach.interfaces, at: opening.cause) {
        var sources = reach.addresses
        // A family without a target of its own has nowhere to go, and must not reach the router itself.
        if case .forward(let targets, _)? = opening.translation {
          for family in AddressFamily.allCases where !targets.contains(where: { $0.family == family }) {
            sources = sources.subtracting(.all(family))
          }
        }
        candidates.append(
          Candidate(
            inbound: reach.interfaces, sources: sources, destinations: opening.destinations,
            traffic: opening.traffic, decision: Int32(decisions.count - 1)))
      }
    }
    return Dispatcher(decisions: decisions, verdict: .accept)
      .rules(for: candidates, named: "host", into: &assembly)
  }

  /// Returns rules that accept what is routed on.
  mutating func passages() -> [Rule] {
    var decisions: [Decision] = []
    var candidates: [Candidate] = []
    for (index, passage) in firewall.passages.enumerated() {
      var group = DecisionGroup(
        verdict: .accept, until: passage.until, limit: passage.limit,
        subject: passage.logged ? passage.cause.subject : nil)
      if passage.limit != nil { group.own = index - firewall.passages.count }
      decisions.append(decision(group, traffic: nil, cause: passage.cause))
      add(passage, decision: decisions.count - 1, to: &candidates)
    }
    return Dispatcher(decisions: decisions, verdict: .accept)
      .rules(for: candidates, named: "transit", into: &assembly)
  }

  /// Adds the parts of `passage` to `candidates`.
  private mutating func add(_ passage: Passage, decision: Int, to candidates: inout [Candidate]) {
    for source in passage.sources where isExpressible(source.interfaces, at: passage.cause) {
      for target in passage.destinations where isExpressible(target.interfaces, at: passage.cause) {
        add(
          Candidate(
            inbound: source.interfaces, outbound: target.interfaces, sources: source.addresses,
            destinations: target.addresses, decision: Int32(decision)), passage.traffic, to: &candidates)
      }
    }
  }

  /// Returns rules that accept what the host's own processes send.
  mutating func departing(_ departures: [Departure]) -> [Rule] {
    var decisions: [Decision] = []
    var candidates: [Candidate] = []
    for departure in departures {
      let group = DecisionGroup(verdict: .accept, until: departure.until)
      decisions.append(decision(group, traffic: nil, cause: departure.cause))
      add(
        Candidate(destinations: departure.destinations, decision: Int32(decisions.count - 1)), departure.traffic,
        to: &candidates)
    }
    return Dispatcher(decisions: decisions, verdict: .accept)
      .rules(for: candidates, named: "departures", into: &assembly)
  }

  /// Makes the chain that hides the sources of passages behind the router's address.
  mutating func masquerade() {
    var decisions: [Decision] = []
    var candidates: [Candidate] = []
    for passage in firewall.passages where passage.masquerade {
      let group = DecisionGroup(verdict: .goto("hide"), until: passage.until)
      let count = candidates.count
      add(passage, decision: decisions.count, to: &candidates)
      // Where no packet can be, as from one family to the other, no chain may lead to `hide`: there may be none.
      guard candidates.count > count else { continue }
      decisions.append(decision(group, traffic: nil, cause: passage.cause))
    }
    guard !candidates.isEmpty else { return }
    let dispatcher = Dispatcher(decisions: decisions, verdict: .goto("hide"), outboundField: .oifname)
    let rules = dispatcher.rules(for: candidates, named: "leaving", into: &assembly)
    assembly.add(chain: "hide", [Rule([.masquerade])])
    // What the host sends itself, and what was sent to it and forwarded, is no passage.
    let others = [
      Rule([.match(Selector(.ctStatus), .equal, .datum(.destinationTranslated)), .verdict(.return)]),
      Rule([.match(Selector(.fibSourceType), .equal, .datum(.addressType(.local))), .verdict(.return)]),
    ]
    assembly.add(chain: "leaving", others + rules)
    assembly.add(
      chain: "postrouting", hook: BaseHook(.nat, at: .postrouting, priority: Compiler.masquerading),
      [Rule([.verdict(.goto("leaving"))])])
  }

  /// Adds `candidate` with each of `traffic`, or with all if it is nothing, to `candidates`.
  private func add(_ candidate: Candidate, _ traffic: [Traffic]?, to candidates: inout [Candidate]) {
    guard let traffic else { return candidates.append(candidate) }
    for one in traffic {
      var part = candidate
      part.traffic = one
      candidates.append(part)
    }
  }

  /// Returns the decision of `group`, whose chain is made if there is none yet.
  private mutating func decision(_ group: DecisionGroup, traffic: Traffic?, cause: Cause) -> Decision {
    var group = group
    if let until = group.until, Compiler.end(of: until) == nil { group.until = nil }
    let comment = assembly.comment(cause)
    guard group.isConditional else { return Decision(phase: .plain, chain: nil, cause: cause, comment: comment) }
    let phase = group.subject == nil ? Decision.Phase.conditional : .logged
    if let chain = groups[group] { return Decision(phase: phase, chain: chain, cause: cause, comment: comment) }
    let chain = assembly.fresh("when\(groups.count + 1)")
    groups[group] = chain
    var steps: [Statement] = []
    if let until = group.until, let end = Compiler.end(of: until) {
      steps.append(.match(Selector(.time), .below, .datum(.seconds(end))))
    }
    var end: [Statement] = []
    if let subject = group.subject {
      end.append(.log(prefix: Compiler.prefix(group.verdict == .accept ? "accepted" : "blocked", subject)))
    }
    end += [.counter, .verdict(group.verdict)]
    guard let limit = group.limit else {
      assembly.add(chain: chain, [Rule(steps + end)])
      return Decision(phase: phase, chain: chain, cause: cause, comment: comment)
    }
    let bucket = self.bucket(limit, at: cause)
    guard limit.perSource else {
      assembly.add(chain: chain, [Rule(steps + [.limit(bucket)] + end)])
      return Decision(phase: phase, chain: chain, cause: cause, comment: comment)
    }
    let rules = AddressFamily.allCases.map { family in
      let set = assembly.fresh(chain + (family == .ipv4 ? "_ip" : "_ip6"))
      let key =
        group.own == nil ? Selector(.saddr(family), .l4proto, .dport) : Selector(.saddr(family))
      assembly.sets.append(
        NamedSet(set, key: key.types, isDynamic: true, size: 65_535, timeout: Compiler.seconds(toFill: bucket)))
      return Rule(steps + [.update(set: set, key, bucket)] + end)
    }
    assembly.add(chain: chain, rules)
    return Decision(phase: phase, chain: chain, cause: cause, comment: comment)
  }

  /// Returns `group` with a bucket of its own for the opening at `index`, unless one a source and port is the same.
  private mutating func withBucket(_ group: DecisionGroup, _ traffic: Traffic, _ index: Int) -> DecisionGroup {
    if group.limit?.perSource == true, traffic.ports?.isSingle == true,
      limitedPorts[group, default: []].insert(traffic).inserted
    {
      return group
    }
    var own = group
    own.own = index
    return own
  }

  /// Returns the prefix of log lines about `subject`, short enough for every logger (127 bytes).
  private static func prefix(_ word: String, _ subject: String) -> String {
    "portcullis \(word) " + String(decoding: Assembly.printable(subject).prefix(60), as: UTF8.self) + ": "
  }

  /// Returns the first second after `date`, or nothing if the kernel's clock, which counts nanoseconds since 1970 in
  /// 63 bits, never comes to it.
  static func end(of date: CalendarDate) -> Int? {
    let seconds = (date.daysSinceEpoch + 1) * 86_400
    return seconds <= 9_223_372_036 ? seconds : nil
  }
}
