import Packets

extension Universe {
  /// The most ports of one translation whose distances are told one by one.
  private static let mostPorts: UInt128 = 64

  /// Returns `translations` as there is one way alone to say them: without chance where it picks among targets, and by
  /// distances instead of ports.
  func settled(_ translations: PacketMap) throws(BudgetExceeded) -> PacketMap {
    var result = translations
    for chance in chances where result.looks(at: [chance]) {
      let pairs = try result.fixing(chance, to: 0).paired(with: result.fixing(chance, to: 1))
      let merged = try pairs.relabelled { number in
        let (a, b) = space.pair(number)
        return self.label(mergedFrom: a, b)
      }
      result = try merged.overriding(result)
    }
    for label in result.labels {
      guard let translation = translation(labelled: label), let port = translation.port else { continue }
      let packets = try result.packets(labelled: label)
      let ports = packets.values(of: .destinationPort)
      let count = ports.intervals.reduce(UInt128(0)) { $0 + ($1.upperBound - $1.lowerBound) + 1 }
      guard count <= Universe.mostPorts else { continue }
      for value in ports.intervals.flatMap({ Array($0) }) {
        let distance = Int(port) - Int(value)
        let relative: Translation =
          translation.targets.map { .forward(to: $0, by: distance) } ?? .redirect(by: distance)
        let part = try packets.intersection(
          space.set(.destinationPort, in: space.values(value...value, of: .destinationPort)))
        let label = self.label(of: relative)
        result =
          label == 0 ? try result.removing(part) : try part.labelled(label).overriding(result)
      }
    }
    return result
  }

  /// Returns the label for packets that chance gives `a` or `b`, or 0 if none says both.
  private func label(mergedFrom a: UInt32, _ b: UInt32) -> UInt32 {
    if a == b { return a }
    switch (translation(labelled: a), translation(labelled: b)) {
    case (.forward(let some, let distance)?, .forward(let others, let other)?) where distance == other:
      return label(of: .forward(to: some + others, by: distance))
    case (.forwardAll(let some, let port)?, .forwardAll(let others, let other)?) where port == other:
      return label(of: .forwardAll(to: some + others, port: port))
    default: return 0
    }
  }
}

extension Universe.Translation {
  /// The port that it leads to whatever port a packet was sent to, if there is one.
  fileprivate var port: UInt16? {
    switch self {
    case .redirectAll(let port), .forwardAll(_, let port): port
    default: nil
    }
  }
}
