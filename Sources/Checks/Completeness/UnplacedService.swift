import Policies
import Syntax

extension Check {
  /// A service that runs nowhere.
  static let unplacedService = Check(
    "unplaced-service", "A service runs nowhere", .completeness, .warning,
    page: Page(
      what: "Looks for services that no host and no group `runs` and that are no workload of a cluster.",
      why:
        "Its exposures open nothing, and an audience that names it is empty: something was forgotten or is left over.",
      example: """
        service ↓web { owner team; purpose "Site"; port 443/tcp; expose to internet }
        host web1 { address 192.0.2.10 }
        """,
      instead: """
        service web { owner team; purpose "Site"; port 443/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        """)
  ) { inspection in
    let services = inspection.policy.services
    let idle = services.indices.filter { services[$0].placements.isEmpty && services[$0].workloads.isEmpty }
    return idle.map { s in
      let service = services[s]
      return Finding(
        "service `\(service.name.value)` runs nowhere", about: service.name.value,
        at: .init(service.name.span, "no host, group or cluster runs it"),
        because: "Nothing is opened for it, and whoever names it as an audience names nobody.",
        help: "Add `runs \(service.name.value)` to a host or group or a `workload` to a cluster, or remove the service."
      )
    }
  }
}
