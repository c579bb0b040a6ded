import Firewalls
import Packets
import Policies
import Syntax

/// The comparison of what listens with what is declared.
struct AuditExamination {
  private let firewall: Firewall
  private let policy: Policy
  private let sources: Sources
  private let facts: HostFacts
  private let groups: [SocketGroup]
  private let today: CalendarDate

  /// The sockets by their ports.
  private var sockets: [Traffic: [SocketGroup]] = [:]

  /// What the policy declares.
  private let declarations: [Declaration]

  /// The positions of declarations of one port, and of those of several.
  private var positions: [Traffic: [Int]] = [:]
  private var ranges: [Int] = []

  /// The addresses of the host.
  private let own: AddressSet

  /// A port that a service of the host is declared to listen on.
  private struct Declaration {
    var traffic: Traffic
    var service: String
    /// The addresses that it is bound to.
    var bound: AddressSet
    /// `true` iff it is bound to all addresses.
    var isEverywhere: Bool
    var span: Span
  }

  init(
    _ firewall: Firewall, _ policy: Policy, _ sources: Sources, _ facts: HostFacts, _ groups: [SocketGroup],
    on today: CalendarDate
  ) {
    self.firewall = firewall
    self.policy = policy
    self.sources = sources
    self.facts = facts
    self.groups = groups
    self.today = today
    own = firewall.addresses.union(facts.addresses).subtracting(.loopback)
    var declarations: [Declaration] = []
    for run in policy[firewall.host].runs {
      let service = policy[run.service]
      for port in service.ports {
        for traffic in port.traffic where [.tcp, .udp].contains(traffic.transport) {
          declarations.append(
            Declaration(
              traffic: traffic, service: service.name.value,
              bound: run.addresses.isEmpty ? .all : AddressSet(run.addresses.map(\.value)),
              isEverywhere: run.addresses.isEmpty, span: run.span))
        }
      }
    }
    self.declarations = declarations
    for (i, declaration) in declarations.enumerated() {
      if declaration.traffic.ports?.isSingle == true {
        positions[declaration.traffic, default: []].append(i)
      } else {
        ranges.append(i)
      }
    }
    for group in groups {
      sockets[.ports(group.sockets.transport, PortRange(group.sockets.port)), default: []].append(group)
    }
  }

  /// Returns the declarations that `traffic`, which is one port, is part of.
  private func declarations(of traffic: Traffic) -> [Declaration] {
    ((positions[traffic] ?? []) + ranges.filter { declarations[$0].traffic.contains(traffic) }).sorted()
      .map { declarations[$0] }
  }

  /// Returns the sockets that listen on a port of `traffic`.
  private func sockets(of traffic: Traffic, _ ports: PortRange) -> [SocketGroup] {
    guard !ports.isSingle else { return sockets[traffic] ?? [] }
    return groups.filter { $0.sockets.transport == traffic.transport && ports.contains($0.sockets.port) }
  }

  /// What is found, in no order.
  func findings() -> [Audit.Finding] {
    var result: [Audit.Finding] = []
    for group in groups { result += findings(of: group) }
    for declaration in declarations { result += silence(of: declaration) }
    result += collisions()
    if let range = facts.ephemeral, range != firewall.ephemeral {
      result.append(
        .init(
          kind: .range, weight: .warning,
          message: "The kernel gives clients the ports \(range), the policy says \(firewall.ephemeral)."))
    }
    return result
  }

  // MARK: - What listens

  private func findings(of group: SocketGroup) -> [Audit.Finding] {
    let sockets = group.sockets
    let traffic = Traffic.ports(sockets.transport, PortRange(sockets.port))
    let declared = declarations(of: traffic).filter { $0.bound.intersects(group.bound) }
    guard let first = declared.first else { return [undeclared(group, traffic)] }
    let allowed = AddressSet(unionOf: declared.map(\.bound))
    let extra = group.bound.subtracting(allowed)
    // Who declares all addresses of the host in so many words means all.
    if extra.isEmpty || !own.isEmpty && !extra.intersects(own) { return [] }
    let reach = reach(of: traffic, at: extra)
    let places = allowed.ranges.map(\.description)
    let rest =
      reach.isEmpty ? "the firewall lets nobody reach it elsewhere." : "and somebody can reach it elsewhere."
    return [
      .init(
        kind: .wider, weight: reach.isEmpty ? .warning : .error, traffic: traffic, sockets: sockets,
        service: first.service, location: sources.location(of: first.span),
        message:
          "\(words(sockets)) listens on \(sockets.addresses.joined(separator: ", ")), port \(traffic); service "
          + "\(first.service) is declared on \(places.joined(separator: ", ")) alone; \(rest)", reachedBy: reach)
    ]
  }

  private func undeclared(_ group: SocketGroup, _ traffic: Traffic) -> Audit.Finding {
    let sockets = group.sockets
    let reach = reach(of: traffic, at: group.bound.subtracting(.loopback))
    let isLocal = group.bound.isSubset(of: .loopback)
    let isClient =
      sockets.transport == .udp
      && (range.contains(sockets.port) || sockets.port == 68 || sockets.port == Essentials.dhcpv6Client)
    var message = "\(words(sockets)) listens on \(sockets.addresses.joined(separator: ", ")), port \(traffic), "
    let others = declarations(of: traffic)
    if let other = others.first {
      message += "where service \(other.service) is not declared"
    } else {
      message += "which no service declares"
    }
    if isLocal {
      message += "; only the host itself can reach it."
    } else if reach.isEmpty {
      message += isClient ? "; it is likely a client's, and nobody can reach it." : "; the policy lets nobody reach it."
    } else {
      message += "; the policy lets somebody reach it."
    }
    return .init(
      kind: .undeclared, weight: !reach.isEmpty ? .error : isLocal || isClient ? .note : .warning, traffic: traffic,
      sockets: sockets, service: others.first?.service, location: others.first.map { sources.location(of: $0.span) },
      message: message, reachedBy: reach)
  }

  /// Returns the process of `sockets` with its user, as the beginning of a sentence.
  private func words(_ sockets: Audit.Sockets) -> String {
    guard let name = sockets.processName else { return "A process of \(sockets.user)" }
    return "\(name) (\(sockets.process.map { "pid \($0), " } ?? "")user \(sockets.user))"
  }

  // MARK: - Who can reach it

  /// Returns the exposures by which somebody reaches what listens for `traffic` at `addresses`.
  private func reach(of traffic: Traffic, at addresses: AddressSet) -> [String] {
    guard !addresses.isEmpty, let port = traffic.ports?.lower else { return [] }
    var result: [String] = []
    for opening in firewall.openings where opening.until.map({ today <= $0 }) ?? true {
      guard let asked = asked(opening, for: traffic.transport, port),
        opening.destinations?.intersects(addresses) ?? true
      else { continue }
      var sources = opening.sources
      for block in firewall.blocks where block.until.map({ today <= $0 }) ?? true {
        guard block.traffic?.contains(where: { $0.contains(asked) }) ?? true,
          block.destinations.map({ own.isSubset(of: $0) }) ?? true
        else { continue }
        sources = sources.subtracting(block.sources)
      }
      guard !sources.isEmpty else { continue }
      let location = self.sources.location(of: opening.cause.span)
      let text = "\(opening.cause.subject) at \(location.path):\(location.line)"
      if !result.contains(text) { result.append(text) }
    }
    return result
  }

  /// Returns what somebody must ask for so that `opening` leads to `port`, or nothing if it does not lead there.
  private func asked(_ opening: Opening, for transport: TransportProtocol, _ port: UInt16) -> Traffic? {
    guard case .ports(transport, let range) = opening.traffic else { return nil }
    switch opening.translation {
    case nil: return range.contains(port) ? .ports(transport, PortRange(port)) : nil
    case .redirect(let first)?: return Self.asked(range, behind: first, port).map { .ports(transport, PortRange($0)) }
    case .forward(let targets, let first)?:
      guard targets.contains(where: own.contains) else { return nil }
      return Self.asked(range, behind: first, port).map { .ports(transport, PortRange($0)) }
    }
  }

  /// Returns the port of `range` that leads to `port`, if those from `first` on are behind it.
  private static func asked(_ range: PortRange, behind first: UInt16, _ port: UInt16) -> UInt16? {
    guard first <= port, Int(port) - Int(first) < range.count else { return nil }
    return range.lower + (port - first)
  }

  // MARK: - What does not listen

  private func silence(of declaration: Declaration) -> [Audit.Finding] {
    guard let ports = declaration.traffic.ports else { return [] }
    let there = groups.filter {
      $0.sockets.transport == declaration.traffic.transport && ports.contains($0.sockets.port)
    }
    let bound = AddressSet(unionOf: there.map(\.bound))
    var message: String?
    if declaration.isEverywhere {
      if there.isEmpty {
        message = "Nothing listens on \(declaration.traffic)"
      } else if bound.isSubset(of: .loopback) {
        message = "\(words(there[0].sockets)) listens on \(declaration.traffic) at loopback alone"
      }
    } else {
      let missing = declaration.bound.subtracting(bound)
      if !missing.isEmpty { message = "Nothing listens on \(declaration.traffic) at \(missing)" }
    }
    guard let message else { return [] }
    return [
      .init(
        kind: .silent, weight: .warning, traffic: declaration.traffic, service: declaration.service,
        location: sources.location(of: declaration.span), message: "\(message) for service \(declaration.service).")
    ]
  }

  // MARK: - Ports of clients

  /// The ports that clients take.
  private var range: PortRange { facts.ephemeral ?? firewall.ephemeral }

  private func collisions() -> [Audit.Finding] {
    var result: [Audit.Finding] = []
    for declaration in declarations {
      guard let ports = declaration.traffic.ports, let part = unreserved(ports) else { continue }
      result.append(
        .init(
          kind: .ephemeral, weight: .warning, traffic: .ports(declaration.traffic.transport, part),
          service: declaration.service, location: sources.location(of: declaration.span),
          message:
            "Clients may take \(part), which service \(declaration.service) listens on, before it starts; the policy's "
            + "sysctl.conf reserves it."))
    }
    for group in groups where group.sockets.transport == .tcp {
      let traffic = Traffic.ports(.tcp, PortRange(group.sockets.port))
      guard unreserved(PortRange(group.sockets.port)) != nil,
        declarations(of: traffic).isEmpty
      else { continue }
      result.append(
        .init(
          kind: .ephemeral, weight: .note, traffic: traffic, sockets: group.sockets,
          message: "\(words(group.sockets)) listens on \(traffic), which clients may take as well."))
    }
    return result
  }

  /// Returns what of `ports` clients may take, from the first to the last such one; nothing if there is none.
  private func unreserved(_ ports: PortRange) -> PortRange? {
    guard ports.overlaps(range) else { return nil }
    let all = IntervalSet(max(ports.lower, range.lower)...min(ports.upper, range.upper))
    let left = all.subtracting(IntervalSet(facts.reserved.map { $0.lower...$0.upper }))
    guard let first = left.intervals.first, let last = left.intervals.last else { return nil }
    return PortRange(from: first.lowerBound, through: last.upperBound)
  }
}
