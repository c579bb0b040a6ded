import Firewalls
import Packets

extension ListingReader {
  /// An address and a port of a target; nothing means that it stays.
  private struct Target {
    var addresses: [Address] = []
    var port: UInt16?
  }

  /// Returns rules that send the packets of `ways` where `statement` says, which is `dnat` or `redirect`.
  mutating func translations(
    _ statement: JSONValue.Member, _ ways: [Matched], _ text: String
  ) throws -> [HookedChains.Rule] {
    var cases: [(cubes: [Cube], target: Target)]? = nil
    let family: AddressFamily? =
      switch statement.value["family"]?.string {
      case "ip": .ipv4
      case "ip6": .ipv6
      default: nil
      }
    if let map = statement.value["addr"]?["map"] ?? statement.value["port"]?["map"] {
      cases = mapped(map)
    } else {
      let port = statement.value["port"].map { $0.number.flatMap { UInt16(exactly: $0) } }
      let addresses = statement.value["addr"].map(self.addresses)
      // A port or an address that is there and not understood is not the same as none.
      if port != .some(nil), addresses != .some(nil) {
        cases = [([Cube()], Target(addresses: (addresses ?? nil) ?? [], port: port ?? nil))]
      }
    }
    if var cases {
      if let family {
        let cube = Cube(of: family, in: universe.space)
        for i in cases.indices {
          cases[i].cubes = cases[i].cubes.compactMap {
            $0.intersection(cube, in: universe.space)
          }
        }
      }
      if let rules = try rules(for: cases, ways, text) { return rules }
    }
    // It goes somewhere: no more can be said than that it may be dropped on the way.
    let condition = try unknown("{\"\(statement.name)\":\(statement.value.text)}", isOfRule: true)
    return try ways.flatMap { way in
      try way.rules([([Cube(conditions: [condition])], .drop)], text, in: universe)
        + way.rules(.accept, text, in: universe)
    }
  }

  /// Returns the addresses that `value` writes, or nothing if it is not known which, or if they are many.
  private func addresses(_ value: JSONValue) -> [Address]? {
    if let address = value.string.flatMap({ Address($0) }) { return [address] }
    guard let range = value["range"]?.array, range.count == 2, let lower = range[0].string.flatMap({ Address($0) }),
      let upper = range[1].string.flatMap({ Address($0) }), lower.family == upper.family, lower <= upper,
      upper.value - lower.value < 256
    else { return nil }
    return (lower.value...upper.value).map { Address(lower.family, $0) }
  }

  /// Returns the target that `value`, of a map, writes.
  private func target(_ value: JSONValue) -> Target? {
    if let inner = value["elem"]?["val"] { return target(inner) }
    var target = Target()
    for part in parts(of: value) {
      if let number = part.number {
        guard target.port == nil, let port = UInt16(exactly: number) else { return nil }
        target.port = port
      } else {
        guard target.addresses.isEmpty, let addresses = addresses(part) else { return nil }
        target.addresses = addresses
      }
    }
    return target
  }

  /// Returns the targets of `map`, each with the packets that it is for, or nothing if something is not known.
  private func mapped(_ map: JSONValue) -> [(cubes: [Cube], target: Target)]? {
    guard let key = map["key"], let elements = map["data"].flatMap({ elements(of: $0) }) else { return nil }
    var result: [(cubes: [Cube], target: Target)] = []
    let isSpread = key["jhash"] != nil || key["numgen"] != nil || key["symhash"] != nil
    for element in elements {
      guard let pair = element.array, pair.count == 2, let target = target(pair[1]) else { return nil }
      if isSpread {
        result.append(([Cube()], target))
      } else if let cubes = cube(of: parts(of: key), equal: pair[0]) {
        result.append((cubes, target))
      } else {
        return nil
      }
    }
    guard isSpread else { return result }
    guard let first = result.first, result.allSatisfy({ $0.target.port == first.target.port }) else { return nil }
    return [([Cube()], Target(addresses: result.flatMap(\.target.addresses), port: first.target.port))]
  }

  /// Returns the rules for `cases`, or nothing if a port leads to very many distances.
  private func rules(
    for cases: [(cubes: [Cube], target: Target)], _ ways: [Matched], _ text: String
  ) throws -> [HookedChains.Rule]? {
    var result: [HookedChains.Rule] = []
    for way in ways {
      for one in cases {
        var part = way
        try part.narrow(to: one.cubes, in: universe)
        guard let port = one.target.port else {
          result += try part.rules(action(one.target, by: 0), text, in: universe)
          continue
        }
        for cube in part.cubes {
          let ports = universe.space.intervals(of: cube[.destinationPort]).intervals
          guard cube[.destinationPort] != .all, let last = ports.last,
            last.upperBound - ports[0].lowerBound < 1024
          else { return nil }
          for value in ports.joined() {
            var single = part
            single.cubes = [cube]
            var target = Cube()
            _ = target.narrow(
              .destinationPort, to: universe.space.value(value, of: .destinationPort), in: universe.space)
            try single.narrow(to: [target], in: universe)
            result += try single.rules(action(one.target, by: Int(port) - Int(value)), text, in: universe)
          }
        }
      }
    }
    return result
  }

  /// Returns the action that sends packets to `target`.
  private func action(_ target: Target, by distance: Int) -> HookedChains.Action {
    let translation: Universe.Translation =
      target.addresses.isEmpty ? .redirect(by: distance) : .forward(to: target.addresses, by: distance)
    return .translate(universe.label(of: translation))
  }
}
