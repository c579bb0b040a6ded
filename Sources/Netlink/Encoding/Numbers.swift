import Syntax

/// The flags of translations (`linux/netfilter/nf_nat.h`).
enum NATFlags {
  /// The address is translated; the kernel adds it where there is an address.
  static let addresses: UInt32 = 1

  /// The port is translated; the kernel adds it where there is a port.
  static let ports: UInt32 = 2
}

/// How connections are spread.
enum Spreading {
  /// The seed of the hash, which is fixed so that a client keeps its target.
  static let seed: UInt32 = 1
}

/// The first bits of values.
enum PrefixBits {
  /// Returns how many first bits the values from `lowest` through `highest` have in common, if they are all with these.
  static func count(_ lowest: [UInt8], _ highest: [UInt8]) -> Int? {
    var bits = 0
    var isFree = false
    for i in lowest.indices {
      if isFree {
        guard lowest[i] == 0, highest[i] == 255 else { return nil }
        continue
      }
      let difference = lowest[i] ^ highest[i]
      guard difference & (difference &+ 1) == 0, lowest[i] & difference == 0 else { return nil }
      bits += difference.leadingZeroBitCount
      isFree = difference != 0
    }
    return bits
  }

  /// Returns `bits` ones and then zeros in `length` bytes.
  static func mask(_ bits: Int, length: Int) -> [UInt8] {
    (0..<length).map { i in
      let left = min(max(bits - 8 * i, 0), 8)
      return left == 0 ? 0 : 255 << UInt8(8 - left)
    }
  }

  /// Returns how many ones `mask` begins with, if there are only zeros behind them.
  static func count(ofMask mask: [UInt8]) -> Int? {
    let bits = mask.reduce(0) { $0 + $1.nonzeroBitCount }
    return PrefixBits.mask(bits, length: mask.count) == mask ? bits : nil
  }
}

extension Rate.Unit {
  /// How many seconds the unit has.
  var seconds: UInt64 {
    switch self {
    case .second: 1
    case .minute: 60
    case .hour: 3600
    case .day: 86_400
    }
  }
}
