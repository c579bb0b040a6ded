public import Packets
import Syntax

/// What of a firewall decides about a packet; the numbers are positions in the lists of the firewall.
public enum Ruling: Hashable, Sendable {
  /// It is no first packet of a connection.
  case known
  /// It comes over loopback, or goes there.
  case loopback
  /// IP needs it (`Essentials`).
  case essential
  /// It is an echo request, and the policy leaves them open.
  case ping
  /// One of `blocks` refuses it.
  case block(Int)
  /// One of `openings` accepts it.
  case opening(Int)
  /// One of `passages` accepts it.
  case passage(Int)
  /// One of `departures` lets the host send it.
  case departure(Int)
  /// The host may send what it wants.
  case free
  /// Nothing accepts it.
  case nothing
}

extension Firewall {
  /// Returns what decides about `packet`, by the same boxes of packets that the firewall means.
  ///
  /// - Parameters:
  ///   - packet: the packet.
  ///   - universe: where it is.
  ///   - ignoresRates: whether what a line accepts within a rate counts as accepted, whatever `packet` says of the rate.
  /// - Returns: what decides: of several lines, the first one that accepts without a rate, or else the first one.
  /// - Throws: `BudgetExceeded` if the sets of packets are too complex.
  public func ruling(
    on packet: PacketValues, in universe: Universe, ignoringRates ignoresRates: Bool = false
  ) throws(BudgetExceeded) -> Ruling {
    let definition = MeaningDefinition(firewall: self, universe: universe)
    guard try definition.states([.new, .untracked]).contains(packet) else { return .known }
    let isArriving = packet[.direction] == 0
    let lo = InterfaceName.value(of: "lo")
    if packet[isArriving ? .arrival : .departure] == lo { return .loopback }
    if !isArriving, departures == nil { return .free }
    if try definition.essentials(areArriving: isArriving).contains(packet) { return .essential }
    func holds(_ limit: Limit?) throws(BudgetExceeded) -> Bool {
      guard let limit, !ignoresRates else { return true }
      return packet[try universe.within(limit)] == 1
    }
    let traffic = universe.first(packet).traffic
    guard isArriving else {
      for (i, departure) in (departures ?? []).enumerated()
      where departure.traffic?.contains(where: { $0.contains(traffic) }) ?? true {
        if definition.boxes(departure).contains(where: { universe.space.contains(packet, in: $0) }) {
          return .departure(i)
        }
      }
      return .nothing
    }
    let lines = try rulingOfLines(on: packet, traffic, definition, holds)
    // What is over the rate of echo requests is accepted if a line accepts it; without a rate, the line counts.
    let isPlain =
      switch lines {
      case .opening(let i): openings[i].limit == nil
      case .passage(let i): passages[i].limit == nil
      default: false
      }
    if isPlain { return lines }
    return try definition.echoes().contains(packet) ? .ping : lines
  }

  /// Returns which block, opening or passage decides about `packet`, which is of `traffic`.
  private func rulingOfLines(
    on packet: PacketValues, _ traffic: Traffic, _ definition: MeaningDefinition,
    _ holds: (Limit?) throws(BudgetExceeded) -> Bool
  ) throws(BudgetExceeded) -> Ruling {
    let space = definition.space
    func isIn(_ boxes: [PacketBox]) -> Bool { boxes.contains { space.contains(packet, in: $0) } }
    let isDelivered = packet[.destinationKind] != UInt128(AddressKind.elsewhere.rawValue)
    for (i, block) in blocks.enumerated() where isDelivered || !block.sparesTransit {
      if isIn(definition.boxes(block)) { return .block(i) }
    }
    var limited: Ruling?
    if isDelivered {
      // Lines about other ports have no box with it, and would be most of the work.
      for (i, opening) in openings.enumerated() where opening.traffic.contains(traffic) {
        guard opening.limit == nil || limited == nil, isIn(definition.boxes(opening, label: 1)),
          try holds(opening.limit)
        else { continue }
        if opening.limit == nil { return .opening(i) }
        limited = .opening(i)
      }
      return limited ?? .nothing
    }
    for (i, passage) in passages.enumerated() {
      guard passage.limit == nil || limited == nil, isIn(definition.boxes(passage)), try holds(passage.limit) else {
        continue
      }
      if passage.limit == nil { return .passage(i) }
      limited = .passage(i)
    }
    return limited ?? .nothing
  }

  /// Returns the line that decides what becomes of `packet`, or nothing if none does: nothing lets it through, or
  /// everything of its kind goes through.
  public func cause(of packet: PacketValues, in universe: Universe) throws(BudgetExceeded) -> Cause? {
    switch try ruling(on: packet, in: universe) {
    case .known, .loopback, .essential, .ping, .free, .nothing: nil
    case .block(let i): blocks[i].cause
    case .opening(let i): openings[i].cause
    case .passage(let i): passages[i].cause
    case .departure(let i): departures?[i].cause
    }
  }
}
