import Firewalls
import Packets
import Policies
import Syntax

extension Compiler {
  /// How many ports a range may have if a service lists it.
  static let longestList = 100

  /// Adds what publishes the ports of `workload`: one service for each way, and ingresses.
  ///
  /// The first way, from the cluster outwards, has the name of the workload; others have theirs behind it.
  mutating func addServices(for workload: PodFirewall) {
    guard !workload.publications.isEmpty else { return }
    if !ObjectNames.isServiceName(workload.name) {
      diagnostics.append(.serviceName(workload))
      return
    }
    var names: [Way: String] = [:]
    for way in Way.allCases {
      let publications = workload.publications.filter { Way($0.kind) == way }
      guard !publications.isEmpty else { continue }
      let name = names.isEmpty ? workload.name : "\(workload.name)-\(way.rawValue)"
      names[way] = name
      if !ObjectNames.isServiceName(name) { diagnostics.append(.longServiceName(name, for: workload)) }
      addService(name, way, publications, for: workload)
    }
    if let name = names[.cluster] { addIngresses(to: name, for: workload) }
  }

  /// A way to reach ports, from the cluster outwards.
  enum Way: String, CaseIterable {
    case cluster, nodeport, loadbalancer

    /// Creates the way of `kind`; an ingress leads to ports that are open inside the cluster.
    init(_ kind: PublishStatement.Kind) {
      switch kind {
      case .cluster, .ingress: self = .cluster
      case .nodePort: self = .nodeport
      case .loadBalancer: self = .loadbalancer
      }
    }
  }

  /// Adds the service `name` for `publications` of `workload`, all of which go the same way.
  private mutating func addService(
    _ name: String, _ way: Way, _ publications: [PodPublication], for workload: PodFirewall
  ) {
    var ports: [Service.Port] = []
    var origins: [Service.Port: Cause] = [:]
    var nodePorts: [UInt16: Service.Port] = [:]
    for publication in publications {
      for port in servicePorts(of: publication, for: workload) where origins[port] == nil {
        if let other = ports.first(where: { $0.port == port.port && $0.transport == port.transport }) {
          diagnostics.append(
            .servicePortTakenTwice(port, of: name, at: publication.cause, first: origins[other] ?? workload.cause))
        }
        // The API server shares a NodePort between protocols of one port, and with nothing else.
        if let node = port.nodePort {
          let first = nodePorts[node, default: port]
          if first.port != port.port { diagnostics.append(.nodePortForTwo(first, port, at: publication.cause)) }
          nodePorts[node] = first
        }
        origins[port] = publication.cause
        ports.append(port)
      }
    }
    guard !ports.isEmpty else { return }
    ports.sort()
    nameApart(&ports)
    let audience = publications.reduce(AddressSet()) { $0.union($1.audience) }
    let isLocal = publications.contains(where: \.isNarrow)
    var kind = Service.Kind.clusterIP
    switch way {
    case .cluster: break
    case .nodeport: kind = .nodePort(local: isLocal)
    case .loadbalancer:
      for publication in publications where publication.audience.subtracting(firewall.pods).isEmpty {
        diagnostics.append(.publishedToNobody(workload, at: publication.cause))
      }
      // Where everyone but a few may connect, the few are refused by the NetworkPolicy alone.
      let isOpen = publications.contains { isExposedToEveryone($0, of: workload) }
      kind = .loadBalancer(
        local: isLocal, sources: isOpen || audience.isAll ? [] : audience.prefixes(.ipv4) + audience.prefixes(.ipv6))
    }
    add(
      .service(
        Service(
          metadata(name, for: workload),
          selector: Dictionary(workload.labels.map { ($0.key, $0.value) }) { first, _ in first }, kind: kind,
          ports: ports)),
      for: workload.cause)
  }

  /// Returns `true` iff some exposure of a port of `publication` is to everyone, but for exceptions.
  func isExposedToEveryone(_ publication: PodPublication, of workload: PodFirewall) -> Bool {
    workload.admissions.contains { admission in
      admission.peers.contains(.everyone)
        && publication.ports.contains { i in admission.traffic.contains { $0.overlaps(workload.ports[i].traffic) } }
    }
  }

  /// Returns the ports of a service for `publication`; what a service cannot have is reported.
  func servicePorts(of publication: PodPublication, for workload: PodFirewall, into problems: inout [Diagnostic])
    -> [Service.Port]
  {
    let node = publication.kind.nodePort?.value
    var result: [Service.Port] = []
    for port in publication.ports.map({ workload.ports[$0] }) {
      guard let range = port.traffic.ports, port.traffic.transport.kubernetesName != nil, range.lower > 0 else {
        problems.append(.inexpressible(port.traffic, at: publication.cause))
        continue
      }
      let shown = port.publicPort ?? range.lower
      guard range.count <= (node == nil ? Compiler.longestList : 1), Int(shown) + range.count <= 65_536, shown > 0
      else {
        problems.append(.publishedRange(port.traffic, at: publication.cause))
        continue
      }
      for offset in 0..<UInt16(range.count) {
        let (name, number) = (portName(port, offset), shown + offset)
        result.append(
          .init(
            name: name, transport: port.traffic.transport, port: number, target: range.lower + offset, nodePort: node))
      }
    }
    return result
  }

  /// Returns the ports of a service for `publication`, and reports what a service cannot have.
  private mutating func servicePorts(of publication: PodPublication, for workload: PodFirewall) -> [Service.Port] {
    servicePorts(of: publication, for: workload, into: &diagnostics)
  }

  /// Returns the name of the port that is `offset` behind the lowest of `port`: its own, or one made of its numbers.
  private func portName(_ port: PodPort, _ offset: UInt16) -> String {
    if let name = port.name, ObjectNames.isLabel(name[...]), port.traffic.ports?.isSingle ?? true { return name }
    let number = (port.publicPort ?? port.traffic.ports?.lower ?? 0) + offset
    return "\(port.traffic.transport)-\(number)"
  }

  /// Names those of `ports` that share a name, as with 53/tcp+udp, by protocol and number, and all of them if the
  /// policy gives such a name to another port.
  private func nameApart(_ ports: inout [Service.Port]) {
    let uses = Dictionary(ports.map { ($0.name, 1) }, uniquingKeysWith: +)
    guard uses.count < ports.count else { return }
    var named = ports
    for (i, port) in ports.enumerated() where uses[port.name, default: 0] > 1 { named[i].name = port.numericName }
    if Set(named.map(\.name)).count < named.count {
      for (i, port) in ports.enumerated() { named[i].name = port.numericName }
    }
    ports = named
  }
}

extension Service.Port {
  /// A name made of the protocol and the number, which no other port of the service has.
  fileprivate var numericName: String { "\(transport)-\(port)" }
}
