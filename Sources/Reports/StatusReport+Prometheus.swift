import Deploy
import Firewalls
import Nftables
import Syntax

extension StatusReport {
  /// The metrics for Prometheus (docs/status.md).
  public var prometheus: String {
    let host = (name: "firewall", value: status.host)
    var metrics = Metrics()
    metrics.add(
      gauge: "portcullis_ruleset_loaded", "Whether the kernel has a ruleset of portcullis.", [host],
      status.isLoaded ? "1" : "0")
    metrics.add(
      gauge: "portcullis_ruleset_current", "Whether the kernel has the ruleset of this policy.", [host],
      status.isCurrent ? "1" : "0")
    if let fingerprint = status.fingerprint {
      metrics.add(
        gauge: "portcullis_policy_info", "What the policy means for the host; the value is always 1.",
        [host, (name: "fingerprint", value: fingerprint.description)], "1")
    }
    metrics.add(
      gauge: "portcullis_confirm_pending", "Whether a change waits to be confirmed.", [host],
      status.pending == nil ? "0" : "1")
    metrics.add(
      gauge: "portcullis_confirm_remaining_seconds", "How long a change still waits to be confirmed.", [host],
      StatusReport.seconds(status.pending ?? 0))
    for kind in Status.Kind.allCases { add(kind, to: &metrics) }
    metrics.add(
      "portcullis_line_end_timestamp_seconds", .gauge, "When a line of the policy ends, in seconds since 1970.",
      status.lines.compactMap { line in
        line.until.map { (labels: labels(line), value: String(($0.daysSinceEpoch + 1) * 86_400)) }
      })
    for (name, count, help) in [
      ("refused", status.refused, "refused, by blocks and because nothing exposes it"),
      ("invalid", status.invalid, "dropped as part of no connection"),
    ] {
      guard let count else { continue }
      metrics.add(
        "portcullis_\(name)_packets_total", .counter, "Packets \(help).",
        [(labels: [host], value: String(count.packets))])
      metrics.add(
        "portcullis_\(name)_bytes_total", .counter, "Bytes \(help).", [(labels: [host], value: String(count.bytes))])
    }
    return metrics.text
  }

  /// Adds what lines of one kind counted.
  private func add(_ kind: Status.Kind, to metrics: inout Metrics) {
    let lines = status.lines.filter { $0.kind == kind }
    let name = "portcullis_\(kind.rawValue)"
    let what = "connections that a line of the policy decided about"
    func samples(_ value: (Status.Line) -> UInt64?) -> [(labels: [(name: String, value: String)], value: String)] {
      lines.compactMap { line in value(line).map { (labels: labels(line), value: String($0)) } }
    }
    metrics.add("\(name)_packets_total", .counter, "First packets of \(what).", samples { $0.decided?.packets })
    metrics.add(
      "\(name)_bytes_total", .counter, "Bytes of the first packets of \(what).", samples { $0.decided?.bytes })
    metrics.add(
      "\(name)_asked_packets_total", .counter,
      "First packets of connections that a line with a rate or an end was asked about.", samples { $0.asked?.packets })
  }

  private func labels(_ line: Status.Line) -> [(name: String, value: String)] {
    [
      (name: "firewall", value: status.host), (name: "subject", value: line.subject),
      (name: "owner", value: line.owner ?? ""), (name: "path", value: line.location.path),
      (name: "line", value: String(line.location.line)), (name: "column", value: String(line.location.column)),
      (name: "precision", value: line.precision.rawValue),
    ]
  }

  /// Returns `milliseconds` in seconds.
  private static func seconds(_ milliseconds: UInt64) -> String {
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - rest.utf8.count))\(rest)"
  }
}
