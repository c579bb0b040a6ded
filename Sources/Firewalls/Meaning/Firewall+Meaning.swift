public import Packets
import Policies
import Syntax

extension Firewall {
  /// Returns what the firewall means for every packet, at any time.
  ///
  /// This is the definition that rulesets are proved against; it shares nothing with the back ends.
  public func meaning(in universe: Universe) throws(BudgetExceeded) -> Meaning {
    try Meaning(rawMeaning(in: universe))
  }

  /// Returns what the firewall means for every packet, whether it can exist or not, at any time.
  public func rawMeaning(in universe: Universe) throws(BudgetExceeded) -> RawMeaning {
    let definition = MeaningDefinition(firewall: self, universe: universe)
    return try definition.meaning()
  }
}

/// The steps from a firewall to its meaning.
struct MeaningDefinition {
  let firewall: Firewall
  let universe: Universe

  var space: PacketSpace { universe.space }

  func meaning() throws(BudgetExceeded) -> RawMeaning {
    try declareLimits()
    let refusal = firewall.rejects ? Verdict.reject.label : Verdict.drop.label
    let (arriving, delivered, looped) = (try universe.arriving, try universe.delivered, try universe.looped)
    let tracked = try states([.established, .related])

    let openings = try accepted(firewall.openings)
    let passages = try accepted(firewall.passages)
    let refused = try blocked(sparingTransit: false).union(
      blocked(sparingTransit: true).intersection(delivered))
    let opened = try openings.intersection(delivered).union(passages.subtracting(delivered))
    // The later steps first, each overriding what stands behind it.
    var inbound = try opened.subtracting(refused).labelled(Verdict.accept.label)
      .overriding(space.everything.labelled(refusal))
    let needed = try essentials(areArriving: true).union(echoes()).union(looped)
    inbound = try needed.labelled(Verdict.accept.label).overriding(inbound)
    inbound = try states([.invalid]).labelled(Verdict.drop.label).overriding(inbound)
    inbound = try tracked.labelled(Verdict.accept.label).overriding(inbound)

    let outbound = try departures(refusal: refusal, tracked: tracked)
    let verdicts = try inbound.restricted(to: arriving).overriding(outbound)
    return try RawMeaning(
      universe: universe, verdicts: verdicts,
      translations: translations().restricted(to: arriving.intersection(delivered).subtracting(looped)),
      masqueraded: masqueraded().intersection(arriving).subtracting(delivered).subtracting(looped))
  }

  /// Makes the conditions of all limits in the order of their texts, so that equal policies have equal diagrams.
  private func declareLimits() throws(BudgetExceeded) {
    var limits = firewall.openings.compactMap(\.limit) + firewall.passages.compactMap(\.limit)
    if firewall.pingOpen {
      limits.append(Limit(Rate(Essentials.echoRate, per: .second), burst: Essentials.echoBurst))
    }
    for limit in Set(limits.map(Universe.canonical)).sorted(by: { $0.description < $1.description }) {
      _ = try universe.within(limit)
    }
  }

  // MARK: - Parts of packets

  func states(_ states: [ConnectionState]) throws(BudgetExceeded) -> PacketSet {
    try space.set(
      .state, in: space.values(IntervalSet(states.map { UInt128($0.rawValue)...UInt128($0.rawValue) }), of: .state))
  }

  /// Returns the parts of `box` that are of `traffic`, or `box` if that is nothing.
  func boxes(_ box: PacketBox, of traffic: [Traffic]?) -> [PacketBox] {
    guard let traffic else { return [box] }
    return traffic.compactMap { universe.box(box, of: $0) }
  }

  // MARK: - What is decided

  /// Returns what IP needs.
  func essentials(areArriving: Bool) throws(BudgetExceeded) -> PacketSet {
    var boxes: [PacketBox] = []
    for type in Essentials.icmp {
      boxes += [universe.box(PacketBox(), of: .icmp(type: type, code: nil))].compactMap(\.self)
    }
    for type in Essentials.icmpv6 {
      guard var box = universe.box(PacketBox(), of: .icmpv6(type: type, code: nil)) else { continue }
      if areArriving, Essentials.icmpv6OnLink.contains(type) {
        box[.hopLimit] = space.value(UInt8(255), of: .hopLimit)
      }
      boxes.append(box)
    }
    if areArriving {
      boxes += universe.boxes(
        dhcp(from: Essentials.dhcpv6Server, to: Essentials.dhcpv6Client, .ipv6), .source, in: .linkLocalIPv6)
    } else {
      boxes.append(dhcp(from: Essentials.dhcpv6Client, to: Essentials.dhcpv6Server, .ipv6))
      boxes.append(dhcp(from: 68, to: 67, .ipv4))
    }
    return try space.set(of: boxes)
  }

  /// Returns the box of messages from one port to another by which hosts learn their addresses.
  private func dhcp(from source: UInt16, to destination: UInt16, _ family: AddressFamily) -> PacketBox {
    var box = PacketBox()
    box[.family] = space.value(family.number, of: .family)
    box[.transport] = space.value(TransportProtocol.udp.rawValue, of: .transport)
    box[.sourcePort] = space.value(source, of: .sourcePort)
    box[.destinationPort] = space.value(destination, of: .destinationPort)
    return box
  }

  /// Returns the echo requests that are accepted.
  func echoes() throws(BudgetExceeded) -> PacketSet {
    guard firewall.pingOpen else { return space.nothing }
    let limit = try universe.within(
      Rate(Essentials.echoRate, per: .second), burst: Essentials.echoBurst, perSource: false)
    let kinds: [Traffic] = [
      .icmp(type: Essentials.echoRequest, code: nil), .icmpv6(type: Essentials.echoRequestV6, code: nil),
    ]
    return try space.set(of: boxes(PacketBox(), of: kinds).map { $0.when(limit) })
  }

  /// Returns what the blocks refuse that spare what is routed on, or those that do not.
  private func blocked(sparingTransit: Bool) throws(BudgetExceeded) -> PacketSet {
    try space.set(of: firewall.blocks.filter { $0.sparesTransit == sparingTransit }.flatMap { boxes($0) })
  }

  /// Returns the boxes of `opening`, with the label `label`.
  func boxes(_ opening: Opening, label: UInt32) -> [PacketBox] {
    guard let box = universe.box(until: opening.until), var part = universe.box(box, of: opening.traffic) else {
      return []
    }
    part.label = label
    var boxes = universe.boxes(part, .destination, in: opening.destinations ?? .all)
    // A family without a target of its own has nowhere to go, and must not reach the router itself.
    if case .forward(let targets, _)? = opening.translation {
      boxes = AddressFamily.allCases.filter { family in targets.contains { $0.family == family } }
        .flatMap { family in boxes.compactMap { universe.box($0, of: family) } }
    }
    return boxes.flatMap { universe.boxes($0, opening.sources, .source, on: .arrival) }
  }

  /// Returns what `openings` accept, of what is addressed to the host.
  private func accepted(_ openings: [Opening]) throws(BudgetExceeded) -> PacketSet {
    var all: [PacketBox] = []
    for opening in openings {
      let condition: PacketField? = if let limit = opening.limit { try universe.within(limit) } else { nil }
      for box in boxes(opening, label: 1) { all.append(condition.map(box.when) ?? box) }
    }
    return try space.set(of: all)
  }

  /// Returns the boxes of `passage`.
  func boxes(_ passage: Passage) -> [PacketBox] {
    guard let box = universe.box(until: passage.until) else { return [] }
    return boxes(box, of: passage.traffic).flatMap { part in
      universe.boxes(part, passage.destinations, .destination, on: .departure).flatMap {
        universe.boxes($0, passage.sources, .source, on: .arrival)
      }
    }
  }

  /// Returns what `passages` accept, of what is routed on.
  private func accepted(_ passages: [Passage]) throws(BudgetExceeded) -> PacketSet {
    var all: [PacketBox] = []
    for passage in passages {
      let condition: PacketField? = if let limit = passage.limit { try universe.within(limit) } else { nil }
      for box in boxes(passage) { all.append(condition.map(box.when) ?? box) }
    }
    return try space.set(of: all)
  }

  /// The openings, those first that decide of several that cover a packet: the ones without a limit.
  var rankedOpenings: [Opening] {
    firewall.openings.filter { $0.limit == nil } + firewall.openings.filter { $0.limit != nil }
  }

  /// Returns where openings send what they accept: of several that cover a packet, the first without a limit decides, or
  /// else the first.
  private func translations() throws(BudgetExceeded) -> PacketMap {
    guard firewall.openings.contains(where: { $0.translation != nil }) else { return space.unlabelled }
    var all: [PacketBox] = []
    let openings = rankedOpenings
    for (index, opening) in openings.enumerated() { all += boxes(opening, label: UInt32(index + 1)) }
    let universe = universe
    let first = try space.map(of: all)
    // One opening may have targets of both families.
    var result = space.unlabelled
    for family in AddressFamily.allCases {
      let packets = try universe.packets(of: [family])
      let labels = try first.restricted(to: packets).relabelled { index in
        let opening = openings[Int(index) - 1]
        guard let translation = opening.translation, let ports = opening.traffic.ports else { return 0 }
        return switch translation {
        case .redirect(let port): universe.label(of: .redirect(by: Int(port) - Int(ports.lower)))
        case .forward(let targets, let port):
          universe.label(
            of: .forward(to: targets.filter { $0.family == family }, by: Int(port) - Int(ports.lower)))
        }
      }
      result = try result.overriding(labels)
    }
    return result
  }

  /// Returns what is routed on with the router's address as its source.
  private func masqueraded() throws(BudgetExceeded) -> PacketSet {
    let boxes = firewall.passages.filter(\.masquerade).flatMap { self.boxes($0) }
    let local = try space.set(.sourceKind, in: space.value(AddressKind.local.rawValue, of: .sourceKind))
    return try space.set(of: boxes).subtracting(local)
  }

  /// Returns the boxes of `departure`.
  func boxes(_ departure: Departure) -> [PacketBox] {
    guard let box = universe.box(until: departure.until) else { return [] }
    return boxes(box, of: departure.traffic).flatMap {
      universe.boxes($0, .destination, in: departure.destinations)
    }
  }

  /// Returns the boxes of `block`.
  func boxes(_ block: Refusal) -> [PacketBox] {
    guard let box = universe.box(until: block.until) else { return [] }
    return boxes(box, of: block.traffic).flatMap { part in
      universe.boxes(part, .destination, in: block.destinations ?? .all).flatMap {
        universe.boxes($0, block.sources, .source, on: .arrival)
      }
    }
  }

  /// Returns what becomes of what the host's own processes send.
  private func departures(refusal: UInt32, tracked: PacketSet) throws(BudgetExceeded) -> PacketMap {
    guard let departures = firewall.departures else { return try space.everything.labelled(Verdict.accept.label) }
    var all: [PacketBox] = []
    for departure in departures { all += boxes(departure) }
    let lo = InterfaceName.value(of: "lo")
    let accepted = try space.set(of: all).union(tracked)
      .union(essentials(areArriving: false))
      .union(space.set(.departure, in: space.value(lo, of: .departure)))
    return try accepted.labelled(Verdict.accept.label).overriding(space.everything.labelled(refusal))
  }
}
