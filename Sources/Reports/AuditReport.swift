public import Deploy
import Packets
import Syntax

/// What listens on a host beside what its policy declares, as it is written.
public struct AuditReport: Sendable {
  /// What was found.
  public var audit: Audit

  /// Creates the report of `audit`.
  public init(_ audit: Audit) { self.audit = audit }

  /// Returns the text for a person, in colours iff `color`.
  public func text(color: Bool) -> String {
    let palette = Palette(isOn: color)
    var result = ""
    for finding in audit.findings {
      let role: Palette.Role =
        switch finding.weight {
        case .error: .error
        case .warning: .warning
        case .note: .note
        }
      result +=
        palette("\(finding.weight.rawValue)[\(finding.kind.rawValue)]", role) + ": \(printable(finding.message))\n"
      if let location = finding.location { result += "  --> \(printable(location.description))\n" }
      for reach in finding.reachedBy { result += "  reached by \(printable(reach))\n" }
    }
    if !audit.findings.isEmpty { result += "\n" }
    let sockets = audit.listeners == 1 ? "1 socket" : "\(audit.listeners) sockets"
    result += "Host \(printable(audit.host)): \(sockets) looked at, \(counts).\n"
    if audit.lacksProcesses { result += "Some processes are not known: only root sees those of other users.\n" }
    if !audit.unexamined.isEmpty {
      let ports = audit.unexamined.map(\.description).joined(separator: ", ")
      result += "Not looked at, because the kernel lists TCP and UDP alone: \(ports).\n"
    }
    return result
  }

  /// How many findings there are, in words.
  private var counts: String {
    let words = Audit.Weight.allCases.compactMap { weight -> String? in
      let count = audit.findings.count { $0.weight == weight }
      return count == 0 ? nil : "\(count) \(weight.rawValue)\(count == 1 ? "" : "s")"
    }
    return words.isEmpty ? "all of them declared" : words.joined(separator: ", ")
  }

  /// The document for a program: `portcullis-audit`, version 1 (docs/status.md).
  public var json: String {
    func finding(_ finding: Audit.Finding) -> JSON {
      .object([
        ("kind", .string(finding.kind.rawValue)),
        ("severity", .string(finding.weight.rawValue)),
        ("message", .string(finding.message)),
        ("port", .optional(finding.traffic?.description)),
        ("service", .optional(finding.service)),
        ("path", .optional(finding.location?.path)),
        ("line", finding.location.map { .number($0.line) } ?? .null),
        (
          "listener",
          finding.sockets.map { sockets in
            .object([
              ("addresses", .array(sockets.addresses.map { .string($0) })),
              ("process", .optional(sockets.processName)),
              ("pid", sockets.process.map { .number(Int($0)) } ?? .null),
              ("user", .string(sockets.user)),
            ])
          } ?? .null
        ),
        ("reachedBy", .array(finding.reachedBy.map { .string($0) })),
      ])
    }
    return JSON.object([
      ("format", .string("portcullis-audit")),
      ("version", .number(1)),
      ("host", .string(audit.host)),
      ("sockets", .number(audit.listeners)),
      ("processesKnown", .bool(!audit.lacksProcesses)),
      ("unexamined", .array(audit.unexamined.map { .string($0.description) })),
      ("findings", .array(audit.findings.map(finding))),
    ]).text
  }

  /// The metrics for Prometheus (docs/status.md).
  public var prometheus: String {
    var metrics = Metrics()
    let host = (name: "firewall", value: audit.host)
    var counts: [(labels: [(name: String, value: String)], value: String)] = []
    for kind in Audit.Kind.allCases {
      for weight in Audit.Weight.allCases {
        let count = audit.findings.count { $0.kind == kind && $0.weight == weight }
        counts.append(
          (
            labels: [host, (name: "kind", value: kind.rawValue), (name: "severity", value: weight.rawValue)],
            value: String(count)
          ))
      }
    }
    metrics.add(
      "portcullis_audit_findings", .gauge, "Differences between what listens and what the policy declares.", counts)
    var seen: Set<[String]> = []
    var rows: [(labels: [(name: String, value: String)], value: String)] = []
    for finding in audit.findings {
      let labels = [
        host, (name: "kind", value: finding.kind.rawValue), (name: "severity", value: finding.weight.rawValue),
        (name: "port", value: finding.traffic?.description ?? ""), (name: "service", value: finding.service ?? ""),
        (name: "process", value: finding.sockets?.processName ?? ""),
        (name: "user", value: finding.sockets?.user ?? ""),
      ]
      if seen.insert(labels.map(\.value)).inserted { rows.append((labels: labels, value: "1")) }
    }
    metrics.add("portcullis_audit_finding", .gauge, "One difference; the value is always 1.", rows)
    metrics.add(
      gauge: "portcullis_audit_sockets", "Listening sockets that were looked at.", [host], String(audit.listeners))
    return metrics.text
  }
}
