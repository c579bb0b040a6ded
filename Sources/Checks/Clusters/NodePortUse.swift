import Packets
import Policies
import Syntax

/// A NodePort that a workload is published on.
struct NodePortUse: Sendable {
  /// The cluster.
  var cluster: ID<Cluster>
  /// The service.
  var service: ID<Service>
  /// The number.
  var number: Spelled<UInt16>
  /// The protocols that are published on it.
  var transports: Set<TransportProtocol>
  /// The ports that a Service shows for it, which lead to the same pods.
  var shown: Set<UInt16>
}

extension Inspection {
  /// The NodePorts of every cluster, in the order of the clusters and workloads.
  var nodePorts: [NodePortUse] {
    policy.clusters.indices.flatMap { c in
      policy.clusters[c].workloads.flatMap { workload in
        workload.publications.compactMap { publication in
          guard let number = publication.kind.nodePort else { return nil }
          let service = policy[workload.service]
          let traffic = publication.ports.flatMap { service.ports[$0].traffic }
          let exposed = service.exposures.filter { $0.ports.contains(where: publication.ports.contains) }
          let shown = exposed.flatMap { $0.publicPort?.value.compactMap { $0.ports?.lower } ?? [] }
          return NodePortUse(
            cluster: ID(c), service: workload.service, number: number, transports: Set(traffic.map(\.transport)),
            shown: shown.isEmpty ? Set(traffic.compactMap { $0.ports?.lower }) : Set(shown))
        }
      }
    }
  }

  /// Returns the name of the owner of `service`, in back quotes, or words for none.
  func ownerName(of service: ID<Service>) -> String {
    policy[service].owner.map { "`\(policy[$0].name.value)`" } ?? "no owner"
  }
}

extension Cluster {
  /// The NodePorts that the API server gives out by itself only when the others are taken, so that chosen ones belong
  /// there; nothing if the range is too small for that.
  ///
  /// KEP-3668: the first `min(max(16, size / 32), 128)` of the range, none if that is all of it.
  var staticBand: PortRange? {
    let size = min(max(16, nodePorts.count / 32), 128)
    guard size < nodePorts.count else { return nil }
    return PortRange(from: nodePorts.lower, through: nodePorts.lower + UInt16(size) - 1)
  }
}
