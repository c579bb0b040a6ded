import Firewalls
import Packets
import Syntax

extension Compiler {
  /// Returns the match for what is within `limit`, or nothing and a diagnostic if no extension can count it.
  ///
  /// `key` tells what is counted, so that what is restored later goes on with the same counts; each call has counts of
  /// its own. `shared` is `true` iff several
  /// rules use up one count; the limit is written at `place`.
  mutating func counting(_ limit: Limit, key: String, shared: Bool = false, at place: Span) -> Match? {
    let burst = limit.burst ?? 5
    let rate = limit.rate
    guard rate.count > 0, burst > 0 else {
      report("iptables-limit", "iptables cannot limit to \(limit)", at: place, because: "It counts from one.")
      return nil
    }
    let period = rate.unit.seconds
    // The time in which an empty bucket fills, rounded up.
    let filling = (UInt64(burst) * UInt64(period) * 1000 + UInt64(rate.count) - 1) / UInt64(rate.count)

    // The credit of both extensions overflows beyond a day (CREDITS_PER_JIFFY).
    let isHeld = filling <= 86_400_000

    // `limit` counts in 1/10,000 s (XT_LIMIT_SCALE) and cuts off the rest.
    let isExact = (10_000 * UInt64(period)) % UInt64(rate.count) == 0
    if !limit.perSource, !shared, isExact, burst <= 10_000, isHeld { return .limit(rate, burst: burst) }

    // `hashlimit` counts in 1/1,000,000 s (XT_HASHLIMIT_SCALE_v2).
    let ticks = 1_000_000 * UInt64(period)
    let share = ticks % UInt64(rate.count)
    let isClose = ticks >= UInt64(rate.count) && share * 100 <= ticks
    guard isClose, burst <= 1_000_000, isHeld else {
      report(
        "iptables-limit", "iptables cannot limit to \(limit)", at: place,
        because:
          "It counts in millionths of a second, holds bursts of at most 1000000, and no burst that takes more than "
          + "a day to be earned again.",
        help: "Choose a lower rate, a smaller burst, or a unit in which the rate is a whole number.")
      return nil
    }
    // The kernel keeps the rate of a name that it knows, so another rate has another name.
    let expiry = UInt32(max(filling, UInt64(period) * 1000, 10_000))
    return .hashLimit(
      rate, burst: burst, perSource: limit.perSource, name: counter(for: "\(key) \(limit) \(burst)"),
      expiry: expiry)
  }

  /// Returns the name of a table of counts for `key`, of at most 15 bytes; every limit has a table of its own, also
  /// where the same words say several.
  private mutating func counter(for key: String) -> String {
    while true {
      let number = counterKeys[key, default: 0]
      counterKeys[key] = number + 1
      let name = "pc" + Self.digest(of: number == 0 ? key : "\(key) \(number)")
      if counters.insert(name).inserted { return name }
    }
  }

  /// Returns twelve hexadecimal digits of the FNV-1a hash of `text`.
  private static func digest(of text: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let digits = String(hash >> 16, radix: 16)
    return String(repeating: "0", count: 12 - digits.utf8.count) + digits
  }
}

extension Rate.Unit {
  /// The length of the unit in seconds.
  var seconds: UInt32 {
    switch self {
    case .second: 1
    case .minute: 60
    case .hour: 3600
    case .day: 86_400
    }
  }
}
