import Foundation
import Reports
import Syntax

/// Reports for the tests of all formats.
enum Samples {
  static let shop = SourceFile(
    path: "policies/shop.port",
    text: """
      service payments-api {
        owner    payments
      \tport     api 70000/tcp   # 決済 🚪 e\u{301}
        expose   api to internet as 443/tcp
        expose   metrics to prometheus
      }

      host web1 {
        address    192.0.2.10
        interface  eth0 in internet
        runs       payments-api
        runs       node-exporter
        runs       payments-db
        runs       node-exporter on 10.0.0.10
      }

      """)
  static let owners = SourceFile(
    path: "policies/owners & zones.port",
    text: """
      owner Payments { contact "a@example" }
      zone office { 203.0.113.0/24 }\r
      zone evil { } # \u{1b}[31mred\u{7}\u{202e}
      zone last { \(String(repeating: "192.0.2.1, ", count: 60))10.0.0.0/33 }
      """)
  static let unreadable = SourceFile(path: "policies/secret.port", text: "")
  static let sources = Sources([shop, owners, unreadable])

  /// The place of the first `text` in the file at `path`, after the first `anchor`.
  static func span(_ text: String, in file: SourceFile = shop, after anchor: String = "") -> Span {
    let whole = String(decoding: file.bytes, as: UTF8.self)
    let from = anchor.isEmpty ? whole.startIndex : whole.range(of: anchor)?.upperBound
    guard let index = sources.files.firstIndex(where: { $0.path == file.path }), let from,
      let range = whole[from...].range(of: text)
    else { preconditionFailure("the sample has no \(text)") }
    return Span(
      file: UInt32(index), lower: UInt32(whole.utf8.distance(from: whole.startIndex, to: range.lowerBound)),
      upper: UInt32(whole.utf8.distance(from: whole.startIndex, to: range.upperBound)))
  }

  static let findings: [Diagnostic] = [
    Diagnostic(
      .error, "port-range", "70000 is no port", at: .init(span("70000"), "ports end at 65535"),
      because: "Ports are numbers of 16 bits (RFC 9293 section 3.1).",
      help: "Did you mean 7000?", fixes: [.init(replace: span("70000"), with: "7000", safety: .unsafe)],
      subject: "payments-api"),
    Diagnostic(
      .error, "unknown-name", "there is no owner `payments`",
      at: .init(span("payments", after: "owner    "), "no such owner"),
      also: [.init(span("Payments", in: owners), "did you mean this one?")],
      because: "An owner answers for a service: for its exposures, its incidents, and for the reviews of its changes, "
        + "which nobody else may approve in their place.", subject: "payments-api"),
    Diagnostic(
      .warning, "unknown-port", "`metrics` is no port of `payments-api`",
      at: .init(span("metrics"), "not among its ports"),
      also: [.init(span("payments-api"), "the service"), .init(span("api", after: "port     "), "its only port")],
      help: "Add the port, or remove the exposure.",
      fixes: [.init(replace: span("  expose   metrics to prometheus\n"), with: "", safety: .safe)],
      subject: "payments-api/metrics"),
    Diagnostic(
      .warning, "twice", "`node-exporter` runs twice on `web1`",
      at: .init(span("node-exporter", after: "db\n"), "again here"),
      also: [.init(span("node-exporter"), "first here"), .init(span("runs       payments-db"), "between them")],
      subject: "web1"),
    Diagnostic(
      .note, "unused", "nothing uses `web1`",
      at: .init(
        Span(file: span("host web1").file, lower: span("host web1").lower, upper: span("0.10\n}").upper), "all of it"),
      also: [.init(span("eth0"), "an interface")], subject: "web1"),
    Diagnostic(
      .error, "bad-address", "33 bits are more than an IPv4 address has",
      at: .init(span("10.0.0.0/33", in: owners), "at most /32"), subject: "last"),
    Diagnostic(
      .warning, "controls", "a comment holds \u{1b}[31mcontrol\u{202e} characters",
      at: .init(span("\u{1b}[31mred", in: owners), "these\u{7}"),
      because: "A | table, *emphasis* and <b>HTML</b>: @someone, #1, https://x.example, www.x.example, [a](b).\nTwice.",
      help: "100%, a:b,c"),
    Diagnostic(
      .error, "unreadable", "the file cannot be read: permission denied",
      at: .init(Span(file: 1, lower: 0, upper: 0)), subject: "policies/secret.port"),
    Diagnostic(
      .error, "missing-brace", "the zone is never closed", at: .init(span("host web1"), "never"),
      also: [.init(span("zone evil", in: owners), "opened"), .init(endOfOwners, "the file ends here")],
      fixes: [
        .init(replace: span("payments", after: "owner    "), with: "Payments", safety: .safe),
        .init(replace: endOfOwners, with: "\n}", safety: .safe),
      ]),
  ]
  static let endOfOwners = Span(file: 0, lower: UInt32(owners.bytes.count), upper: UInt32(owners.bytes.count))

  static let report = FindingsReport(
    version: "1.2.3", title: "acme *production*", sources: sources, diagnostics: findings,
    waived: [
      .init(
        Diagnostic(
          .error, "sensitive-exposure", "`legacy-db` exposes 5432/tcp to internet", at: .init(span("api to internet")),
          subject: "legacy-db"), because: "vendor | appliance", until: "2026-12-31", ticket: "SEC-88")
    ],
    checks: [
      .init(
        name: "unused", summary: "Finds what nothing names.", help: "What it does\nFinds what nothing names.",
        markdown: "**What it does**\n\nFinds what nothing names.", severity: .note),
      .init(name: "reversed-range", summary: "Finds ranges that end before they begin.", help: "-", severity: .error),
    ])

  static let empty = FindingsReport(version: "1.2.3", sources: Sources([]), diagnostics: [])
}
