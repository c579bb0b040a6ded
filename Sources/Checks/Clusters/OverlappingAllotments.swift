import Packets
import Policies
import Syntax

extension Check {
  /// NodePorts that are given to two owners.
  static let overlappingAllotments = Check(
    "overlapping-allotments", "Two blocks of NodePorts have ports in common", .clusters, .error,
    page: Page(
      what: "Looks for two `allot` statements of a cluster whose ports overlap.",
      why: """
        Allotments let teams choose NodePorts without asking each other. Where two blocks overlap, both teams are right \
        and one of them fails.
        """,
      example: """
        owner shop { contact "shop@example.org" }
        owner games { contact "games@example.org" }
        cluster prod {
          pods 10.42.0.0/16
          allot 30000-30019 to shop
          allot ↓30010-30029 to games
        }
        """,
      instead: """
        owner shop { contact "shop@example.org" }
        owner games { contact "games@example.org" }
        cluster prod {
          pods 10.42.0.0/16
          allot 30000-30019 to shop
          allot 30020-30029 to games
        }
        """),
    flagged: [
      """
      owner shop { contact "shop@example.org" }
      owner games { contact "games@example.org" }
      cluster prod {
        pods 10.42.0.0/16
        allot 30000-30079 to shop
        allot ↓30010-30019 to games
        allot ↓30030-30039 to shop
      }
      """
    ]
  ) { inspection in
    let policy = inspection.policy
    return policy.clusters.flatMap { cluster in
      var findings: [Finding] = []
      // They are in the order of their ports, so that the widest so far is the only one to compare with.
      var widest: Allotment?
      for allotment in cluster.allotments {
        if let first = widest, first.ports.value.overlaps(allotment.ports.value) {
          let owner = policy[allotment.owner].name.value
          findings.append(
            Finding(
              "\(allotment.ports.value) and \(first.ports.value) have NodePorts in common", about: owner,
              at: .init(allotment.ports.span, "given to `\(owner)`"),
              also: [.init(first.ports.span, "given to `\(policy[first.owner].name.value)`")],
              because: "A NodePort belongs to one owner.", help: "Move one of the blocks, or make it smaller."))
        }
        if widest.map({ $0.ports.value.upper < allotment.ports.value.upper }) ?? true { widest = allotment }
      }
      return findings
    }
  }
}
