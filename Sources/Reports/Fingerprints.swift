import Syntax

/// Gives each finding a name that outlives changes of lines.
///
/// It is made from the code and the subject (or, without one, the message) and tells apart the findings that share
/// them by their order.
struct Fingerprints {
  /// How many findings had the name so far.
  private var seen: [String: Int] = [:]

  /// Returns the name of `d`.
  mutating func callAsFunction(_ d: Diagnostic) -> String {
    // FNV-1a with 128 bits (draft-eastlake-fnv): names need to be stable, not secret.
    var hash: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
    for text in [d.code, d.subject ?? d.message] {
      for b in text.utf8 {
        hash ^= UInt128(b)
        hash &*= 0x0000_0000_0100_0000_0000_0000_0000_013b
      }
      hash ^= 0x100
      hash &*= 0x0000_0000_0100_0000_0000_0000_0000_013b
    }
    let digits = String(hash, radix: 16)
    let name = String(repeating: "0", count: 32 - digits.utf8.count) + digits
    seen[name, default: 0] += 1
    return "\(name):\(seen[name, default: 1])"
  }
}
