import Driver
import Glibc
import Netlink

/// The rules of other programs, which packets meet beside ours, in the words of the programs that list them.
struct OtherRules {
  /// The rules.
  private(set) var rules: [ForeignRules] = []

  /// Whose they are.
  private(set) var owners: [String] = []

  /// What is there and could not be read.
  private(set) var unread: [String] = []

  /// Where Debian has programs, whatever the caller's search path says.
  private static func program(_ name: String) -> String {
    if case .success = fileStatus("/usr/sbin/\(name)") { "/usr/sbin/\(name)" } else { name }
  }

  /// Returns all rules of nf_tables, ours among them; what cannot be listed ends the run.
  static func ofNftables() throws -> ForeignRules {
    // Moments are listed in the caller's time zone.
    let arguments = ["TZ=UTC", program("nft"), "-j", "list", "ruleset"]
    guard let listing = try output(of: "/usr/bin/env", arguments, atMost: 256 << 20) else {
      Terminal.fail("the rules of other programs cannot be listed: `nft -j list ruleset` failed")
    }
    return ForeignRules(.nft, path: "the kernel", text: String(decoding: listing, as: UTF8.self))
  }

  /// Reads the tables of iptables-legacy, which nf_tables knows nothing of.
  static func ofLegacyTables() -> OtherRules {
    var result = OtherRules()
    for (format, list) in [(ForeignRules.Format.iptables, "ip_tables_names"), (.ip6tables, "ip6_tables_names")] {
      let path = "/proc/self/net/\(list)"
      // Without the kernel's module, there are none.
      if case .failure(let error) = fileStatus(path), error.number == ENOENT { continue }
      let command = "\(format.rawValue)-legacy-save"
      guard let names = textIfReadable(at: path) else {
        result.unread.append("whether there are tables of \(format.rawValue)-legacy: \(path) cannot be read")
        continue
      }
      let tables = names.split(whereSeparator: \.isWhitespace).sorted().joined(separator: ", ")
      guard !tables.isEmpty else { continue }
      let owner = "\(format.rawValue)-legacy (\(tables))"
      guard let saved = try? output(of: program(command), [], atMost: 256 << 20) else {
        result.unread.append("the rules of \(owner), which nf_tables does not know: `\(command)` is missing or failed")
        continue
      }
      result.owners.append(owner)
      result.rules.append(
        ForeignRules(format, path: "\(format.rawValue)-legacy", text: String(decoding: saved, as: UTF8.self)))
    }
    return result
  }
}
