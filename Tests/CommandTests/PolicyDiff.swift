import Foundation
import Testing

/// Tests that compare two policies of one service by `portcullis diff`.
protocol PolicyDiff {}

extension PolicyDiff {
  static var owner: String { "owner a { contact \"a@acme.example\" }\n" }
  static var host: String { "host h { address 192.0.2.1, 2001:db8::1; interface eth0 in internet; runs web }\n" }

  static func web(_ statements: String) -> String {
    "service web { owner a; purpose \"Web\"; port 8443/tcp; \(statements) }\n"
  }

  /// Returns the answer to the comparison of two policies, as JSON.
  func difference(
    _ old: String, _ new: String, _ options: String = ""
  ) throws -> (code: Int32, json: [String: Any]) {
    let box = try Sandbox()
    try box.write(Self.owner + old, to: "old.port")
    try box.write(Self.owner + new, to: "new.port")
    let outcome = try box.shell("\"$P\" diff old.port new.port --format json --today 2026-11-22 \(options)")
    #expect(outcome.error == "")
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    return (outcome.code, try #require(json as? [String: Any]))
  }

  func rows(_ json: [String: Any]) throws -> [[String: Any]] {
    try #require(json["changes"] as? [[String: Any]])
  }

  /// Returns the kind, the flows and the line of each change.
  func summary(_ json: [String: Any]) throws -> [String] {
    try rows(json).map { row in
      let cause = (row["cause"] as? [String: Any]).map { "\($0["subject"] ?? "") \($0["side"] ?? "")" } ?? "no line"
      return "\(row["kind"] ?? ""): \((row["flows"] as? [String] ?? []).joined(separator: "; ")) by \(cause)"
    }
  }

  /// Returns the subject, the line and the owner of the causes of what changes from `old` to `new`.
  func causes(_ old: String, _ new: String) throws -> [String] {
    try rows(difference(old, new).json).map { row in
      let cause = try #require(row["cause"] as? [String: Any], "\(row)")
      return "\(row["kind"] ?? "") \(cause["subject"] ?? ""): \(cause["text"] ?? "") (\(cause["owner"] ?? ""))"
    }
  }
}
