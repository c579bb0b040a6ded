import Packets
import Policies
public import Syntax

extension ClusterFirewall {
  /// Returns the ways that lead to the pods of `workload`.
  public func ways(to workload: PodFirewall, on today: CalendarDate) -> [Entrance] {
    publishedWays(to: workload, on: today).map(\.way)
  }

  /// Returns the ways that lead to the pods of `workload`, each with the statement that publishes it.
  ///
  /// A workload has a service for each of the ways, from the cluster outwards, in which its ports are published; the
  /// first has its name.
  func publishedWays(to workload: PodFirewall, on today: CalendarDate) -> [(way: Entrance, cause: Cause)] {
    var result: [(way: Entrance, cause: Cause)] = []
    var named: String?
    for way in ServiceWay.allCases {
      let publications = workload.publications.filter { ServiceWay($0.kind) == way }
      guard !publications.isEmpty else { continue }
      let name = named == nil ? workload.name : "\(workload.name)-\(way.rawValue)"
      if named == nil { named = name }
      // A service keeps the clients' addresses for all of its ports or for none.
      let keepsClient = way != .cluster && publications.contains(where: \.isNarrow)
      let traits: Set<Entrance.Trait> = keepsClient ? [.keepsClient] : []
      let sources = way == .loadbalancer ? balanced(publications, of: workload) : .all
      for publication in publications {
        for port in shownPorts(of: publication, of: workload) {
          let target = Entrance.Target.pods(workload.selector, port: port.listening)
          let shown = Traffic.ports(port.transport, PortRange(port.shown))
          var ways = [Entrance(.service(namespace: workload.namespace, name: name), shown, to: target)]
          if let node = publication.kind.nodePort?.value {
            ways.append(Entrance(.node, .ports(port.transport, PortRange(node)), to: target, traits: traits))
          } else if way != .cluster {
            let door = Door.pickedNodePort(namespace: workload.namespace, name: name)
            ways.append(Entrance(door, shown, to: target, traits: traits))
          }
          if way == .loadbalancer {
            let door = Door.balancer(namespace: workload.namespace, name: name)
            ways.append(Entrance(door, shown, from: sources, to: target, traits: traits))
          }
          result += ways.map { ($0, publication.cause) }
        }
      }
    }
    return result + pages(of: workload, on: today)
  }

  /// Returns the host names and paths that lead to `workload` through the ingress controller.
  private func pages(of workload: PodFirewall, on today: CalendarDate) -> [(way: Entrance, cause: Cause)] {
    guard let ingress else { return [] }
    // ingress-nginx takes what is meant for it alone; others take what names no controller.
    let isNginx = ingress.labels.contains { $0.key == "app.kubernetes.io/name" && $0.value == "ingress-nginx" }
    return workload.publications.compactMap { publication in
      guard case .ingress(let host, let path) = publication.kind, !publication.audience.isEmpty,
        let port = shownPorts(of: publication, of: workload).first
      else { return nil }
      // Where the controller itself is exposed, that says who may connect to it.
      let isGuarded = publication.isNarrow && !isExposedToController(publication, of: workload, on: today)
      let text = path?.value ?? "/"
      let door = Door.web(
        controller: isNginx ? "nginx" : nil, host: host.value,
        path: text.hasSuffix("/") ? String(text.dropLast()) : text, isExact: false)
      let target = Entrance.Target.pods(workload.selector, port: port.listening)
      return (Entrance(door, nil, from: isGuarded ? publication.audience : .all, to: target), publication.cause)
    }
  }

  /// Returns whom the load balancer of `publications` takes: whoever is in the audience of a port, or everyone if everyone
  /// but a few is, who are refused by the pods.
  private func balanced(_ publications: [PodPublication], of workload: PodFirewall) -> AddressSet {
    let isOpen = publications.contains { publication in
      workload.admissions.contains { admission in
        admission.peers.contains(.everyone)
          && publication.ports.contains { i in
            admission.traffic.contains { $0.overlaps(workload.ports[i].traffic) }
          }
      }
    }
    return isOpen ? .all : AddressSet(unionOf: publications.map(\.audience))
  }

  /// Returns each port that `publication` shows, with what listens behind it.
  private func shownPorts(
    of publication: PodPublication, of workload: PodFirewall
  ) -> [(transport: TransportProtocol, shown: UInt16, listening: UInt16)] {
    publication.ports.flatMap { i -> [(transport: TransportProtocol, shown: UInt16, listening: UInt16)] in
      let port = workload.ports[i]
      guard let range = port.traffic.ports else { return [] }
      let distance = Int(port.publicPort ?? range.lower) - Int(range.lower)
      return (range.lower...range.upper).compactMap { listening in
        UInt16(exactly: Int(listening) + distance).map { (port.traffic.transport, $0, listening) }
      }
    }
  }

  /// Returns `true` iff the policy exposes every port of `publication` to the pods of the ingress controller by name.
  func isExposedToController(
    _ publication: PodPublication, of workload: PodFirewall, on today: CalendarDate
  ) -> Bool {
    guard let controller = ingress?.selector else { return false }
    return publication.ports.allSatisfy { port in
      workload.admissions.contains { admission in
        (admission.until.map { today <= $0 } ?? true)
          && admission.traffic.contains { $0.contains(workload.ports[port].traffic) }
          && admission.peers.contains { peer in
            guard case .pods(let namespace, let labels) = peer else { return false }
            // The controller's pods are among those of the peer.
            let named = PodSelector(namespace: namespace, labels: labels)
            return named.intersection(controller) == controller
          }
      }
    }
  }
}

/// A kind of service, from the cluster outwards.
private enum ServiceWay: String, CaseIterable {
  case cluster, nodeport, loadbalancer

  init(_ kind: PublishStatement.Kind) {
    switch kind {
    case .cluster, .ingress: self = .cluster
    case .nodePort: self = .nodeport
    case .loadBalancer: self = .loadbalancer
    }
  }
}
