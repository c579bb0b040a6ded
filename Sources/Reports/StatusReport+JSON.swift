import Deploy
import Firewalls
import Nftables
import Packets
import Syntax

extension StatusReport {
  /// The document for a program: `portcullis-status`, version 1 (docs/status.md).
  public var json: String {
    JSON.object([
      ("format", .string("portcullis-status")),
      ("version", .number(1)),
      ("host", .string(status.host)),
      ("fingerprint", .optional(status.fingerprint?.description)),
      ("loaded", .bool(status.isLoaded)),
      ("current", .bool(status.isCurrent)),
      ("pendingSeconds", status.pending.map { .number(Int(clamping: ($0 + 999) / 1000)) } ?? .null),
      ("lapsed", .bool(status.hasLapsed)),
      ("lines", .array(status.lines.map(line))),
      ("unused", .array(status.unused.map(place))),
      ("endingWithinDays", .number(days)),
      ("ending", .array(status.lapsing(within: days).map(place))),
      ("refused", count(status.refused)),
      ("invalid", count(status.invalid)),
      ("refusals", refusals),
      (
        "strangers",
        .array(status.strangers.map { .object([("comment", .string($0.comment)), ("count", count($0.count))]) })
      ),
    ]).text
  }

  private func count(_ count: Count?) -> JSON {
    count.map {
      .object([("packets", .number(Int(clamping: $0.packets))), ("bytes", .number(Int(clamping: $0.bytes)))])
    } ?? .null
  }

  private func place(_ line: Status.Line) -> JSON {
    .object([
      ("subject", .string(line.subject)), ("path", .string(line.location.path)),
      ("line", .number(line.location.line)),
    ])
  }

  private func line(_ line: Status.Line) -> JSON {
    .object([
      ("kind", .string(line.kind.rawValue)),
      ("subject", .string(line.subject)),
      ("owner", .optional(line.owner)),
      ("path", .string(line.location.path)),
      ("line", .number(line.location.line)),
      ("text", .string(line.text)),
      ("ports", .array(line.traffic.map { .string($0) })),
      ("precision", .string(line.precision.rawValue)),
      ("decided", count(line.decided)),
      ("asked", count(line.asked)),
      ("unused", line.isUnused.map { .bool($0) } ?? .null),
      ("until", .optional(line.until.map { "\($0)" })),
      ("daysLeft", line.daysLeft.map { .number($0) } ?? .null),
    ])
  }

  private var refusals: JSON {
    guard let log = status.refusals else { return .null }
    return .object([
      ("lines", .number(log.lines)),
      ("unreadable", .number(log.unreadable)),
      (
        "rows",
        .array(
          log.rows.map { row in
            .object([
              ("zones", .array(row.zones.map { .string($0) })), ("port", .string(row.traffic)),
              ("packets", .number(row.packets)), ("mostly", .string(row.source.description)),
            ])
          })
      ),
    ])
  }
}
