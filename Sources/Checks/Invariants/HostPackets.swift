import Firewalls
import Packets
import Policies
import Syntax

/// Exact sets of the packets that the hosts of a policy let in and refuse from today on.
///
/// They are the first packets of connections that arrive; sets are made when they are first asked for.
final class HostPackets {
  /// What the sets are about.
  let universe = Universe()

  /// What is inspected.
  private let inspection: Inspection

  /// The first moment of today, in seconds since 1970, UTC.
  private let now: UInt64

  private var refused: [ID<Host>: PacketSet] = [:]

  /// Creates the packets of the hosts in `inspection`.
  init(_ inspection: Inspection) {
    self.inspection = inspection
    now = UInt64(max(inspection.today.daysSinceEpoch, 0)) * 86_400
  }

  private var space: PacketSpace { universe.space }

  /// Every packet from today on.
  var box: PacketBox {
    var box = PacketBox()
    box[.time] = space.values(now...UInt64.max, of: .time)
    return box
  }

  /// The first packets of connections to the hosts from today on.
  var first: PacketBox {
    var box = box
    box[.direction] = space.value(UInt8(0), of: .direction)
    box[.state] = space.value(ConnectionState.new.rawValue, of: .state)
    box[.destinationKind] = space.value(AddressKind.local.rawValue, of: .destinationKind)
    return box
  }

  /// Returns what `opening` of `firewall` lets in, unless a block refuses it.
  func packets(of opening: Opening, on firewall: Firewall) throws(BudgetExceeded) -> PacketSet {
    try space.set(of: firewall.boxes(of: opening, in: universe))
  }

  /// Returns what the blocks of `firewall` refuse.
  func refused(by firewall: Firewall) throws(BudgetExceeded) -> PacketSet {
    if let known = refused[firewall.host] { return known }
    let result = try space.set(of: firewall.blocks.flatMap { firewall.boxes(of: $0, in: universe) })
    refused[firewall.host] = result
    return result
  }

  /// Returns the parts of `box` that come from `sources`, go to `destinations`, and are of `traffic`, of which none means
  /// all.
  func boxes(
    _ box: PacketBox, from sources: [Reach], to destinations: AddressSet = .all, _ traffic: [Traffic] = []
  ) -> [PacketBox] {
    let parts = traffic.isEmpty ? [box] : traffic.compactMap { universe.box(box, of: $0) }
    return parts.flatMap { part in
      universe.boxes(part, .destination, in: destinations).flatMap {
        universe.boxes($0, sources, .source, on: .arrival)
      }
    }
  }

  /// Returns a packet of `set` that exists, the earliest that there are, to one of `destinations` if there is one.
  func witness(of set: PacketSet, to destinations: AddressSet) throws(BudgetExceeded) -> Witness? {
    let possible = try set.intersection(universe.possible)
    let early = try earliest(of: possible)
    var destinations = destinations
    // A host has an address of its own on each link, even if none is declared (RFC 4291).
    if destinations.isEmpty(.ipv6) { destinations.ipv6 = IntervalSet(HostPackets.linkLocal...HostPackets.linkLocal) }
    guard let packet = try universe.example(of: early, to: destinations) else { return nil }
    // Where any interface will do, none is named.
    var shown = packet
    let loopback = IntervalSet(InterfaceName.value(of: "lo")...InterfaceName.value(of: "lo"))
    if try universe.values(of: .arrival, around: packet, in: set).union(loopback).isAll { shown[.arrival] = 0 }
    if try universe.values(of: .departure, around: packet, in: set).isAll { shown[.departure] = 0 }
    var words = universe.text(of: shown)
    if shown[.departure] == 0 { words = words.replacing(" to be routed on", with: "") }
    return try witness(packet, words, in: set)
  }

  /// Returns `packet`, which is in `set`, as a witness that `words` tell.
  func witness(_ packet: PacketValues, _ words: String, in set: PacketSet) throws(BudgetExceeded) -> Witness {
    let times = try universe.values(of: .time, around: packet, in: set)
    let moment = packet[.time]
    let interval = times.intervals.first { $0.contains(moment) } ?? moment...moment
    let beginning = HostPackets.day(of: interval.lowerBound)
    let isLater = beginning > inspection.today
    let ending = interval.upperBound < UInt128(Universe.lastMoment) ? HostPackets.day(of: interval.upperBound) : nil
    return Witness(
      packet: universe.first(packet), values: packet, words: words, day: max(beginning, inspection.today),
      beginning: isLater ? beginning : nil, ending: ending)
  }

  /// Returns the part of `set` at the earliest moment from today on.
  func earliest(of set: PacketSet) throws(BudgetExceeded) -> PacketSet {
    guard let first = set.values(of: .time).intersection(IntervalSet(UInt128(now)...UInt128.max)).intervals.first
    else { return space.nothing }
    let moment = UInt64(truncatingIfNeeded: first.lowerBound)
    return try set.intersection(space.set(.time, in: space.value(moment, of: .time)))
  }

  /// An address that a host may have on a link: fe80::1.
  private static let linkLocal = UInt128(0xfe80) << 112 | 1

  /// Returns the day of the moment `seconds`.
  private static func day(of seconds: UInt128) -> CalendarDate {
    CalendarDate(daysSinceEpoch: Int(min(seconds / 86_400, 1 << 40)))
  }
}

/// A packet that shows that something is so.
struct Witness {
  /// The packet.
  let packet: Packet

  /// It, as packet sets have it.
  let values: PacketValues

  /// It, in words.
  let words: String

  /// A day on which it is so.
  let day: CalendarDate

  /// The first day on which it is so, or nothing if it is so today.
  let beginning: CalendarDate?

  /// The last day on which it is so, or nothing if there is none.
  let ending: CalendarDate?

  /// When it is so, as the end of a sentence.
  var moments: String {
    switch (beginning, ending) {
    case (nil, nil): ""
    case (let first?, nil): " from \(first) on"
    case (nil, let last?): " until the end of \(last)"
    case (let first?, let last?): " from \(first) until the end of \(last)"
    }
  }
}

extension Finding {
  /// Returns the finding that the sets of packets grow too large to decide `claim`.
  static func undecided(_ claim: Claim, _ error: BudgetExceeded) -> Finding {
    Finding(
      "this invariant is too intricate to be decided", about: claim.invariant.isAlways ? "always" : "never",
      at: .init(claim.invariant.provenance.span, "more than \(error.limit) parts"),
      because: "What is not proved is not known to hold.",
      help: "Split the invariant, or name fewer places in it.")
  }
}
