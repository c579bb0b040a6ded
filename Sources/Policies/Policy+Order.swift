import Packets
import Syntax

// How things without names are put in order: by what they say, and by their place only if they say the same. So no
// order of files and statements shows in a policy. Every `order(a, b)` is negative iff `a` comes first, and 0 iff
// the two are the same.

/// Returns how `a` and `b` are ordered.
private func order<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : b < a ? 1 : 0 }

/// Returns how `a` and `b` are ordered; nothing comes first.
private func order<T: Comparable>(_ a: T?, _ b: T?) -> Int {
  switch (a, b) {
  case (nil, nil): 0
  case (nil, _): -1
  case (_, nil): 1
  case (let a?, let b?): order(a, b)
  }
}

/// Returns how `a` and `b` are ordered: by the first element in which they differ, else the shorter first.
private func order<T>(_ a: [T], _ b: [T], by elements: (T, T) -> Int) -> Int {
  for (x, y) in zip(a, b) {
    let result = elements(x, y)
    if result != 0 { return result }
  }
  return order(a.count, b.count)
}

/// Returns the first of the results that is not 0.
private func first(_ results: (() -> Int)...) -> Int {
  for result in results {
    let value = result()
    if value != 0 { return value }
  }
  return 0
}

extension Party {
  /// The rank of the kind of the party, and its position among its kind.
  private var key: (rank: Int, position: Int) {
    switch self {
    case .internet: (0, 0)
    case .localhost: (1, 0)
    case .zone(let id): (2, id.rawValue)
    case .service(let id): (3, id.rawValue)
    case .host(let id): (4, id.rawValue)
    case .group(let id): (5, id.rawValue)
    case .owner(let id): (6, id.rawValue)
    case .cluster(let id): (7, id.rawValue)
    case .serviceClass: (8, 0)
    case .addresses: (9, 0)
    }
  }

  /// Returns how `a` and `b` are ordered: by kind, then by name or address.
  static func order(_ a: Self, _ b: Self) -> Int {
    if case .addresses(let x) = a, case .addresses(let y) = b { return Policies.order(x, y) }
    if case .serviceClass(let x) = a, case .serviceClass(let y) = b { return Policies.order(x, y) }
    let (x, y) = (a.key, b.key)
    return x == y ? 0 : x < y ? -1 : 1
  }

  /// Returns how `a` and `b` are ordered, by place if they are the same.
  static func order(_ a: Spelled<Self>, _ b: Spelled<Self>) -> Int {
    let result = order(a.value, b.value)
    return result == 0 ? Policies.order(a.span, b.span) : result
  }

  /// Returns how the parties `a` and `b` are ordered, whatever their places.
  static func order(_ a: [Spelled<Self>], _ b: [Spelled<Self>]) -> Int {
    Policies.order(a, b) { order($0.value, $1.value) }
  }
}

extension Audience {
  /// Returns how `a` and `b` are ordered.
  static func order(_ a: Self, _ b: Self) -> Int {
    let result = Party.order(a.parties, b.parties)
    return result == 0 ? Party.order(a.exceptions, b.exceptions) : result
  }
}

extension Provenance {
  /// Returns how `a` and `b` are ordered: by date, reason and ticket, then by place.
  static func order(_ a: Self, _ b: Self) -> Int {
    first(
      { Policies.order(a.until?.value, b.until?.value) }, { Policies.order(a.because, b.because) },
      { Policies.order(a.ticket, b.ticket) }, { Policies.order(a.logged ? 1 : 0, b.logged ? 1 : 0) },
      { Policies.order(a.span, b.span) })
  }
}

/// Returns how `a` and `b` are ordered by their values.
private func order(_ a: [Spelled<Traffic>], _ b: [Spelled<Traffic>]) -> Int {
  order(a, b) { order($0.value, $1.value) }
}

/// Returns how `a` and `b` are ordered.
private func order(_ a: Limit?, _ b: Limit?) -> Int {
  first(
    { order(a?.rate.unit.rawValue, b?.rate.unit.rawValue) }, { order(a?.rate.count, b?.rate.count) },
    { order(a?.burst, b?.burst) }, { order(a?.perSource == true ? 1 : 0, b?.perSource == true ? 1 : 0) })
}

extension Port {
  /// Returns how `a` and `b` are ordered.
  static func order(_ a: Self, _ b: Self) -> Int {
    first(
      { Policies.order(a.traffic, b.traffic) { Policies.order($0, $1) } },
      { Policies.order(a.name?.value, b.name?.value) }, { Policies.order(a.speaks?.value, b.speaks?.value) },
      { Policies.order(a.span, b.span) })
  }
}

extension Exposure {
  /// Returns how `a` and `b` are ordered.
  static func order(_ a: Self, _ b: Self) -> Int {
    let ports = Policies.order(a.ports, b.ports) { Policies.order($0, $1) }
    if ports != 0 { return ports }
    let audience = Audience.order(a.audience, b.audience)
    if audience != 0 { return audience }
    return first(
      { Policies.order(a.publicPort?.value ?? [], b.publicPort?.value ?? []) { Policies.order($0, $1) } },
      { Policies.order(a.via?.value, b.via?.value) }, { Policies.order(a.limit?.value, b.limit?.value) },
      { Provenance.order(a.provenance, b.provenance) })
  }
}

extension Use {
  /// Returns how `a` and `b` are ordered.
  static func order(_ a: Self, _ b: Self) -> Int {
    let targets = Party.order(a.targets, b.targets)
    if targets != 0 { return targets }
    return first({ Policies.order(a.traffic, b.traffic) }, { Provenance.order(a.provenance, b.provenance) })
  }
}

extension Transit {
  /// Returns how `a` and `b` are ordered.
  static func order(_ a: Self, _ b: Self) -> Int {
    first(
      { Policies.order(a.via.value, b.via.value) }, { Audience.order(a.audience, b.audience) },
      { Party.order(a.destinations, b.destinations) }, { Policies.order(a.traffic, b.traffic) },
      { Policies.order(a.masquerade ? 1 : 0, b.masquerade ? 1 : 0) },
      { Policies.order(a.limit?.value, b.limit?.value) }, { Provenance.order(a.provenance, b.provenance) })
  }
}

extension Block {
  /// Returns how `a` and `b` are ordered.
  static func order(_ a: Self, _ b: Self) -> Int {
    first(
      { Party.order(a.sources, b.sources) }, { Party.order(a.targets, b.targets) },
      { Policies.order(a.traffic, b.traffic) }, { Provenance.order(a.provenance, b.provenance) })
  }
}

extension Invariant {
  /// Returns how `a` and `b` are ordered.
  static func order(_ a: Self, _ b: Self) -> Int {
    first(
      { Policies.order(a.isAlways ? 1 : 0, b.isAlways ? 1 : 0) }, { Audience.order(a.audience, b.audience) },
      { Party.order(a.targets, b.targets) }, { Policies.order(a.traffic, b.traffic) },
      { Provenance.order(a.provenance, b.provenance) })
  }
}

extension Waiver {
  /// Returns how `a` and `b` are ordered.
  static func order(_ a: Self, _ b: Self) -> Int {
    first(
      { Policies.order(a.check.value, b.check.value) }, { Policies.order(a.subject.value, b.subject.value) },
      { Provenance.order(a.provenance, b.provenance) })
  }
}

extension Publication {
  /// Returns how `a` and `b` are ordered.
  static func order(_ a: Self, _ b: Self) -> Int {
    first(
      { Policies.order(a.kind.key.rank, b.kind.key.rank) }, { Policies.order(a.kind.key.port, b.kind.key.port) },
      { Policies.order(a.kind.key.text, b.kind.key.text) },
      { Policies.order(a.ports, b.ports) { Policies.order($0, $1) } }, { Policies.order(a.span, b.span) })
  }
}

extension PublishStatement.Kind {
  /// What the kind is ordered by.
  fileprivate var key: (rank: Int, port: UInt16, text: String) {
    switch self {
    case .cluster: (0, 0, "")
    case .nodePort(let port): (1, port.value, "")
    case .loadBalancer(let port): (2, port?.value ?? 0, "")
    case .ingress(let host, let path): (3, 0, host.value + (path?.value ?? ""))
    }
  }
}
