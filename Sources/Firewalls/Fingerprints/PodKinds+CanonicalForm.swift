import Packets

extension PodKinds {
  /// Returns bytes that are equal iff pods of the same namespaces and labels are of one class, whatever tells the kinds apart,
  /// with the number of each class; `classes` are those of the kinds, by their numbers.
  ///
  /// It is a decision diagram: at each attribute on which a class depends, a value that others are not treated like leads to
  /// the rest. Classes have their numbers by the order in which a walk meets them, from 1 on.
  ///
  /// - Requires: no labels of namespaces were given.
  func canonicalForm(of classes: [Int]) -> (form: [UInt8], numbers: [Int: UInt32]) {
    var tree = PodTree(kinds: self, classes: classes)
    let root = tree.node(PodState.any(of: selectors), at: 0)
    var writer = PodTreeWriter(nodes: tree.nodes)
    writer.write(root)
    return (writer.form, writer.classes)
  }
}

/// A decision diagram of the classes of pods, in which no two nodes are alike.
private struct PodTree {
  /// What pods of some namespaces and labels are.
  enum Node: Hashable {
    /// They are of this class.
    case leaf(Int)
    /// That depends on an attribute: by the values that make a difference, by its absence, and by any other value.
    case choice(PodAttribute, [Branch], absent: Int?, others: Int)
  }

  struct Branch: Hashable {
    var value: String
    var node: Int
  }

  private struct Place: Hashable {
    var attribute: Int
    var alive: [Int]
  }

  let kinds: PodKinds
  let classes: [Int]
  /// The positions of the attributes that each selector looks at, in order.
  private let attributes: [[Int]]
  private(set) var nodes: [Node] = []
  private var numbers: [Node: Int] = [:]
  private var known: [Place: Int] = [:]

  init(kinds: PodKinds, classes: [Int]) {
    self.kinds = kinds
    self.classes = classes
    let positions = Dictionary(uniqueKeysWithValues: kinds.attributes.enumerated().map { ($1, $0) })
    attributes = kinds.selectors.map { $0.conditions.keys.compactMap { positions[$0] }.sorted() }
  }

  /// Returns the position of the node of the pods `state`, of which the attributes from `attribute` on are not chosen.
  mutating func node(_ state: PodState, at attribute: Int) -> Int {
    let place = Place(attribute: attribute, alive: state.alive)
    if let node = known[place] { return node }
    let result = made(state, at: attribute)
    known[place] = result
    return result
  }

  private mutating func made(_ state: PodState, at index: Int) -> Int {
    // What none of the selectors looks at that are left tells no pods apart.
    let next = state.alive.compactMap { attributes[$0].first { $0 >= index } }.min()
    guard let index = next else {
      return number(of: .leaf(kinds.positions[state.alive].map { classes[$0 + 1] } ?? 0))
    }
    let attribute = kinds.attributes[index]
    var branches: [Branch] = []
    var absent: Int?
    var others: Int?
    for part in state.split(by: attribute, for: kinds.selectors, in: [:]) {
      let node = node(part, at: index + 1)
      switch part.example.values[attribute] {
      case nil: absent = node
      case .some(nil): others = node
      case .some(let value?): branches.append(Branch(value: value, node: node))
      }
    }
    guard let others else { return number(of: .leaf(0)) }
    branches.removeAll { $0.node == others }
    if branches.isEmpty, absent ?? others == others { return others }
    branches.sort { $0.value < $1.value }
    return number(of: .choice(attribute, branches, absent: absent, others: others))
  }

  private mutating func number(of node: Node) -> Int {
    if let number = numbers[node] { return number }
    nodes.append(node)
    numbers[node] = nodes.count - 1
    return nodes.count - 1
  }
}

/// Writes a diagram of the classes of pods, each node once and behind those that it leads to.
private struct PodTreeWriter {
  let nodes: [PodTree.Node]
  private(set) var form: [UInt8] = []
  private(set) var classes: [Int: UInt32] = [:]
  private var written: [Int: Int] = [:]

  init(nodes: [PodTree.Node]) { self.nodes = nodes }

  mutating func write(_ node: Int) {
    guard written[node] == nil else { return }
    // The depth of recursion is the number of attributes.
    switch nodes[node] {
    case .leaf(let number):
      let name = classes[number] ?? UInt32(classes.count + 1)
      classes[number] = name
      begin(node)
      add("class \(name)")
    case .choice(let attribute, let branches, let absent, let others):
      for branch in branches { write(branch.node) }
      if let absent { write(absent) }
      write(others)
      begin(node)
      switch attribute {
      case .namespace: add("namespace")
      case .namespaceLabel(let key): add("namespace label \(key)")
      case .label(let key): add("label \(key)")
      }
      add("\(branches.count)")
      for branch in branches {
        add(branch.value)
        add("\(written[branch.node] ?? 0)")
      }
      add("\(absent.flatMap { written[$0] } ?? written[others] ?? 0)")
      add("\(written[others] ?? 0)")
    }
  }

  private mutating func begin(_ node: Int) { written[node] = written.count + 1 }

  /// Adds `text`, which has no zero in it.
  private mutating func add(_ text: String) {
    form += text.utf8
    form.append(0)
  }
}
