import Packets
import Policies
import Syntax

extension Check {
  /// The most ports that one exposure should open.
  private static let mostPorts = 100

  /// Many ports at once.
  static let widePortRange = Check(
    "wide-port-range", "An exposure opens a wide range of ports", .exposure, .warning,
    page: Page(
      what: "Looks for exposures that open more than 100 ports of one protocol with one range.",
      why: """
        A range is open for whatever happens to listen in it, now or later: a debugger, a client's port of the \
        ephemeral range, a service that somebody starts by hand. Few programs need more than a handful of ports, and \
        those that do (RTP, passive FTP) can be told which.
        """,
      example: """
        service media { owner team; purpose "Calls"; port 10000-20000/udp; ↓expose to internet }
        host web1 { address 192.0.2.10; runs media }
        """,
      instead: """
        service media { owner team; purpose "Calls"; port 10000-10063/udp; expose to internet }
        host web1 { address 192.0.2.10; runs media }
        """)
  ) { inspection in
    inspection.activeExposures.compactMap { view in
      guard let wide = view.traffic.first(where: { ($0.public.ports?.count ?? 0) > mostPorts })?.public.ports else {
        return nil
      }
      let name = inspection.policy[view.service].name.value
      return Finding(
        "`\(name)` opens \(wide.count) ports at once", about: name,
        at: .init(view.span, "opens \(wide)"),
        because: "Whatever happens to listen on one of them is open, too.",
        help: "Configure the program to use fewer ports, and open those.")
    }
  }
}
