import Packets
import Policies
import Syntax

extension Check {
  /// Protocols that send secrets in the clear.
  static let plainText = Check(
    "plain-text", "A protocol that sends secrets in plain text is exposed", .exposure, .warning,
    page: Page(
      what: """
        Looks for exposures of protocols that send passwords or commands unencrypted: telnet, FTP, TFTP, rsh, rlogin, \
        POP3, IMAP, LDAP, SNMP, VNC and more (docs/registry.md), by what a port `speaks` or else by its public \
        number. Audiences that are services alone are left out: what runs between two machines of one network is \
        judged by `wide-audience`. HTTP is reported only to the internet, and only if the public port is not 80, where browsers are sent on from.
        """,
      why: "Everyone on the way reads along, and can change what is sent. All of them have successors that encrypt.",
      example: """
        service files { owner team; purpose "Uploads"; port 21/tcp speaks ftp; ↓expose to 203.0.113.0/24 }
        host web1 { address 192.0.2.10; runs files }
        """,
      instead: """
        service files { owner team; purpose "Uploads"; port 22/tcp speaks sftp; expose to 203.0.113.0/24 }
        host web1 { address 192.0.2.10; runs files }
        """),
    flagged: [
      """
      service old { owner team; purpose "Console of the switch"; port 23/tcp; ↓expose to 203.0.113.0/24 }
      host web1 { address 192.0.2.10; runs old }
      """
    ],
    allowed: [
      """
      service web { owner team; purpose "Site"; port 80/tcp; expose to internet }
      host web1 { address 192.0.2.10; runs web }
      """,
      """
      service imap { owner team; purpose "Mail"; port 993/tcp speaks imaps; expose to internet }
      host web1 { address 192.0.2.10; runs imap }
      """,
    ]
  ) { inspection in
    inspection.activeExposures.compactMap { view in
      plainTextProtocol(of: view, in: inspection.policy).map { finding(view, speaking: $0, in: inspection.policy) }
    }
  }

  /// Returns the protocol that `view` exposes in `policy` and that sends secrets in plain text, if there is one.
  private static func plainTextProtocol(of view: ExposureView, in policy: Policy) -> PlainTextProtocol? {
    let ports = policy[view.service].ports
    for port in view.exposure.ports {
      if let speaks = ports[port].speaks {
        if let found = PlainTextProtocol.named(speaks.value), matters(found, in: view) { return found }
        continue
      }
      // The public port tells more than the listening one: what answers on 443 speaks TLS, wherever it listens.
      for traffic in view.traffic where ports[port].traffic.contains(traffic.listening) {
        guard let ports = traffic.public.ports, ports.isSingle,
          let found = PlainTextProtocol.at(ports.lower, traffic.public.transport), matters(found, in: view)
        else { continue }
        return found
      }
    }
    return nil
  }

  /// Returns `true` iff `plain` should not be exposed as `view` does.
  private static func matters(_ plain: PlainTextProtocol, in view: ExposureView) -> Bool {
    guard plain.exposes == .contents else {
      return !view.exposure.audience.parties.allSatisfy { party in
        if case .service = party.value { true } else { false }
      }
    }
    return view.isInternet
      && !view.traffic.contains { $0.public == .ports(.tcp, PortRange(80)) }
  }

  /// Returns the finding about `view` in `policy`.
  private static func finding(
    _ view: ExposureView, speaking plain: PlainTextProtocol, in policy: Policy
  ) -> Finding {
    let name = policy[view.service].name.value
    return Finding(
      "`\(name)` exposes \(plain.name), which is not encrypted", about: name,
      at: .init(view.span, "open to \(policy.describe(view.exposure.audience))"),
      because: "Everyone on the way can read and change what is sent.", help: "Use \(plain.instead) instead.")
  }
}
