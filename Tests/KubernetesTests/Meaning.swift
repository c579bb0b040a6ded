import Firewalls
import Packets
import Policies
import Syntax

/// What a firewall of a cluster means, told as plainly as can be.
struct Meaning {
  /// The firewall.
  let firewall: ClusterFirewall

  /// The date, in UTC.
  let today: CalendarDate

  /// Returns `true` iff `source` may connect to `destination`.
  func allows(_ source: Endpoint, _ destination: Endpoint, _ traffic: Traffic) -> Bool {
    departs(source, destination, traffic) && admits(destination, source, traffic)
  }

  /// Returns `true` iff `pod` accepts `traffic` of `source`.
  func admits(_ pod: Endpoint, _ source: Endpoint, _ traffic: Traffic) -> Bool {
    guard isGoverned(pod) else { return true }
    return firewall.workloads.contains { workload in
      guard runs(workload, in: pod) else { return false }
      let isExposed = workload.admissions.contains { admission in
        (admission.until.map { today <= $0 } ?? true) && admission.traffic.contains { $0.contains(traffic) }
          && admission.peers.contains { self.has($0, source) }
          && !admission.exceptions.contains(known(Address(source.address)))
          && !admission.refusedPods.contains { self.has($0, source) }
      }
      guard !isExposed, let controller = firewall.ingress else { return isExposed }
      let isController =
        source.namespace == controller.namespace.value
        && controller.labels.allSatisfy { source.labels[$0.key] == $0.value }
      return isController
        && workload.publications.contains { publication in
          guard case .ingress = publication.kind, !publication.audience.isEmpty else { return false }
          return publication.ports.contains { workload.ports[$0].traffic.contains(traffic) }
        }
    }
  }

  /// Returns `true` iff `pod` may send `traffic` to `destination`.
  func departs(_ pod: Endpoint, _ destination: Endpoint, _ traffic: Traffic) -> Bool {
    guard isGoverned(pod) else { return true }
    return firewall.workloads.contains { workload in
      guard runs(workload, in: pod) else { return false }
      let active = workload.departures.filter { $0.until.map { today <= $0 } ?? true }
      let isUsed = active.contains { departure in
        (departure.traffic?.contains { $0.contains(traffic) } ?? true)
          && departure.peers.contains { self.has($0, destination) }
      }
      let isDNS =
        destination.namespace == "kube-system" && destination.labels["k8s-app"] == "kube-dns"
        && (traffic == .ports(.tcp, PortRange(53)) || traffic == .ports(.udp, PortRange(53)))
      return isUsed || isDNS && !active.isEmpty
    }
  }

  /// Returns `true` iff `peer` has `endpoint`.
  private func has(_ peer: Peer, _ endpoint: Endpoint) -> Bool {
    switch peer {
    case .everyone: true
    case .addresses(let addresses): addresses.contains(known(Address(endpoint.address)))
    case .pods(let namespace, let labels):
      endpoint.namespace == namespace && labels.allSatisfy { endpoint.labels[$0.key] == $0.value }
    }
  }

  /// Returns `true` iff the policy speaks of the namespace of `pod`.
  private func isGoverned(_ pod: Endpoint) -> Bool { firewall.workloads.contains { $0.namespace == pod.namespace } }

  /// Returns `true` iff `pod` is one of `workload`.
  private func runs(_ workload: PodFirewall, in pod: Endpoint) -> Bool {
    workload.namespace == pod.namespace && workload.labels.allSatisfy { pod.labels[$0.key] == $0.value }
  }
}
