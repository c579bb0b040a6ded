public import Packets
public import Syntax

/// The addresses of everyone whom a policy names, computed once.
public struct AddressBook: Sendable {
  /// The addresses of each host, by position.
  private let hosts: [AddressSet]

  /// The addresses of each service, by position.
  private let services: [AddressSet]

  /// The addresses of each group, by position.
  private let groups: [AddressSet]

  /// The addresses of each owner, by position.
  private let owners: [AddressSet]

  /// The addresses of each class.
  private let classes: [String: AddressSet]

  /// The addresses of each zone, by position.
  private let zones: [AddressSet]

  /// The addresses of the pods of each cluster, by position.
  private let clusters: [AddressSet]

  /// Creates the book of `policy`.
  public init(_ policy: Policy) {
    let hosts = policy.hosts.map { AddressSet($0.addresses.map(\.value)) }
    let clusters = policy.clusters.map(\.pods)
    // Many services run in the same few places, so that the unions are remembered.
    var unions: [[Int]: AddressSet] = [:]
    func union(_ hostIDs: [Int], _ clusterIDs: [Int]) -> AddressSet {
      let key = hostIDs + clusterIDs.map { ~$0 }
      if let known = unions[key] { return known }
      let result =
        key.count == 1 && clusterIDs.isEmpty
        ? hosts[hostIDs[0]]
        : AddressSet(unionOf: hostIDs.map { hosts[$0] } + clusterIDs.map { clusters[$0] })
      unions[key] = result
      return result
    }
    // By position, since a service that is taken out of its list costs a count of each of its parts.
    services = policy.services.indices.map { s in
      let places = policy.services[s].placements
      // Most services run on one host.
      if places.count == 1, policy.services[s].workloads.isEmpty { return hosts[places[0].host.rawValue] }
      return union(
        policy.services[s].placements.map(\.host.rawValue), policy.services[s].workloads.map(\.cluster.rawValue))
    }
    groups = policy.groups.map { union($0.hosts.map(\.rawValue), []) }
    var ownerHosts = [Set<Int>](repeating: [], count: policy.owners.count)
    var ownerClusters = ownerHosts
    var classHosts: [String: Set<Int>] = [:]
    var classClusters: [String: Set<Int>] = [:]
    for s in policy.services.indices {
      if let owner = policy.services[s].owner {
        for placement in policy.services[s].placements { ownerHosts[owner.rawValue].insert(placement.host.rawValue) }
        for workload in policy.services[s].workloads { ownerClusters[owner.rawValue].insert(workload.cluster.rawValue) }
      }
      guard !policy.services[s].classes.isEmpty else { continue }
      let service = policy.services[s]
      for name in service.classes {
        classHosts[name.value, default: []].formUnion(service.placements.map(\.host.rawValue))
        classClusters[name.value, default: []].formUnion(service.workloads.map(\.cluster.rawValue))
      }
    }
    owners = ownerHosts.indices.map { union(ownerHosts[$0].sorted(), ownerClusters[$0].sorted()) }
    var byClass: [String: AddressSet] = [:]
    for (name, places) in classHosts { byClass[name] = union(places.sorted(), (classClusters[name] ?? []).sorted()) }
    classes = byClass
    zones = policy.zones.map(\.addresses)
    self.hosts = hosts
    self.clusters = clusters
  }

  /// Returns every address that `party` may have, whatever the interface.
  ///
  /// A service is every place that it runs in: the addresses of its hosts and, for workloads, those of the pods of
  /// their cluster.
  public func addresses(of party: Party) -> AddressSet {
    switch party {
    case .internet: .all
    case .localhost: .loopback
    case .zone(let id): zones[id.rawValue]
    case .service(let id): services[id.rawValue]
    case .host(let id): hosts[id.rawValue]
    case .group(let id): groups[id.rawValue]
    case .owner(let id): owners[id.rawValue]
    case .cluster(let id): clusters[id.rawValue]
    case .serviceClass(let name): classes[name] ?? AddressSet()
    case .addresses(let range): AddressSet(range)
    }
  }

  /// Returns every address that one of `parties` may have, whatever the interface.
  public func addresses(of parties: [Spelled<Party>]) -> AddressSet {
    guard parties.count != 1 else { return addresses(of: parties[0].value) }
    // Addresses that are written out are put together at once, since there may be many.
    var written: [AddressRange] = []
    written.reserveCapacity(parties.count)
    var others: [AddressSet] = []
    for party in parties {
      if case .addresses(let range) = party.value {
        written.append(range)
      } else {
        others.append(addresses(of: party.value))
      }
    }
    let result = AddressSet(written)
    return others.isEmpty ? result : AddressSet(unionOf: others + [result])
  }

  /// Returns every address of `audience` without those of its exceptions, whatever the interface.
  public func addresses(of audience: Audience) -> AddressSet {
    let included = addresses(of: audience.parties)
    return audience.exceptions.isEmpty ? included : included.subtracting(addresses(of: audience.exceptions))
  }
}

extension Policy {
  /// Returns `party` as the language writes it.
  public func name(of party: Party) -> String {
    switch party {
    case .internet: "internet"
    case .localhost: "localhost"
    case .zone(let id): "zone \(self[id].name.value)"
    case .service(let id): "service \(self[id].name.value)"
    case .host(let id): "host \(self[id].name.value)"
    case .group(let id): "group \(self[id].name.value)"
    case .owner(let id): "owner \(self[id].name.value)"
    case .cluster(let id): "cluster \(self[id].name.value)"
    case .serviceClass(let name): "class \(name)"
    case .addresses(let range): "\(range)"
    }
  }
}
