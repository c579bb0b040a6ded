import Packets
import Syntax

/// What a reference stands for in its statement.
enum Role {
  /// Someone who connects, or something that is connected to.
  case party
  /// A part of a zone.
  case zonePart
  /// A zone that an interface is bound to.
  case boundZone
  /// A node of a cluster.
  case node
  /// A member of a group.
  case member
  /// A service that runs somewhere.
  case running
  /// A router.
  case router
  /// Whoever answers for something.
  case answering

  /// The kinds that may stand there.
  var kinds: Kinds {
    switch self {
    case .party: .all
    case .zonePart, .boundZone: .zone
    case .node, .member: [.host, .group]
    case .running: .service
    case .router: .host
    case .answering: .owner
    }
  }

  /// What is expected there, in words.
  var expectation: String {
    switch self {
    case .party: "a zone, a service, a host, a group, an owner, a cluster or an address"
    case .zonePart: "an address or a zone"
    case .boundZone: "a zone or `internet`"
    case .node: "a host, a group or an address"
    case .member: "a host or a group"
    case .running: "a service"
    case .router: "a host"
    case .answering: "an owner"
    }
  }

  /// `true` iff the kind of the thing may be written before its name.
  var takesKind: Bool {
    switch self {
    case .party, .zonePart, .boundZone, .node: true
    default: false
    }
  }
}

extension Resolver {
  /// Returns what `name` means as `role`, with its position among its kind, or reports why it means nothing.
  mutating func find(
    _ name: String, said kind: EntityKind? = nil, at span: Span, as role: Role
  ) -> (kind: EntityKind, position: Int)? {
    guard let meaning = names.meanings[name] else {
      let wanted = kind.map { Kinds($0) } ?? role.kinds
      let near = suggestions.nearest(to: name, of: wanted, in: names)
      report(.unknownName(name, said: kind, at: span, as: role, near: near))
      return nil
    }
    let fitting = meaning.kinds.intersection(kind.map { Kinds($0).intersection(role.kinds) } ?? role.kinds)
    if let only = fitting.only { return (only, meaning[only]) }
    let places = meaning.kinds.kinds.map { ($0, names.declarations(of: $0)[meaning[$0]].name.span) }
    if fitting.isEmpty {
      report(.wrongKind(name, said: kind, at: span, as: role, declared: places))
    } else {
      report(.ambiguousName(name, at: span, as: role, declared: places.filter { fitting.contains(Kinds($0.0)) }))
    }
    return nil
  }

  /// Returns the service that `name` means, or reports why it means none.
  mutating func service(_ name: Name) -> ID<Service>? {
    find(name.value, at: name.span, as: .running).map { ID($0.position) }
  }

  /// Returns the owner that `name` means, or reports why it means none.
  mutating func owner(_ name: Name) -> ID<Owner>? {
    find(name.value, at: name.span, as: .answering).map { ID($0.position) }
  }

  /// Returns the router that `name` means, or reports why it means none.
  mutating func router(_ name: Name) -> Spelled<ID<Host>>? {
    guard let found = find(name.value, at: name.span, as: .router) else { return nil }
    let place = names.declarations(of: .host)[found.position]
    if trees[place.tree].hosts[place.index].addresses.isEmpty {
      report(.routerWithoutAddress(name, declared: place.name.span))
      return nil
    }
    return Spelled(ID(found.position), at: name.span)
  }

  /// Returns what `term` means as someone who connects or something that is connected to.
  mutating func party(_ term: Spelled<Term>) -> Spelled<Party>? {
    let party: Party
    switch term.value {
    case .addresses(let range): party = .addresses(range)
    case .internet: party = .internet
    case .localhost: party = .localhost
    case .serviceClass(let name):
      if !classes.contains(name) {
        let near = nearest(to: name, among: classes)
        report(.unknownClass(name, at: term.span, near: near))
      }
      party = .serviceClass(name)
    case .named(.zone?, "internet"): party = .internet
    case .named(.zone?, "localhost"): party = .localhost
    case .named(let kind, let name):
      guard let found = find(name, said: kind, at: term.span, as: .party) else { return nil }
      switch found.kind {
      case .zone: party = .zone(ID(found.position))
      case .service: party = .service(ID(found.position))
      case .host: party = .host(ID(found.position))
      case .group: party = .group(ID(found.position))
      case .owner: party = .owner(ID(found.position))
      case .cluster: party = .cluster(ID(found.position))
      }
    }
    return Spelled(party, at: term.span)
  }

  /// Returns what `terms` mean, in an order of its own, or nothing if one of them means nothing.
  ///
  /// A statement is not kept without a part of it: it could mean more than was meant.
  mutating func parties(_ terms: [Spelled<Term>]) -> [Spelled<Party>]? {
    var result: [Spelled<Party>] = []
    result.reserveCapacity(terms.count)
    var complete = true
    for term in terms {
      if let party = party(term) { result.append(party) } else { complete = false }
    }
    guard complete else { return nil }
    if result.count > 1 { result.sort { Party.order($0, $1) < 0 } }
    return result
  }

  /// Returns the audience of `parties` without `exceptions`, or nothing if one of them means nothing.
  mutating func audience(_ terms: [Spelled<Term>], except exceptions: [Spelled<Term>]) -> Audience? {
    let parties = parties(terms)
    let except = self.parties(exceptions)
    guard let parties, let except else { return nil }
    return Audience(parties, except: except)
  }
}
