public import Packets

extension ClusterMeaning {
  /// Returns the fingerprint of the meaning, which must be the first of its universe.
  ///
  /// Kinds of pods have their numbers by the order of their selectors; doors and where they lead have theirs by the order of
  /// first mention, so that their texts count.
  public func fingerprint() throws(BudgetExceeded) -> Fingerprint {
    var hash = SHA256()
    for kind in universe.kinds.all.intervals.flatMap({ $0.lowerBound...$0.upperBound }) {
      hash.add(universe.kinds.text(of: kind), endingWith: 0)
    }
    hash.add(1 as UInt8)
    let conditions = universe.space.conditionFields
    for name in universe.space.conditions { hash.add(name, endingWith: 0) }
    hash.add(1 as UInt8)
    hash.add(try admitted.labelled(1).canonicalForm(numbering: conditions))
    hash.add(try departing.labelled(1).canonicalForm(numbering: conditions))
    let outcomes = entrances.labels.map { ($0, universe.canonicalText(ofOutcome: $0)) }.sorted { $0.1 < $1.1 }
    var ranks: [UInt32: UInt32] = [:]
    for (rank, (label, text)) in outcomes.enumerated() {
      ranks[label] = UInt32(rank + 1)
      hash.add(text, endingWith: 0)
    }
    hash.add(1 as UInt8)
    let ways = try entrances.relabelled { ranks[$0] ?? 0 }
    for (number, text) in universe.doors.map({ ($0.number, $0.door.canonicalText) }).sorted(by: { $0.1 < $1.1 }) {
      hash.add(text, endingWith: 0)
      hash.add(try ways.fixing(.departure, to: UInt128(number)).canonicalForm(numbering: conditions))
    }
    return Fingerprint(&hash)
  }
}

extension Door {
  /// The door as fingerprints name it, which must never change.
  fileprivate var canonicalText: String {
    switch self {
    case .service(let namespace, let name): "service \(namespace)/\(name)"
    case .node: "node"
    case .pickedNodePort(let namespace, let name): "picked \(namespace)/\(name)"
    case .balancer(let namespace, let name): "balancer \(namespace)/\(name)"
    case .address(let address): "address \(address)"
    case .web(let controller, let host, let path, let isExact):
      "web \(controller ?? "*") \(host ?? "*") \(path ?? "*") \(isExact ? "exact" : "prefix")"
    }
  }
}

extension SHA256 {
  /// Adds `text` and behind it `end`, which is not in it.
  fileprivate mutating func add(_ text: String, endingWith end: UInt8) {
    add(text.utf8)
    add(end)
  }

  /// Adds the canonical form of a set, with its length.
  fileprivate mutating func add(_ form: [UInt8]) {
    add(UInt64(form.count))
    for byte in form { add(byte) }
  }
}
