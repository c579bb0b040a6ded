public import Packets

/// Where packets come from or go to: an interface of a set together with an address of a set.
public struct Reach: Hashable, Sendable {
  /// The interfaces.
  public var interfaces: InterfaceSet

  /// The addresses.
  public var addresses: AddressSet

  /// Creates the reach of `addresses` on `interfaces`.
  public init(_ addresses: AddressSet, on interfaces: InterfaceSet = .any) {
    self.interfaces = interfaces
    self.addresses = addresses
  }

  /// Every address on every interface.
  public static let everywhere = Reach(.all)

  /// `true` iff nothing is reached.
  public var isEmpty: Bool { interfaces.isEmpty || addresses.isEmpty }

  /// `true` iff everything is reached.
  public var isEverywhere: Bool { interfaces.isAny && addresses.isAll }

  /// Returns `true` iff `address` on `interface` is reached.
  public func contains(_ address: Address, on interface: String?) -> Bool {
    interfaces.contains(interface) && addresses.contains(address)
  }
}

extension [Reach] {
  /// Returns `true` iff `address` on `interface` is in one of the parts.
  public func contains(_ address: Address, on interface: String?) -> Bool {
    contains { $0.contains(address, on: interface) }
  }

  /// The same reach with disjoint sets of interfaces, none of them empty, in ascending order, as few as there can be.
  ///
  /// Back ends rely on it: on every interface at most one part applies.
  public var normalized: [Reach] {
    if count == 1, !self[0].isEmpty { return self }
    var parts: [Reach] = []
    for reach in mergedByInterfaces {
      var rest = reach.interfaces
      var split: [Reach] = []
      for part in parts {
        let common = part.interfaces.intersection(rest)
        guard !common.isEmpty else {
          split.append(part)
          continue
        }
        rest = rest.subtracting(common)
        let remaining = part.interfaces.subtracting(common)
        if !remaining.isEmpty { split.append(Reach(part.addresses, on: remaining)) }
        split.append(Reach(part.addresses.union(reach.addresses), on: common))
      }
      if !rest.isEmpty { split.append(Reach(reach.addresses, on: rest)) }
      parts = split
    }
    return parts.mergedByAddresses
  }

  /// The parts that reach something, with those of equal interfaces put together: a list of thousands of addresses has
  /// few sets of interfaces.
  private var mergedByInterfaces: [Reach] {
    var byInterfaces: [InterfaceSet: [AddressSet]] = [:]
    for reach in self where !reach.isEmpty { byInterfaces[reach.interfaces, default: []].append(reach.addresses) }
    return byInterfaces.map { Reach(AddressSet(unionOf: $0.value), on: $0.key) }
      .sorted { $0.interfaces < $1.interfaces }
  }

  /// The parts with those of equal addresses put together; their interfaces are disjoint.
  private var mergedByAddresses: [Reach] {
    var byAddresses: [AddressSet: InterfaceSet] = [:]
    for part in self {
      byAddresses[part.addresses] = byAddresses[part.addresses]?.union(part.interfaces) ?? part.interfaces
    }
    return byAddresses.map { Reach($0.key, on: $0.value) }.sorted { $0.interfaces < $1.interfaces }
  }

  /// Returns what is in `self` and in none of `others`, normalized.
  public func subtracting(_ others: [Reach]) -> [Reach] {
    var parts = self
    for other in others.normalized {
      parts = parts.flatMap { part -> [Reach] in
        let common = part.interfaces.intersection(other.interfaces)
        guard !common.isEmpty else { return [part] }
        return [
          Reach(part.addresses, on: part.interfaces.subtracting(common)),
          Reach(part.addresses.subtracting(other.addresses), on: common),
        ].filter { !$0.isEmpty }
      }
    }
    return parts.normalized
  }
}
