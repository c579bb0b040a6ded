public import Packets

/// The pods, packets and ways that meanings of a cluster which are compared speak of.
///
/// In packets, `PacketField.arrival` is the kind of the pod that sends and `departure` that of the pod that is sent to, 0
/// for what is outside the cluster; ports are those of the pods, behind every translation. In ways, `departure` is the
/// door.
public final class ClusterUniverse {
  /// Where the sets live.
  public let packets: Universe

  /// The kinds of pods.
  public let kinds: PodKinds

  /// The addresses of the pods; none if they are not known.
  public let pods: AddressSet

  private var doorNumbers: [Door: UInt32] = [:]
  private var outcomeLabels: [Outcome: UInt32] = [:]
  private var outcomes: [Outcome] = []
  private var masked: PacketSet?

  /// What becomes of connections that come by a way.
  struct Outcome: Hashable {
    /// The kinds of pods that they reach; nothing if that is not known.
    var kinds: IntervalSet<UInt128>?
    var port: UInt16
    var traits: Set<Entrance.Trait>
    /// What is not known.
    var unknown: String?
  }

  /// Creates a universe whose pods have addresses of `pods` and are told apart by `selectors`; `namespaces` are the labels
  /// of those namespaces of which they are known.
  public init(
    pods: AddressSet, selectors: some Sequence<PodSelector>, namespaces: [String: [String: String]] = [:],
    space: PacketSpace = PacketSpace()
  ) throws(BudgetExceeded) {
    packets = Universe(space: space)
    self.pods = pods
    kinds = try PodKinds(selectors, namespaces: namespaces)
  }

  /// The arena of the sets.
  public var space: PacketSpace { packets.space }

  /// `true` iff it is known which addresses pods have.
  var knowsPods: Bool { !pods.isEmpty }

  /// Returns the number of `door`.
  func number(of door: Door) -> UInt32 {
    if let number = doorNumbers[door] { return number }
    doorNumbers[door] = UInt32(doorNumbers.count) + 1
    return UInt32(doorNumbers.count)
  }

  /// The doors that were heard of, each with its number.
  var doors: [(door: Door, number: UInt32)] { doorNumbers.map { ($0.key, $0.value) } }

  /// Returns the door that has `number`, if one has.
  func door(numbered number: UInt128) -> Door? { doorNumbers.first { UInt128($0.value) == number }?.key }

  /// Returns the label of `outcome`.
  func label(of outcome: Outcome) -> UInt32 {
    if let label = outcomeLabels[outcome] { return label }
    outcomes.append(outcome)
    outcomeLabels[outcome] = UInt32(outcomes.count)
    return UInt32(outcomes.count)
  }

  /// Returns the outcome that has `label`, if one has.
  func outcome(labelled label: UInt32) -> Outcome? {
    label > 0 && Int(label) <= outcomes.count ? outcomes[Int(label) - 1] : nil
  }

  /// The first packets of connections of which at least one end is a pod.
  ///
  /// NetworkPolicy is defined for TCP, UDP and SCTP alone, and nothing is sent to port 0. An end is a pod iff its address
  /// is one of `pods`, if those are known; nothing comes by a family of which no pod has an address.
  public var possible: PacketSet {
    get throws(BudgetExceeded) {
      if let masked { return masked }
      var boxes: [PacketBox] = []
      for family in AddressFamily.allCases {
        let pod = kinds.all
        guard hasPods(of: family) else { continue }
        let inside = knowsPods ? pods.intersection(.all(family)) : .all(family)
        boxes += ends(family, from: IntervalSet(0...0), outside(family), to: pod, inside)
        boxes += ends(family, from: pod, inside, to: IntervalSet(0...0), outside(family))
        boxes += ends(family, from: pod, inside, to: pod, inside)
      }
      let result = try space.set(of: boxes)
      masked = result
      return result
    }
  }

  /// Returns `true` iff pods may have addresses of `family`.
  func hasPods(of family: AddressFamily) -> Bool { !knowsPods || !pods.isEmpty(family) }

  /// Returns the addresses of `family` that no pod has, as far as is known.
  func outside(_ family: AddressFamily) -> AddressSet { AddressSet.all(family).subtracting(pods) }

  /// Whoever can be an end of a pod's connection and is no pod.
  public var outside: AddressSet {
    AddressSet(unionOf: AddressFamily.allCases.filter(hasPods).map { outside($0) })
  }

  private func ends(
    _ family: AddressFamily, from senders: IntervalSet<UInt128>, _ sources: AddressSet,
    to receivers: IntervalSet<UInt128>, _ destinations: AddressSet
  ) -> [PacketBox] {
    guard var box = packets.box(PacketBox(), of: family) else { return [] }
    box[.direction] = space.value(UInt8(0), of: .direction)
    box[.state] = space.value(ConnectionState.new.rawValue, of: .state)
    box[.transport] = ClusterUniverse.transports(in: space)
    box[.destinationPort] = space.values(1...UInt16.max, of: .destinationPort)
    box[.arrival] = space.values(senders, of: .arrival)
    box[.departure] = space.values(receivers, of: .departure)
    return confined(box, .source, to: sources, of: family).flatMap {
      confined($0, .destination, to: destinations, of: family)
    }
  }

  /// Returns `box` with the addresses of `set` alone, also where those are all of the family.
  private func confined(_ box: PacketBox, _ field: PacketField, to set: AddressSet, of family: AddressFamily)
    -> [PacketBox]
  {
    var box = box
    switch family {
    case .ipv4 where set.ipv4.isAll: box[field] = space.values(0...UInt128(UInt32.max), of: field)
    default: return packets.boxes(box, field, in: set)
    }
    return [box]
  }

  /// Returns the protocols that NetworkPolicy is defined for.
  static func transports(in space: PacketSpace) -> ValueSet {
    space.values(
      IntervalSet([TransportProtocol.tcp, .udp, .sctp].map { UInt128($0.rawValue)...UInt128($0.rawValue) }),
      of: .transport)
  }

  /// Returns the map of `entrances`, each at moments in seconds since 1970 or at all, whose labels are outcomes.
  func map(of entrances: [(Entrance, moments: ClosedRange<UInt64>?)]) throws(BudgetExceeded) -> PacketMap {
    var boxes: [PacketBox] = []
    for (entrance, moments) in entrances {
      let outcome: Outcome =
        switch entrance.target {
        case .pods(let pods, let port): Outcome(kinds: kinds.numbers(of: pods), port: port, traits: entrance.traits)
        case .unknown(let words): Outcome(kinds: nil, port: 0, traits: entrance.traits, unknown: words)
        }
      var box = PacketBox(label: label(of: outcome))
      box[.departure] = space.value(number(of: entrance.door), of: .departure)
      if let moments { box[.time] = space.values(moments, of: .time) }
      if let traffic = entrance.traffic {
        guard let narrowed = packets.box(box, of: traffic) else { continue }
        box = narrowed
      }
      boxes += packets.boxes(box, .source, in: entrance.sources)
    }
    return try space.map(of: boxes).restricted(to: addressed)
  }

  /// The packets whose source fits their family.
  private var addressed: PacketSet {
    get throws(BudgetExceeded) {
      try space.set(
        of: AddressFamily.allCases.flatMap { family -> [PacketBox] in
          guard let box = packets.box(PacketBox(), of: family) else { return [] }
          return confined(box, .source, to: .all(family), of: family)
        })
    }
  }
}
