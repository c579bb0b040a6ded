import Packets
import Policies
import Syntax

extension Check {
  /// A protocol that is spoken on a port that is known for another one.
  static let unexpectedProtocol = Check(
    "unexpected-protocol", "A port is known for another protocol than is spoken there", .ranges, .note,
    page: Page(
      what: """
        Looks for ports that `speaks` gives a known protocol, although the port is registered for, or in practice known \
        for, other ones only (docs/registry.md).
        """,
      why: """
        Whoever sees the number in a log, a firewall or a scan takes it for what it is known for. Often the number is a \
        typing mistake.
        """,
      example: """
        service db { owner team; purpose "Ledger"; port 3306/tcp speaks ↓postgresql; expose to 10.0.0.7 }
        host db1 { address 10.0.0.10; runs db }
        """,
      instead: """
        service db { owner team; purpose "Ledger"; port 5432/tcp speaks postgresql; expose to 10.0.0.7 }
        host db1 { address 10.0.0.10; runs db }
        """),
    allowed: [
      """
      service search { owner team; purpose "Search"; port 9200/tcp speaks elasticsearch; expose to 10.0.0.7 }
      host db1 { address 10.0.0.10; runs search }
      """
    ]
  ) { inspection in
    let policy = inspection.policy
    return spoken(in: policy) { service, name, traffic, range in
      guard KnownServices.isKnown(name.value), !KnownServices.isUsual(name.value, on: range.lower, traffic.transport)
      else { return nil }
      let others = KnownServices.names(of: range.lower, traffic.transport)
      guard !others.isEmpty else { return nil }
      return Finding(
        "\(traffic) is known for \(listed(others)), not for `\(name.value)`", about: policy[service].name.value,
        at: .init(name.span, "usual for \(others[0])"),
        because: "Whoever sees the number takes it for what it is known for.", help: usual(name.value))
    }
  }

  /// A known protocol on a port of its own.
  static let unusualPort = Check(
    "unusual-port", "A known protocol is spoken on a port that is not its usual one", .ranges, .note,
    page: Page(
      what: """
        Looks for ports that `speaks` gives a known protocol whose usual ports are others, where the port itself is \
        known for nothing (else it is the business of `unexpected-protocol`).
        """,
      why: "Tools, colleagues and other firewalls look for it on the usual port. Moving a port hides it from nobody.",
      example: """
        service db { owner team; purpose "Ledger"; port 15439/tcp speaks ↓postgresql; expose to 10.0.0.7 }
        host db1 { address 10.0.0.10; runs db }
        """,
      instead: """
        service db { owner team; purpose "Ledger"; port 5432/tcp speaks postgresql; expose to 10.0.0.7 }
        host db1 { address 10.0.0.10; runs db }
        """)
  ) { inspection in
    let policy = inspection.policy
    return spoken(in: policy) { service, name, traffic, range in
      guard KnownServices.isKnown(name.value), !KnownServices.isUsual(name.value, on: range.lower, traffic.transport),
        KnownServices.names(of: range.lower, traffic.transport).isEmpty, usual(name.value) != nil
      else { return nil }
      return Finding(
        "`\(name.value)` is not usually spoken on \(traffic)", about: policy[service].name.value,
        at: .init(name.span, "has a port of its own"),
        because: "Tools and colleagues look for it on its usual port.", help: usual(name.value))
    }
  }

  /// A protocol that nobody knows.
  static let unknownProtocol = Check(
    "unknown-protocol", "A port speaks a protocol that is neither registered nor widely known", .ranges, .warning,
    page: Page(
      what: """
        Looks for names after `speaks` that are not in IANA's registry of service names and not among the widely known \
        ones (docs/registry.md), and says what is wrong with them by RFC 6335 section 5.1: one to fifteen letters, \
        digits and hyphens, at least one letter, no hyphen first, last or twice in a row.
        """,
      why: "It is most often a typing mistake, and then the checks that go by the protocol are blind.",
      example: """
        service db { owner team; purpose "Ledger"; port 5432/tcp speaks ↓postgressql; expose to 10.0.0.7 }
        host db1 { address 10.0.0.10; runs db }
        """,
      instead: """
        service db { owner team; purpose "Ledger"; port 5432/tcp speaks postgresql; expose to 10.0.0.7 }
        host db1 { address 10.0.0.10; runs db }
        """)
  ) { inspection in
    let policy = inspection.policy
    return spoken(in: policy) { service, name, _, _ in
      guard !KnownServices.isKnown(name.value) else { return nil }
      let near = PortRegistry.iana.names(near: name.value, count: 1).first
      let fault = ServiceNameFault.first(in: name.value).map { ", and cannot be one: \($0.description)" } ?? ""
      return Finding(
        "`\(name.value)` is no known protocol\(fault)", about: policy[service].name.value,
        at: .init(name.span, near.map { "did you mean `\($0)`?" } ?? "not in the registry"),
        because: "Checks that go by the protocol cannot judge it.",
        help: near.map { "Write `speaks \($0)`, or leave it out if the protocol is your own." }
          ?? "Leave it out if the protocol is your own.",
        fixes: near.map { [.init(replace: name.span, with: $0, safety: .unsafe)] } ?? [])
    }
  }

  /// A port whose name targets refuse.
  static let portName = Check(
    "port-name", "The name of a port is no service name by RFC 6335", .ranges, .warning,
    page: Page(
      what: """
        Looks for names of ports that break RFC 6335 section 5.1: one to fifteen letters, digits and hyphens, at least \
        one letter, no hyphen first, last or twice in a row.
        """,
      why: "Kubernetes refuses containers and policies with such port names, and DNS SRV records cannot carry them.",
      example: """
        service web { owner team; purpose "Site"; port ↓metrics-of-the-shop 9102/tcp; expose to 10.0.0.7 }
        host web1 { address 10.0.0.10; runs web }
        """,
      instead: """
        service web { owner team; purpose "Site"; port metrics 9102/tcp; expose to 10.0.0.7 }
        host web1 { address 10.0.0.10; runs web }
        """)
  ) { inspection in
    let services = inspection.policy.services
    return services.indices.flatMap { s in
      services[s].ports.compactMap { port -> Finding? in
        guard let name = port.name, let fault = ServiceNameFault.first(in: name.value) else { return nil }
        return Finding(
          "`\(name.value)` is no name for a port: \(fault.description)", about: services[s].name.value,
          at: .init(name.span, "not a service name by RFC 6335"),
          because: "Kubernetes refuses such names, and DNS SRV records cannot carry them.",
          help: "Use up to fifteen letters, digits and single hyphens, with a letter among them.")
      }
    }
  }

  /// Returns the findings that `judge` makes of the ports of `policy` that say what is spoken there.
  private static func spoken(
    in policy: Policy, judge: (ID<Service>, Name, Traffic, PortRange) -> Finding?
  ) -> [Finding] {
    ports(in: policy) { service, port, traffic, range in
      port.speaks.flatMap { judge(service, $0, traffic, range) }
    }
  }

  /// Returns up to three of `names` as a sentence lists them.
  private static func listed(_ names: [String]) -> String {
    names.prefix(3).map { "`\($0)`" }.joined(separator: ", ")
  }

  /// Returns a sentence on where the protocol `name` is usually spoken, if that is known.
  private static func usual(_ name: String) -> String? {
    let ports = KnownServices.ports(of: name).prefix(4)
    return ports.isEmpty ? nil : "`\(name)` is usually on \(ports.map(\.description).joined(separator: ", "))."
  }
}
