import Firewalls
import Packets
import Policies
import Syntax

/// How packets of a change are told: by the names that the policies have for them, and by their addresses.
struct FlowWords {
  /// The policies, whose names count.
  let old: Policy
  let new: Policy

  /// Returns the row of `change`, one of those of `comparison`, at `place`, as far as its packets tell it, with the packet
  /// that shows it: one to `addresses` if there is such a one.
  func row(
    of change: Change, in comparison: Comparison, at place: String, to addresses: AddressSet, atMost most: Int,
    in window: IntervalSet<UInt128>, _ universe: Universe
  ) throws(BudgetExceeded) -> (Difference.Row, PacketValues) {
    let list = try universe.flows(of: change.packets, atMost: most, in: window)
    let packet = try comparison.example(of: change, to: addresses) ?? PacketValues()
    var row = Difference.Row(change.kind, at: place)
    row.flows = list.flows.map { text($0) }
    row.isCut = list.isCut
    row.conditions = try comparison.conditions(of: change)
    if let times = list.times { row.conditions.append(text(moments: times, from: window.intervals[0].lowerBound)) }
    row.extent = try extent(of: change.packets, universe)
    row.witness = universe.text(of: packet)
    return (row, packet)
  }

  /// Returns `flow` as one line.
  func text(_ flow: Flow) -> String {
    var words = [
      flow.traffic?.description ?? flow.transport.map { $0.isICMP ? $0.description : "protocol \($0)" }
        ?? (flow.isOfOthers ? "protocols without ports" : "everything")
    ]
    if flow.isSent {
      words.append("to \(text(flow.destinations))")
      if let interfaces = flow.departures { words.append("on \(text(interfaces: interfaces))") }
      return words.joined(separator: " ")
    }
    words.append("from \(text(flow.sources))")
    if let interfaces = flow.arrivals { words.append("on \(text(interfaces: interfaces))") }
    // Where no address of the sources' families is left out, nothing is said.
    let isAnywhere = AddressFamily.allCases.allSatisfy { family in
      flow.sources.isEmpty(family) || AddressSet.all(family).isSubset(of: flow.destinations)
    }
    if !isAnywhere { words.append("to \(text(flow.destinations))") }
    if flow.isRouted { words.append("through this host") }
    if let interfaces = flow.departures { words.append("out of \(text(interfaces: interfaces))") }
    return words.joined(separator: " ")
  }

  /// Returns the name of `set` with its addresses, or these alone.
  func text(_ set: AddressSet) -> String {
    if set.isAll { return "anywhere" }
    for family in AddressFamily.allCases where set == .all(family) {
      return family == .ipv4 ? "anywhere (IPv4 only)" : "anywhere (IPv6 only)"
    }
    let others = AddressSet(AddressFamily.allCases.filter { !set.isEmpty($0) }.flatMap { AddressSet.all($0).ranges })
      .subtracting(set)
    let addresses = others.ranges.count < set.ranges.count ? "anywhere but \(text(others))\(confined(set))" : list(set)
    guard let name = name(of: set) else { return addresses }
    return "\(name) (\(addresses))"
  }

  /// Returns which family alone `set` has, if it has one alone.
  private func confined(_ set: AddressSet) -> String {
    set.isEmpty(.ipv6) ? " (IPv4 only)" : set.isEmpty(.ipv4) ? " (IPv6 only)" : ""
  }

  /// Returns the first blocks or ranges of `set`.
  private func list(_ set: AddressSet) -> String {
    var parts: [String] = []
    for range in set.ranges {
      let blocks = range.prefixes
      parts += blocks.count <= 2 ? blocks.map { text($0) } : [range.description]
      if parts.count > 6 { break }
    }
    let more = parts.count > 6 ? ", and more" : ""
    return parts.prefix(6).joined(separator: ", ") + more
  }

  private func text(_ block: Prefix) -> String {
    block.length == block.address.family.width ? block.address.description : block.description
  }

  /// Returns what the policies call `set`.
  private func name(of set: AddressSet) -> String? {
    for policy in [new, old] {
      if let zone = policy.zones.first(where: { $0.hasAddresses && $0.addresses == set }) { return zone.name.value }
      if let host = policy.hosts.first(where: { AddressSet($0.addresses.map(\.value)) == set }) {
        return host.name.value
      }
    }
    return nil
  }

  /// Returns the interfaces of `names`.
  private func text(interfaces names: IntervalSet<UInt128>) -> String {
    let known = names.intervals.compactMap { i in
      i.lowerBound == i.upperBound ? InterfaceName.name(of: i.lowerBound) : nil
    }
    if known.count == names.intervals.count { return known.joined(separator: ", ") }
    let missing = names.complement.intervals.compactMap { i in
      i.lowerBound == i.upperBound ? InterfaceName.name(of: i.lowerBound) : nil
    }
    return missing.isEmpty ? "some interfaces" : "every interface but \(missing.joined(separator: ", "))"
  }

  /// Returns the moments of `times`, to the second where no day begins or ends.
  func text(moments times: IntervalSet<UInt128>, from start: UInt128) -> String {
    times.intervals.map { interval in
      let (lower, upper) = (Int(interval.lowerBound), Int(min(interval.upperBound, UInt128(Universe.lastMoment))))
      let first =
        interval.lowerBound > start
        ? "from \(lower % 86_400 == 0 ? FlowWords.day(lower) : FlowWords.moment(lower))" : ""
      if upper >= Int(Universe.lastMoment) { return "\(first) on" }
      let isDay = (upper + 1) % 86_400 == 0
      // The first second that is no longer in is what a clock shows when it ends.
      let last = isDay ? "until the end of \(FlowWords.day(upper))" : "until \(FlowWords.moment(upper + 1))"
      return first.isEmpty ? last : "\(first) \(last)"
    }.joined(separator: " and ")
  }

  private static func day(_ seconds: Int) -> String { "\(CalendarDate(daysSinceEpoch: seconds / 86_400))" }

  /// Returns the moment that is `seconds` after the beginning of 1970, in UTC.
  private static func moment(_ seconds: Int) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let rest = seconds % 86_400
    return "\(day(seconds)) \(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) UTC"
  }

  /// Returns how many sources and ports `packets` have.
  func extent(of packets: PacketSet, _ universe: Universe) throws(BudgetExceeded) -> String {
    (try sources(of: packets, universe) + [ports(of: packets)]).joined(separator: ", ")
  }

  /// Returns how many sources `packets` have, or destinations if hosts send them, by family.
  func sources(of packets: PacketSet, _ universe: Universe) throws(BudgetExceeded) -> [String] {
    var parts: [String] = []
    for family in AddressFamily.allCases {
      let some = try packets.intersection(universe.packets(of: [family]))
      guard !some.isEmpty else { continue }
      let isSent = !some.values(of: .direction).contains(0)
      let values = some.values(of: isSent ? .destination : .source).intersection(IntervalSet(0...family.highest))
      let name = family == .ipv4 ? "IPv4" : "IPv6"
      let noun = isSent ? "destination" : "source"
      parts.append("\(count(values)) \(name) \(noun)\(count(values) == "1" ? "" : "s")")
    }
    return parts
  }

  /// Returns how many ports `packets` have.
  func ports(of packets: PacketSet) -> String {
    let ports = packets.values(of: .destinationPort).intersection(IntervalSet(0...65_535))
    return "\(count(ports)) \(count(ports) == "1" ? "port" : "ports")"
  }

  /// Returns the number of `values`, with powers of two where it is large.
  private func count(_ values: IntervalSet<UInt128>) -> String {
    var sum: UInt128 = 0
    for interval in values.intervals {
      let size = interval.upperBound - interval.lowerBound
      if size == .max { return "2^128" }
      sum += size + 1
    }
    if sum >= 1 << 20 {
      var power = 127 - sum.leadingZeroBitCount
      if power > 0, power < 127, sum != UInt128(1) << UInt128(power), sum >> UInt128(power - 1) & 1 == 1 { power += 1 }
      return sum == UInt128(1) << UInt128(power) ? "2^\(power)" : "about 2^\(power)"
    }
    return "\(sum)"
  }
}
