import Packets
import Syntax

// What is wrong with statements whose names are right.

extension Diagnostic {
  /// `settings` stands beside an earlier `policy` declaration.
  static func secondSettings(_ settings: SettingsDeclaration, first: SettingsDeclaration) -> Diagnostic {
    Diagnostic(
      .error, "duplicate-settings", "the policy has two `policy` declarations",
      at: Label(settings.title?.span ?? settings.span, "declared again here"),
      also: [Label(first.title?.span ?? first.span, "first declared here")],
      because: "Settings hold for the whole policy. Which of two hold must not depend on the order of files.",
      help: "Join them into one declaration.")
  }

  /// The port `name` of `service` is declared again.
  static func duplicatePortName(_ name: Name, in service: String, first: Span) -> Diagnostic {
    Diagnostic(
      .error, "duplicate-name", "the service `\(service)` has two ports named `\(name.value)`",
      at: Label(name.span, "declared again here"), also: [Label(first, "first declared here")],
      because: "An exposure of `\(name.value)` could open either of them.",
      help: "Rename one of them, or write both into one statement, as in `port \(name.value) 53/tcp+udp`.",
      subject: service)
  }

  /// `service` has no port called `name`.
  static func unknownPort(_ name: Name, of service: Service) -> Diagnostic {
    let known = service.ports.compactMap(\.name)
    var result = Diagnostic(
      .error, "unknown-port", "the service `\(service.name.value)` has no port named `\(name.value)`",
      at: Label(name.span, "no such port"),
      also: [Label(service.ports[0].span.union(service.ports.last?.span ?? service.ports[0].span), "its ports")],
      because: "Only ports that the service listens on can be opened.", subject: service.name.value)
    if service.ports.count > 1 { result.secondary = service.ports.prefix(4).map { Label($0.span, "a port of it") } }
    if let near = nearest(to: name.value, among: known.prefix(1000).map(\.value)) {
      result.help = "Did you mean `\(near)`?"
      result.fixes = [Fix(replace: name.span, with: near, safety: .unsafe)]
    } else if known.isEmpty {
      result.help = "Its ports have no names; leave the name out, or name the port: `port \(name.value) ...`."
    } else {
      result.help = "Its ports are \(list(known.prefix(8).map { "`\($0.value)`" }, "and"))."
    }
    return result
  }

  /// `statement` at `span` is about the ports of `service`, which has none.
  static func noPorts(_ service: Name, at span: Span, in statement: String) -> Diagnostic {
    Diagnostic(
      .error, "no-ports", "the service `\(service.value)` has no port to \(statement)",
      at: Label(span, "nothing to \(statement)"), also: [Label(service.span, "declared without a `port`")],
      because: "What a service listens on is what can be opened, and nothing else.",
      help: "Say what it listens on, as in `port 443/tcp`.", subject: service.value)
  }

  /// Returns why `publicPort` cannot stand for the `exposed` ports of `service`, or nothing if it can.
  ///
  /// Each protocol of the public port stands for the one exposed port of that protocol; a range stands for a range
  /// of the same length, the first for the first and so on.
  static func publicPortMismatch(_ publicPort: TrafficList, exposed: [Int], of service: Service) -> Diagnostic? {
    // One port for one port, as most have it, takes no lists.
    if exposed.count == 1, publicPort.value.count == 1, service.ports[exposed[0]].traffic.count == 1,
      case .ports(let new, let range) = publicPort.value[0],
      case .ports(let old, let own) = service.ports[exposed[0]].traffic[0], new == old, range.count == own.count
    {
      return nil
    }
    let listening = exposed.flatMap { position in service.ports[position].traffic.map { (position, $0) } }
    func mismatch(_ message: String, _ help: String, _ places: [Int]) -> Diagnostic {
      Diagnostic(
        .error, "public-port-mismatch", message, at: Label(publicPort.span, "the public port"),
        also: Array(Set(places)).sorted().prefix(4).map {
          Label(service.ports[$0].trafficSpan, "an exposed port")
        },
        because: "Traffic to a public port is sent on to one listening port, so each needs exactly one other.",
        help: help, subject: service.name.value)
    }
    for new in publicPort.value {
      guard let range = new.ports else {
        return mismatch(
          "`\(new)` cannot be a public port", "ICMP messages have no ports; leave `as` out.", exposed)
      }
      let fitting = listening.filter { $0.1.transport == new.transport }
      guard let (position, old) = fitting.first else {
        return mismatch(
          "the public port `\(new)` stands for no exposed port",
          "None of the exposed ports is \(new.transport); give the public port the protocol of the exposed one.",
          exposed)
      }
      if fitting.count > 1 {
        let ports = list(fitting.prefix(4).map { "`\($0.1)`" }, "or")
        let help =
          fitting.prefix(4).compactMap { service.ports[$0.0].name?.value }.first.map {
            "Name the port that is meant, as in `expose \($0) to ...`."
          } ?? "Give the ports names, and name the one that is meant: `port web 8443/tcp`, `expose web to ...`."
        return mismatch("the public port `\(new)` could stand for \(ports)", help, fitting.map(\.0))
      }
      if let own = old.ports, own.count != range.count {
        return mismatch(
          "the public port `\(new)` does not fit `\(old)`: \(count(range)) for \(count(own))",
          "Make the two of the same length.", [position])
      }
    }
    guard
      let (position, left) = listening.first(where: { item in
        !publicPort.value.contains { $0.transport == item.1.transport }
      })
    else { return nil }
    return mismatch(
      "the exposed port `\(left)` has no public port",
      left.ports == nil
        ? "ICMP messages have no ports; expose them in a statement of their own."
        : "Add its protocol to the public port, as in `443/tcp+udp`, or expose it in a statement of its own.",
      [position])
  }

  /// Returns the number of ports of `range` in words.
  private static func count(_ range: PortRange) -> String { range.isSingle ? "one port" : "\(range.count) ports" }

  /// `host`, which traffic is sent through, has no address.
  static func routerWithoutAddress(_ host: Name, declared: Span) -> Diagnostic {
    Diagnostic(
      .error, "router-without-address", "the router `\(host.value)` has no address",
      at: Label(host.span, "nothing can be sent here"), also: [Label(declared, "declared without an `address`")],
      because: "What is sent through a router is sent to one of its addresses, or gets one on its way out.",
      help: "Give it one: `address 198.51.100.1`.", subject: host.value)
  }

  /// `invariant` says nothing.
  static func emptyInvariant(_ invariant: InvariantDeclaration) -> Diagnostic {
    let word = invariant.isAlways ? "always" : "never"
    return Diagnostic(
      .error, "empty-invariant", "`\(word)` says nothing", at: Label(invariant.span, "who connects to what?"),
      because: "An invariant that says nothing would always hold and protect nothing.",
      help: "Say who and what: `\(word) internet to class database`.")
  }

  /// Nothing is left of the zone `name`.
  static func emptyZone(_ name: Name) -> Diagnostic {
    Diagnostic(
      .error, "empty-zone", "the zone `\(name.value)` has no address",
      at: Label(name.span, "`except` takes everything away"),
      because: "Whatever is exposed to it would be closed.", help: "Take less away, or delete the zone.",
      subject: name.value)
  }
}
