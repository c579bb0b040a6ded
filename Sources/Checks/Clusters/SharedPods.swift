import Firewalls
import Packets
import Policies
import Syntax

extension Check {
  /// Two workloads that may have the same pods.
  static let sharedPods = Check(
    "shared-pods", "Two workloads of a cluster may select the same pods", .clusters, .warning,
    page: Page(
      what: """
        Compares the labels of workloads in one namespace. Two may have pods in common unless some label has another \
        value in each. Equal labels are taken as meant, for two services in the same pods, if these listen on different \
        ports.
        """,
      why: """
        NetworkPolicies add up: a pod that two of them select accepts what either admits and may connect to what either \
        uses. A label that is too general, or copied, opens the pods of one service to the audience of another, and \
        Services send connections to pods that do not answer them.
        """,
      example: """
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet as 443/tcp }
        service shop-admin { owner team; purpose "Back office"; port 9443/tcp; expose to 192.0.2.0/24 }
        cluster prod {
          pods 10.42.0.0/16
          workload shop { namespace shop; pods app=shop }
          ↓workload shop-admin { namespace shop; pods app=shop, part=admin }
        }
        """,
      instead: """
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet as 443/tcp }
        service shop-admin { owner team; purpose "Back office"; port 9443/tcp; expose to 192.0.2.0/24 }
        cluster prod {
          pods 10.42.0.0/16
          workload shop { namespace shop; pods app=shop, part=front }
          workload shop-admin { namespace shop; pods app=shop, part=admin }
        }
        """),
    flagged: [
      // No label keeps them apart.
      """
      service a { owner team; purpose "A"; port 8001/tcp; expose to 192.0.2.0/24 }
      service b { owner team; purpose "B"; port 8002/tcp; expose to 192.0.2.0/24 }
      cluster prod {
        pods 10.42.0.0/16
        workload a { namespace x; pods app=a }
        ↓workload b { namespace x; pods tier=back }
      }
      """,
      // A copied label: two processes of a pod cannot listen on one port.
      """
      service a { owner team; purpose "A"; port 8001/tcp; expose to 192.0.2.0/24 }
      service b { owner team; purpose "B"; port 8000-8010/tcp; expose to 192.0.2.0/24 }
      cluster prod {
        pods 10.42.0.0/16
        workload a { namespace x; pods app=a }
        ↓workload b { namespace x; pods app=a }
      }
      """,
    ],
    allowed: [
      // A process beside another in one pod.
      """
      service a { owner team; purpose "A"; port 8001/tcp; expose to 192.0.2.0/24 }
      service b { owner team; purpose "B"; port 8002/tcp; expose to 192.0.2.0/24 }
      cluster prod {
        pods 10.42.0.0/16
        workload a { namespace x; pods app=a, tier=front }
        workload b { namespace x; pods tier=front, app=a }
      }
      """,
      """
      service a { owner team; purpose "A"; port 8001/tcp; expose to 192.0.2.0/24 }
      service b { owner team; purpose "B"; port 8001/tcp; expose to 192.0.2.0/24 }
      cluster one { pods 10.42.0.0/16; workload a { namespace x; pods app=a }; workload b { namespace y; pods app=a } }
      cluster two { pods 10.43.0.0/16; workload b { namespace x; pods app=a } }
      """,
    ]
  ) { inspection in
    let policy = inspection.policy
    return policy.clusters.flatMap { cluster -> [Finding] in
      let workloads = cluster.workloads.sorted { $0.span < $1.span }
      return Overlaps(of: workloads, in: policy).pairs.map { later, earlier in
        let (name, other) = (policy[workloads[later].service].name.value, policy[workloads[earlier].service].name.value)
        return Finding(
          "pods of `\(name)` may be pods of `\(other)` too", about: name,
          at: .init(workloads[later].span, "no label keeps them apart"),
          also: [.init(workloads[earlier].span, "selects pods of the same namespace")],
          because: "Such a pod accepts what either service exposes, and may connect to what either uses.",
          help: "Give both a label with different values, such as `app=\(other)` and `app=\(name)`.")
      }
    }
  }
}

/// Which workloads of a cluster may select the same pods without being meant to.
private struct Overlaps {
  /// For each workload that may have pods of an earlier one, the first such.
  var pairs: [(later: Int, earlier: Int)] { first.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

  /// The first earlier workload of each, by position.
  private var first: [Int: Int] = [:]

  /// The workloads.
  private let workloads: [Workload]

  /// Finds those among `workloads` of `policy`.
  ///
  /// Workloads whose labels have the same keys are taken together, so that the time is in proportion as long as a
  /// namespace knows few combinations of keys.
  init(of workloads: [Workload], in policy: Policy) {
    self.workloads = workloads
    var namespaces: [String: [[String]: [Int]]] = [:]
    for (i, workload) in workloads.enumerated() {
      namespaces[workload.namespace.value, default: [:]][workload.labels.map(\.key), default: []].append(i)
    }
    for byKeys in namespaces.values {
      let combinations = byKeys.sorted { $0.key.lexicographicallyPrecedes($1.key) }
      for (i, one) in combinations.enumerated() {
        meet(one.value, in: policy)
        for other in combinations[(i + 1)...] { meet(one.value, other.value, on: one.key.filter(other.key.contains)) }
      }
    }
  }

  /// Notes those of `members`, whose labels have the same keys, that have equal labels and a port in common.
  private mutating func meet(_ members: [Int], in policy: Policy) {
    var known: [[String]: [Int]] = [:]
    for m in members {
      let values = workloads[m].labels.map(\.value)
      let ports = policy[workloads[m].service].ports.flatMap(\.traffic)
      let earlier = known[values]?.first { other in
        policy[workloads[other].service].ports.contains {
          $0.traffic.contains { t in ports.contains { $0.overlaps(t) } }
        }
      }
      if let earlier { note(m, earlier) }
      known[values, default: []].append(m)
    }
  }

  /// Notes those of `members` and `others` whose labels agree on the keys `common`.
  private mutating func meet(_ members: [Int], _ others: [Int], on common: [String]) {
    func values(_ m: Int) -> [String] { workloads[m].labels.filter { common.contains($0.key) }.map(\.value) }
    let left = Dictionary(members.map { (values($0), $0) }, uniquingKeysWith: min)
    let right = Dictionary(others.map { (values($0), $0) }, uniquingKeysWith: min)
    for m in members { if let other = right[values(m)], other < m { note(m, other) } }
    for m in others { if let other = left[values(m)], other < m { note(m, other) } }
  }

  /// Notes that the workload `later` may have pods of `earlier`.
  private mutating func note(_ later: Int, _ earlier: Int) { first[later] = min(first[later] ?? earlier, earlier) }
}
