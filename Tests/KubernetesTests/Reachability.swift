import Foundation
import Kubernetes

/// An end of a connection: a pod, or an address outside the cluster.
struct Endpoint {
  /// The octets of the address.
  var octets: [UInt8]

  /// The address, as people write it.
  var address: String

  /// The namespace, if it is a pod.
  var namespace: String?

  /// The labels, if it is a pod.
  var labels: [String: String]

  /// Creates an end at `address`.
  init(address: String, namespace: String? = nil, labels: [String: String] = [:]) {
    octets = Reachability.octets(address)
    self.address = address
    self.namespace = namespace
    self.labels = labels
  }
}

/// What the network plugin of a cluster lets through, by the documentation of NetworkPolicy (networking.k8s.io/v1).
///
/// It reads what the API server would read, and knows nothing of how it was made.
struct Reachability {
  /// The policies.
  private let policies: [Policy]

  /// `true` iff a block of addresses has pods in it, as in Calico; Cilium matches pods by their labels only.
  let blocksMatchPods: Bool

  private struct Policy {
    var namespace: String
    var pods: [String: String]
    var types: [String]
    var ingress: [Rule]
    var egress: [Rule]
  }

  private struct Rule {
    var peers: [Peer]
    var ports: [Port]
  }

  private enum Peer {
    case block(Block, except: [Block])
    case pods([String: String], namespaces: [String: String]?)
  }

  private struct Block {
    var octets: [UInt8]
    var length: Int
  }

  private struct Port {
    var transport: String
    var numbers: ClosedRange<Int>
  }

  /// Reads `policies` as Yams gave them.
  init(policies: [YAML], blocksMatchPods: Bool) {
    self.blocksMatchPods = blocksMatchPods
    self.policies = policies.map { policy in
      let egress = policy["spec.egress"]?.items ?? []
      // "If no policyTypes are specified on a NetworkPolicy then by default Ingress will always be set and Egress will
      // be set if the NetworkPolicy has any egress rules."
      let types = policy["spec.policyTypes"]?.items.compactMap(\.string) ?? []
      return Policy(
        namespace: policy["metadata.namespace"]?.string ?? "", pods: Self.labels(policy["spec.podSelector"]),
        types: types.isEmpty ? egress.isEmpty ? ["Ingress"] : ["Ingress", "Egress"] : types,
        ingress: (policy["spec.ingress"]?.items ?? []).map { Self.rule($0, "from") },
        egress: egress.map { Self.rule($0, "to") })
    }
  }

  private static func labels(_ selector: YAML?) -> [String: String] {
    selector?.fields["matchLabels"]?.strings ?? [:]
  }

  private static func rule(_ rule: YAML, _ peers: String) -> Rule {
    Rule(
      peers: (rule.fields[peers]?.items ?? []).map { peer in
        if let block = peer.fields["ipBlock"] {
          return .block(Self.block(block["cidr"]), except: (block["except"]?.items ?? []).map { Self.block($0) })
        }
        // Without a namespaceSelector, the namespace is that of the policy.
        return .pods(labels(peer["podSelector"]), namespaces: peer["namespaceSelector"].map { labels($0) })
      },
      ports: (rule.fields["ports"]?.items ?? []).map { port in
        let transport = port["protocol"]?.string ?? "TCP"
        guard let lower = port["port"]?.number else { return Port(transport: transport, numbers: 0...65535) }
        return Port(transport: transport, numbers: lower...(port["endPort"]?.number ?? lower))
      })
  }

  private static func block(_ cidr: YAML?) -> Block {
    let parts = (cidr?.string ?? "").split(separator: "/")
    return Block(octets: octets(String(parts[0])), length: known(Int(parts[1])))
  }

  /// Returns the octets of `address`, as the C library reads it.
  static func octets(_ address: String) -> [UInt8] {
    var four = [UInt8](repeating: 0, count: 4)
    if unsafe inet_pton(AF_INET, address, &four) == 1 { return four }
    var six = [UInt8](repeating: 0, count: 16)
    return unsafe inet_pton(AF_INET6, address, &six) == 1 ? six : []
  }

  /// Returns `true` iff `source` may connect to `destination`; both ends must allow it.
  func allows(_ source: Endpoint, _ destination: Endpoint, _ transport: String, _ port: Int) -> Bool {
    allows("Egress", of: source, peer: destination, transport, port)
      && allows("Ingress", of: destination, peer: source, transport, port)
  }

  /// Returns `true` iff the policies of one `direction` of `pod` admit `peer`.
  func allows(_ direction: String, of pod: Endpoint, peer: Endpoint, _ transport: String, _ port: Int) -> Bool {
    // "If no policy selects the pod for a direction, it is not isolated in it"; what any policy admits is admitted.
    let selecting = policies.filter { policy in
      policy.namespace == pod.namespace && policy.types.contains(direction) && matches(policy.pods, pod.labels)
    }
    guard !selecting.isEmpty else { return true }
    return selecting.contains { policy in
      (direction == "Ingress" ? policy.ingress : policy.egress).contains { rule in
        // An empty list of peers has everyone, one of ports every port.
        (rule.peers.isEmpty || rule.peers.contains { self.has($0, peer, in: policy.namespace) })
          && (rule.ports.isEmpty || rule.ports.contains { $0.transport == transport && $0.numbers.contains(port) })
      }
    }
  }

  /// Returns `true` iff `peer`, of a policy in `namespace`, has `endpoint`.
  private func has(_ peer: Peer, _ endpoint: Endpoint, in namespace: String) -> Bool {
    switch peer {
    case .block(let block, let except):
      guard endpoint.namespace == nil || blocksMatchPods else { return false }
      return contains(block, endpoint.octets) && !except.contains { self.contains($0, endpoint.octets) }
    case .pods(let labels, let namespaces):
      guard let other = endpoint.namespace else { return false }
      let isThere = namespaces.map { matches($0, ["kubernetes.io/metadata.name": other]) } ?? (other == namespace)
      return isThere && matches(labels, endpoint.labels)
    }
  }

  /// Returns `true` iff what has `labels` has all that are `wanted`.
  private func matches(_ wanted: [String: String], _ labels: [String: String]) -> Bool {
    wanted.allSatisfy { labels[$0.key] == $0.value }
  }

  /// Returns `true` iff `block` has the address of `octets`.
  private func contains(_ block: Block, _ octets: [UInt8]) -> Bool {
    guard block.octets.count == octets.count else { return false }
    return (0..<block.length).allSatisfy { bit in
      let mask = UInt8(0x80) >> UInt8(bit % 8)
      return block.octets[bit / 8] & mask == octets[bit / 8] & mask
    }
  }
}
