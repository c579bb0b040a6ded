public import Packets
import Syntax

/// Packets of a change in the terms that a person thinks in: what they carry, and from where to where.
public struct Flow: Hashable, Sendable {
  /// What they carry; nothing means everything.
  public var traffic: Traffic?

  /// A protocol without ports, if they are of one.
  public var transport: TransportProtocol?

  /// `true` iff they are of many protocols without ports.
  public var isOfOthers = false

  /// Where they come from.
  public var sources: AddressSet

  /// Where they are sent.
  public var destinations: AddressSet

  /// The interfaces that they arrive on; nothing means any.
  public var arrivals: IntervalSet<UInt128>?

  /// The interfaces that they leave on; nothing means any.
  public var departures: IntervalSet<UInt128>?

  /// `true` iff processes of the host send them.
  public var isSent: Bool

  /// `true` iff they are routed on.
  public var isRouted: Bool
}

/// What a set of packets says, as far as it can be said shortly.
public struct FlowList: Sendable {
  /// The flows, in a stable order.
  public var flows: [Flow] = []

  /// `true` iff there are more.
  public var isCut = false

  /// The moments at which they flow, in seconds since 1970, if not always.
  public var times: IntervalSet<UInt128>?
}

extension Universe {
  /// Returns the flows of `packets`, of which `most` are given.
  ///
  /// What the state of connection tracking, hop limits and source ports say is left out.
  public func flows(
    of packets: PacketSet, atMost most: Int, in window: IntervalSet<UInt128>
  ) throws(BudgetExceeded) -> FlowList {
    var result = FlowList()
    let times = packets.values(of: .time)
    if times != window { result.times = times }
    var rest = packets
    for field in space.conditionFields + [PacketField.state, .sourceKind, .hopLimit, .time] {
      rest = try rest.forgetting(field)
    }
    // Of the kinds of destinations only matters whether the host is among them.
    let icmp = try space.set(
      .transport, in: space.values(IntervalSet([1...1, 58...58] as [ClosedRange<UInt128>]), of: .transport))
    let messages = try rest.intersection(icmp)
    rest = try rest.subtracting(icmp).forgetting(.sourcePort).union(messages)
    let elsewhere = try space.set(
      .destinationKind, in: space.value(AddressKind.elsewhere.rawValue, of: .destinationKind))
    var order: [Flow] = []
    for isRouted in [false, true] {
      let part = try (isRouted ? rest.intersection(elsewhere) : rest.subtracting(elsewhere))
        .forgetting(.destinationKind)
      for (count, region) in part.regions.enumerated() {
        guard count < most * 8 else {
          result.isCut = true
          break
        }
        for flow in flows(of: region, isRouted: isRouted) {
          // The families of one flow stand apart in a diagram; else only what has one end in common makes one flow.
          if let i = order.firstIndex(where: { $0.isMergeable(with: flow) }) {
            order[i].sources = order[i].sources.union(flow.sources)
            order[i].destinations = order[i].destinations.union(flow.destinations)
          } else {
            order.append(flow)
          }
        }
      }
    }
    order = order.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }.map(\.element)
    result.flows = Array(order.prefix(most))
    result.isCut = result.isCut || order.count > most
    return result
  }

  /// Returns the flows of `region`.
  private func flows(of region: PacketRegion, isRouted: Bool) -> [Flow] {
    let families = region.sides[.family]
    func addresses(_ field: PacketField) -> AddressSet {
      let values = region.sides[field]
      var result = AddressSet()
      if families?.contains(0) ?? true {
        result.ipv4 = IntervalSet(
          (values ?? .all).intersection(IntervalSet(0...UInt128(UInt32.max))).intervals.map {
            UInt32($0.lowerBound)...UInt32($0.upperBound)
          })
      }
      if families?.contains(1) ?? true { result.ipv6 = values ?? .all }
      return result
    }
    let transports = region.sides[.transport] ?? IntervalSet(0...255)
    let ports = region.sides[.destinationPort]
    var traffics: [(Traffic?, TransportProtocol?)] = []
    let isEverything = transports.intervals.first == 0...255 && ports == nil
    if isEverything { traffics.append((nil, nil)) }
    let others = transports.intervals.reduce(0) { $0 + $1.count }
    if !isEverything, others > 16 { traffics.append((nil, nil)) }
    for interval in isEverything ? [] : transports.intervals {
      for number in interval {
        let transport = TransportProtocol(rawValue: UInt8(number))
        if transport.hasPorts {
          for range in ports?.intervals ?? [0...65_535] {
            let ports = PortRange(from: UInt16(range.lowerBound), through: UInt16(min(range.upperBound, 65_535)))
            traffics.append((.ports(transport, ports), nil))
          }
        } else if transport.isICMP {
          let codes = region.sides[.sourcePort]
          let code = codes.flatMap {
            $0.intervals.count == 1 && $0.intervals[0].count == 1 ? UInt8($0.intervals[0].lowerBound) : nil
          }
          let types = ports ?? IntervalSet(0...255)
          if types.intervals.reduce(0, { $0 + $1.count }) > 4 {
            traffics.append((nil, transport))
            continue
          }
          for range in types.intervals {
            for type in range where type < 256 {
              let type = UInt8(type)
              traffics.append(
                (transport == .icmp ? .icmp(type: type, code: code) : .icmpv6(type: type, code: code), nil))
            }
          }
        } else if others <= 16 {
          traffics.append((nil, transport))
        }
      }
    }
    let isSent = region.sides[.direction]?.contains(1) ?? false
    func names(_ field: PacketField) -> IntervalSet<UInt128>? {
      // Loopback, over which everything is accepted, is never part of a change, and not worth a word.
      let lo = InterfaceName.value(of: "lo")
      guard let values = region.sides[field],
        values.union(IntervalSet([0...0, lo...lo])).intervals != [0...UInt128.max]
      else { return nil }
      return values
    }
    let (sources, destinations) = (addresses(.source), addresses(.destination))
    return traffics.map { traffic, transport in
      Flow(
        traffic: traffic, transport: transport, isOfOthers: !isEverything && traffic == nil && transport == nil,
        sources: sources, destinations: destinations, arrivals: isSent ? nil : names(.arrival),
        departures: isSent || isRouted ? names(.departure) : nil, isSent: isSent, isRouted: isRouted && !isSent)
    }
  }
}

extension Flow {
  /// The place among others: TCP and UDP first, messages last.
  fileprivate var rank: Int {
    switch traffic?.transport ?? transport {
    case .tcp?: 1
    case .udp?: 2
    case .icmp?, .icmpv6?: 5
    case nil: isOfOthers ? 4 : 0
    default: 3
    }
  }

  /// Returns `true` iff what `self` and `other` say together is just what one flow would say.
  fileprivate func isMergeable(with other: Flow) -> Bool {
    guard traffic == other.traffic, transport == other.transport, isOfOthers == other.isOfOthers,
      arrivals == other.arrivals, departures == other.departures, isSent == other.isSent, isRouted == other.isRouted
    else { return false }
    if sources == other.sources || destinations == other.destinations { return true }
    return AddressFamily.allCases.allSatisfy { sources.isEmpty($0) || other.sources.isEmpty($0) }
  }
}
