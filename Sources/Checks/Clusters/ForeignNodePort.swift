import Packets
import Policies
import Syntax

extension Check {
  /// A NodePort that is given to somebody else.
  static let foreignNodePort = Check(
    "foreign-nodeport", "A NodePort lies outside the ports that its owner was allotted", .clusters, .error,
    page: Page(
      what: """
        Compares each `publish nodeport` with the `allot` statements of its cluster: a port inside a block belongs to the \
        owner of the block, and an owner who has blocks takes ports from them alone.
        """,
      why: """
        NodePorts are one space for the whole cluster. Whoever takes a port out of another team's block breaks that team's \
        next release, and the load balancers and firewalls in front, which were opened for the block, let in the wrong \
        service.
        """,
      example: """
        owner shop { contact "shop@example.org" }
        owner games { contact "games@example.org" }
        service lobby { owner games; purpose "Lobby"; port 7000/udp; expose to internet }
        cluster prod {
          pods 10.42.0.0/16
          allot 30000-30009 to shop
          workload lobby { namespace games; pods app=lobby; publish nodeport ↓30005 }
        }
        """,
      instead: """
        owner shop { contact "shop@example.org" }
        owner games { contact "games@example.org" }
        service lobby { owner games; purpose "Lobby"; port 7000/udp; expose to internet }
        cluster prod {
          pods 10.42.0.0/16
          allot 30000-30009 to shop
          allot 30010-30019 to games
          workload lobby { namespace games; pods app=lobby; publish nodeport 30015 }
        }
        """),
    flagged: [
      """
      owner games { contact "games@example.org" }
      service lobby { owner games; purpose "Lobby"; port 7000/udp; expose to internet }
      cluster prod {
        pods 10.42.0.0/16
        allot 30000-30009 to games
        workload lobby { namespace games; pods app=lobby; publish nodeport ↓30015 }
      }
      """
    ],
    allowed: [
      """
      service lobby { owner team; purpose "Lobby"; port 7000/udp; expose to internet }
      cluster prod {
        pods 10.42.0.0/16
        workload lobby { namespace games; pods app=lobby; publish nodeport 30015 }
      }
      """
    ]
  ) { inspection in
    let policy = inspection.policy
    return inspection.nodePorts.compactMap { use in
      let cluster = policy[use.cluster]
      let owner = policy[use.service].owner
      let own = cluster.allotments.filter { $0.owner == owner }
      guard !own.contains(where: { $0.ports.value.contains(use.number.value) }) else { return nil }
      let foreign = cluster.allotments.first { $0.ports.value.contains(use.number.value) }
      guard let place = foreign ?? own.first else { return nil }
      let name = policy[use.service].name.value
      let blocks = own.map { "\($0.ports.value)" }.joined(separator: ", ")
      return Finding(
        foreign == nil
          ? "the NodePort \(use.number.value) of `\(name)` is not among those of \(inspection.ownerName(of: use.service))"
          : "the NodePort \(use.number.value) of `\(name)` belongs to `\(policy[place.owner].name.value)`",
        about: name, at: .init(use.number.span, "`\(name)` is of \(inspection.ownerName(of: use.service))"),
        also: [.init(place.span, "given to `\(policy[place.owner].name.value)`")],
        because: "Ports that are given to an owner are what others have opened and planned for that owner.",
        help: own.isEmpty
          ? "Allot a block to \(inspection.ownerName(of: use.service)), and take the port from it."
          : "Choose a port from \(blocks).")
    }
  }
}
