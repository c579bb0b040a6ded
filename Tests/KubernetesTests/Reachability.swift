import Foundation
import Kubernetes

/// An end of a connection: a pod, or an address outside the cluster.
struct Endpoint {
  /// The address, as people write it.
  var address: String

  /// The namespace, if it is a pod.
  var namespace: String?

  /// The labels, if it is a pod.
  var labels: [String: String] = [:]
}

/// What the network plugin of a cluster lets through, by the documentation of NetworkPolicy (networking.k8s.io/v1).
///
/// It reads what the API server would read, and knows nothing of how it was made.
struct Reachability {
  /// The policies, as Yams read them.
  let policies: [YAML]

  /// `true` iff a block of addresses has pods in it, as in Calico; Cilium matches pods by their labels only.
  let blocksMatchPods: Bool

  /// Returns `true` iff `source` may connect to `destination`; both ends must allow it.
  func allows(_ source: Endpoint, _ destination: Endpoint, _ transport: String, _ port: Int) -> Bool {
    allows("Egress", of: source, peer: destination, transport, port)
      && allows("Ingress", of: destination, peer: source, transport, port)
  }

  /// Returns `true` iff the policies of one `direction` of `pod` admit `peer`.
  func allows(_ direction: String, of pod: Endpoint, peer: Endpoint, _ transport: String, _ port: Int) -> Bool {
    guard let namespace = pod.namespace else { return true }
    // "If no policy selects the pod for a direction, it is not isolated in it"; what any policy admits is admitted.
    let selecting = policies.filter { policy in
      policy["metadata.namespace"]?.string == namespace && types(of: policy).contains(direction)
        && matches(policy["spec.podSelector"], pod.labels)
    }
    guard !selecting.isEmpty else { return true }
    let (rules, peers) = direction == "Ingress" ? ("ingress", "from") : ("egress", "to")
    return selecting.contains { policy in
      (policy["spec"]?.fields[rules]?.items ?? []).contains { rule in
        admits(rule.fields[peers]?.items ?? [], peer, in: namespace)
          && admits(rule.fields["ports"]?.items ?? [], transport, port)
      }
    }
  }

  /// Returns the directions that `policy` isolates.
  private func types(of policy: YAML) -> [String] {
    if let types = policy["spec.policyTypes"]?.items.compactMap(\.string), !types.isEmpty { return types }
    return (policy["spec.egress"]?.items ?? []).isEmpty ? ["Ingress"] : ["Ingress", "Egress"]
  }

  /// Returns `true` iff the `peers` of a rule of a policy in `namespace` have `peer`; an empty list has everyone.
  private func admits(_ peers: [YAML], _ peer: Endpoint, in namespace: String) -> Bool {
    peers.isEmpty
      || peers.contains { item in
        if let block = item.fields["ipBlock"] {
          guard peer.namespace == nil || blocksMatchPods else { return false }
          guard let cidr = block.fields["cidr"]?.string, contains(cidr, peer.address) else { return false }
          return !(block.fields["except"]?.items ?? []).contains { contains($0.string ?? "", peer.address) }
        }
        guard let other = peer.namespace else { return false }
        if let selector = item.fields["namespaceSelector"] {
          guard matches(selector, ["kubernetes.io/metadata.name": other]) else { return false }
        } else if other != namespace {
          return false
        }
        return item.fields["podSelector"].map { matches($0, peer.labels) } ?? true
      }
  }

  /// Returns `true` iff the `ports` of a rule have `port`; an empty list has every port.
  private func admits(_ ports: [YAML], _ transport: String, _ port: Int) -> Bool {
    ports.isEmpty
      || ports.contains { item in
        guard item.fields["protocol"]?.string ?? "TCP" == transport else { return false }
        guard let lower = item.fields["port"]?.number else { return true }
        return (lower...(item.fields["endPort"]?.number ?? lower)).contains(port)
      }
  }

  /// Returns `true` iff `selector` selects what has `labels`; an empty one selects everything.
  private func matches(_ selector: YAML?, _ labels: [String: String]) -> Bool {
    (selector?.fields["matchLabels"]?.strings ?? [:]).allSatisfy { labels[$0.key] == $0.value }
  }

  /// Returns `true` iff the block `cidr` has `address`.
  private func contains(_ cidr: String, _ address: String) -> Bool {
    let parts = cidr.split(separator: "/")
    guard parts.count == 2, let length = Int(parts[1]) else { return false }
    let (network, bytes) = (octets(String(parts[0])), octets(address))
    guard network.count == bytes.count else { return false }
    return (0..<length).allSatisfy { bit in
      let mask = UInt8(0x80) >> UInt8(bit % 8)
      return network[bit / 8] & mask == bytes[bit / 8] & mask
    }
  }

  /// Returns the octets of `address`, as the C library reads it.
  private func octets(_ address: String) -> [UInt8] {
    var four = [UInt8](repeating: 0, count: 4)
    if unsafe inet_pton(AF_INET, address, &four) == 1 { return four }
    var six = [UInt8](repeating: 0, count: 16)
    return unsafe inet_pton(AF_INET6, address, &six) == 1 ? six : []
  }
}
