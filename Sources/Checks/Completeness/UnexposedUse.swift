import Firewalls
import Packets
import Policies
import Syntax

extension Check {
  /// A use that nothing opens.
  static let unexposedUse = Check(
    "unexposed-use", "A service uses another one that is not exposed to it", .completeness, .warning,
    page: Page(
      what: """
        Looks for `uses` of a service none of whose exposures has the using service in its audience, or only on other \
        ports than those of `on`. Pods of one cluster are told apart by namespace and labels, everyone else by address.
        """,
      why: "The connection will be refused: the service fails when the policy is applied.",
      example: """
        service db { owner team; purpose "Ledger"; port 5432/tcp; expose to 10.0.0.7 }
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet; uses ↓db }
        host db1 { address 10.0.0.1; runs db }
        host web1 { address 10.0.0.2; runs shop }
        """,
      instead: """
        service db { owner team; purpose "Ledger"; port 5432/tcp; expose to shop }
        service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet; uses db }
        host db1 { address 10.0.0.1; runs db }
        host web1 { address 10.0.0.2; runs shop }
        """),
    flagged: [
      """
      service db { owner team; purpose "Ledger"; port 5432/tcp; expose to shop }
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet; uses ↓db on 5433/tcp }
      host db1 { address 10.0.0.1; runs db }
      host web1 { address 10.0.0.2; runs shop }
      """,
      // Pods are told by their labels: those of another service do not stand for these.
      """
      service db { owner team; purpose "Ledger"; port 5432/tcp; expose to audit }
      service audit { owner team; purpose "Audit"; port 8081/tcp; expose to internet; uses db }
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet; uses ↓db }
      cluster prod {
        pods 10.42.0.0/16
        workload db { namespace data; pods app=db }
        workload audit { namespace shop; pods app=audit }
        workload shop { namespace shop; pods app=shop }
      }
      """,
      """
      service db { owner team; purpose "Ledger"; port 5432/tcp; expose to team except shop }
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet; uses ↓db }
      cluster prod {
        pods 10.42.0.0/16
        workload db { namespace data; pods app=db }
        workload shop { namespace shop; pods app=shop }
      }
      """,
    ],
    allowed: [
      """
      zone pods { 10.42.0.0/16 }
      service db { owner team; purpose "Ledger"; port 5432/tcp; expose to pods }
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet; uses db }
      cluster prod {
        pods 10.42.0.0/16
        workload db { namespace data; pods app=db }
        workload shop { namespace shop; pods app=shop }
      }
      """,
      // What admits every pod of an application admits those of one of its parts.
      """
      service db { owner team; purpose "Ledger"; port 5432/tcp; expose to suite }
      service suite { owner team; purpose "Suite"; port 8081/tcp; expose to internet; uses db }
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet; uses db }
      cluster prod {
        pods 10.42.0.0/16
        workload db { namespace data; pods app=db }
        workload suite { namespace shop; pods app=suite }
        workload shop { namespace shop; pods app=suite, part=shop }
      }
      """,
      // From outside the cluster, its pods are all alike.
      """
      service db { owner team; purpose "Ledger"; port 5432/tcp; expose to audit }
      service audit { owner team; purpose "Audit"; port 8081/tcp; expose to internet; uses db }
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet; uses db }
      host db1 { address 10.0.0.1; runs db }
      cluster prod {
        pods 10.42.0.0/16
        workload audit { namespace shop; pods app=audit }
        workload shop { namespace shop; pods app=shop }
      }
      """,
      // Two exposures together reach both places of the client.
      """
      service db { owner team; purpose "Ledger"; port 5432/tcp; expose to 10.0.0.2; expose to 10.0.0.3 }
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet; uses db on 5432/tcp }
      host db1 { address 10.0.0.1; runs db }
      host web1 { address 10.0.0.2; runs shop }
      host web2 { address 10.0.0.3; runs shop }
      """,
    ]
  ) { inspection in
    let policy = inspection.policy
    var doors: [ID<Service>: Doors] = [:]
    return policy.services.indices.flatMap { s -> [Finding] in
      policy.services[s].uses.filter { !$0.provenance.hasLapsed(on: inspection.today) }.flatMap { use in
        use.targets.compactMap { target -> Finding? in
          guard case .service(let server) = target.value,
            !doors[server, default: Doors(of: server, in: inspection)].admit(ID(s), on: use.traffic.map(\.value))
          else { return nil }
          let name = policy.services[s].name.value
          let used = policy[server].name
          return Finding(
            "`\(name)` uses `\(used.value)`, which is not exposed to it", about: name,
            at: .init(target.span, "its connections are refused"), also: [.init(used.span, "declared here")],
            because: "Without an exposure the connection is closed.",
            help: "Add `expose to \(name)` to service `\(used.value)`, or remove the use.")
        }
      }
    }
  }
}

/// To whom a service is open, found out once for all of its clients.
private struct Doors {
  /// The active exposures of the service.
  private let views: [ExposureView]

  /// The clusters that the service runs on.
  private let clusters: Set<ID<Cluster>>

  /// The parties of the exposures without exceptions, each with the public traffic that is open to it.
  private var named: [Party: [Traffic]] = [:]

  /// Everyone who is let in on certain ports; no list of ports means any.
  private var audiences: [[Traffic]: Entrants] = [:]

  /// What the service is part of.
  private let inspection: Inspection

  /// Collects the exposures of `service`.
  init(of service: ID<Service>, in inspection: Inspection) {
    self.inspection = inspection
    views = inspection.exposures[inspection.exposuresOfService[service.rawValue]]
      .filter { !$0.exposure.provenance.hasLapsed(on: inspection.today) }
    clusters = Set(inspection.policy[service].workloads.map(\.cluster))
    for view in views where view.exposure.audience.exceptions.isEmpty {
      for party in view.exposure.audience.parties { named[party.value, default: []] += view.traffic.map(\.public) }
    }
  }

  /// Returns `true` iff all places of `client` are let in on some of the ports `wanted`, or on any if there are none.
  mutating func admit(_ client: ID<Service>, on wanted: [Traffic]) -> Bool {
    let policy = inspection.policy
    var names = [Party.internet, .service(client)] + policy[client].classes.map { .serviceClass($0.value) }
    if let owner = policy[client].owner { names.append(.owner(owner)) }
    let isNamed = names.contains { name in
      named[name]?.contains { traffic in wanted.isEmpty || wanted.contains { $0.overlaps(traffic) } } ?? false
    }
    if isNamed { return true }
    let entrants = audiences[wanted] ?? Entrants(of: views, on: wanted, clusters, in: inspection)
    audiences[wanted] = entrants
    var places = policy[client].placements.map { inspection.book.addresses(of: .host($0.host)) }
    var pods: [(ID<Cluster>, Workload)] = []
    for reference in policy[client].workloads {
      let cluster = policy[reference.cluster]
      if clusters.contains(reference.cluster) {
        pods.append((reference.cluster, cluster.workloads[reference.index]))
      } else {
        places.append(cluster.pods)
      }
    }
    let addresses = AddressSet(unionOf: places)
    guard !addresses.isEmpty || !pods.isEmpty else { return false }
    return addresses.isSubset(of: entrants.addresses)
      && pods.allSatisfy { entrants.contain($0.1, of: $0.0, with: policy[$0.0].pods) }
  }
}

/// Everyone who is let in.
private struct Entrants {
  /// Those who are told by their addresses, as hosts tell them.
  private(set) var addresses: AddressSet

  /// Those who are told by their addresses, as the pods of a cluster tell them.
  private var addressesInCluster: [ID<Cluster>: AddressSet] = [:]

  /// The labels of pods that are told by them, by the first label, which all of these pods have.
  private var selectors: [Selector: [[String: String]]] = [:]

  /// Pods with a label.
  private struct Selector: Hashable {
    var cluster: ID<Cluster>
    var namespace: String
    var key: String
    var value: String
  }

  /// Collects whom those of `views` let in that are open on some of the ports `wanted`, as hosts and the pods of
  /// `clusters` tell them.
  init(of views: [ExposureView], on wanted: [Traffic], _ clusters: Set<ID<Cluster>>, in inspection: Inspection) {
    let open = views.filter { view in
      wanted.isEmpty || view.traffic.contains { pair in wanted.contains { $0.overlaps(pair.public) } }
    }
    addresses = AddressSet(unionOf: open.map(\.audience))
    for cluster in clusters {
      var places: [AddressSet] = []
      for view in open {
        let audience = view.exposure.audience
        let excepted = Set(inspection.lowering.peers(audience.exceptions.map(\.value), in: cluster))
        for peer in inspection.lowering.peers(audience.parties.map(\.value), in: cluster) where !excepted.contains(peer)
        {
          switch peer {
          case .everyone: places.append(AddressSet.all.subtracting(inspection.book.addresses(of: audience.exceptions)))
          case .addresses(let set): places.append(set.subtracting(inspection.book.addresses(of: audience.exceptions)))
          case .pods(let namespace, let labels):
            guard let (key, value) = labels.min(by: { $0.key < $1.key }) else { continue }
            let selector = Selector(cluster: cluster, namespace: namespace, key: key, value: value)
            selectors[selector, default: []].append(labels)
          }
        }
      }
      addressesInCluster[cluster] = AddressSet(unionOf: places)
    }
  }

  /// Returns `true` iff the pods of `workload` of `cluster`, all of whose pods have addresses of `pods`, are let in.
  func contain(_ workload: Workload, of cluster: ID<Cluster>, with pods: AddressSet) -> Bool {
    if let addresses = addressesInCluster[cluster], !pods.isEmpty, pods.isSubset(of: addresses) { return true }
    if addressesInCluster[cluster]?.isAll ?? false { return true }
    let mine = Dictionary(workload.labels.map { ($0.key, $0.value) }) { first, _ in first }
    return workload.labels.contains { label in
      let selector = Selector(
        cluster: cluster, namespace: workload.namespace.value, key: label.key, value: label.value)
      return selectors[selector]?.contains { $0.allSatisfy { mine[$0.key] == $0.value } } ?? false
    }
  }
}
