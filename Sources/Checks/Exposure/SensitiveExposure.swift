import Packets
import Policies
import Syntax

extension Check {
  /// What should never face the Internet, facing it.
  static let sensitiveExposure = Check(
    "sensitive-exposure", "A sensitive service or port is open to the internet", .exposure, .error,
    page: Page(
      what: """
        Looks for exposures of sensitive services to the internet or to as good as all of it (`0.0.0.0/1` counts, and so \
        does `::/0` alone; a zone without addresses is everyone where no interface is bound to it). Sensitive is a service of class `database`, `admin`, `control-plane`, `metrics`, `cache` or \
        `queue`, one that `speaks` the protocol of such a thing, or one whose listening or public port is \
        in the table of sensitive ports (CIS Benchmarks, checkov, Trivy, prowler, KICS; see docs/registry.md).
        """,
      why: """
        Databases, consoles and remote administration that face the Internet are found within hours by scanners, and \
        are the commonest way in. Their own passwords are the only thing that is left.
        """,
      example: """
        service db { owner team; purpose "Ledger"; class database; port 5432/tcp; ↓expose to internet }
        host db1 { address 192.0.2.10; runs db }
        """,
      instead: """
        service db { owner team; purpose "Ledger"; class database; port 5432/tcp; expose to shop }
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet as 443/tcp; uses db }
        host db1 { address 192.0.2.10; runs db }
        host web1 { address 192.0.2.11; runs shop }
        """),
    flagged: [
      """
      service ssh { owner team; purpose "Administration"; port 22/tcp; ↓expose to 0.0.0.0/1 }
      host web1 { address 192.0.2.10; runs ssh }
      """,
      """
      service ssh { owner team; purpose "Administration"; port 22/tcp; ↓expose to ::/0 }
      host web1 { address 2001:db8::10; runs ssh }
      """,
      """
      service db { owner team; purpose "Ledger"; port 15432/tcp speaks postgresql; ↓expose to internet }
      host db1 { address 192.0.2.10; runs db }
      """,
      """
      service api { owner team; purpose "API"; port 8443/tcp; ↓expose to internet as 6443/tcp }
      host db1 { address 192.0.2.10; runs api }
      """,
      """
      zone management { }
      service ssh { owner team; purpose "Administration"; port 22/tcp; ↓expose to management }
      host web1 { address 192.0.2.10; interface eth1 in management; runs ssh }
      host web2 { address 192.0.2.11; runs ssh }
      """,
    ],
    allowed: [
      """
      service ssh { owner team; purpose "Administration"; port 22/tcp; expose to 203.0.113.0/24 }
      host web1 { address 192.0.2.10; runs ssh }
      """,
      """
      zone management { }
      service ssh { owner team; purpose "Administration"; port 22/tcp; expose to management }
      host web1 { address 192.0.2.10; interface eth1 in management; runs ssh }
      """,
    ]
  ) { inspection in
    // What is no Internet as it is written is none without its zones.
    inspection.activeExposures.filter { $0.isInternet && Width.isInternet(inspection.spread(of: $0)) }.compactMap {
      view in
      sensitivity(of: view, in: inspection.policy).map { finding(view, $0, in: inspection.policy) }
    }
  }

  /// The classes of services that are to be protected.
  static let sensitiveClasses: Set<String> = [
    "database", "admin", "control-plane", "metrics", "cache", "queue",
  ]

  /// Why an exposure is sensitive.
  struct Sensitivity: Sendable {
    /// The reason, as the end of "it ...".
    var reason: String
    /// Where the reason stands.
    var span: Span
  }

  /// Returns why what `view` exposes in `policy` is sensitive, if it is.
  static func sensitivity(of view: ExposureView, in policy: Policy) -> Sensitivity? {
    let classes = policy[view.service].classes
    let ports = policy[view.service].ports
    if let name = classes.first(where: { sensitiveClasses.contains($0.value) }) {
      return Sensitivity(reason: "is of class `\(name.value)`", span: name.span)
    }
    for port in view.exposure.ports {
      if let speaks = ports[port].speaks, let usual = sensitivePort(spokenAs: speaks.value) {
        return Sensitivity(reason: "speaks \(speaks.value) (\(usual.kind.rawValue))", span: speaks.span)
      }
    }
    for (outer, inner) in view.traffic {
      for traffic in [outer, inner] {
        guard let range = traffic.ports, let found = SensitivePort.first(in: range, traffic.transport) else { continue }
        let place = traffic == outer ? view.exposure.publicPort?.span : nil
        let listening = view.exposure.ports.first { ports[$0].traffic.contains(inner) }
        return Sensitivity(
          reason: "is on \(found.ports)/\(found.transport), the port of \(found.name) (\(found.kind.rawValue))",
          span: place ?? listening.map { ports[$0].trafficSpan } ?? view.span)
      }
    }
    return nil
  }

  /// Returns the entry of the sensitive port on which the protocol `name` is usually spoken, if it is one.
  private static func sensitivePort(spokenAs name: String) -> SensitivePort? {
    for traffic in KnownServices.ports(of: name) {
      if let ports = traffic.ports, let found = SensitivePort.at(ports.lower, traffic.transport) { return found }
    }
    return nil
  }

  /// Returns the finding about `view` in `policy`, which is sensitive for the reason of `sensitivity`.
  private static func finding(_ view: ExposureView, _ sensitivity: Sensitivity, in policy: Policy) -> Finding {
    let name = policy[view.service].name.value
    return Finding(
      "`\(name)` is open to the internet, and \(sensitivity.reason)", about: name,
      at: .init(view.span, "open to \(policy.describe(view.exposure.audience))"),
      also: sensitivity.span == view.span ? [] : [.init(sensitivity.span, "this makes it sensitive")],
      because: "Whatever is sensitive and faces the Internet is found and attacked within hours.",
      help:
        "Expose it to the services, hosts or zones that need it. If it has to be open, `waive sensitive-exposure on "
        + "\(name) until DATE because \"...\"`.")
  }
}

extension Policy {
  /// Returns the parties of `audience` as the language writes them, a few of them.
  func describe(_ audience: Audience) -> String {
    let names = audience.parties.prefix(3).map { name(of: $0.value) }
    let more = audience.parties.count - names.count
    return names.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
  }
}
