public import Packets

extension ClusterMeaning {
  /// Returns the fingerprint of the meaning, which is that of a policy.
  ///
  /// Pods of which no connection and no way depends on which they are count as one, whatever selectors tell them apart; their
  /// classes have numbers by what pods are in them. Doors and where they lead are known by their texts.
  public func fingerprint() throws(BudgetExceeded) -> Fingerprint {
    let sets = [try admitted.labelled(1), try departing.labelled(1)]
    let kinds = universe.kinds
    var classes = ValueClasses(count: kinds.examples.count + 1)
    classes.refine(by: IntervalSet(0...0))
    for set in sets { for field in [PacketField.arrival, .departure] { classes.refine(by: set, in: field) } }
    let outcomes = entrances.labels.compactMap { label in universe.outcome(labelled: label).map { (label, $0) } }
    for (_, outcome) in outcomes { if let kinds = outcome.kinds { classes.refine(by: kinds) } }

    let (pods, numbers) = kinds.canonicalForm(of: classes.numbers)
    var named: Set<Int> = []
    let names = ValueNames(
      of: [.arrival, .departure],
      classes.numbers.enumerated().map { value, number in
        named.insert(number).inserted ? value == 0 ? 0 : numbers[number] : nil
      })
    var hash = SHA256()
    hash.add(pods)
    let conditions = zip(universe.space.conditionFields, universe.space.conditions).filter { field, _ in
      (sets + [entrances]).contains { $0.looks(at: [field]) }
    }
    for (_, name) in conditions { hash.add(name, endingWith: 0) }
    hash.add(1 as UInt8)
    let fields = conditions.map(\.0)
    for set in sets { hash.add(set.canonicalForm(numbering: fields, naming: names)) }

    func text(_ outcome: ClusterUniverse.Outcome) -> String {
      let pods = outcome.kinds.map { kinds in
        let reached = Set(kinds.intervals.flatMap { Array($0) }.compactMap { numbers[classes.numbers[Int($0)]] })
        return reached.sorted().map { "\($0)" }.joined(separator: ",")
      }
      let traits = outcome.traits.map(\.rawValue).sorted().joined(separator: ",")
      return "\(pods ?? "?") \(outcome.port) \(traits) \(outcome.unknown ?? "")"
    }
    // Outcomes of which nothing tells the pods apart are one.
    let texts = outcomes.map { ($0.0, text($0.1)) }
    var ranks: [String: UInt32] = [:]
    for text in Set(texts.map(\.1)).sorted() {
      ranks[text] = UInt32(ranks.count + 1)
      hash.add(text, endingWith: 0)
    }
    hash.add(1 as UInt8)
    let labels = Dictionary(uniqueKeysWithValues: texts.map { ($0.0, ranks[$0.1] ?? 0) })
    let ways = try entrances.relabelled { labels[$0] ?? 0 }
    for (number, text) in universe.doors.map({ ($0.number, $0.door.canonicalText) }).sorted(by: { $0.1 < $1.1 }) {
      let some = try ways.fixing(.departure, to: UInt128(number))
      if some.isEmpty { continue }
      hash.add(text, endingWith: 0)
      hash.add(some.canonicalForm(numbering: fields))
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
