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
    return places.map { $0.intersects(opening.destinations ?? firewall.addresses) } ?? false
  }
}

extension Inspection {
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
      party.value == .internet ? [Reach(strangers)] : vantage(party.value)
    }
    return included.subtracting(audience.exceptions.flatMap { vantage($0.value) })
  }

  /// Returns `sources` of `audience` without those that are nobody of it: a private source that comes in on an
  /// interface of the Internet is spoofed, and is part of no audience but `internet`.
  func honest(_ sources: [Reach], of audience: Audience, on host: ID<Host>) -> [Reach] {
    let interfaces = policy[host].interfaces.filter(\.isInternet).map(\.name.value).sorted()
    guard !interfaces.isEmpty, !audience.parties.contains(where: { $0.value == .internet }) else { return sources }
    return sources.subtracting([Reach(.privateNetworks, on: .only(interfaces))])
  }

  /// Returns the sources that `opening` lets in and that no block of `firewall` surely refuses.
  func sources(of opening: Opening, in firewall: Firewall) -> [Reach] {
    let refused = firewall.blocks.filter { block in
      block.until == nil && (block.traffic?.contains { $0.contains(opening.traffic) } ?? true)
        && (block.destinations.map { (opening.destinations ?? firewall.addresses).isSubset(of: $0) } ?? true)
    }
    return opening.sources.subtracting(refused.flatMap(\.sources))
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
    guard let part = first, let range = part.addresses.ranges.first else { return nil }
    let somebody = Address(.ipv4, 0x0100_0001)
    let address = range.lower < somebody && range.contains(somebody) ? somebody : range.lower
    return switch part.interfaces {
    case .only(let names): "\(address) on \(names.joined(separator: " or "))"
    case .except: "\(address)"
    }
  }
}
