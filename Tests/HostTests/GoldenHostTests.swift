import Foundation
import Support
import Testing

/// A host of a golden policy.
struct GoldenHost: Sendable, CustomStringConvertible {
  /// The folder of the policy, such as `01-web-server`.
  var folder: String

  /// The name of the host.
  var name: String

  /// The policy.
  var policy: String

  /// The ruleset that is expected.
  var ruleset: String

  var description: String { "\(folder)/\(name)" }

  /// All of them, in the order of their names.
  static func all() throws -> [GoldenHost] {
    let files = FileManager.default
    let root = URL(filePath: #filePath).appending(path: "../../Golden").standardizedFileURL
    return try files.contentsOfDirectory(atPath: root.path).sorted().flatMap { folder -> [GoldenHost] in
      let place = root.appending(path: folder)
      let single = place.appending(path: "policy.port").path
      let policy = files.fileExists(atPath: single) ? single : place.appending(path: "policy").path
      let hosts = place.appending(path: "expected/hosts")
      // What has errors is not applied.
      let findings = try String(contentsOf: place.appending(path: "expected/findings.txt"), encoding: .utf8)
      guard files.fileExists(atPath: hosts.path), !findings.contains(": error:") else { return [] }
      return try files.contentsOfDirectory(atPath: hosts.path).sorted().map { name in
        GoldenHost(
          folder: folder, name: name, policy: policy, ruleset: hosts.appending(path: "\(name)/ruleset.nft").path)
      }
    }
  }
}

/// What the program loads through netlink is what nft(8) loads from the file.
@Suite struct GoldenHostTests {
  /// Each host, and the next one, whose rules it gets then.
  static let pairs: [(GoldenHost, GoldenHost)] = {
    let all = (try? GoldenHost.all()) ?? []
    return Array(zip(all, all.dropFirst() + all.prefix(1)))
  }()

  @Test func thereAreGoldenHosts() throws { #expect(Self.pairs.count > 30) }

  @Test(arguments: pairs.indices) func applies(index: Int) throws {
    let (golden, next) = Self.pairs[index]
    let machine = try Machine()
    try machine.expect(0, "apply", on: golden.policy, host: golden.name)
    let reference = try Machine("reference")
    func expectLike(_ golden: GoldenHost, _ machine: Machine, _ comment: String) throws {
      let text = try String(contentsOfFile: golden.ruleset, encoding: .utf8)
      try reference.nft(text)
      let (found, expected) = (try machine.objects(), try reference.objects())
      let difference = Set(found).symmetricDifference(expected).sorted().prefix(4)
      #expect(found == expected, "\(golden) \(comment): \(difference)")
    }
    try expectLike(golden, machine, "applied")
    #expect(try !machine.listing().contains(/\.\d+ \{/), "the first apply has the names of the file")
    // The text of nft(8) is what the kernel would list in the same order, too.
    try machine.expect(0, "verify", "--own", on: golden.policy, host: golden.name)
    try machine.expect(0, "plan", on: golden.policy, host: golden.name)
    let before = try machine.listing("-a", "list", "ruleset")
    try machine.expect(0, "apply", on: golden.policy, host: golden.name, note: "again")
    #expect(try machine.listing("-a", "list", "ruleset") == before, "a second apply changes nothing")
    // From one ruleset to a quite different one.
    try machine.expect(0, "apply", on: next.policy, host: next.name)
    try expectLike(next, machine, "applied over \(golden)")
    // After a reboot.
    let again = try Machine("rebooted", sharing: machine)
    try again.expect(0, "restore")
    try expectLike(next, again, "restored")
    // Hosts with the same rules have one state.
    guard try again.portcullis("rollback", "--list").output.split(separator: "\n").count > 1 else { return }
    try again.expect(0, "rollback")
    try expectLike(golden, again, "rolled back")
  }
}
