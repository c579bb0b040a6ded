import Deploy
import Firewalls
import Netlink
import Packets
import Policies
import Support
import Syntax

/// A host of a policy, as tests of what is watched need it.
struct Watched {
  let policy: Policy
  let sources: Sources
  let firewall: Firewall

  /// Reads the policy `text` and takes its host `name`.
  init(_ text: String, host name: String = "web1") throws {
    let reading = Reading([("site/policy.port", text)])
    guard reading.diagnostics.allSatisfy({ $0.severity == .note }) else {
      throw Unfit(text: reading.findings)
    }
    policy = reading.policy
    sources = reading.sources
    guard let id = policy.host(named: name) else { throw Unfit(text: "no host \(name)") }
    firewall = Lowering(policy).firewall(of: id)
  }

  /// A host with a service for everybody, one for the office and one behind another port.
  static let site = """
    zone office { 203.0.113.0/24, 2001:db8:10::/48 }
    zone lan { 10.0.0.0/8 }
    service web { owner team; purpose "Shop"; port 443/tcp; expose to internet }
    service ssh { owner team; purpose "Shell"; port 22/tcp; expose to office, lan; expose to internet as 2222/tcp until 2026-12-31 because "travel" }
    service api { owner team; purpose "API"; port 8443/tcp; expose to lan }
    owner team { contact "team@example.net" }
    host web1 {
      address 192.0.2.10, 2001:db8::10, 10.0.0.10
      interface eth0 in internet
      interface eth1 in lan
      runs web; runs ssh; runs api
    }
    """

  /// The day on which tests judge.
  static let today = CalendarDate("2026-11-23") ?? CalendarDate(daysSinceEpoch: 0)
}

/// Why a policy is of no use to a test.
struct Unfit: Error { var text: String }

/// Returns the address `text`.
func ip(_ text: String) -> Address { Address(text) ?? Address(.ipv4, 0) }

/// Returns an answered connection over TCP, whose destination is translated to `inner` if it is given.
func connection(
  _ source: String, _ sourcePort: UInt16, to destination: String, _ port: UInt16, inner: UInt16? = nil,
  status: UInt32 = 0x0e, transport: TransportProtocol = .tcp
) -> TrackedConnection {
  TrackedConnection(
    original: ConnectionTuple(transport, ip(source), sourcePort, to: ip(destination), port),
    reply: ConnectionTuple(transport, ip(destination), inner ?? port, to: ip(source), sourcePort), status: status, id: 1
  )
}
