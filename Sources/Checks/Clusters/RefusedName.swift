import Policies
import Syntax

extension Check {
  /// A name that the API server refuses.
  static let refusedName = Check(
    "refused-name", "A workload has a name that Kubernetes refuses", .clusters, .error,
    page: Page(
      what: """
        Looks at the names of services that run as workloads. A published one names a Kubernetes Service, which has at \
        most 63 letters, digits and hyphens, begins with a letter and has no dots (RFC 1035); the others may have \
        dots.
        """,
      why: "The policy allows more than the API server does, which refuses the object when it is applied.",
      example: """
        service ↓shop.web { owner team; purpose "Shop"; port 8443/tcp; expose to internet }
        cluster prod {
          pods 10.42.0.0/16
          workload shop.web { namespace shop; pods app=shop; publish cluster }
        }
        """,
      instead: """
        service shop-web { owner team; purpose "Shop"; port 8443/tcp; expose to internet }
        cluster prod {
          pods 10.42.0.0/16
          workload shop-web { namespace shop; pods app=shop; publish cluster }
        }
        """),
    flagged: [
      """
      service ↓3d { owner team; purpose "Models"; port 8443/tcp; expose to internet }
      cluster prod { pods 10.42.0.0/16; workload 3d { namespace shop; pods app=shop; publish cluster } }
      """
    ],
    allowed: [
      """
      service shop.web { owner team; purpose "Shop"; port 8443/tcp; expose to internet }
      cluster prod { pods 10.42.0.0/16; workload shop.web { namespace shop; pods app=shop } }
      """,
      """
      service shop.web { owner team; purpose "Shop"; port 8443/tcp; expose to internet }
      host web1 { address 192.0.2.10; runs shop.web }
      """,
    ]
  ) { inspection in
    let policy = inspection.policy
    var seen: Set<ID<Service>> = []
    return policy.clusters.flatMap { cluster in
      cluster.workloads.compactMap { workload in
        let name = policy[workload.service].name
        let isPublished = !workload.publications.isEmpty
        guard !(isPublished ? isServiceName(name.value[...]) : isObjectName(name.value)),
          seen.insert(workload.service).inserted
        else { return nil }
        return Finding(
          "`\(name.value)` cannot be the name of a Kubernetes \(isPublished ? "Service" : "object")", about: name.value,
          at: .init(name.span), also: [.init(workload.span, "a workload of `\(cluster.name.value)`")],
          because: "The API server refuses the name.",
          help: isPublished
            ? "Rename the service: at most 63 letters, digits and hyphens, a letter first, no dots."
            : "Rename the service: at most 230 characters, each part between dots at most 63, no hyphen at either end.")
      }
    }
  }

  /// Returns `true` iff `name` is a label of RFC 1035, as the name of a Service has to be.
  private static func isServiceName(_ name: Substring) -> Bool {
    name.first?.isLetter ?? false && isLabel(name)
  }

  /// Returns `true` iff `name` is labels with dots between them, short enough for the name of a file.
  private static func isObjectName(_ name: String) -> Bool {
    // The name of the policy is the name of a file too: `networkpolicy-allow-NAME.yaml`, at most 255 bytes.
    name.utf8.count <= 230
      && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isLabel)
  }

  /// Returns `true` iff `text`, a part of a name of the language, is a label of RFC 1123.
  private static func isLabel(_ text: Substring) -> Bool {
    (1...63).contains(text.utf8.count) && text.first != "-" && text.last != "-" && !text.contains(".")
  }
}
