import Foundation

/// The kernel's answer to rulesets, in network namespaces that end with the process.
enum Kernel {
  /// Returns the exit code and the output of `script`, run by a shell in a network namespace of its own.
  static func run(_ script: String, input: [String: String] = [:]) throws -> (code: Int32, output: String) {
    let folder = FileManager.default.temporaryDirectory.appending(path: "nftables-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in input { try text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/unshare")
    process.arguments = ["--net", "--mount", "sh", "-ec", script]
    process.currentDirectoryURL = folder
    let output = folder.appending(path: "output")
    try Data().write(to: output)
    let handle = try FileHandle(forWritingTo: output)
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: try Data(contentsOf: output), as: UTF8.self))
  }

  /// Returns what is wrong with `ruleset`: that it does not load, twice in a row, or that its listing does not load, or
  /// lists otherwise then; nothing if all is well.
  static func complaint(about ruleset: String) throws -> String? {
    let result = try run(
      """
      nft -f ruleset.nft; nft -f ruleset.nft
      nft list ruleset >first; nft flush ruleset; nft -f first; nft list ruleset >second; cmp first second
      """, input: ["ruleset.nft": ruleset])
    return result.code == 0 ? nil : result.output
  }
}
