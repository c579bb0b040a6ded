import Foundation

/// A laboratory beside a golden policy: `Tests/Golden/NN-NAME/lab/HOST.lab`.
public struct GoldenLab: Sendable, CustomStringConvertible {
  /// The golden folder, such as `21-blocks`.
  public var folder: String

  /// The host under test.
  public var host: String

  /// The text of the laboratory.
  public var text: String

  /// The files of the policy, by path inside the folder.
  public var policy: [(path: String, text: String)]

  /// The policies that lines `load NAME` mean, by name.
  public var others: [String: [(path: String, text: String)]]

  /// The folder and the host.
  public var description: String { "\(folder)/\(host)" }

  /// Returns the laboratory.
  public func lab() throws -> Lab { try Lab(parsing: text, file: "Tests/Golden/\(folder)/lab/\(host).lab") }

  /// Returns all laboratories, by folder and host; those whose folder holds `PORTCULLIS_LAB` if the environment has it.
  public static func all() throws -> [GoldenLab] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Golden")
    let wanted = ProcessInfo.processInfo.environment["PORTCULLIS_LAB"]
    var result: [GoldenLab] = []
    for folder in try names(in: root) where wanted.map(folder.contains) ?? true {
      let place = root.appendingPathComponent(folder)
      let labs = place.appendingPathComponent("lab")
      guard FileManager.default.fileExists(atPath: labs.path) else { continue }
      var others: [String: [(path: String, text: String)]] = [:]
      for name in try names(in: labs) where name.hasSuffix(".port") {
        others[String(name.dropLast(5))] = [(name, try text(labs.appendingPathComponent(name)))]
      }
      for name in try names(in: labs) where name.hasSuffix(".lab") {
        result.append(
          GoldenLab(
            folder: folder, host: String(name.dropLast(4)), text: try text(labs.appendingPathComponent(name)),
            policy: try policy(in: place), others: others))
      }
    }
    return result
  }

  /// Returns the files of the policy in `folder`: `policy.port`, or those below `policy`.
  private static func policy(in folder: URL) throws -> [(path: String, text: String)] {
    let single = folder.appendingPathComponent("policy.port")
    if FileManager.default.fileExists(atPath: single.path) { return [("policy.port", try text(single))] }
    let root = folder.appendingPathComponent("policy").resolvingSymlinksInPath()
    let paths = try FileManager.default.subpathsOfDirectory(atPath: root.path).filter { $0.hasSuffix(".port") }
    return try paths.sorted().map { ("policy/" + $0, try text(root.appendingPathComponent($0))) }
  }

  private static func names(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix(".") }.sorted()
  }

  private static func text(_ file: URL) throws -> String { try String(contentsOf: file, encoding: .utf8) }
}
