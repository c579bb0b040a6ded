public import Packets
import Syntax

/// Parts of boxes, from the terms of a firewall.
extension Universe {
  /// Returns `box` for each family of `set` that it may have, with the addresses of `set` in `field`.
  public func boxes(_ box: PacketBox, _ field: PacketField, in set: AddressSet) -> [PacketBox] {
    if set.isAll { return [box] }
    return AddressFamily.allCases.compactMap { family in
      guard !set.isEmpty(family), let box = self.box(box, of: family) else { return nil }
      var result = box
      result[field] =
        switch family {
        case .ipv4: space.values(set.ipv4, of: field)
        case .ipv6: space.values(set.ipv6, of: field)
        }
      return result
    }
  }

  /// Returns the box of the moments up to the end of `date`, in UTC; nothing if there are none.
  func box(until date: CalendarDate?) -> PacketBox? {
    var box = PacketBox()
    guard let date else { return box }
    let end = (date.daysSinceEpoch + 1) * 86_400
    guard end > 0 else { return nil }
    box[.time] = space.values(0...UInt64(end - 1), of: .time)
    return box
  }

  /// Returns `box` for packets of `family`, or nothing if it is for the other one.
  public func box(_ box: PacketBox, of family: AddressFamily) -> PacketBox? {
    let number = space.value(family.number, of: .family)
    guard box[.family] == .all || box[.family] == number else { return nil }
    var result = box
    result[.family] = number
    return result
  }

  /// Returns `box` for packets of `traffic`, or nothing if their family is another.
  public func box(_ box: PacketBox, of traffic: Traffic) -> PacketBox? {
    var result = box
    if let family = traffic.family {
      guard let narrowed = self.box(box, of: family) else { return nil }
      result = narrowed
    }
    result[.transport] = space.value(traffic.transport.rawValue, of: .transport)
    switch traffic {
    case .ports(_, let ports):
      result[.destinationPort] = space.values(ports.lower...ports.upper, of: .destinationPort)
    case .icmp(let type, let code), .icmpv6(let type, let code):
      result[.destinationPort] = space.value(type, of: .destinationPort)
      if let code { result[.sourcePort] = space.value(code, of: .sourcePort) }
    }
    return result
  }

  /// Returns the values of `interfaces`, which are names.
  public func values(of interfaces: InterfaceSet, in field: PacketField) -> ValueSet {
    func set(_ names: [String]) -> IntervalSet<UInt128> {
      IntervalSet(
        names.map {
          let value = InterfaceName.value(of: $0)
          return value...value
        })
    }
    return switch interfaces {
    case .only(let names): space.values(set(names), of: field)
    case .except(let names): space.values(set(names).complement, of: field)
    }
  }

  /// Returns `box` for what is on one of `reaches`, by the address in `field` and the interface in `interface`.
  public func boxes(
    _ box: PacketBox, _ reaches: [Reach], _ field: PacketField, on interface: PacketField
  ) -> [PacketBox] {
    reaches.flatMap { reach -> [PacketBox] in
      var part = box
      part[interface] = values(of: reach.interfaces, in: interface)
      return boxes(part, field, in: reach.addresses)
    }
  }

  /// Returns the addresses that `field` has in `packets`.
  public func addresses(of field: PacketField, in packets: PacketSet) throws(BudgetExceeded) -> AddressSet {
    func values(_ family: AddressFamily) throws(BudgetExceeded) -> IntervalSet<UInt128> {
      try packets.intersection(self.packets(of: [family]))
        .values(of: field).intersection(IntervalSet(0...family.highest))
    }
    return try AddressSet(
      ipv4: IntervalSet(values(.ipv4).intervals.map { UInt32($0.lowerBound)...UInt32($0.upperBound) }),
      ipv6: values(.ipv6))
  }
}
