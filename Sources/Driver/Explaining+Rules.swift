import Firewalls
import Packets
public import Syntax

extension ForeignRules {
  /// Returns what the rules make of the connection that `question` is about on the day `today`.
  ///
  /// What is not known (an interface, a rate, a match that has no meaning here) is any: where the answer depends on it,
  /// every answer is given, with what it depends on.
  public func explain(_ question: Question, on today: CalendarDate) throws(UnanswerableQuestion) -> Explanation {
    if format == .manifests { return try explainPods(question) }
    return try answer { try RuleExplainer(self, question, on: today).explanation() }
  }
}

extension ForeignRules {
  /// Returns what `explain` returns, or throws why the rules cannot answer.
  func answer(_ explain: () throws -> Explanation) throws(UnanswerableQuestion) -> Explanation {
    do {
      return try explain()
    } catch let error as UnanswerableQuestion {
      throw error
    } catch let error as UnreadableRuleset {
      throw UnanswerableQuestion("\(name): \(error.message)")
    } catch let error as BudgetExceeded {
      throw UnanswerableQuestion("the sets of packets are too complex: \(UnreadableRuleset(error).message)")
    } catch {
      throw UnanswerableQuestion("\(name): \(error)")
    }
  }

  /// Returns what `condition` asks, as the end of a sentence.
  static func words(of condition: String) -> String {
    if condition.hasPrefix("chance ") { return "chance" }
    if condition.hasPrefix("within ") { return "whether it is \(condition)" }
    return "what is not known here: \(plain(condition))"
  }

  fileprivate static func plain(_ condition: String) -> String {
    condition.hasPrefix("unknown: ") ? String(condition.dropFirst(9)) : condition
  }
}

/// The answer to a question about rules of a host.
private struct RuleExplainer {
  let rules: ForeignRules
  let question: Question
  let today: CalendarDate
  let universe = Universe()
  let reading: RulesetReading

  init(_ rules: ForeignRules, _ question: Question, on today: CalendarDate) throws {
    self.rules = rules
    self.question = question
    self.today = today
    reading = try rules.read(in: universe)
  }

  func explanation() throws -> Explanation {
    let asked = try asked()
    let verdicts = try reading.chains.meaning(in: universe).verdicts.restricted(to: asked)
    var outcomes: [Explanation.Outcome] = []
    for verdict in [Verdict.accept, .drop, .reject] {
      guard let packet = try universe.example(of: verdicts.packets(labelled: verdict.label)) else { continue }
      outcomes.append(try outcome(verdict, of: packet))
    }
    guard let first = outcomes.first else { throw UnanswerableQuestion("there is no such packet") }
    var result = Explanation(first.verdict, .rule, at: rules.name, first.steps)
    if first.steps.first?.rule == nil { result.reason = .default }
    result.way = first.way
    result.others = Array(outcomes.dropFirst())
    result.interface = question.interface
    result.dependencies = try dependencies(of: verdicts)
    result.unknowns = unconditional
    if question.way != .output {
      let isHere = question.way == .input
      let other = isHere ? "--way forward" : "--way input"
      result.assumptions.append(
        "\(question.destination) is taken for an address \(isHere ? "of this host" : "behind this host"); "
          + "`\(other)` asks about one \(isHere ? "behind it" : "of it").")
    }
    return result
  }

  /// Returns the packets that the question is about; of what it does not say, they have anything.
  private func asked() throws -> PacketSet {
    let space = universe.space
    guard let destination = Address(question.destination) else {
      throw UnanswerableQuestion("`\(question.destination)` is no address, and rules name no hosts")
    }
    let isSent = question.way == .output
    guard let source = Address(question.source) else {
      throw UnanswerableQuestion("`\(question.source)` is no address")
    }
    let traffic = try question.traffic(destination.family)
    try question.check(source, destination, traffic)
    guard reading.families.contains(destination.family) else {
      let name = destination.family == .ipv4 ? "IPv4" : "IPv6"
      throw UnanswerableQuestion("\(rules.name) says nothing of \(name), which other rules are for")
    }
    guard var box = universe.box(PacketBox(), of: destination.family).flatMap({ universe.box($0, of: traffic) }) else {
      throw UnanswerableQuestion("there is no such packet")
    }
    if !traffic.transport.isICMP { box[.sourcePort] = space.value(question.sourcePort, of: .sourcePort) }
    box[.state] = space.value(ConnectionState.new.rawValue, of: .state)
    box[.direction] = space.value(UInt8(isSent ? 1 : 0), of: .direction)
    box[.source] = space.value(source.value, of: .source)
    box[.destination] = space.value(destination.value, of: .destination)
    box[.sourceKind] = space.value((isSent ? AddressKind.local : .elsewhere).rawValue, of: .sourceKind)
    box[.destinationKind] = space.value(kind(of: destination).rawValue, of: .destinationKind)
    // Neighbours do not take what a router passed on (RFC 4861 section 6.1); anything else may come from far away.
    if case .icmpv6(let type, _) = traffic, Essentials.icmpv6OnLink.contains(type) {
      box[.hopLimit] = space.value(UInt8(255), of: .hopLimit)
    }
    let start = UInt64(max(0, today.daysSinceEpoch)) * 86_400
    box[.time] = space.values(start...start + 86_399, of: .time)
    for (field, name) in [(PacketField.arrival, question.interface), (.departure, question.departure)] {
      if let name {
        box[field] = space.value(InterfaceName.value(of: name), of: field)
      } else if field == .departure || !isSent {
        // Whoever means loopback says so.
        let lo = InterfaceName.value(of: "lo")
        box[field] = space.values(IntervalSet([0...0, lo...lo] as [ClosedRange<UInt128>]).complement, of: field)
      }
    }
    return try space.set(of: box).intersection(universe.possible)
  }

  /// Returns what the routing table says of `destination` on the way that is asked about.
  private func kind(of destination: Address) -> AddressKind {
    if AddressSet.multicast.contains(destination) { return .multicast }
    if AddressSet.shared.contains(destination) { return .broadcast }
    return question.way == .input ? .local : .elsewhere
  }

  /// Returns why the rules make `verdict` of `packet`.
  private func outcome(_ verdict: Verdict, of packet: PacketValues) throws(BudgetExceeded) -> Explanation.Outcome {
    let encounters = try reading.chains.encounters(of: packet, in: universe)
    let way = encounters.map(step)
    // Of all that lets it through, a rule says more than a policy.
    let letting = encounters.indices.filter { encounters[$0].lets }
    let deciding =
      verdict == .accept
      ? letting.last { if case .rule = encounters[$0].what { true } else { false } } ?? letting.last
      : encounters.indices.last
    guard let deciding else {
      return Explanation.Outcome(verdict, [.init("No chain of these rules refuses it.")], way: way)
    }
    return Explanation.Outcome(verdict, [way[deciding]], way: way)
  }

  /// Returns `encounter` as a sentence.
  private func step(_ encounter: HookedChains.Encounter) -> Explanation.Step {
    let chain = "chain `\(encounter.chain)`"
    guard case .rule(let rule) = encounter.what else {
      if case .policy(.accept) = encounter.what {
        return .init("No rule of \(chain) decides, and its policy lets it through.")
      }
      return .init("No rule of \(chain) decides, and its policy drops it.")
    }
    let quotation = Explanation.Quotation(path: rules.path, line: rule.line, text: rule.text)
    return .init(sentence(rule.action, chain), quoting: quotation)
  }

  private func sentence(_ action: HookedChains.Action, _ chain: String) -> String {
    switch action {
    case .accept: return "This rule lets it through \(chain)."
    case .drop: return "This rule of \(chain) drops it."
    case .reject: return "This rule of \(chain) refuses it."
    case .return: return "By this rule it leaves \(chain)."
    case .jump(let target):
      return "This rule of \(chain) sends it through chain `\(reading.chains.chains[target].name)`."
    case .goto(let target):
      return "This rule of \(chain) sends it to chain `\(reading.chains.chains[target].name)`, not to come back."
    case .mark, .copy: return "This rule of \(chain) marks it, and it goes on."
    case .masquerade: return "By this rule of \(chain) its source becomes another address, such as one of this host."
    case .translate(let label):
      func list(_ addresses: [Address]) -> String { addresses.map(\.description).joined(separator: " or ") }
      let port = Int(question.portNumber ?? 0)
      switch universe.translation(labelled: label) {
      case .redirect(let distance)?: return "This rule of \(chain) sends it to port \(port + distance) of this host."
      case .redirectAll(let port)?: return "This rule of \(chain) sends it to port \(port) of this host."
      case .forward(let addresses, let distance)?:
        return "This rule of \(chain) sends it to \(list(addresses)), port \(port + distance)."
      case .forwardAll(let addresses, let port)?:
        return "This rule of \(chain) sends it to \(list(addresses)), port \(port)."
      case nil: return "This rule of \(chain) leaves its destination as it is."
      }
    }
  }

  // MARK: - What is not known

  /// Returns what decides which of the verdicts of `map` it is: what makes another verdict if it alone is different.
  private func dependencies(of map: PacketMap) throws(BudgetExceeded) -> [String] {
    var words: [String] = []
    for (field, text) in [
      (PacketField.arrival, "the interface that it arrives on (`--in`)"),
      (.departure, "the interface that it leaves on (`--out`)"), (.time, "the time of the day"),
      (.hopLimit, "its hop limit (TTL)"),
    ] where try map.depends(on: field) {
      words.append(text)
    }
    for (field, condition) in zip(universe.space.conditionFields, universe.space.conditions)
    where try map.depends(on: field) {
      words.append(ForeignRules.words(of: condition))
    }
    return words
  }

  /// What has no meaning here and is no condition of any rule either.
  private var unconditional: [String] {
    let conditions = universe.space.conditions.map { condition in
      var words = ForeignRules.plain(condition)[...]
      for ending in [" accepts", " drops"] where words.hasSuffix(ending) { words = words.dropLast(ending.utf8.count) }
      return words
    }
    return reading.unknowns.filter { unknown in !conditions.contains { unknown.hasSuffix($0) } }
  }
}
