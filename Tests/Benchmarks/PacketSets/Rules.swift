import Packets

/// A synthetic rule: what large firewalls consist of.
struct Rule {
  var isIPv6: Bool
  /// 6 or 17, or both.
  var transports: [UInt8]
  var destination: ClosedRange<UInt128>
  var ports: ClosedRange<UInt16>?
  var source: ClosedRange<UInt128>?
  var accepts: Bool

  /// Returns the packets of the rule, with the label `label`.
  func box(_ label: Int, in space: PacketSpace) -> PacketBox {
    var box = PacketBox(label: UInt32(label))
    box[.family] = space.value(isIPv6 ? UInt8(1) : 0, of: .family)
    box[.transport] = space.values(IntervalSet(transports.map { UInt128($0)...UInt128($0) }), of: .transport)
    box[.destination] = space.values(destination, of: .destination)
    if let ports { box[.destinationPort] = space.values(ports, of: .destinationPort) }
    if let source { box[.source] = space.values(source, of: .source) }
    return box
  }
}

/// Returns `count` rules for servers in 400 networks, a fifth of them IPv6, a tenth of them deny.
func rules(_ count: Int, seed: UInt64) -> [Rule] {
  var dice = SeededGenerator(seed: seed)
  func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &dice) }
  let ports: [UInt16] = [
    22, 25, 53, 80, 123, 161, 389, 443, 445, 636, 993, 1433, 3306, 3389, 5432, 6379, 8080, 8443, 9090,
  ]
  return (0..<count).map { _ in
    let isIPv6 = number(0..<5) == 0
    let network = UInt128(number(0..<400))
    func prefix(_ host: Int) -> ClosedRange<UInt128> {
      let (base, width): (UInt128, Int)
      if isIPv6 {
        base = (UInt128(0x2001_0db8) << 96) | (network << 80)
        width = [0, 0, 0, 64, 64, 80][number(0..<6)]
        let address = ((base | (UInt128(host) << (width == 0 ? 0 : 64))) >> width) << width
        return address...(address | ((UInt128(1) << width) - 1))
      }
      base = (10 << 24) | (network << 14)
      width = [0, 0, 0, 0, 4, 8, 8, 14][number(0..<8)]
      let address = ((base | UInt128(host)) >> width) << width
      return address...(address | ((UInt128(1) << width) - 1))
    }
    let destination = prefix(number(0..<16_384))
    let from = number(0..<10)
    let source = from == 0 ? nil : prefix(number(0..<(from < 7 ? 256 : 16_384)))
    let kind = number(0..<20)
    let low = UInt16(number(1024..<60_000))
    let known = ports[number(0..<ports.count)]
    return Rule(
      isIPv6: isIPv6, transports: kind == 0 ? [6, 17] : kind < 6 ? [17] : [6], destination: destination,
      ports: kind == 19 ? nil : kind == 18 ? low...(low + 500) : kind < 4 ? low...low : known...known,
      source: source, accepts: number(0..<10) != 0)
  }
}
