public import Packets
public import Policies
import Syntax

/// Derives the firewall of each host and cluster from a policy.
///
/// - Requires: the policy was resolved without an error.
public struct Lowering: Sendable {
  /// The policy.
  public let policy: Policy

  /// The addresses of everyone in the policy.
  public let book: AddressBook

  /// The exposures that a router forwards, by its position among the hosts.
  let forwarded: [[ExposureReference]]

  /// The clusters that a host is a node of, by its position among the hosts.
  let clustersOfNode: [[ID<Cluster>]]

  /// The position of the first exposure of each service in the lists of what is derived of every exposure.
  private let firstExposure: [Int]

  /// The public traffic of every exposure, in the order of services.
  private let traffic: [[(public: Traffic, listening: Traffic)]]

  /// The addresses of the audience of every exposure, in the order of services.
  private let audiences: [AddressSet]

  /// The services of each owner, by its position.
  private let servicesOfOwner: [Set<ID<Service>>]

  /// The services of each class.
  private let servicesOfClass: [String: Set<ID<Service>>]

  /// An exposure of a service.
  public struct ExposureReference: Sendable, Hashable {
    /// The service.
    public let service: ID<Service>

    /// The position of the exposure among those of the service.
    public let index: Int

    /// Creates the reference to the exposure at `index` of `service`.
    public init(service: ID<Service>, index: Int) {
      self.service = service
      self.index = index
    }
  }

  /// Creates the lowering of `policy`.
  public init(_ policy: Policy) {
    var forwarded = [[ExposureReference]](repeating: [], count: policy.hosts.count)
    var ofOwner = [Set<ID<Service>>](repeating: [], count: policy.owners.count)
    var ofClass: [String: Set<ID<Service>>] = [:]
    for s in policy.services.indices {
      if let owner = policy.services[s].owner { ofOwner[owner.rawValue].insert(ID(s)) }
      for name in policy.services[s].classes { ofClass[name.value, default: []].insert(ID(s)) }
      for e in policy.services[s].exposures.indices {
        guard let router = policy.services[s].exposures[e].via?.value else { continue }
        forwarded[router.rawValue].append(ExposureReference(service: ID(s), index: e))
      }
    }
    var clusters = [[ID<Cluster>]](repeating: [], count: policy.hosts.count)
    for (c, cluster) in policy.clusters.enumerated() {
      for node in cluster.nodes { clusters[node.rawValue].append(ID(c)) }
    }
    let book = AddressBook(policy)
    var firstExposure: [Int] = []
    var traffic: [[(public: Traffic, listening: Traffic)]] = []
    var audiences: [AddressSet] = []
    firstExposure.reserveCapacity(policy.services.count)
    traffic.reserveCapacity(policy.services.count)
    audiences.reserveCapacity(policy.services.count)
    for s in policy.services.indices {
      firstExposure.append(traffic.count)
      for e in policy.services[s].exposures.indices {
        traffic.append(
          Lowering.publicTraffic(
            of: policy.services[s].exposures[e].ports, as: policy.services[s].exposures[e].publicPort,
            in: policy.services[s].ports))
        audiences.append(book.addresses(of: policy.services[s].exposures[e].audience))
      }
    }
    self.policy = policy
    self.book = book
    self.firstExposure = firstExposure
    self.traffic = traffic
    self.audiences = audiences
    self.forwarded = forwarded
    clustersOfNode = clusters
    servicesOfOwner = ofOwner
    servicesOfClass = ofClass
  }

  /// Returns the public traffic that `exposure` of `service` opens, each with the lowest port that listens behind it.
  ///
  /// `as` names the public ports protocol by protocol; a protocol that it does not name is not opened.
  public func publicTraffic(of exposure: Exposure, in service: Service) -> [(public: Traffic, listening: Traffic)] {
    Lowering.publicTraffic(of: exposure.ports, as: exposure.publicPort, in: service.ports)
  }

  /// Returns the public traffic that `exposure` opens, which is derived once.
  public func publicTraffic(of exposure: ExposureReference) -> [(public: Traffic, listening: Traffic)] {
    traffic[firstExposure[exposure.service.rawValue] + exposure.index]
  }

  /// Returns the addresses of the audience of `exposure`, whatever the interface; they are derived once.
  public func audience(of exposure: ExposureReference) -> AddressSet {
    audiences[firstExposure[exposure.service.rawValue] + exposure.index]
  }

  /// Returns the public traffic of the `exposed` ones of `ports`, which are shown as `publicPort`.
  private static func publicTraffic(
    of exposed: [Int], as publicPort: TrafficList?, in ports: [Port]
  ) -> [(public: Traffic, listening: Traffic)] {
    var result: [(public: Traffic, listening: Traffic)] = []
    for port in exposed {
      for listening in ports[port].traffic {
        guard let publicPorts = publicPort?.value else {
          result.append((listening, listening))
          continue
        }
        if let shown = publicPorts.first(where: { $0.transport == listening.transport }) {
          result.append((shown, listening))
        }
      }
    }
    return result
  }
}

/// How a host tells where packets come from.
struct Vantage: Sendable {
  /// The interfaces that are bound to each zone, in ascending order.
  let interfaces: [ID<Zone>: [String]]

  /// The interfaces that are bound to `internet`, in ascending order.
  let internet: [String]

  /// What cannot honestly arrive: private sources on interfaces that are bound to `internet`.
  let strangers: Reach

  /// Creates the vantage of `host`.
  init(_ host: Host) {
    var interfaces: [ID<Zone>: [String]] = [:]
    for interface in host.interfaces {
      for zone in interface.zones { interfaces[zone.value, default: []].append(interface.name.value) }
    }
    // An interface may be bound twice.
    self.interfaces = interfaces.mapValues { Set($0).sorted() }
    internet = Set(host.interfaces.filter(\.isInternet).map(\.name.value)).sorted()
    strangers = Reach(.privateNetworks, on: .only(internet))
  }
}

extension Lowering {
  /// Returns a function that tells where packets of a party come from, as the host `id` sees them.
  ///
  /// Private sources on interfaces of the Internet are not taken away.
  public func view(from id: ID<Host>) -> (Party) -> [Reach] {
    let vantage = Vantage(policy[id])
    return { reach(of: $0, from: vantage) }
  }

  /// Returns the services that `party` stands for, or nothing if it stands for addresses.
  public func services(standingFor party: Party) -> Set<ID<Service>>? {
    switch party {
    case .service(let service): [service]
    case .owner(let owner): servicesOfOwner[owner.rawValue]
    case .serviceClass(let name): servicesOfClass[name] ?? []
    default: nil
    }
  }
}

extension Lowering {
  /// Returns where packets of the audience of `reference` come from, as `vantage` sees them.
  func sources(of reference: ExposureReference, from vantage: Vantage) -> [Reach] {
    let audience = policy.services[reference.service.rawValue].exposures[reference.index].audience
    let isWritten = audience.parties.allSatisfy { if case .addresses = $0.value { true } else { false } }
    // Addresses that are written out are put together already.
    guard isWritten, audience.exceptions.isEmpty else { return sources(of: audience, from: vantage) }
    return honest([Reach(self.audience(of: reference))], from: vantage).normalized
  }

  /// Returns where packets of `audience` come from, as `vantage` sees them.
  ///
  /// A private source on an interface of the Internet is nobody but `internet`; an exception is not weakened by that.
  func sources(of audience: Audience, from vantage: Vantage) -> [Reach] {
    if audience.parties.count == 1, audience.exceptions.isEmpty {
      return honest(audience.parties[0].value, from: vantage).normalized
    }
    // Addresses that are written out are one reach, since there may be many.
    var written: [AddressRange] = []
    var included: [Reach] = []
    for party in audience.parties {
      if case .addresses(let range) = party.value {
        written.append(range)
      } else {
        included += honest(party.value, from: vantage)
      }
    }
    if !written.isEmpty { included += honest([Reach(AddressSet(written))], from: vantage) }
    guard !audience.exceptions.isEmpty else { return included.normalized }
    return included.subtracting(audience.exceptions.flatMap { reach(of: $0.value, from: vantage) })
  }

  /// Returns where packets of `party` honestly come from, as `vantage` sees them.
  private func honest(_ party: Party, from vantage: Vantage) -> [Reach] {
    let reaches = reach(of: party, from: vantage)
    return party == .internet ? reaches : honest(reaches, from: vantage)
  }

  /// Returns what can honestly arrive of `reaches`, which are not those of `internet`.
  private func honest(_ reaches: [Reach], from vantage: Vantage) -> [Reach] {
    guard !vantage.internet.isEmpty,
      reaches.contains(where: { $0.addresses.intersects(.privateNetworks) })
    else { return reaches }
    return reaches.subtracting([vantage.strangers])
  }

  /// Returns the addresses of `parties`, and the interfaces that `vantage` binds to their zones.
  func reach(of parties: [Spelled<Party>], from vantage: Vantage) -> [Reach] {
    parties.flatMap { reach(of: $0.value, from: vantage) }.normalized
  }

  /// Returns the addresses of `party`, and the interfaces that `vantage` binds to it if it is a zone.
  func reach(of party: Party, from vantage: Vantage) -> [Reach] {
    switch party {
    case .internet: [.everywhere]
    // What the host sends to itself arrives over loopback, which is always open.
    case .localhost: []
    case .zone(let zone):
      if vantage.interfaces.isEmpty {
        [Reach(policy[zone].addresses)]
      } else {
        zoneReach(zone, from: vantage)
      }
    default: [Reach(book.addresses(of: party))]
    }
  }

  /// Returns the addresses and interfaces of `zone`; the zones that it is made of keep their own interfaces.
  private func zoneReach(_ zone: ID<Zone>, from vantage: Vantage) -> [Reach] {
    // A zone may be a part of several that are parts of one; each is looked at once.
    var known: [ID<Zone>: [Reach]] = [:]
    func find(_ zone: ID<Zone>) -> [Reach] {
      if let reaches = known[zone] { return reaches }
      let declaration = policy[zone]
      let result: [Reach]
      if let interfaces = vantage.interfaces[zone] {
        result = [Reach(declaration.addresses, on: .only(interfaces))]
      } else if declaration.members.isEmpty {
        result = [Reach(declaration.addresses)]
      } else {
        let parts = ([Reach(declaration.ownAddresses)] + declaration.members.flatMap(find)).normalized
        result = parts.map { Reach($0.addresses.intersection(declaration.addresses), on: $0.interfaces) }
      }
      known[zone] = result
      return result
    }
    return find(zone)
  }
}
