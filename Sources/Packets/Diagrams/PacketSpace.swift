/// The arena of packet sets: all sets that are compared with one another live in one space.
///
/// A set is an *interval decision diagram*: at each level the values of one `PacketField` are cut into intervals, each of
/// which leads to a diagram over the later fields, or to a label. Equal diagrams are one, whatever they came from, so that
/// two sets are equal iff their roots are. (K. Strehl and L. Thiele, "Symbolic Model Checking Using Interval Diagram
/// Techniques", 1998; M. Gouda and A. Liu, "Structured firewall design", 2007.)
///
/// Operations throw `BudgetExceeded` when the diagrams, or the work on them, grow beyond the budget: some sets, such as
/// thousands of crossing ranges in several fields, have no small diagram. What was made before stays as it was.
public final class PacketSpace {
  /// The number of edges that the space may hold.
  public let budget: Int

  /// The number of intervals that operations may look at in the life of the space, which bounds their time.
  private let stepLimit: Int
  private var steps = 0

  /// The names of the space's conditions, in the order of their fields.
  public private(set) var conditions: [String] = []

  let nodes: Storage<Node>
  let edges: Storage<Edge>
  /// Edges of nodes that are being made.
  let scratch: Storage<Edge>
  /// The numbers of the nodes, each at or behind the position that its hash tells.
  private let slots: Storage<Slot>
  let memo: Storage<Memo>
  /// What the walk at work, or one before, made of each node.
  let visits: Storage<Visit>
  private var walks: UInt32 = 0
  var pairNumbers: [UInt64: UInt32] = [:]
  var pairs: [(UInt32, UInt32)] = [(0, 0)]
  var valueSets = ValueSets()

  /// Creates an empty space.
  ///
  /// - Parameter budget: the number of edges that it may hold, 24 bytes each; operations may look at twenty times as
  ///   many intervals before they give up.
  public init(budget: Int = 40_000_000) {
    // Positions have 32 bits, and node numbers 31.
    self.budget = min(max(budget, 0), Int(Int32.max))
    stepLimit = max(self.budget, 1 << 12) * 20
    nodes = Storage(capacity: 1 << 8)
    edges = Storage(capacity: 1 << 10)
    scratch = Storage(capacity: 1 << 8)
    slots = Storage(repeating: .free, count: 1 << 9)
    memo = Storage(repeating: Memo.none, count: 1 << 9)
    visits = Storage(capacity: 1)
  }

  /// The number of nodes and edges that the space holds, those of sets that are no longer used included.
  public var size: (nodes: Int, edges: Int) { (nodes.count, edges.count) }

  /// The fields of the space's conditions, in order.
  public var conditionFields: [PacketField] {
    conditions.indices.map { PacketField(rawValue: UInt8(PacketField.count + $0)) }
  }

  /// Returns the field that is 1 iff the condition `name` holds: what is unknown about a packet, such as whether it is
  /// within a rate, or whether a match that has no meaning here matches.
  ///
  /// The same name is the same condition.
  public func condition(_ name: String) throws(BudgetExceeded) -> PacketField {
    if let i = conditions.firstIndex(of: name) { return PacketField(rawValue: UInt8(PacketField.count + i)) }
    guard PacketField.count + conditions.count < Int(Node.leafLevel) - 1 else {
      throw BudgetExceeded(limit: conditions.count, of: .conditions)
    }
    conditions.append(name)
    return PacketField(rawValue: UInt8(PacketField.count + conditions.count - 1))
  }

  /// Returns the diagram that leads from the edges of `scratch` behind `base`, which are removed, to their targets.
  func makeNode(at level: UInt8, from base: Int) throws(BudgetExceeded) -> Ref {
    let count = scratch.count - base
    assert((base + 1..<scratch.count).allSatisfy { scratch[$0 - 1].upper < scratch[$0].upper })
    defer { scratch.truncate(to: base) }
    if count == 1 { return scratch[base].target }
    let mask = slots.count - 1
    let hash = scratch.hash(at: base, count: count, level: level)
    var slot = Int(hash) & mask
    while slots[slot].number != .max {
      if slots[slot].hash == hash {
        let other = nodes[Int(slots[slot].number)]
        if other.level == level, Int(other.count) == count,
          edges.isEqual(at: Int(other.first), to: scratch, at: base, count: count)
        {
          return Ref(node: slots[slot].number)
        }
        try spend(count)
      }
      slot = (slot + 1) & mask
      try spend(1)
    }
    guard edges.count + count <= budget else { throw BudgetExceeded(limit: budget, of: .edges) }
    var least = UInt32.max
    var greatest: UInt32 = 0
    var hasUndefined = false
    for i in base..<scratch.count {
      let target = scratch[i].target
      if target == .undefined {
        hasUndefined = true
      } else {
        let labels = self.labelBounds(target)
        least = min(least, labels.least)
        greatest = max(greatest, labels.greatest)
        hasUndefined = hasUndefined || self.hasUndefined(target)
      }
    }
    let number = UInt32(nodes.count)
    nodes.append(
      Node(
        first: UInt32(edges.count), count: UInt32(count), least: least, greatest: greatest, level: level,
        hasUndefined: hasUndefined))
    edges.append(scratch, at: base..<scratch.count)
    slots[slot] = Slot(hash: hash, number: number)
    if nodes.count * 2 > slots.count { grow() }
    return Ref(node: number)
  }

  /// Adds to `scratch` the edge to `target` for what is behind the last edge up to `upper`; `base` is where the edges of
  /// the node begin.
  @inline(__always) func addEdge(upTo upper: UInt128, to target: Ref, base: Int) {
    let last = scratch.count - 1
    if last >= base, scratch[last].target == target {
      scratch[last] = Edge(upTo: upper, to: target)
    } else {
      scratch.append(Edge(upTo: upper, to: target))
    }
  }

  /// The level of the field that `diagram` looks at first.
  @inline(__always) func level(_ diagram: Ref) -> UInt8 {
    diagram.isLeaf ? Node.leafLevel : nodes[Int(diagram.node)].level
  }

  /// `true` iff `diagram` leaves some packet without a label.
  @inline(__always) func hasUndefined(_ diagram: Ref) -> Bool {
    diagram.isLeaf ? diagram == .undefined : nodes[Int(diagram.node)].hasUndefined
  }

  /// The lowest and the highest label that `diagram`, which has some, gives to packets.
  @inline(__always) func labelBounds(_ diagram: Ref) -> (least: UInt32, greatest: UInt32) {
    if diagram.isLeaf { return (diagram.label, diagram.label) }
    let node = nodes[Int(diagram.node)]
    return (node.least, node.greatest)
  }

  /// Returns `true` iff `label` is the only one that `diagram`, which has some, gives to packets.
  @inline(__always) func isOnly(_ label: UInt32, in diagram: Ref) -> Bool {
    let labels = labelBounds(diagram)
    return labels.least == label && labels.greatest == label
  }

  /// Notes that `count` intervals were looked at.
  @inline(__always) func spend(_ count: Int) throws(BudgetExceeded) {
    steps &+= count
    if steps > stepLimit { throw BudgetExceeded(limit: stepLimit, of: .steps) }
  }

  /// Begins a walk through diagrams that asks `visits` what it made of a node before; returns its number.
  func beginWalk() -> UInt32 {
    if walks == .max {
      visits.truncate(to: 0)
      walks = 0
    }
    walks += 1
    return walks
  }

  /// Returns what the walk `walk` made of `diagram`, a node, or nothing if it did not come there.
  @inline(__always) func visited(_ diagram: Ref, in walk: UInt32) -> Ref? {
    guard Int(diagram.node) < visits.count else { return nil }
    let visit = visits[Int(diagram.node)]
    return visit.walk == walk ? visit.result : nil
  }

  /// Notes what the walk `walk` made of `diagram`, a node.
  @inline(__always) func visit(_ diagram: Ref, in walk: UInt32, result: Ref = .undefined) {
    if visits.count <= Int(diagram.node) { visits.fill(with: Visit(walk: 0, result: .undefined), count: nodes.count) }
    visits[Int(diagram.node)] = Visit(walk: walk, result: result)
  }

  /// Returns `true` iff the space has `field`.
  func has(_ field: PacketField) -> Bool { Int(field.rawValue) < fieldCount }

  /// Makes room for more nodes.
  private func grow() {
    let known = Storage<Slot>(capacity: nodes.count)
    for i in 0..<slots.count where slots[i].number != .max { known.append(slots[i]) }
    let count = slots.count * 4
    slots.truncate(to: 0)
    slots.fill(with: .free, count: count)
    for i in 0..<known.count {
      var slot = Int(known[i].hash) & (count - 1)
      while slots[slot].number != .max { slot = (slot + 1) & (count - 1) }
      slots[slot] = known[i]
    }
    // It may forget.
    if memo.count < 1 << 22 {
      memo.truncate(to: 0)
      memo.fill(with: .none, count: count)
    }
  }
}

/// A set of packets is too complex for the budget of its space.
public struct BudgetExceeded: Error, Hashable, Sendable {
  /// What there is too much of.
  public enum Resource: Hashable, Sendable {
    /// Cuts of fields into intervals.
    case edges
    /// Conditions.
    case conditions
    /// States in which packets come to a chain of rules.
    case states
    /// Looks at an interval.
    case steps
  }

  /// How many there may be.
  public var limit: Int

  /// What there is too much of.
  public var resource: Resource

  /// Creates the error.
  public init(limit: Int, of resource: Resource) {
    self.limit = limit
    self.resource = resource
  }
}
