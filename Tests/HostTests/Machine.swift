import Deploy
import Driver
import Firewalls
import Foundation
import Netlink
import Nftables
import Policies
import Support
import Syntax
import Testing

/// A host of a test: a network namespace, and a folder for its policy and its states.
final class Machine {
  /// The namespace.
  let namespace: NetworkNamespace

  /// The folder.
  let folder: URL

  /// The day of all runs.
  static let today = "2026-11-22"

  /// The program, which stands beside the tests.
  static let program: String = {
    let runner = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let candidates = [runner, Bundle.main.bundleURL, URL(filePath: #filePath).appending(path: "../../../.build/debug")]
    return candidates.map { $0.appending(path: "portcullis").standardizedFileURL.path }
      .first { FileManager.default.isExecutableFile(atPath: $0) } ?? "/nonexistent"
  }()

  /// Makes a host; with `sharing` it has that one's folder, as after a reboot.
  init(_ label: String = "host", sharing other: Machine? = nil) throws {
    folder = try other?.folder ?? Machine.newFolder()
    ownsFolder = other == nil
    namespace = try NetworkNamespace.make([label])[0]
    _ = try namespace.run(["ip", "link", "set", "lo", "up"])
  }

  private let ownsFolder: Bool

  private static func newFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: "portcullis-host-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  deinit {
    NetworkNamespace.remove([namespace])
    if ownsFolder { try? FileManager.default.removeItem(at: folder) }
  }

  /// Where the states are.
  var stateFolder: String { folder.appending(path: "state").path }

  // MARK: - The program

  /// Returns what is to be run for the command `words` on the policy `policy`, if the command takes one.
  func command(_ words: [String], on policy: String? = nil, host: String? = nil, state: String? = nil) -> [String] {
    var line = ["env", "-u", "SSH_CONNECTION"]
    // As somebody would run it beside the policy, so that comments name its lines briefly.
    if let policy { line += ["-C", URL(filePath: policy).deletingLastPathComponent().path] }
    line += [Machine.program] + words
    if let policy {
      line += [URL(filePath: policy).lastPathComponent, "--today", Machine.today, "--host", host ?? "web1"]
    }
    if words.first != "explain" { line += ["--state-dir", state ?? stateFolder] }
    return line
  }

  /// Runs the command `words` on the policy `policy`, if the command takes one, on the host.
  func portcullis(
    _ words: String..., on policy: String? = nil, host: String? = nil, state: String? = nil
  ) throws -> CommandResult {
    try namespace.run(command(words, on: policy, host: host, state: state))
  }

  /// Runs the command, and expects that it ends with `code`.
  @discardableResult
  func expect(
    _ code: Int32, _ words: String..., on policy: String? = nil, host: String? = nil, state: String? = nil,
    note: String = "", sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CommandResult {
    let result = try namespace.run(command(words, on: policy, host: host, state: state))
    #expect(
      result.status == code, "\(note) \(words.joined(separator: " ")): \(result.output)\(result.errors)",
      sourceLocation: sourceLocation)
    return result
  }

  /// Writes a policy of its own; returns where it is.
  func policy(_ text: String, _ name: String = "policy.port") throws -> String {
    let url = folder.appending(path: name)
    try text.write(to: url, atomically: true, encoding: .utf8)
    return url.path
  }

  // MARK: - The kernel

  /// Opens the tables of the host.
  func deployment() throws -> Deployment { Deployment(to: try Kernel(namespace: "/run/netns/\(namespace.name)")) }

  /// Carries out lines of nft(8).
  func nft(_ text: String) throws {
    let result = try namespace.run(["nft", "-f", "-"], input: text + "\n")
    guard result.status == 0 else { throw Failure(description: result.errors) }
  }

  /// What nft(8) lists, with `arguments`.
  func listing(_ arguments: String...) throws -> String {
    let result = try namespace.run(["nft"] + (arguments.isEmpty ? ["list", "ruleset"] : arguments))
    guard result.status == 0 else { throw Failure(description: result.errors) }
    return result.output
  }

  /// What nft(8) lists as JSON, in a form that two hosts which do the same have in common.
  func objects() throws -> [String] { try Machine.objects(listing("-j", "list", "ruleset")) }

  /// Returns the objects of the listing `text`, without what differs from host to host: handles, the order of chains, sets
  /// and elements, the second names of what was replaced, and chains with a hook that do nothing.
  static func objects(_ text: String) throws -> [String] {
    let plain = text.replacing(#/\.\d+"/#, with: "\"")
    guard let document = try JSONSerialization.jsonObject(with: Data(plain.utf8)) as? [String: Any],
      let objects = document["nftables"] as? [[String: Any]]
    else { throw Failure(description: "no listing") }
    var result: [String] = []
    var places: [String: Int] = [:]
    for object in objects {
      guard let (kind, value) = object.first, kind != "metainfo", let fields = value as? [String: Any] else { continue }
      var key = "\(kind) \(fields["table"] ?? "") \(fields["chain"] ?? fields["name"] ?? "")"
      if kind == "rule" {
        places[key, default: 0] += 1
        key += " " + String(repeating: "0", count: 5 - "\(places[key] ?? 0)".count) + "\(places[key] ?? 0)"
      }
      let data = try JSONSerialization.data(withJSONObject: ordered(fields), options: [.sortedKeys, .fragmentsAllowed])
      result.append("\(key): \(String(decoding: data, as: UTF8.self))")
    }
    // A chain with a hook that is there no more in a later ruleset stays, without rules.
    return result.filter { line in
      guard line.hasPrefix("chain "), line.contains("\"hook\"") else { return true }
      let name = line.prefix { $0 != ":" }.dropFirst("chain ".count)
      return result.contains { $0.hasPrefix("rule \(name) ") }
    }.sorted()
  }

  /// Returns `value` with every list of elements in a fixed order.
  private static func ordered(_ value: Any, isSet: Bool = false) throws -> Any {
    if let fields = value as? [String: Any] {
      return try Dictionary(
        uniqueKeysWithValues: fields.filter { $0.key != "handle" }.map {
          ($0, try ordered($1, isSet: ["elem", "set", "data"].contains($0)))
        })
    }
    guard let list = value as? [Any] else { return value }
    let parts = try list.map { try ordered($0) }
    guard isSet else { return parts }
    return try parts.map { part in
      let data = try JSONSerialization.data(withJSONObject: part, options: [.sortedKeys, .fragmentsAllowed])
      return (String(decoding: data, as: UTF8.self), part)
    }.sorted { $0.0 < $1.0 }.map(\.1)
  }

  /// What goes wrong.
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }
}

/// What a policy wants of a host.
struct Wanted {
  /// The ruleset.
  let table: Table

  /// The one who proves.
  let prover: Prover

  /// Works out what the policy `text` wants of `host`.
  init(_ text: String, host: String = "web1") throws {
    let reading = Reading([("policy.port", text)])
    guard !reading.diagnostics.contains(where: { $0.severity == .error }) else {
      throw Machine.Failure(description: reading.findings)
    }
    let firewall = Lowering(reading.policy).firewall(of: try #require(reading.policy.host(named: host)))
    table = NftablesBackend.table(for: firewall, sources: reading.sources).0
    prover = Prover(firewall)
  }

  /// Returns `true` iff `live` does for every packet what the policy says.
  func isDone(by live: LiveTable?) -> Bool {
    guard let live, live.unknowns.isEmpty else { return false }
    return means(live.ruleset)
  }

  /// Returns `true` iff `ruleset` does for every packet what the policy says.
  func means(_ ruleset: Table) -> Bool { prover.prove(Script([.define(ruleset)])).holds }
}

/// A policy with the two services that all policies of the tests have, and what `more` declares.
///
/// The host `web1` runs them and `services`.
func samplePolicy(_ more: String = "", running services: [String] = []) -> String {
  """
  owner ops { contact "ops@acme.example" }
  zone office { 203.0.113.0/24 }
  service web { owner ops; purpose "Our pages"; port 80/tcp; port 443/tcp; expose to internet }
  service ssh { owner ops; purpose "Administration"; port 22/tcp; expose to office }
  \(more)
  host web1 { address 192.0.2.10; runs \((["web", "ssh"] + services).joined(separator: ", ")) }

  """
}

/// A policy that has one service more than `samplePolicy()`.
let widerPolicy = samplePolicy(
  #"service extra { owner ops; purpose "More"; port 8443/tcp; expose to office }"#, running: ["extra"])

extension NetworkNamespace {
  /// Lets a shell carry out `lines` here, up to the first one that fails, which throws.
  func shell(_ lines: String) throws {
    let result = try run(["sh", "-ec", lines])
    guard result.status == 0 else { throw Machine.Failure(description: result.errors) }
  }
}
