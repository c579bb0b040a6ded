import Packets
import Policies
import Syntax

extension Check {
  /// An address that two hosts have.
  static let sharedAddress = Check(
    "shared-address", "An address belongs to two hosts", .conflicts, .error,
    page: Page(
      what: "Looks for an address that stands in the declarations of two hosts, or twice in one.",
      why: """
        Audiences that name a host or its services open ports to its addresses. If the address is another host's, the \
        policy opens to a machine that nobody meant, and an invariant that was proved for one host says nothing of the \
        other.
        """,
      example: """
        host web1 { address 192.0.2.10 }
        host web2 { address ↓192.0.2.10 }
        """,
      instead: """
        host web1 { address 192.0.2.10 }
        host web2 { address 192.0.2.11 }
        """)
  ) { inspection in
    var seen: [Address: (host: Host, span: Span)] = [:]
    var findings: [Finding] = []
    for host in inspection.policy.hosts {
      for address in host.addresses {
        guard let first = seen[address.value] else {
          seen[address.value] = (host, address.span)
          continue
        }
        findings.append(
          Finding(
            "\(address.value) is an address of `\(first.host.name.value)` and of `\(host.name.value)`",
            about: host.name.value, at: .init(address.span, "given again here"),
            also: [.init(first.span, "first given to `\(first.host.name.value)` here")],
            because: "What is open to one of them is open to the other.",
            help:
              "Give each host its own addresses. An address that moves between hosts belongs into a zone of its own."
          ))
      }
    }
    return findings
  }
}
