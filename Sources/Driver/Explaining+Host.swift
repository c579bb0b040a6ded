import Firewalls
import Packets
import Policies
import Syntax

extension Pipeline {
  /// Returns what becomes of the connection that `question` is about.
  ///
  /// - Requires: the firewalls are derived.
  public func explain(_ question: Question) throws(UnanswerableQuestion) -> Explanation {
    guard let lowering else { preconditionFailure("explained before it was lowered") }
    if [question.source, question.destination].contains(where: { $0.contains("/") }) || question.cluster != nil {
      return try explainPods(question, lowering)
    }
    guard let source = Address(question.source) else {
      throw UnanswerableQuestion("`\(question.source)` is no address")
    }
    let (destination, host) = try target(of: question, from: source)
    let traffic = try question.traffic(source.family)
    try question.check(source, destination, traffic)
    func packet(on host: Host) -> Packet {
      let interface = question.interface ?? arrival(of: source, on: host)
      return switch traffic {
      case .ports(let transport, let range):
        Packet(
          interface: interface, source: source, destination: destination, transport: transport,
          sourcePort: question.sourcePort, destinationPort: range.lower)
      case .icmp(let type, _):
        Packet(
          interface: interface, source: source, destination: destination, transport: .icmp,
          destinationPort: UInt16(type))
      case .icmpv6(let type, _):
        Packet(
          interface: interface, source: source, destination: destination, transport: .icmpv6,
          destinationPort: UInt16(type))
      }
    }
    do {
      let (refusal, end) = try departure(of: packet(on: host.map { policy[$0] } ?? Host.nowhere))
      if let refusal { return refusal }
      func limited(_ answer: Explanation) -> Explanation {
        var answer = answer
        // What may no longer be sent is no longer accepted.
        if answer.verdict == .accept, let end { answer.until = min(answer.until ?? end, end) }
        return answer
      }
      if let host { return limited(try explain(packet(on: policy[host]), arrivingAt: firewalls[host.rawValue])) }
      // What everybody on a link listens to reaches every host; an address that is nobody's is reached through the routers.
      let isShared = AddressSet.shared.contains(destination)
      var first: Explanation?
      for firewall in firewalls where isShared || !firewall.passages.isEmpty {
        let answer = try explain(packet(on: policy[firewall.host]), arrivingAt: firewall)
        if answer.verdict == .accept { return limited(answer) }
        first = first ?? answer
      }
      if let first { return first }
    } catch let error as UnanswerableQuestion {
      throw error
    } catch let error as BudgetExceeded {
      throw UnanswerableQuestion("the sets of packets are too complex: \(UnreadableRuleset(error).message)")
    } catch {
      throw UnanswerableQuestion("\(error)")
    }
    throw UnanswerableQuestion("no host has the address `\(destination)`, and no router passes anything on")
  }

  /// Returns the address that `question` goes to, and the host that has it.
  private func target(
    of question: Question, from source: Address
  ) throws(UnanswerableQuestion) -> (address: Address, host: ID<Host>?) {
    if let address = Address(question.destination) {
      let host = policy.hosts.firstIndex { $0.addresses.contains { $0.value == address } }
      return (address, host.map { ID($0) })
    }
    guard let index = policy.hosts.firstIndex(where: { $0.name.value == question.destination }) else {
      throw UnanswerableQuestion("`\(question.destination)` is neither an address nor a host of the policy")
    }
    guard let address = policy.hosts[index].addresses.map(\.value).first(where: { $0.family == source.family }) else {
      let family = source.family == .ipv4 ? "IPv4" : "IPv6"
      throw UnanswerableQuestion("host `\(question.destination)` has no \(family) address")
    }
    return (address, ID(index))
  }

  /// Returns the interface of `host` that packets from `source` arrive on, if its zones tell.
  private func arrival(of source: Address, on host: Host) -> String? {
    host.addresses.contains(where: { $0.value == source }) ? "lo" : interface(of: host, towards: source)
  }

  /// Returns the interface of `host` that `address` is behind, if its zones tell.
  func interface(of host: Host, towards address: Address) -> String? {
    let bound = host.interfaces.first { i in i.zones.contains { policy[$0.value].addresses.contains(address) } }
    return (bound ?? host.interfaces.first(where: \.isInternet))?.name.value
  }

  /// Returns why the host that `packet` comes from may not send it, or nothing if it may, and the last day on which that
  /// is so, if there is one.
  private func departure(
    of packet: Packet
  ) throws(BudgetExceeded) -> (refusal: Explanation?, until: CalendarDate?) {
    guard let index = policy.hosts.firstIndex(where: { $0.addresses.contains { $0.value == packet.source } }),
      let departures = firewalls[index].departures
    else { return (nil, nil) }
    let firewall = firewalls[index]
    let host = policy.hosts[index]
    let universe = Universe()
    let isOwn = firewall.addresses.contains(packet.destination) || AddressSet.loopback.contains(packet.destination)
    var sent = packet
    sent.interface = nil
    let name = isOwn ? "lo" : interface(of: host, towards: packet.destination) ?? Pipeline.unnamed
    let values = universe.values(
      of: sent, departing: name, to: firewall.kind(of: packet.destination), at: moment, conditions: false)
    let verdicts = try firewall.about(sent).meaning(in: universe).verdicts
    let verdict = Verdict(label: verdicts.label(of: values)) ?? .accept
    let end = end(among: departures.map(\.until), values) {
      (Verdict(label: verdicts.label(of: $0)) ?? .accept) == verdict
    }
    if verdict == .accept { return (nil, end) }
    var refusal = Explanation(
      verdict, .egress, at: "host \(host.name.value)",
      [
        .init(
          "\(host.name.value) closes its egress, and no service on it uses \(packet.traffic) at \(packet.destination).",
          at: host.name.span)
      ])
    refusal.until = end
    return (refusal, end)
  }

  /// Returns the first of `ends`, from today on, after which what becomes of `packet` is not as now.
  private func end(
    among ends: [CalendarDate?], _ packet: PacketValues, isAsNow: (PacketValues) -> Bool
  ) -> CalendarDate? {
    Set(ends.compactMap { $0 }.filter { today <= $0 }).sorted().first { end in
      var later = packet
      later[.time] = UInt128(max(0, end.daysSinceEpoch + 1)) * 86_400
      return !isAsNow(later)
    }
  }

  /// A name that no interface can have, and no policy names.
  private static let unnamed = "\u{1}"

  /// The moment that is asked about, in seconds since 1970, UTC.
  private var moment: Int { today.daysSinceEpoch * 86_400 }

  /// Returns what `firewall` makes of `packet`: what the meaning of the firewall says of it, and what of it says so; what
  /// it sends on to other hosts, they judge too, unless `isLast`.
  private func explain(
    _ packet: Packet, arrivingAt whole: Firewall, isLast: Bool = false
  ) throws -> Explanation {
    // However many limits there are, those of other packets count for nothing here.
    let firewall = whole.about(packet)
    let universe = Universe()
    let meaning = try firewall.meaning(in: universe)
    let kind = firewall.kind(of: packet.destination)
    let departing = kind == .elsewhere ? interface(of: policy[firewall.host], towards: packet.destination) : nil
    var named = packet
    named.interface = packet.interface ?? Pipeline.unnamed
    let values = universe.values(
      of: named, departing: departing ?? Pipeline.unnamed, to: kind, isOwn: firewall.addresses.contains(packet.source),
      at: moment, conditions: false)
    let decided = meaning.conditionalFate(of: values).packet
    guard let verdict = Verdict(label: meaning.verdicts.label(of: decided)) else {
      throw UnanswerableQuestion("there is no such packet at host `\(firewall.name)`")
    }
    let place = "host \(firewall.name)"
    var result: Explanation
    switch try firewall.ruling(on: decided, in: universe) {
    case .loopback, .known, .free, .departure:
      result = Explanation(verdict, .essential, at: place, [.init("What a host sends to itself is always accepted.")])
    case .essential:
      result = Explanation(
        verdict, .essential, at: place, [.init("IP needs this message, so it is always accepted.")])
    case .ping:
      result = Explanation(
        verdict, .essential, at: place,
        [.init("Echo requests are accepted within a rate limit, unless the policy says `ping closed`.")])
    case .block(let i):
      let block = firewall.blocks[i]
      result = Explanation(
        verdict, .blocked, at: place,
        [.init("This block refuses \(packet.source), whatever is exposed.", at: block.cause.span)])
    case .opening(let i):
      let opening = firewall.openings[i]
      result = Explanation(
        verdict, .exposed, at: place,
        [.init("\(subject(opening.cause)) is exposed to \(packet.source) here.", at: opening.cause.span)])
      if let words = translation(of: decided, meaning) { result.steps.append(.init(words)) }
      describe(opening.cause, in: &result)
    case .passage(let i):
      let passage = firewall.passages[i]
      result = Explanation(
        verdict, .exposed, at: place,
        [.init("\(firewall.name) passes it on.", at: passage.cause.span)])
      if meaning.masqueraded.contains(decided) {
        result.steps.append(.init("Its source address becomes that of \(firewall.name)."))
      }
      describe(passage.cause, in: &result)
    case .nothing:
      result = Explanation(
        verdict, .closed, at: place,
        [.init("Nothing exposes \(packet.traffic) on \(firewall.name) to \(packet.source).")])
      result.nearest = nearest(to: packet, in: whole)
    }
    result.interface = packet.interface
    result.isLimited = decided != values
    let ends = firewall.blocks.map(\.until) + firewall.openings.map(\.until) + firewall.passages.map(\.until)
    result.until = end(among: ends, values) { later in
      let fate = meaning.conditionalFate(of: later).packet
      return Verdict(label: meaning.verdicts.label(of: fate)) == verdict && (fate != later) == result.isLimited
    }
    if verdict == .accept, !isLast,
      let translation = meaning.universe.translation(labelled: meaning.translations.label(of: decided)),
      let targets = translation.targets
    {
      let isMasqueraded = meaning.masqueraded.contains(decided)
      return try judged(
        result, packet, behind: isMasqueraded, translation.port(of: packet.destinationPort), at: targets)
    }
    return result
  }

  /// Returns what becomes of `packet`, which a router sends on to `port` of one of `targets` as `answer` says, behind its
  /// own address if `isMasqueraded`.
  private func judged(
    _ answer: Explanation, _ packet: Packet, behind isMasqueraded: Bool, _ port: UInt16, at targets: [Address]
  ) throws -> Explanation {
    var accepted = answer
    var refusals: [Explanation] = []
    var isAccepted = false
    for target in targets where target.family == packet.source.family {
      let index = policy.hosts.firstIndex { $0.addresses.contains { $0.value == target } }
      guard let index, !isMasqueraded else {
        accepted.assumptions.append("\(target) is taken to accept what is sent on to it.")
        isAccepted = true
        continue
      }
      var sent = packet
      sent.destination = target
      sent.destinationPort = port
      sent.interface = arrival(of: packet.source, on: policy.hosts[index])
      var there = try explain(sent, arrivingAt: firewalls[index], isLast: true)
      if there.verdict == .accept {
        isAccepted = true
        accepted.isLimited = accepted.isLimited || there.isLimited
        accepted.until = [accepted.until, there.until].compactMap { $0 }.min()
      } else {
        there.steps += answer.steps
        refusals.append(there)
      }
    }
    guard let first = refusals.first else { return accepted }
    guard isAccepted else { return first }
    accepted.others = [Explanation.Outcome(first.verdict, first.steps)]
    accepted.dependencies = ["which of \(targets.map(\.description).joined(separator: ", ")) it is sent on to"]
    return accepted
  }

  /// Returns where `meaning` sends `packet`, as a sentence, if it goes elsewhere.
  private func translation(of packet: PacketValues, _ meaning: Meaning) -> String? {
    let port = Int(packet[.destinationPort])
    func list(_ addresses: [Address]) -> String { addresses.map(\.description).joined(separator: " or ") }
    return switch meaning.universe.translation(labelled: meaning.translations.label(of: packet)) {
    case .redirect(let distance)?: "The connection goes on to port \(port + distance) of the host."
    case .redirectAll(let port)?: "The connection goes on to port \(port) of the host."
    case .forward(let addresses, let distance)?:
      "The connection goes on to \(list(addresses)), port \(port + distance)."
    case .forwardAll(let addresses, let port)?: "The connection goes on to \(list(addresses)), port \(port)."
    case nil: nil
    }
  }

  /// Returns the subject of `cause` as the beginning of a sentence.
  private func subject(_ cause: Cause) -> String {
    cause.service.map { "Service \(policy[$0].name.value)" } ?? "\(cause.subject)"
  }

  /// Adds to `result` whom to ask about what `cause` lets through.
  private func describe(_ cause: Cause, in result: inout Explanation) {
    guard let id = cause.service else { return }
    result.service = policy[id].name.value
    result.owner = policy[id].owner.map { policy[$0].name.value }
    result.contact = policy[id].owner.flatMap { policy[$0].contact }
  }

  /// Returns what lets something through that is like `packet`, and what is missing.
  private func nearest(to packet: Packet, in firewall: Firewall) -> [Explanation.Step] {
    firewall.nearMisses(of: packet, on: today).map { miss in
      let opening = firewall.openings[miss.opening]
      let lacks = miss.lacks.map { sentence(for: $0, packet) }
      let list =
        lacks.count < 2
        ? lacks.joined() : lacks.dropLast().joined(separator: ", ") + " and " + (lacks.last ?? "")
      return .init("\(subject(opening.cause)) is exposed here, but \(list).", at: opening.cause.span)
    }
  }

  /// Returns what `lack` says of `packet`, behind "but".
  private func sentence(for lack: NearMiss.Lack, _ packet: Packet) -> String {
    switch lack {
    case .source: "not to \(packet.source)"
    case .interface: "not to what arrives \(packet.interface.map { "on \($0)" } ?? "on an interface that is not known")"
    case .destination: "not at \(packet.destination)"
    case .publicPort(let traffic): "its public port is \(traffic)"
    case .port(let traffic): "on \(traffic)"
    case .lapsed(let date): "only until \(date)"
    }
  }
}

extension Firewall {
  /// Returns the firewall with those lines alone that may decide about `packet`.
  fileprivate func about(_ packet: Packet) -> Firewall {
    let traffic = packet.traffic
    func isMeant(_ list: [Traffic]?) -> Bool { list?.contains { $0.overlaps(traffic) } ?? true }
    func isMeant(_ reaches: [Reach]) -> Bool { reaches.contains { $0.addresses.contains(packet.source) } }
    var result = self
    result.blocks.removeAll { !isMeant($0.traffic) || !isMeant($0.sources) }
    result.openings.removeAll { !$0.traffic.overlaps(traffic) || !isMeant($0.sources) }
    result.passages.removeAll { !isMeant($0.traffic) || !isMeant($0.sources) }
    result.departures?.removeAll { !isMeant($0.traffic) || !$0.destinations.contains(packet.destination) }
    return result
  }
}

extension Universe.Translation {
  /// Returns the port that what is sent to `port` goes to.
  fileprivate func port(of port: UInt16) -> UInt16 {
    switch self {
    case .redirect(let distance), .forward(_, let distance): UInt16(clamping: Int(port) + distance)
    case .redirectAll(let only), .forwardAll(_, let only): only
    }
  }
}

extension Host {
  /// A host without interfaces.
  fileprivate static var nowhere: Host {
    Host(name: Name("", at: Span(file: 0, lower: 0, upper: 0)), span: Span(file: 0, lower: 0, upper: 0))
  }
}
