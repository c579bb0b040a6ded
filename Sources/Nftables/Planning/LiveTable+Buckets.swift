/// Elements of a dynamic set with one bucket.
public struct FilledBucket: Hashable, Sendable {
  /// The key of the first of them.
  public var key: [Datum]

  /// How many there are.
  public var count = 1

  /// Creates the bucket of the element with `key`.
  public init(_ key: [Datum]) { self.key = key }
}

extension LiveTable {
  /// Notes elements that no rule which packets meet can have made: what is in a set already keeps its own rate, or none.
  ///
  /// - Parameter filled: the elements of the dynamic sets, by the names of the sets and by the buckets that they are; nothing
  ///   stands for elements without a bucket, which is never empty.
  public mutating func noteForeignBuckets(_ filled: [String: [Bucket?: FilledBucket]]) {
    // Few tables have limits for each source; to see what packets meet goes through all elements.
    guard filled.values.contains(where: { !$0.isEmpty }) else { return }
    var made: [String: Set<Bucket>] = [:]
    let reached = References.reached(in: table).chains
    for rule in chains.filter({ reached.contains($0.name) }).flatMap(\.rules) {
      for case .update(let set, _, let bucket) in rule.rule?.statements ?? [] { made[set, default: []].insert(bucket) }
    }
    for i in sets.indices {
      guard let made = made[sets[i].definition.name] else { continue }
      let foreign = filled[sets[i].definition.name, default: [:]].filter { !($0.key.map(made.contains) ?? false) }
      sets[i].foreignElements = foreign.map { bucket, elements in
        let rate = bucket.map { "a rate of its own, \($0.rate) burst \($0.burst)" } ?? "no rate"
        let more = elements.count > 1 ? ", and \(elements.count - 1) more" : ""
        return "the element \(Printer.line(NamedSet.Element(elements.key))) has \(rate)\(more)"
      }.sorted()
    }
  }
}

extension Bucket {
  /// Returns the buckets that elements of dynamic sets of `table` are, by the set's name in the policy's ruleset.
  static func filled(by table: Table) -> [String: Set<Bucket>] {
    var result: [String: Set<Bucket>] = [:]
    for rule in table.chains.flatMap(\.rules) {
      for case .update(let set, _, let bucket) in rule.statements {
        result[set.logicalName, default: []].insert(bucket)
      }
    }
    return result
  }
}
