import Packets

/// Which bits of which fields a look-up compares; a set has entries of one shape alone.
struct Shape: Hashable, Comparable {
  /// What is looked at of the traffic.
  enum Contents: Hashable, Comparable {
    /// Nothing.
    case none

    /// The type of an ICMP message.
    case icmpType

    /// The type and the code of an ICMP message.
    case icmpTypeAndCode

    /// The protocol and a range of ports.
    case range

    /// The protocol and the first bits of the port.
    case port(bits: Int)
  }

  /// What is looked at of an address.
  enum Part: Hashable, Comparable {
    /// Nothing.
    case any

    /// The first bits.
    case prefix(Int)

    /// Whether it is in a range.
    case interval

    /// How many bits are fixed, if that is one number.
    var length: Int? { if case .prefix(let length) = self { length } else { nil } }
  }

  /// The family, or nothing if both.
  var family: AddressFamily?

  /// What is looked at of the source.
  var source: Part

  /// What is looked at of the destination.
  var destination: Part

  /// What is looked at of the traffic.
  var contents: Contents

  /// Returns `true` iff `a` and `b` are the same shape.
  static func == (a: Self, b: Self) -> Bool { a.code == b.code }

  /// Writes the shape into `hasher`; entries are put into tables by their shapes.
  func hash(into hasher: inout Hasher) { hasher.combine(code) }

  /// How many parts a key of the shape has.
  var partCount: Int {
    let addresses = (source == .any ? 0 : 1) + (destination == .any ? 0 : 1)
    return switch contents {
    case .none: addresses
    case .icmpType, .port(bits: 0): addresses + 1
    case .icmpTypeAndCode, .range, .port: addresses + 2
    }
  }

  /// The shape as one number, in the order of output.
  var code: UInt32 {
    func code(_ part: Part) -> UInt32 {
      switch part {
      case .any: 0
      case .prefix(let length): 1 + UInt32(length)
      case .interval: 200
      }
    }
    let contentsCode: UInt32 =
      switch contents {
      case .none: 0
      case .icmpType: 1
      case .icmpTypeAndCode: 2
      case .range: 3
      case .port(let bits): 4 + UInt32(16 - bits)
      }
    let familyCode: UInt32 = family.map { $0 == .ipv4 ? 1 : 2 } ?? 0
    return familyCode << 24 | code(source) << 16 | code(destination) << 8 | contentsCode
  }

  /// Returns `true` iff `a` stands before `b` in output.
  static func < (a: Self, b: Self) -> Bool { a.code < b.code }

  /// `true` iff an address is looked at.
  var hasAddress: Bool { source != .any || destination != .any }

  /// What a set of this shape is called, behind the name of its chain.
  var suffix: String {
    func text(_ part: Part, _ letter: String) -> String {
      switch part {
      case .any: ""
      case .prefix(let length): "_\(letter)\(length)"
      case .interval: "_\(letter)range"
      }
    }
    let contentsText =
      switch contents {
      case .none: ""
      case .icmpType: "_type"
      case .icmpTypeAndCode: "_code"
      case .range: "_ports"
      case .port(bits: 16): "_port"
      case .port(bits: 0): "_proto"
      case .port(let bits): "_port\(bits)"
      }
    return text(source, "from") + text(destination, "to") + contentsText
  }
}

/// A key of some shape with the decision that it leads to, as plain numbers that are sorted without counting references.
struct Key {
  /// The lowest source.
  var source: UInt128

  /// The lowest destination.
  var destination: UInt128

  /// The protocol, the lowest and the highest port; or the type and the code.
  var traffic: UInt64

  /// The decision.
  var decision: Int32

  /// Returns `true` iff `a` stands before `b`: by key and then by decision.
  static func precedes(_ a: Key, _ b: Key) -> Bool {
    if a.source != b.source { return a.source < b.source }
    if a.destination != b.destination { return a.destination < b.destination }
    if a.traffic != b.traffic { return a.traffic < b.traffic }
    return a.decision < b.decision
  }
}

/// A key of some shape with the decisions that it leads to.
struct Entry {
  /// The lowest source.
  var source: UInt128

  /// The highest source, which matters to intervals alone.
  var sourceEnd: UInt128 = 0

  /// The lowest destination.
  var destination: UInt128

  /// The highest destination, which matters to intervals alone.
  var destinationEnd: UInt128 = 0

  /// The protocol, the lowest and the highest port; or the type and the code.
  var traffic: UInt64

  /// The decision that comes first.
  var decision: Int32

  /// The other decisions; of a plain decision one at most, which tells that there are others.
  var others: [Int32] = []

  /// Creates the entry of `key` alone.
  init(_ key: Key) {
    source = key.source
    destination = key.destination
    traffic = key.traffic
    decision = key.decision
  }

  /// The key with the decision that comes first.
  var key: Key { Key(source: source, destination: destination, traffic: traffic, decision: decision) }

  /// Returns `true` iff `other` is the same key.
  func hasKey(of other: Key) -> Bool {
    source == other.source && traffic == other.traffic && destination == other.destination
  }

  /// The number for the ports of `range` of `transport`.
  static func code(_ transport: TransportProtocol, _ range: PortRange) -> UInt64 {
    UInt64(transport.rawValue) << 32 | UInt64(range.lower) << 16 | UInt64(range.upper)
  }

  /// The protocol of the traffic.
  var transport: TransportProtocol { TransportProtocol(rawValue: UInt8(truncatingIfNeeded: traffic >> 32)) }

  /// The ports of the traffic.
  var ports: PortRange {
    PortRange(
      from: UInt16(truncatingIfNeeded: traffic >> 16), through: UInt16(truncatingIfNeeded: traffic))
  }
}

extension PortRange {
  /// Calls `body` with each of the fewest blocks of ports that share their first bits.
  func forEachBlock(_ body: (_ lower: UInt16, _ bits: Int) -> Void) {
    var start = UInt32(lower)
    while start <= UInt32(upper) {
      var free = start == 0 ? 16 : min(start.trailingZeroBitCount, 16)
      while start + (1 << UInt32(free)) - 1 > UInt32(upper) { free -= 1 }
      body(UInt16(start), 16 - free)
      start += 1 << UInt32(free)
    }
  }
}

extension AddressSet {
  /// Calls `body` with the lowest address and the length of each of the fewest blocks of one family.
  func forEachBlock(_ family: AddressFamily, _ body: (_ lower: UInt128, _ length: Int) -> Void) {
    switch family {
    case .ipv4:
      for interval in ipv4.intervals {
        AddressSet.forEachBlock(
          from: UInt128(interval.lowerBound), through: UInt128(interval.upperBound), width: 32, body)
      }
    case .ipv6:
      for interval in ipv6.intervals {
        AddressSet.forEachBlock(from: interval.lowerBound, through: interval.upperBound, width: 128, body)
      }
    }
  }

  /// Calls `body` with the blocks of the addresses from `lower` through `upper`.
  private static func forEachBlock(
    from lower: UInt128, through upper: UInt128, width: Int, _ body: (UInt128, Int) -> Void
  ) {
    var start = lower
    while true {
      var free = start == 0 ? width : min(start.trailingZeroBitCount, width)
      func last() -> UInt128 { free == 128 ? .max : start | ((1 << UInt128(free)) - 1) }
      while last() > upper { free -= 1 }
      body(start, width - free)
      let end = last()
      if end == upper { return }
      start = end + 1
    }
  }

  /// Returns the number of the fewest blocks of one family.
  func blockCount(_ family: AddressFamily) -> Int {
    var count = 0
    forEachBlock(family) { _, _ in count += 1 }
    return count
  }

  /// Returns `true` iff the set has every address of `family`.
  func isAll(_ family: AddressFamily) -> Bool { family == .ipv4 ? ipv4.isAll : ipv6.isAll }
}
