import Firewalls
import Packets
import Policies
import Syntax

extension Compiler {
  /// The burst of a limit that has none, which is that of nft(8) and iptables(8).
  static let defaultBurst: UInt32 = 5

  /// Returns the bucket for `limit`; that it cannot be expressed is said of `cause`.
  mutating func bucket(_ limit: Limit, at cause: Cause?) -> Bucket {
    let bucket = Bucket(limit.rate, burst: limit.burst ?? Compiler.defaultBurst)
    // The kernel keeps the burst in nanoseconds, in 63 bits (net/netfilter/nft_limit.c).
    let seconds = Compiler.seconds(in: limit.rate.unit)
    let fits =
      limit.rate.count > 0 && bucket.burst > 0
      && !(seconds * 1_000_000_000 / Int(max(limit.rate.count, 1))).multipliedReportingOverflow(
        by: Int(bucket.burst)
      ).overflow
    if !fits, let cause {
      assembly.diagnostics.append(
        Diagnostic(
          .error, "nftables-limit", "nftables cannot keep the limit `\(limit)`", at: .init(cause.span),
          because: "The rate and the burst must be positive, and the time that the burst takes must fit 292 years.",
          subject: cause.subject))
    }
    return bucket
  }

  /// Returns how many seconds are in `unit`.
  static func seconds(in unit: Rate.Unit) -> Int {
    switch unit {
    case .second: 1
    case .minute: 60
    case .hour: 3600
    case .day: 86_400
    }
  }

  /// Returns after how many seconds an idle bucket is full again and can be forgotten; a minute at least.
  static func seconds(toFill bucket: Bucket) -> Int {
    let rate = max(Int(bucket.rate.count), 1)
    let seconds = (Int(bucket.burst) * seconds(in: bucket.rate.unit) + rate - 1) / rate
    return min(max(seconds, 60), 31_536_000)
  }

  /// Returns `true` iff the kernel can have the interfaces of `set`; what it cannot have is said of `cause`.
  mutating func isExpressible(_ set: InterfaceSet, at cause: Cause) -> Bool {
    let names =
      switch set {
      case .only(let names), .except(let names): names
      }
    var isExpressible = true
    for name in names where !Compiler.isInterfaceName(name) {
      isExpressible = false
      guard refusedNames.insert(name).inserted else { continue }
      assembly.diagnostics.append(
        Diagnostic(
          .error, "nftables-interface", "`\(name)` cannot be the name of an interface", at: .init(cause.span),
          because: "An interface has a name of 1 to 15 letters, digits and `.`, `-`, `_`, `+`, `@` or `#`.",
          subject: cause.subject))
    }
    return isExpressible
  }

  /// Returns `true` iff `name` can be the name of an interface, and means nothing else to nft(8).
  static func isInterfaceName(_ name: String) -> Bool {
    let others = Set("._-+@#".utf8)
    return (1...15).contains(name.utf8.count) && name != "." && name != ".."
      && name.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
          || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || others.contains(byte)
      }
  }
}
