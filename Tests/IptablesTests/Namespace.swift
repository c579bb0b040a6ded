import Foundation
import Testing

/// A network namespace of its own, in which programs run.
final class Namespace: Sendable {
  let name: String

  /// `true` iff there can be namespaces and the programs are there.
  static let isPossible =
    geteuid() == 0
    && ["ip", "iptables-nft", "iptables-legacy"].allSatisfy { program in
      ["/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"].contains {
        FileManager.default.isExecutableFile(atPath: $0 + program)
      }
    }

  /// A program that failed.
  struct Failure: Error, CustomStringConvertible { let description: String }

  init(_ purpose: String) throws {
    name = "portcullis-\(getpid())-\(purpose)"
    _ = try Namespace.run(["ip", "netns", "add", name], input: "")
  }

  deinit { _ = try? Namespace.run(["ip", "netns", "del", name], input: "") }

  /// Runs `arguments` in the namespace and returns what they print.
  func run(_ arguments: String..., input: String = "") throws -> String {
    try Namespace.run(["ip", "netns", "exec", name] + arguments, input: input)
  }

  private static func run(_ arguments: [String], input: String) throws -> String {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("portcullis-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let files = ["input", "output", "errors"].map { folder.appendingPathComponent($0) }
    try Data(input.utf8).write(to: files[0])
    try Data().write(to: files[1])
    try Data().write(to: files[2])
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let errors = String(decoding: try Data(contentsOf: files[2]), as: UTF8.self)
      throw Failure(description: "\(arguments.joined(separator: " ")): \(errors)")
    }
    return String(decoding: try Data(contentsOf: files[1]), as: UTF8.self)
  }
}

/// Returns what `text`, which iptables-save printed, says without counters, dates and empty tables, its tables sorted.
func normalized(_ text: String) -> String {
  var tables: [String] = []
  for line in text.split(separator: "\n") where !line.hasPrefix("#") {
    if line.hasPrefix("*") { tables.append("") }
    let words = line.split(separator: " ")
    tables[tables.count - 1] += (line.hasPrefix(":") ? words.dropLast().joined(separator: " ") : String(line)) + "\n"
  }
  return tables.filter { $0.contains("\n-A ") || $0.contains(" - ") }.sorted().joined()
}
