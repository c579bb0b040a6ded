import Packets
import Policies
import Syntax

extension Check {
  /// A listener in the dynamic range.
  static let dynamicPort = Check(
    "dynamic-port", "A service listens in the dynamic range", .ranges, .warning,
    page: Page(
      what: "Looks for listening ports in 49152-65535, which IANA leaves for clients (RFC 6335 section 6).",
      why: """
        No service is ever registered there, so that nobody can tell from the number what it is, and any client may \
        hold the port when the service starts.
        """,
      example: """
        service web { owner team; purpose "Site"; port ↓50000/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        """,
      instead: """
        service web { owner team; purpose "Site"; port 8443/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        """)
  ) { inspection in
    let policy = inspection.policy
    return ports(in: policy) { service, port, traffic, range in
      guard range.upper >= PortClass.dynamic.ports.lower else { return nil }
      return Finding(
        "`\(policy[service].name.value)` listens on \(traffic), in the dynamic range",
        about: policy[service].name.value,
        at: .init(port.trafficSpan, "49152-65535 is for clients"),
        because: "Any client of the host may hold the port when the service starts.",
        help: "Choose a port below 49152, best of all outside of the hosts' ephemeral range.")
    }
  }

  /// A listener among the client ports of its hosts.
  static let ephemeralPort = Check(
    "ephemeral-port", "A service listens in the ephemeral range of its host", .ranges, .note,
    page: Page(
      what: """
        Looks for listening ports inside the range from which the hosts that run the service take the ports of their \
        clients (`ephemeral`, 32768-60999 if nothing else is said: `net.ipv4.ip_local_port_range`). NodePorts \
        (30000-32767) lie below it.
        """,
      why: """
        Now and then a client of the host holds the port when the service is restarted, which then fails with "address \
        already in use". The kernel keeps ports free that are in `net.ipv4.ip_local_reserved_ports`: the `sysctl.conf` \
        that `portcullis compile --to sysctl` writes reserves them.
        """,
      example: """
        service web { owner team; purpose "Site"; port ↓40000/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        """,
      instead: """
        service web { owner team; purpose "Site"; port 8443/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        """),
    allowed: [
      """
      service web { owner team; purpose "Site"; port 40000/tcp; expose to internet }
      host web1 { address 192.0.2.10; ephemeral 50000-60999; runs web }
      """
    ]
  ) { inspection in
    let policy = inspection.policy
    return ports(in: policy) { service, port, traffic, range in
      let host = policy[service].placements.lazy.map { policy[$0.host] }.first { host in
        (host.ephemeral?.value ?? policy.settings.ephemeral).overlaps(range)
      }
      guard let host else { return nil }
      let ephemeral = host.ephemeral?.value ?? policy.settings.ephemeral
      return Finding(
        "`\(policy[service].name.value)` listens on \(traffic), in the ephemeral range of `\(host.name.value)`",
        about: policy[service].name.value, at: .init(port.trafficSpan, "clients take ports from \(ephemeral)"),
        because: "A client may hold the port when the service starts.",
        help: "Reserve it with `net.ipv4.ip_local_reserved_ports = \(range)` (`portcullis compile --to sysctl` writes "
          + "it), or choose a port outside of the range.")
    }
  }

  /// A listener below 1024.
  static let systemPort = Check(
    "system-port", "A service listens on a system port", .ranges, .note,
    page: Page(
      what: """
        Looks for listening ports below 1024, unless the port `speaks` the protocol that is at home there, such as \
        `22/tcp speaks ssh`: then the number is meant.
        """,
      why: """
        A process needs `CAP_NET_BIND_SERVICE` to listen there, which often means that it starts as root. Listening on a \
        high port and `expose ... as 443/tcp` gives the same public port without the privilege.
        """,
      example: """
        service web { owner team; purpose "Site"; port ↓443/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        """,
      instead: """
        service web { owner team; purpose "Site"; port 8443/tcp; expose to internet as 443/tcp }
        host web1 { address 192.0.2.10; runs web }
        """),
    allowed: [
      """
      service ssh { owner team; purpose "Administration"; port 22/tcp speaks ssh; expose to 10.0.0.7 }
      host web1 { address 192.0.2.10; runs ssh }
      """
    ]
  ) { inspection in
    let policy = inspection.policy
    return ports(in: policy) { service, port, traffic, range in
      guard range.lower < 1024 else { return nil }
      if let speaks = port.speaks?.value, KnownServices.isUsual(speaks, on: range.lower, traffic.transport) {
        return nil
      }
      return Finding(
        "`\(policy[service].name.value)` listens on \(traffic), a system port", about: policy[service].name.value,
        at: .init(port.trafficSpan, "needs a privilege to listen on"),
        because: "Its process has to start as root or with `CAP_NET_BIND_SERVICE`.",
        help:
          "Let it listen on a port above 1023 and expose it `as \(traffic)`, or say what it `speaks` if the port is "
          + "the usual one for it.")
    }
  }

  /// Returns the findings that `judge` makes of the listening ports of `policy`, at most one for each `port` statement.
  static func ports(
    in policy: Policy, judge: (ID<Service>, Port, Traffic, PortRange) -> Finding?
  ) -> [Finding] {
    var findings: [Finding] = []
    for s in policy.services.indices {
      let ports = policy.services[s].ports
      for p in ports.indices {
        for traffic in ports[p].traffic {
          guard let range = traffic.ports, let finding = judge(ID(s), ports[p], traffic, range) else { continue }
          findings.append(finding)
          break
        }
      }
    }
    return findings
  }
}
