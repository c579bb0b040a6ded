import Firewalls
import Packets
import Policies
import Syntax

/// The parts of an invariant, as the firewalls see them.
struct Claim {
  /// The invariant.
  let invariant: Invariant

  /// The services that it is about; nothing means that it is not about services.
  let services: Set<ID<Service>>?

  /// The addresses that it is about; nothing means all.
  let places: AddressSet?

  /// The ports that it is about; none means all.
  let traffic: [Traffic]

  /// Creates the claim of `invariant`.
  init(_ invariant: Invariant, in inspection: Inspection) {
    self.invariant = invariant
    traffic = invariant.traffic.map(\.value)
    var services = Set<ID<Service>>()
    var places = AddressSet()
    var hasServices = invariant.targets.isEmpty
    var hasPlaces = invariant.targets.isEmpty
    for target in invariant.targets {
      if let found = inspection.lowering.services(standingFor: target.value) {
        services.formUnion(found)
        hasServices = true
      } else {
        places = places.union(inspection.book.addresses(of: target.value))
        hasPlaces = true
      }
    }
    self.services = hasServices ? services : nil
    self.places = hasPlaces ? (invariant.targets.isEmpty ? .all : places) : nil
  }

  /// Returns `true` iff `opening` of `firewall` is what the claim is about.
  func concerns(_ opening: Opening, of firewall: Firewall) -> Bool {
    guard traffic.isEmpty || traffic.contains(where: { $0.overlaps(opening.traffic) }) else { return false }
    if invariant.targets.isEmpty { return true }
    if let services, let service = opening.cause.service, services.contains(service) { return true }
    guard let places else { return false }
    return places.intersects(opening.destinations ?? firewall.addresses) || opening.forwards(to: places)
  }

  /// Returns `true` iff the claim is about `opening`, which concerns it, at whatever address of its host.
  func concernsAllAddresses(of opening: Opening) -> Bool {
    if invariant.targets.isEmpty { return true }
    if let services, let service = opening.cause.service, services.contains(service) { return true }
    return places.map(opening.forwards) ?? false
  }

  /// Returns `true` iff the pods of `service` in `cluster` are what the claim is about.
  func concerns(_ service: ID<Service>, in cluster: Cluster) -> Bool {
    if invariant.targets.isEmpty || services?.contains(service) ?? false { return true }
    return places?.intersects(cluster.pods) ?? false
  }
}

/// What lets connections in to what a `never` is about, on a host.
struct Door {
  /// Where it is.
  let places: AddressSet

  /// The opening.
  let opening: Opening

  /// The firewall of the host.
  let firewall: Firewall

  /// Creates the door that `opening` of `firewall` is.
  init(_ opening: Opening, of firewall: Firewall) {
    places = opening.destinations ?? firewall.addresses
    self.opening = opening
    self.firewall = firewall
  }
}

extension Opening {
  /// Returns `true` iff what is let in is sent on to one of `places`.
  fileprivate func forwards(to places: AddressSet) -> Bool {
    if case .forward(let targets, _)? = translation { targets.contains(where: places.contains) } else { false }
  }
}

extension Firewall {
  /// Returns who is refused on part of `traffic` on the day `today` or later, somewhere on the host.
  func perhapsRefused(_ traffic: Traffic, on today: CalendarDate) -> [Reach] {
    blocks.filter { block in
      (block.until.map { today <= $0 } ?? true) && (block.traffic?.contains { $0.overlaps(traffic) } ?? true)
        && (block.destinations?.intersects(addresses) ?? true)
    }
    .flatMap(\.sources)
  }
}

extension Inspection {
  /// The addresses of hosts and pods, which judge by themselves what comes to them.
  var guarded: AddressSet { AddressSet(unionOf: firewalls.map(\.addresses) + policy.clusters.map(\.pods)) }

  /// Addresses that belong to nobody whom the policy names: no zone (but one as wide as the Internet), host or cluster.
  ///
  /// In an invariant `internet` means these: `never internet to class database` is about strangers, and an exposure to
  /// a service of the policy is no breach of it.
  var strangers: AddressSet {
    var ranges: [AddressRange] = []
    for zone in policy.zones where !Width.isInternet(zone.addresses) { ranges += zone.addresses.ranges }
    for host in policy.hosts { ranges += host.addresses.map { AddressRange($0.value) } }
    for cluster in policy.clusters { ranges += cluster.pods.ranges + cluster.nodeAddresses.ranges }
    return AddressSet.all.subtracting(AddressSet(ranges).union(.loopback))
  }

  /// Returns where packets of the audience of an invariant come from, as the host of `firewall` sees them.
  func sources(of audience: Audience, seenBy firewall: Firewall, strangers: AddressSet) -> [Reach] {
    let vantage = lowering.view(from: firewall.host)
    let included = audience.parties.flatMap { party in
      party.value == .internet ? self.strangers(strangers, seenBy: firewall) : vantage(party.value)
    }
    return included.subtracting(audience.exceptions.flatMap { vantage($0.value) })
  }

  /// Returns where `strangers` come from, as the host of `firewall` sees them: what arrives on an interface that is
  /// bound to other zones alone and is of their addresses is of these zones.
  private func strangers(_ strangers: AddressSet, seenBy firewall: Firewall) -> [Reach] {
    if strangers.isAll { return [.everywhere] }
    let named = policy[firewall.host].interfaces.filter { !$0.isInternet }.map { interface in
      Reach(
        AddressSet(unionOf: interface.zones.map { policy[$0.value].addresses }), on: .only([interface.name.value]))
    }
    return [Reach(strangers)].subtracting(named)
  }

  /// Returns the interfaces of `host` that are bound to the Internet, in ascending order.
  func internetInterfaces(of host: ID<Host>) -> [String] {
    Set(policy[host].interfaces.filter(\.isInternet).map(\.name.value)).sorted()
  }

  /// Returns `sources` of `audience` without those that are nobody of it: a private source that comes in on an
  /// interface of the Internet is spoofed, and is part of no audience but `internet`.
  func honest(_ sources: [Reach], of audience: Audience, on host: ID<Host>) -> [Reach] {
    let interfaces = internetInterfaces(of: host)
    guard !interfaces.isEmpty, !audience.parties.contains(where: { $0.value == .internet }) else { return sources }
    return sources.subtracting([Reach(.privateNetworks, on: .only(interfaces))])
  }
}

extension [Reach] {
  /// Returns what is in both `self` and `other`, normalized.
  func intersection(_ other: [Reach]) -> [Reach] {
    flatMap { a in
      other.map { b in
        Reach(a.addresses.intersection(b.addresses), on: a.interfaces.intersection(b.interfaces))
      }
    }
    .normalized
  }

  /// The lowest address of the parts and a set of interfaces that it is on, as words, if there is one.
  ///
  /// An address of 0.0.0.0/8, which is nobody's (RFC 791), is named only if there is no other.
  var witness: String? {
    guard let part = first else { return nil }
    let usual = part.addresses.intersection(Width.publicNetworks).subtracting(Width.thisNetwork)
    guard let range = usual.ranges.first ?? part.addresses.ranges.first else { return nil }
    let somebody = Address(.ipv4, 0x0100_0001)
    let address = range.lower < somebody && range.contains(somebody) ? somebody : range.lower
    return switch part.interfaces {
    case .only(let names): "\(address) on \(names.joined(separator: " or "))"
    case .except: "\(address)"
    }
  }
}
