import Firewalls
import Nftables
import Packets
import Policies
import Syntax

/// The judge of single packets, by what a firewall means; what it accepts within a rate, it accepts.
struct PacketJudge {
  /// The firewall, whose own addresses are all that the host has.
  let firewall: Firewall

  /// What it means.
  private let meaning: Meaning

  /// The moment, in seconds since 1970, UTC.
  private let moment: Int

  /// A name that no interface can have stands for one that the policy does not name.
  private static let unnamed = "\u{1}"

  /// Creates the judge by `firewall`, of a host that has the addresses `own` too, on the day `today`.
  init(_ firewall: Firewall, own: AddressSet, on today: CalendarDate) throws(BudgetExceeded) {
    var firewall = firewall
    firewall.addresses = firewall.addresses.union(own).subtracting(.loopback)
    self.firewall = firewall
    meaning = try firewall.meaning(in: Universe())
    // The kernel's clock ends before the calendar does.
    moment = min(today.daysSinceEpoch * 86_400, Int(Universe.lastMoment))
  }

  /// Creates the judge by `ruleset`, whatever policy it came from, of the host with the name `host` that has the addresses
  /// `own`, on the day `today`.
  init(_ ruleset: Table, of host: String, own: AddressSet, on today: CalendarDate) throws {
    // Of the firewall that it came from, nothing is known but where it stands.
    firewall = Firewall(
      host: ID(0), name: host, addresses: own.subtracting(.loopback), rejects: false, logDenied: nil, pingOpen: false,
      ephemeral: PortRange(from: 32_768, through: 60_999))
    let universe = Universe()
    meaning = try Script([.define(ruleset)]).reading(in: universe).chains.meaning(in: universe)
    moment = min(today.daysSinceEpoch * 86_400, Int(Universe.lastMoment))
  }

  /// Creates the same judge of a host that has the addresses `own` too.
  private init(_ other: PacketJudge, own: AddressSet) {
    var firewall = other.firewall
    firewall.addresses = firewall.addresses.union(own)
    (self.firewall, meaning, moment) = (firewall, other.meaning, other.moment)
  }

  /// Returns the same judge of a host that has the addresses `own` too, whose ruleset names none.
  func knowing(_ own: AddressSet) -> PacketJudge { PacketJudge(self, own: own) }

  /// Returns `true` iff `address` is one of the host's own.
  func isOwn(_ address: Address) -> Bool {
    firewall.addresses.contains(address) || AddressSet.loopback.contains(address)
  }

  /// Returns `true` iff `packet` may come in, and go on to the interface `departing` if it is for somebody else.
  func accepts(arriving packet: Packet, departing: String? = nil) -> Bool {
    accepts(values(of: packet, departing: departing))
  }

  /// Returns `true` iff the host may send `packet`.
  func accepts(sent packet: Packet, on interface: String?) -> Bool {
    var sent = packet
    sent.interface = nil
    return accepts(
      meaning.universe.values(
        of: sent, departing: interface ?? PacketJudge.unnamed, to: firewall.kind(of: packet.destination), at: moment,
        conditions: true))
  }

  /// Returns the block that refuses `packet`, which arrives, if one does.
  func block(of packet: Packet, departing: String? = nil) throws(BudgetExceeded) -> Cause? {
    guard case .block(let i) = try firewall.ruling(on: values(of: packet, departing: departing), in: meaning.universe)
    else { return nil }
    return firewall.blocks[i].cause
  }

  /// Returns `packet`, which arrives, as sets of packets have it.
  private func values(of packet: Packet, departing: String?) -> PacketValues {
    var named = packet
    named.interface = packet.interface ?? PacketJudge.unnamed
    return meaning.universe.values(
      of: named, departing: departing ?? PacketJudge.unnamed, to: firewall.kind(of: packet.destination), at: moment,
      conditions: true)
  }

  /// Returns `true` iff `packet` is accepted.
  private func accepts(_ packet: PacketValues) -> Bool {
    meaning.verdicts.label(of: packet) == Verdict.accept.label
  }
}
