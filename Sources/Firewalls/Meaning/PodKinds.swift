public import Packets

/// The pods that there may be, told apart only as far as selectors do.
///
/// Two pods are of one kind iff the same selectors select them. So a finite table stands for every pod with whatever
/// labels, and what holds for the kinds holds for the pods.
public struct PodKinds: Sendable {
  /// An example of the pods of a kind.
  public struct Example: Hashable, Sendable {
    /// The values of attributes that selectors look at; nothing is a value that no selector names.
    public var values: [PodAttribute: String?]
  }

  /// The examples; the number of a kind is its position and 1, and 0 is what is no pod.
  public private(set) var examples: [Example] = []

  private var numbers: [PodSelector: IntervalSet<UInt128>] = [:]

  let selectors: [PodSelector]

  /// What the selectors look at, in the order in which kinds are told apart by it.
  let attributes: [PodAttribute]

  /// The positions of the selectors that select the pods of a kind, with the position of the kind.
  private(set) var positions: [[Int]: Int] = [:]

  /// The most kinds that are told apart.
  public static let limit = 1 << 17

  /// Creates the kinds that `selectors` tell apart, where the namespaces of `namespaces` have those labels and no others.
  public init(
    _ selectors: some Sequence<PodSelector>, namespaces: [String: [String: String]] = [:]
  ) throws(BudgetExceeded) {
    let selectors = Array(Set(selectors))
    self.selectors = selectors
    attributes = Set(selectors.flatMap(\.conditions.keys)).union([.namespace]).sorted()
    var states = [PodState.any(of: selectors)]
    for attribute in attributes {
      var next: [PodState] = []
      var known = Set<PodState.Key>()
      for state in states {
        for state in state.split(by: attribute, for: selectors, in: namespaces) {
          // Labels of a namespace depend on which it is; labels of pods do not.
          let isMerged = if case .label = attribute { true } else { false }
          let key = PodState.Key(
            alive: state.alive, namespace: isMerged ? nil : state.example.values[.namespace] ?? nil)
          if known.insert(key).inserted { next.append(state) }
        }
        guard next.count <= PodKinds.limit else { throw BudgetExceeded(limit: PodKinds.limit, of: .states) }
      }
      states = next
    }
    var members = [[ClosedRange<UInt128>]](repeating: [], count: selectors.count)
    for state in states where positions[state.alive] == nil {
      positions[state.alive] = examples.count
      examples.append(state.example)
      let number = UInt128(examples.count)
      for i in state.alive { members[i].append(number...number) }
    }
    for (selector, numbers) in zip(selectors, members) { self.numbers[selector] = IntervalSet(numbers) }
  }

  /// The numbers of all kinds of pods.
  public var all: IntervalSet<UInt128> { IntervalSet(1...UInt128(examples.count)) }

  /// Returns `true` iff the kinds were made for every one of `selectors`.
  public func know(_ selectors: Set<PodSelector>) -> Bool { selectors.allSatisfy { numbers[$0] != nil } }

  /// Returns the numbers of the kinds that `selector` selects.
  ///
  /// - Requires: the kinds were made for it.
  public func numbers(of selector: PodSelector) -> IntervalSet<UInt128> {
    guard let result = numbers[selector] else { preconditionFailure("the selector is not one of those of the kinds") }
    return result
  }

  /// Returns the number of the kind of the pods that have `labels` in the namespace `namespace`, which has
  /// `namespaceLabels`; nothing if that namespace is known to have others.
  public func number(
    ofPodsIn namespace: String, with labels: [String: String], namespaceLabels: [String: String] = [:]
  ) -> UInt128? {
    let selecting = selectors.indices.filter { i in
      selectors[i].conditions.allSatisfy { attribute, values in
        switch attribute {
        case .namespace: values.contains(namespace)
        case .namespaceLabel(let key): values.contains(namespaceLabels[key])
        case .label(let key): values.contains(labels[key])
        }
      }
    }
    return positions[selecting].map { UInt128($0) + 1 }
  }

  /// Returns the pods of the kind `number` in words.
  public func text(of number: UInt128) -> String {
    guard number > 0, number <= UInt128(examples.count) else { return "outside the cluster" }
    let values = examples[Int(number) - 1].values
    var labels: [String] = []
    var others = false
    var ofNamespace: [String] = []
    for (attribute, value) in values.sorted(by: { $0.key < $1.key }) {
      switch attribute {
      case .namespace: continue
      case .namespaceLabel(let key): ofNamespace.append("\(key)=\(value ?? "(another value)")")
      case .label(let key):
        if let value { labels.append("\(key)=\(value)") } else { others = true }
      }
    }
    let pod = labels.isEmpty ? "another pod" : "a pod \(labels.joined(separator: ","))\(others ? ",..." : "")"
    let namespace = (values[.namespace] ?? nil).map { "of `\($0)`" } ?? "of another namespace"
    return "\(pod) \(namespace)" + (ofNamespace.isEmpty ? "" : " (\(ofNamespace.joined(separator: ",")))")
  }
}

/// Pods of which some attributes are chosen.
struct PodState {
  struct Key: Hashable {
    var alive: [Int]
    var namespace: String?
  }

  /// Returns all pods, whom any of `selectors` may select.
  static func any(of selectors: [PodSelector]) -> PodState {
    PodState(example: PodKinds.Example(values: [:]), alive: Array(selectors.indices))
  }

  var example: PodKinds.Example
  /// The positions of the selectors that may still select them, in order.
  var alive: [Int]

  /// Returns the pods apart by the values of `attribute` that make a difference to those of `selectors` that are alive.
  func split(
    by attribute: PodAttribute, for selectors: [PodSelector], in namespaces: [String: [String: String]]
  ) -> [PodState] {
    var silent: [Int] = []
    var named: [String: [Int]] = [:]
    var wide: [Int] = []
    var strings: Set<String> = attribute == .namespace ? Set(namespaces.keys) : []
    for i in alive {
      guard let wanted = selectors[i].conditions[attribute] else {
        silent.append(i)
        continue
      }
      strings.formUnion(wanted.strings)
      if wanted.isComplement || wanted.hasAbsence {
        wide.append(i)
      } else {
        for string in wanted.strings { named[string, default: []].append(i) }
      }
    }
    /// Returns the pods whose attribute has `value`; a value of nothing is one that no selector names.
    func chosen(_ value: String??) -> PodState {
      var result = self
      var rest: [Int]
      switch value {
      case nil: rest = wide.filter { selectors[$0].conditions[attribute]?.contains(nil) ?? true }
      case .some(let value):
        result.example.values[attribute] = .some(value)
        rest = wide.filter { i in
          guard let wanted = selectors[i].conditions[attribute] else { return true }
          return value.map { wanted.contains($0) } ?? wanted.hasOthers
        }
        if let value { rest += named[value] ?? [] }
      }
      result.alive = (silent + rest).sorted()
      return result
    }
    if case .namespaceLabel(let key) = attribute, let name = example.values[.namespace] ?? nil,
      let labels = namespaces[name]
    {
      return [chosen(labels[key].map { .some($0) })]
    }
    let others = strings.sorted().map { chosen(.some($0)) } + [chosen(.some(nil))]
    // Every pod is in a namespace.
    return attribute == .namespace ? others : [chosen(nil)] + others
  }
}
