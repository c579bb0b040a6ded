public import Firewalls
public import Policies
public import Syntax
import Packets

/// What checks look at: a policy, and what is derived from it once for all of them.
public struct Inspection: Sendable {
  /// The policy.
  public let policy: Policy

  /// The firewalls of the hosts, by position.
  public let firewalls: [Firewall]

  /// The day, in UTC.
  public let today: CalendarDate

  /// The addresses of everyone in the policy.
  public let book: AddressBook

  /// The derivation of the firewalls.
  let lowering: Lowering

  /// Every exposure, in the order of services.
  let exposures: [ExposureView]

  /// Every exposure of each service, by the service's position.
  let exposuresOfService: [Range<Int>]

  /// Who is named anywhere.
  let mentions: Mentions

  /// The zones that some host binds an interface to, and those that are made of such zones.
  let boundZones: Set<ID<Zone>>

  /// Creates the inspection of what `lowering` derives, the `firewalls` of its hosts among it, on the day `today`.
  public init(_ lowering: Lowering, firewalls: [Firewall], today: CalendarDate) {
    policy = lowering.policy
    book = lowering.book
    self.lowering = lowering
    self.firewalls = firewalls
    self.today = today
    var exposures: [ExposureView] = []
    var ranges: [Range<Int>] = []
    for s in lowering.policy.services.indices {
      let start = exposures.count
      for e in lowering.policy.services[s].exposures.indices {
        exposures.append(ExposureView(.init(service: ID(s), index: e), in: lowering))
      }
      ranges.append(start..<exposures.count)
    }
    boundZones = lowering.policy.boundZones
    mentions = Mentions(lowering.policy)
    self.exposures = exposures
    exposuresOfService = ranges
  }

  /// The exposures that have not lapsed.
  var activeExposures: some Sequence<ExposureView> {
    exposures.lazy.filter { !$0.exposure.provenance.hasLapsed(on: today) }
  }
}

/// An exposure with what is derived from it.
///
/// It is immutable, and a class because every check goes through all of them: a copy of the value would count a dozen
/// references each time.
final class ExposureView: Sendable {
  /// The service.
  let service: ID<Service>

  /// The exposure.
  let exposure: Exposure

  /// The public traffic, each with what listens behind it.
  let traffic: [(public: Traffic, listening: Traffic)]

  /// The addresses of the audience, without its exceptions.
  let audience: AddressSet

  /// `true` iff the audience is as good as the Internet.
  let isInternet: Bool

  /// Creates the view of the exposure at `reference`.
  init(_ reference: Lowering.ExposureReference, in lowering: Lowering) {
    service = reference.service
    exposure = lowering.policy.services[reference.service.rawValue].exposures[reference.index]
    traffic = lowering.publicTraffic(of: reference)
    audience = lowering.audience(of: reference)
    isInternet = Width.isInternet(audience)
  }

  /// The statement.
  var span: Span { exposure.provenance.span }

  /// Where the audience is written.
  var audienceSpan: Span {
    let parties = exposure.audience.parties
    guard let first = parties.first?.span, let last = parties.last?.span else { return span }
    return first.union(last)
  }
}

extension Inspection {
  /// Returns the addresses of the audience of `view` without those of zones that have none written and that every host
  /// where the service is open tells by its interfaces.
  func spread(of view: ExposureView) -> AddressSet {
    guard view.isInternet, policy[view.service].workloads.isEmpty,
      view.exposure.audience.parties.contains(where: { isWithoutAddresses($0.value) })
    else { return view.audience }
    let audience = view.exposure.audience
    let hosts = view.exposure.via.map { [$0.value] } ?? policy[view.service].placements.map(\.host)
    let others = audience.parties.filter { party in
      guard case .zone(let zone) = party.value, isWithoutAddresses(party.value) else { return true }
      return !hosts.allSatisfy { host in
        policy[host].interfaces.contains { i in !i.isInternet && i.zones.contains { $0.value == zone } }
      }
    }
    return others.isEmpty ? AddressSet() : book.addresses(of: Audience(others, except: audience.exceptions))
  }

  /// Returns `true` iff `party` is a zone that is told by interfaces alone.
  private func isWithoutAddresses(_ party: Party) -> Bool {
    if case .zone(let zone) = party { !policy[zone].hasAddresses && policy[zone].members.isEmpty } else { false }
  }
}

extension Policy {
  /// The zones that some host binds an interface to, and those that are made of such zones.
  fileprivate var boundZones: Set<ID<Zone>> {
    var users: [ID<Zone>: [ID<Zone>]] = [:]
    for (i, zone) in zones.enumerated() { for member in zone.members { users[member, default: []].append(ID(i)) } }
    var result = Set<ID<Zone>>()
    var next = hosts.flatMap { $0.interfaces.flatMap { $0.zones.map(\.value) } }
    while let zone = next.popLast() {
      if result.insert(zone).inserted { next += users[zone] ?? [] }
    }
    return result
  }
}
