import Firewalls
import Kubernetes
import Packets
import Policies
import Support
import Syntax

/// Clusters as no person would write them.
struct RandomCluster {
  static let namespaces = ["alpha", "beta", "gamma"]
  static let labels: [[String: String]] = [
    ["app": "x"], ["app": "y"], ["app": "z", "tier": "front"], ["tier": "front"], ["app": "x", "tier": "back"],
  ]
  static let blocks: [AddressSet] = [
    addresses("203.0.113.0/24"), addresses("198.51.100.7"), addresses("2001:db8:10::/48", "192.0.2.0/25"),
    addresses("10.0.0.0/8"), addresses("203.0.113.64/26", "2001:db8:10:1::/64"), addresses("2001:db8::1"),
    AddressSet.all(.ipv4), AddressSet.all(.ipv6), addresses("10.42.0.0/16", "fd42::/48"), addresses("fd00::/8"),
    AddressSet([AddressRange(from: known(Address("192.0.2.3")), through: known(Address("192.0.2.77")))]),
  ]
  static let refused: [AddressSet] = [
    AddressSet(), AddressSet(), AddressSet(), addresses("203.0.113.66"),
    addresses("203.0.113.0/24", "2001:db8:10:1::5"),
    addresses("192.0.2.66", "2001:db8::/33"), addresses("10.0.0.0/8", "fd42::/48"), AddressSet.all,
    AddressSet.all(.ipv6),
    addresses("0.0.0.0/1"),
  ]
  static let ports: [Traffic] = [
    tcp(80), tcp(8080), tcp(8000, 8010), udp(53), tcp(1, 65535), .ports(.sctp, PortRange(3868)), tcp(65535), udp(8080),
  ]

  /// Returns the cluster of `seed`.
  static func firewall(seed: Int) -> ClusterFirewall {
    var random = SeededGenerator(seed: seed)
    var result = cluster()
    for i in 0..<random.pick([1, 2, 3, 5]) {
      result.workloads.append(
        workload("w\(i)", in: random.pick(namespaces), labels: random.pick(labels), ports: Self.podPorts(&random)) {
          w in
          for _ in 0..<random.pick([0, 1, 2, 4]) {
            var exposure = Admission(
              peers: peers(&random), exceptions: random.pick(refused), traffic: traffic(&random), limit: nil,
              until: until(&random), cause: cause(4 + i))
            if random.onceIn(6) { exposure.refusedPods = [.pods(namespace: "beta", labels: ["app": "y"])] }
            w.admissions.append(exposure)
          }
          for _ in 0..<random.pick([0, 0, 1, 3]) {
            w.departures.append(
              PodDeparture(
                peers: peers(&random), traffic: random.onceIn(4) ? nil : traffic(&random), until: until(&random),
                cause: cause(20 + i)))
          }
          if random.onceIn(3), w.ports[0].traffic.transport == .tcp, known(w.ports[0].traffic.ports).isSingle {
            w.publications.append(publication(ingress("w\(i).example")))
          }
        })
    }
    result.workloads.sort { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
    return result
  }

  /// Publishes workloads of `firewall` in ways that `seed` decides.
  static func publish(_ firewall: inout ClusterFirewall, seed: Int) {
    var random = SeededGenerator(seed: seed + 3_000_000)
    for i in firewall.workloads.indices {
      firewall.workloads[i].ports.append(PodPort(name: "web", traffic: tcp(9000), publicPort: random.pick([nil, 443])))
      let everyone = random.onceIn(2)
      firewall.workloads[i].admissions.append(
        admission(everyone ? .everyone : .addresses(addresses("203.0.113.0/24")), on: [tcp(9000)]))
      for kind in random.pick(
        [
          [.cluster], [nodePort(30100 + UInt16(i))], [loadBalancer()], [loadBalancer(30200 + UInt16(i))],
          [ingress("n\(i).example", "/a/")], [.cluster, nodePort(30300 + UInt16(i)), loadBalancer()],
        ] as [[PublishStatement.Kind]])
      {
        firewall.workloads[i].publications.append(
          publication(kind, to: everyone ? .all : addresses("203.0.113.0/24"), ports: [1]))
      }
    }
  }

  private static func podPorts(_ random: inout SeededGenerator) -> [PodPort] {
    [PodPort(name: nil, traffic: random.pick(ports), publicPort: nil)]
  }

  private static func traffic(_ random: inout SeededGenerator) -> [Traffic] {
    Set((0..<random.pick([1, 1, 2, 3])).map { _ in random.pick(ports) }).sorted()
  }

  private static func until(_ random: inout SeededGenerator) -> CalendarDate? {
    random.pick([nil, nil, nil, "2026-11-21", "2026-11-22", "2027-01-01"]).map { known(CalendarDate($0)) }
  }

  private static func peers(_ random: inout SeededGenerator) -> [Peer] {
    (0..<random.pick([1, 1, 2, 3])).map { _ in
      switch random.pick([0, 1, 1, 1, 2, 2]) {
      case 0: .everyone
      case 1: .addresses(random.pick(blocks))
      default: .pods(namespace: random.pick(namespaces), labels: random.pick(labels))
      }
    }
  }

  /// Addresses outside the cluster at the edges of the blocks.
  private static let outside: [String] = (blocks + refused).flatMap(\.ranges).flatMap { range -> [Address] in
    var values = [range.lower, range.upper]
    if range.lower.value > 0 { values.append(Address(range.family, range.lower.value - 1)) }
    if range.upper.value < range.family.highest { values.append(Address(range.family, range.upper.value + 1)) }
    return values
  }
  .filter { !cluster().pods.contains($0) }.map(\.description)

  /// Returns an end of a connection: a pod of some labels, or an address outside at the edge of some block.
  static func endpoint(_ random: inout SeededGenerator) -> Endpoint {
    if random.onceIn(2) {
      return Endpoint(address: random.pick(outside))
    }
    let suffix = UInt16.random(in: 1...0xffff, using: &random)
    let address = random.onceIn(3) ? "fd42::\(String(suffix, radix: 16))" : "10.42.\(suffix >> 8).\(suffix & 255)"
    if random.onceIn(8) {
      return Endpoint(address: address, namespace: "kube-system", labels: ["k8s-app": "kube-dns"])
    }
    if random.onceIn(8) {
      return Endpoint(
        address: address, namespace: "ingress-nginx", labels: ["app.kubernetes.io/name": "ingress-nginx"])
    }
    var labels = random.pick(labels)
    if random.onceIn(3) { labels["pod-template-hash"] = "abc" }
    if random.onceIn(5) { labels["tier"] = "front" }
    return Endpoint(address: address, namespace: random.pick(namespaces + ["other"]), labels: labels)
  }

  /// Returns traffic to a port at the edge of some range.
  static func packet(_ random: inout SeededGenerator) -> Traffic {
    let traffic = random.pick(ports)
    let range = known(traffic.ports)
    let edges = [range.lower, range.upper, range.lower &- 1, range.upper &+ 1]
    return .ports(random.onceIn(6) ? .udp : traffic.transport, PortRange(max(random.pick(edges), 1)))
  }
}
