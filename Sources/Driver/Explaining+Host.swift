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
    if question.cluster != nil || question.destination.contains("/") {
      return try explainPods(question, lowering)
    }
    guard let source = Address(question.source) else {
      throw UnanswerableQuestion("`\(question.source)` is no address")
    }
    let (destination, host) = try target(of: question, from: source)
    let traffic = try question.traffic(source.family)
    guard source.family == destination.family else {
      throw UnanswerableQuestion("`\(source)` and `\(destination)` are of different families")
    }
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
    if let refusal = departure(of: packet(on: host.map { policy[$0] } ?? Host.nowhere)) { return refusal }
    if let host { return explain(packet(on: policy[host]), arrivingAt: firewalls[host.rawValue]) }
    // What everybody on a link listens to reaches every host; an address that is nobody's is reached through the routers.
    let isShared = AddressSet.shared.contains(destination)
    let places = firewalls.filter { isShared || !$0.passages.isEmpty }
    let answers = places.map { explain(packet(on: policy[$0.host]), arrivingAt: $0) }
    guard let answer = answers.first(where: { $0.verdict == .accept }) ?? answers.first else {
      throw UnanswerableQuestion("no host has the address `\(destination)`, and no router passes anything on")
    }
    return answer
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

  /// Returns why the host that `packet` comes from may not send it, or nothing if it may.
  private func departure(of packet: Packet) -> Explanation? {
    guard let index = policy.hosts.firstIndex(where: { $0.addresses.contains { $0.value == packet.source } }) else {
      return nil
    }
    let firewall = firewalls[index]
    if firewall.permits(departing: packet, on: today) { return nil }
    let host = policy.hosts[index]
    return Explanation(
      firewall.rejects ? .reject : .drop, .egress, at: "host \(host.name.value)",
      [
        .init(
          "\(host.name.value) closes its egress, and no service on it uses \(packet.traffic) at \(packet.destination).",
          at: host.name.span)
      ])
  }

  /// Returns what `firewall` makes of `packet`.
  private func explain(_ packet: Packet, arrivingAt firewall: Firewall) -> Explanation {
    let isRouted = !firewall.isLocal(packet.destination)
    let departing = isRouted ? interface(of: policy[firewall.host], towards: packet.destination) : nil
    let judgement = firewall.judge(packet, departing: departing, on: today)
    let place = "host \(firewall.name)"
    var result: Explanation
    switch judgement.reason {
    case .loopback:
      result = Explanation(
        judgement.verdict, .essential, at: place, [.init("What a host sends to itself is always accepted.")])
    case .essential:
      result = Explanation(
        judgement.verdict, .essential, at: place, [.init("IP needs this message, so it is always accepted.")])
    case .ping:
      result = Explanation(
        judgement.verdict, .essential, at: place,
        [.init("Echo requests are accepted within a rate limit, unless the policy says `ping closed`.")])
    case .blocked(let i):
      let block = firewall.blocks[i]
      result = Explanation(
        judgement.verdict, .blocked, at: place,
        [.init("This block refuses \(packet.source), whatever is exposed.", at: block.cause.span)])
      result.until = block.until
    case .opened(let i):
      let opening = firewall.openings[i]
      result = Explanation(
        judgement.verdict, .exposed, at: place,
        [.init("\(subject(opening.cause)) is exposed to \(packet.source) here.", at: opening.cause.span)])
      switch opening.translation {
      case .redirect(let port):
        result.steps.append(.init("The connection goes on to port \(shifted(packet, opening, port)) of the host."))
      case .forward(let addresses, let port):
        let family = addresses.filter { $0.family == packet.source.family }
        let to = family.map(\.description).joined(separator: " or ")
        result.steps.append(.init("The connection goes on to \(to), port \(shifted(packet, opening, port))."))
      case nil: break
      }
      result.until = opening.until
      describe(opening.cause, in: &result)
    case .passed(let i):
      let passage = firewall.passages[i]
      result = Explanation(
        judgement.verdict, .exposed, at: place,
        [.init("\(firewall.name) passes it on.", at: passage.cause.span)])
      if passage.masquerade { result.steps.append(.init("Its source address becomes that of \(firewall.name).")) }
      result.until = passage.until
      describe(passage.cause, in: &result)
    case .closed:
      result = Explanation(
        judgement.verdict, .closed, at: place,
        [.init("Nothing exposes \(packet.traffic) on \(firewall.name) to \(packet.source).")])
      result.nearest = nearest(to: packet, in: firewall)
    }
    result.interface = packet.interface
    result.isLimited = judgement.isLimited
    return result
  }

  /// Returns the port that a packet to `packet`'s goes on to if the lowest public port of `opening` goes to `port`.
  private func shifted(_ packet: Packet, _ opening: Opening, _ port: UInt16) -> Int {
    Int(port) + Int(packet.destinationPort) - Int(opening.traffic.ports?.lower ?? packet.destinationPort)
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

extension Host {
  /// A host without interfaces.
  fileprivate static var nowhere: Host {
    Host(name: Name("", at: Span(file: 0, lower: 0, upper: 0)), span: Span(file: 0, lower: 0, upper: 0))
  }
}
