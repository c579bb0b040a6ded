public import Firewalls
public import Packets
public import Syntax

/// What becomes of a packet and why.
public struct Judgement: Hashable, Sendable {
  /// What decides; the numbers are positions in the lists of the firewall.
  public enum Reason: Hashable, Sendable {
    /// It came over loopback.
    case loopback
    /// IP needs it (`Essentials`).
    case essential
    /// It is an echo request, and the policy leaves them open.
    case ping
    /// One of `blocks` refuses it.
    case blocked(Int)
    /// One of `openings` accepts it.
    case opened(Int)
    /// One of `passages` accepts it.
    case passed(Int)
    /// Nothing accepts it.
    case closed
  }

  /// What becomes of the packet.
  public var verdict: Verdict

  /// Why.
  public var reason: Reason

  /// `true` iff it is accepted only within a rate limit.
  public var isLimited: Bool

  /// Creates a judgement.
  public init(_ verdict: Verdict, _ reason: Reason, isLimited: Bool = false) {
    self.verdict = verdict
    self.reason = reason
    self.isLimited = isLimited
  }
}

/// The naive evaluator: one packet by the lists of the firewall, without any set of packets. The engine has to agree with it.
extension Firewall {
  /// Returns what becomes on the day `today` of `packet`, the first of a connection.
  ///
  /// - Parameters:
  ///   - packet: the packet as it arrives.
  ///   - departing: the interface on which it leaves if it is routed on, or nothing if that is not known.
  ///   - today: the date, in UTC.
  /// - Returns: the verdict and what decides it.
  public func judge(_ packet: Packet, departing: String? = nil, on today: CalendarDate) -> Judgement {
    if packet.interface == "lo" { return Judgement(.accept, .loopback) }
    if isEssential(packet) { return Judgement(.accept, .essential) }
    let judgement = judgeByLines(packet, departing: departing, on: today)
    guard pingOpen, isEcho(packet) else { return judgement }
    // What is over the rate of echo requests is accepted if a line accepts it.
    return judgement.verdict == .accept && !judgement.isLimited
      ? judgement : Judgement(.accept, .ping, isLimited: true)
  }

  /// Returns what becomes on the day `today` of `packet` by blocks, openings and passages alone.
  private func judgeByLines(_ packet: Packet, departing: String?, on today: CalendarDate) -> Judgement {
    let refusal = rejects ? Verdict.reject : .drop
    let isLocal = isLocal(packet.destination)
    if let i = blocks.firstIndex(where: { (isLocal || !$0.sparesTransit) && $0.covers(packet, on: today) }) {
      return Judgement(refusal, .blocked(i))
    }
    if isLocal {
      let covering = openings.indices.filter { openings[$0].covers(packet, on: today) }
      guard let best = covering.first(where: { openings[$0].limit == nil }) ?? covering.first else {
        return Judgement(refusal, .closed)
      }
      return Judgement(.accept, .opened(best), isLimited: openings[best].limit != nil)
    }
    let covering = passages.indices.filter { passages[$0].covers(packet, departing: departing, on: today) }
    guard let best = covering.first(where: { passages[$0].limit == nil }) ?? covering.first else {
      return Judgement(refusal, .closed)
    }
    return Judgement(.accept, .passed(best), isLimited: passages[best].limit != nil)
  }

  /// Returns `true` iff the host's own processes may open the connection whose first packet is `packet` on the day
  /// `today`.
  public func permits(departing packet: Packet, on today: CalendarDate) -> Bool {
    guard let departures else { return true }
    if addresses.contains(packet.destination) || AddressSet.loopback.contains(packet.destination) { return true }
    let ports = (packet.sourcePort, packet.destinationPort)
    let isEssential =
      switch packet.transport {
      case .icmp: Essentials.icmp.contains { UInt16($0) == packet.destinationPort }
      case .icmpv6: Essentials.icmpv6.contains { UInt16($0) == packet.destinationPort }
      case .udp where packet.source.family == .ipv6: ports == (Essentials.dhcpv6Client, Essentials.dhcpv6Server)
      case .udp: ports == (68, 67)
      default: false
      }
    return isEssential
      || departures.contains { departure in
        departure.destinations.contains(packet.destination) && (departure.until.map { today <= $0 } ?? true)
          && (departure.traffic?.contains { $0.contains(packet.traffic) } ?? true)
      }
  }

  /// Returns `true` iff IP needs `packet`.
  private func isEssential(_ packet: Packet) -> Bool {
    switch packet.transport {
    case .icmp: Essentials.icmp.contains { UInt16($0) == packet.destinationPort }
    case .icmpv6: Essentials.icmpv6.contains { UInt16($0) == packet.destinationPort }
    case .udp:
      packet.destinationPort == Essentials.dhcpv6Client && packet.sourcePort == Essentials.dhcpv6Server
        && AddressSet.linkLocalIPv6.contains(packet.source)
    default: false
    }
  }

  /// Returns `true` iff `packet` is an echo request.
  private func isEcho(_ packet: Packet) -> Bool {
    packet.transport == .icmp && packet.destinationPort == UInt16(Essentials.echoRequest)
      || packet.transport == .icmpv6 && packet.destinationPort == UInt16(Essentials.echoRequestV6)
  }
}

extension Opening {
  /// Returns `true` iff the opening lets `packet` in on the day `today`, but for its limit.
  public func covers(_ packet: Packet, on today: CalendarDate) -> Bool {
    traffic.contains(packet.traffic) && (until.map { today <= $0 } ?? true)
      && (destinations?.contains(packet.destination) ?? true)
      && sources.contains(packet.source, on: packet.interface)
  }
}

extension Refusal {
  /// Returns `true` iff `packet` is refused on the day `today`, provided that it is addressed to the host if the
  /// refusal spares transit.
  public func covers(_ packet: Packet, on today: CalendarDate) -> Bool {
    (traffic?.contains { $0.contains(packet.traffic) } ?? true) && (until.map { today <= $0 } ?? true)
      && (destinations?.contains(packet.destination) ?? true)
      && sources.contains(packet.source, on: packet.interface)
  }
}

extension Passage {
  /// Returns `true` iff `packet` is routed on to the interface `departing` on the day `today`, but for the limit.
  public func covers(_ packet: Packet, departing: String?, on today: CalendarDate) -> Bool {
    (traffic?.contains { $0.contains(packet.traffic) } ?? true) && (until.map { today <= $0 } ?? true)
      && sources.contains(packet.source, on: packet.interface)
      && destinations.contains(packet.destination, on: departing)
  }
}
