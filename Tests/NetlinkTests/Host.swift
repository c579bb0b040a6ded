import Foundation
import Netlink
import Nftables
import Support

/// A network namespace whose tables a test changes.
final class Host {
  /// The namespace.
  let namespace: NetworkNamespace

  /// The tables in it.
  let kernel: Kernel

  /// Makes a namespace.
  init() throws {
    namespace = try NetworkNamespace.make(["netlink"])[0]
    kernel = try Kernel(namespace: "/run/netns/\(namespace.name)")
  }

  deinit { NetworkNamespace.remove([namespace]) }

  /// Another socket to the same tables.
  func another() throws -> Kernel { try Kernel(namespace: "/run/netns/\(namespace.name)") }

  /// Loads `text` with nft(8).
  func load(_ text: String) throws {
    let result = try namespace.run(["nft", "-f", "-"], input: text)
    guard result.status == 0 else { throw Failure(text: result.errors) }
  }

  /// What `nft list ruleset` says, with the options `options`.
  func listing(_ options: [String] = []) throws -> String {
    let result = try namespace.run(["nft"] + options + ["list", "ruleset"])
    guard result.status == 0 else { throw Failure(text: result.errors) }
    return result.output
  }

  /// What `nft -j list ruleset` says, without handles.
  func objects() throws -> String {
    try listing(["-j"]).replacing(#/"handle": \d+/#, with: "").replacing(#/"expires": \d+/#, with: "")
  }

  /// Loads `text` with nft(8), returns what that lists, and leaves nothing behind.
  func objects(of text: String) throws -> String {
    try load(text)
    let result = try objects()
    try load("flush ruleset")
    return result
  }

  /// What went wrong.
  struct Failure: Error { var text: String }
}

/// Tables that were compiled from policies.
enum Goldens {
  /// The text of each golden ruleset, by its path.
  static let texts: [(path: String, text: String)] = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(
      path: "Golden")
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: root.path)) ?? []
    return paths.filter { $0.hasSuffix("/ruleset.nft") }.sorted().map { path in
      (path, (try? String(contentsOf: root.appending(path: path), encoding: .utf8)) ?? "")
    }
  }()

  /// Returns the table that `text` defines.
  static func table(_ text: String) throws -> Table {
    for case .define(let table) in try Script(parsing: text).commands { return table }
    throw Host.Failure(text: "no table")
  }
}
