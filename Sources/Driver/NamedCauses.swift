import Firewalls
import Packets
import Policies
import Syntax

/// Finds the named object that makes a change where the line itself is the same on both sides.
///
/// A line speaks of zones, hosts, groups, services, owners, classes and clusters, and these of others. One of them of which
/// what is written of it alone differs is the cause: the one whose addresses explain the change, or the only one.
struct NamedCauses {
  /// Where a line is enforced.
  enum Place {
    /// On the host of that name.
    case host(String)
    /// On the pods of the cluster of that name.
    case cluster(String)

    /// Returns `true` iff `policy` has it.
    func exists(in policy: Policy) -> Bool {
      switch self {
      case .host(let name): policy.hosts.contains { $0.name.value == name }
      case .cluster(let name): policy.clusters.contains { $0.name.value == name }
      }
    }
  }

  private let old: ComparedPolicy
  private let new: ComparedPolicy

  /// Creates the search for what changed from `old` to `new`.
  init(_ old: ComparedPolicy, _ new: ComparedPolicy) {
    self.old = old
    self.new = new
  }

  /// Returns the line that makes a change to packets from `sources` to `destinations` at `place`, where `cause` on `side` is
  /// what decides: the line of `cause`, or that of a named object.
  func line(
    of cause: Cause, in side: Change.Side, at place: Place, sources: AddressSet, destinations: AddressSet
  ) -> Difference.Line {
    let (mine, other) = side == .new ? (new, old) : (old, new)
    let whole = mine.pipeline.line(of: cause, isNew: side == .new)
    let text = mine.pipeline.sources.text(of: cause.span)
    guard place.exists(in: other.pipeline.policy),
      let statement = NamedObjects.statement(of: cause, in: mine.pipeline.policy),
      let counterpart = NamedObjects.statements(about: cause.subject, in: other.pipeline.policy).first(where: {
        other.pipeline.sources.text(of: $0.span) == text
      })
    else { return whole }
    let ours = NamedObjects.behind(statement, at: place, mine.pipeline)
    let theirs = Dictionary(
      NamedObjects.behind(counterpart, at: place, other.pipeline).map { ($0.identity, $0) }
    ) { first, _ in first }
    let changed = ours.compactMap { object in
      theirs[object.identity].flatMap { $0.keys == object.keys ? nil : (object, $0) }
    }
    let explaining = changed.first { a, b in
      guard let x = a.addresses, let y = b.addresses else { return false }
      let difference = x.subtracting(y).union(y.subtracting(x))
      return !difference.isEmpty && (sources.isSubset(of: difference) || destinations.isSubset(of: difference))
    }
    guard
      let (object, before) = explaining ?? (changed.count == 1 ? changed[0] : nil)
        ?? changed.first(where: { $0.0.addresses == nil })
    else { return whole }
    // What was added stands on this side, what was taken away on the other.
    if let part = object.parts.first(where: { !before.keys.contains($0.key) }) {
      return line(object, at: part.span, mine, isNew: side == .new, whole)
    }
    let part = before.parts.first { !object.keys.contains($0.key) }
    return line(before, at: part?.span ?? before.span, other, isNew: side == .old, whole)
  }

  private func line(
    _ object: NamedObject, at span: Span, _ side: ComparedPolicy, isNew: Bool, _ whole: Difference.Line
  ) -> Difference.Line {
    Difference.Line(
      subject: object.subject, location: side.pipeline.sources.location(of: span), line: side.pipeline.line(of: span),
      isNew: isNew, owner: object.owner ?? whole.owner)
  }
}

/// A named object of a policy with what is written of it alone.
struct NamedObject {
  /// What may be looked at of an object.
  enum Aspect: String {
    /// Whom it stands for.
    case members
    /// The zones of its interfaces.
    case interfaces
    /// What it listens on, and where.
    case listening
    /// How others enter it.
    case entrances
  }

  /// What it is: `zone office`.
  var subject: String

  /// What of it is looked at.
  var aspect: Aspect

  /// Where it is named.
  var span: Span

  /// What is written of it, each part with its place.
  var parts: [(key: String, span: Span)]

  /// Its addresses, if it stands for some.
  var addresses: AddressSet?

  /// Who answers for it, if somebody does.
  var owner: String?

  /// What it is called, and what of it is looked at.
  var identity: String { "\(aspect) of \(subject)" }

  /// The parts without their places.
  var keys: Set<String> { Set(parts.map(\.key)) }
}

/// The named objects that a statement speaks of.
struct NamedObjects {
  /// A statement that lets something through or refuses it.
  struct Statement {
    /// Where it stands.
    var span: Span
    /// Who is named.
    var parties: [Party]
    /// The service whose statement it is, if it is one's.
    var service: ID<Service>?
    /// The router.
    var router: ID<Host>?
    /// `true` iff it says what a service connects to.
    var isUse = false
  }

  private let pipeline: Pipeline
  private var seen = Set<String>()
  private var result: [NamedObject] = []

  private var policy: Policy { pipeline.policy }

  /// Returns the statement of `cause` in `policy`.
  static func statement(of cause: Cause, in policy: Policy) -> Statement? {
    statements(about: cause.subject, in: policy).first { $0.span == cause.span }
  }

  /// Returns the statements about `subject`, as causes name it, in `policy`.
  static func statements(about subject: String, in policy: Policy) -> [Statement] {
    func values(_ parties: [Spelled<Party>]) -> [Party] { parties.map(\.value) }
    switch subject {
    case "block":
      return policy.blocks.map { Statement(span: $0.provenance.span, parties: values($0.sources + $0.targets)) }
    case "transit":
      return policy.transits.map {
        Statement(
          span: $0.provenance.span, parties: values($0.audience.parties + $0.audience.exceptions + $0.destinations),
          router: $0.via.value)
      }
    default:
      guard let index = policy.services.firstIndex(where: { $0.name.value == subject }) else { return [] }
      let service = policy.services[index]
      return service.exposures.map {
        Statement(
          span: $0.provenance.span, parties: values($0.audience.parties + $0.audience.exceptions), service: ID(index),
          router: $0.via?.value)
      }
        + service.uses.map {
          Statement(span: $0.provenance.span, parties: values($0.targets), service: ID(index), isUse: true)
        }
    }
  }

  /// Returns the objects that `statement`, which is enforced at `place`, speaks of, the nearest first.
  static func behind(_ statement: Statement, at place: NamedCauses.Place, _ pipeline: Pipeline) -> [NamedObject] {
    var objects = NamedObjects(pipeline: pipeline)
    for party in statement.parties { objects.visit(party) }
    if let service = statement.service { objects.addOwn(service, isUse: statement.isUse) }
    if statement.isUse { for party in statement.parties { objects.addEntrances(of: party) } }
    if let router = statement.router {
      objects.visit(.host(router))
      objects.addInterfaces(of: router)
    }
    switch place {
    case .host(let name):
      if let host = pipeline.policy.hosts.firstIndex(where: { $0.name.value == name }) {
        objects.addInterfaces(of: ID(host))
        objects.visit(.host(ID(host)))
      }
    case .cluster(let name):
      if let cluster = pipeline.policy.clusters.firstIndex(where: { $0.name.value == name }) {
        objects.visit(.cluster(ID(cluster)))
      }
    }
    return objects.result
  }

  private init(pipeline: Pipeline) { self.pipeline = pipeline }

  private mutating func add(
    _ subject: String, _ aspect: NamedObject.Aspect = .members, at span: Span, _ parts: [(key: String, span: Span)],
    _ addresses: AddressSet? = nil, owner: String? = nil
  ) {
    result.append(
      NamedObject(subject: subject, aspect: aspect, span: span, parts: parts, addresses: addresses, owner: owner))
  }

  private func owner(of service: Service) -> String? { service.owner.map { policy[$0].name.value } }

  /// Adds `party`, and what it is made of.
  private mutating func visit(_ party: Party) {
    let addresses = pipeline.lowering?.book.addresses(of: party)
    switch party {
    case .internet, .localhost, .addresses: return
    case .zone(let id):
      let zone = policy[id]
      guard seen.insert("zone \(zone.name.value)").inserted else { return }
      let others =
        zone.members.map { "with \(policy[$0].name.value)" }
        + zone.exceptions.map { "without \(policy[$0].name.value)" }
      let own = zone.ownAddresses.ranges.map(\.description) + (zone.hasAddresses ? [] : ["no addresses"])
      add("zone \(zone.name.value)", at: zone.name.span, (others + own).map { ($0, zone.name.span) }, addresses)
      for member in zone.members + zone.exceptions { visit(.zone(member)) }
    case .host(let id):
      let host = policy[id]
      guard seen.insert("host \(host.name.value)").inserted else { return }
      add("host \(host.name.value)", at: host.name.span, host.addresses.map { ("\($0.value)", $0.span) }, addresses)
    case .group(let id):
      let group = policy[id]
      guard seen.insert("group \(group.name.value)").inserted else { return }
      let names = group.hosts.map { policy[$0].name.value }
      add("group \(group.name.value)", at: group.name.span, names.map { ($0, group.name.span) }, addresses)
      for host in group.hosts { visit(.host(host)) }
    case .service(let id):
      let service = policy[id]
      guard seen.insert("service \(service.name.value)").inserted else { return }
      add(
        "service \(service.name.value)", at: service.name.span, places(of: service), addresses,
        owner: owner(of: service))
      for placement in service.placements { visit(.host(placement.host)) }
      for workload in service.workloads { visit(.cluster(workload.cluster)) }
    case .owner(let id):
      let owner = policy[id]
      guard seen.insert("owner \(owner.name.value)").inserted else { return }
      let services = policy.services.indices.filter { policy.services[$0].owner == id }
      let parts = services.map { i in
        (key: policy.services[i].name.value, span: policy.services[i].ownerSpan ?? policy.services[i].name.span)
      }
      add("owner \(owner.name.value)", at: owner.name.span, parts, addresses, owner: owner.name.value)
      for i in services { visit(.service(ID(i))) }
    case .serviceClass(let name):
      guard seen.insert("class \(name)").inserted else { return }
      let services = policy.services.indices.compactMap { i in
        policy.services[i].classes.first { $0.value == name }.map { (i, $0.span) }
      }
      guard let first = services.first else { return }
      let parts = services.map { (key: policy.services[$0.0].name.value, span: $0.1) }
      add("class \(name)", at: first.1, parts, addresses)
      for (i, _) in services { visit(.service(ID(i))) }
    case .cluster(let id):
      let cluster = policy[id]
      guard seen.insert("cluster \(cluster.name.value)").inserted else { return }
      let span = cluster.podSpans.first ?? cluster.name.span
      let nodes = cluster.nodes.map { "node \(policy[$0].name.value)" }
      let parts = cluster.pods.ranges.map { (key: $0.description, span: span) }
      add(
        "cluster \(cluster.name.value)", at: cluster.name.span, parts + nodes.map { ($0, cluster.name.span) }, addresses
      )
    }
  }

  /// Returns where `service` runs.
  private func places(of service: Service) -> [(key: String, span: Span)] {
    service.placements.map { placement in
      let bound = placement.addresses.map { " on \($0.value)" }.joined()
      return ("runs on \(policy[placement.host].name.value)\(bound)", placement.span)
    }
      + service.workloads.map { reference in
        let cluster = policy[reference.cluster]
        let workload = cluster.workloads[reference.index]
        let labels = workload.labels.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        return ("pods of \(cluster.name.value)/\(workload.namespace.value) \(labels)", workload.span)
      }
  }

  /// Adds what the service `id`, whose own statement it is, listens on, and where it runs.
  private mutating func addOwn(_ id: ID<Service>, isUse: Bool) {
    let service = policy[id]
    let ports =
      isUse
      ? []
      : service.ports.map { port in
        (key: ([port.name?.value ?? ""] + port.traffic.map(\.description)).joined(separator: " "), span: port.span)
      }
    add(
      "service \(service.name.value)", .listening, at: service.name.span, ports + places(of: service),
      owner: owner(of: service))
  }

  /// Adds how the services that `party` stands for are entered, for those who connect to them.
  private mutating func addEntrances(of party: Party) {
    for id in (pipeline.lowering?.services(standingFor: party) ?? []).sorted() {
      let service = policy[id]
      let exposures = service.exposures.flatMap { exposure in
        (pipeline.lowering?.publicTraffic(of: exposure, in: service) ?? []).map { pair in
          (key: "\(pair.public) \(pair.listening)", span: exposure.provenance.span)
        }
      }
      add("service \(service.name.value)", .entrances, at: service.name.span, exposures, owner: owner(of: service))
    }
  }

  /// Adds the zones that interfaces of the host `id` are bound to.
  private mutating func addInterfaces(of id: ID<Host>) {
    let host = policy[id]
    guard seen.insert("interfaces of \(host.name.value)").inserted else { return }
    let parts = host.interfaces.map { interface in
      let zones = (interface.isInternet ? ["internet"] : []) + interface.zones.map { policy[$0.value].name.value }
      return (key: ([interface.name.value] + zones.sorted()).joined(separator: " "), span: interface.name.span)
    }
    let egress = host.egressClosed ? [(key: "egress closed", span: host.name.span)] : []
    add("host \(host.name.value)", .interfaces, at: host.name.span, parts + egress)
  }
}
