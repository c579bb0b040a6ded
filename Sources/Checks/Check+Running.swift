public import Policies
public import Syntax

/// What the checks say of a policy.
public struct Judgements: Sendable {
  /// A finding that a waiver accepts.
  public struct Waived: Sendable {
    /// The finding.
    public var diagnostic: Diagnostic
    /// The waiver.
    public var waiver: Waiver
  }

  /// The findings, in the order in which they are printed.
  public var findings: [Diagnostic] = []

  /// The findings that waivers accept.
  public var waived: [Waived] = []
}

extension Check {
  /// Returns what the registered checks find in `inspection`, by the severities and waivers of its policy.
  public static func judge(_ inspection: Inspection) -> Judgements {
    let found = inspection.wantedChecks.map { ($0.name, $0.run(inspection)) }
    return judge(inspection, found: Dictionary(uniqueKeysWithValues: found))
  }

  /// Returns what the registered checks, which run at the same time, find in `inspection`, by the severities and waivers
  /// of its policy.
  public static func judge(_ inspection: Inspection) async -> Judgements {
    let found = await withTaskGroup(of: (String, [Finding]).self) { group in
      for check in inspection.wantedChecks { group.addTask { (check.name, check.run(inspection)) } }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    return judge(inspection, found: found)
  }

  /// Returns what is to be said of `found`, the findings by check.
  private static func judge(_ inspection: Inspection, found: [String: [Finding]]) -> Judgements {
    let policy = inspection.policy
    let chosen = inspection.chosenSeverities
    var result = Judgements()
    var used = Set<Int>()
    let waivers = waivers(of: inspection)
    for check in all {
      guard let severity = chosen[check.name] ?? check.severity else { continue }
      let waivers = waivers[check.name] ?? [:]
      for finding in found[check.name] ?? [] {
        let diagnostic = finding.diagnostic.named(check.name, severity)
        let waiver = diagnostic.subject.flatMap { waivers[$0] }
        if let waiver { used.insert(waiver) }
        if let waiver, !policy.waivers[waiver].provenance.hasLapsed(on: inspection.today) {
          result.waived.append(.init(diagnostic: diagnostic, waiver: policy.waivers[waiver]))
        } else {
          result.findings.append(diagnostic)
        }
      }
    }
    for (check, findings) in waiverFindings(inspection, used: used) {
      guard let severity = chosen[check.name] ?? check.severity else { continue }
      result.findings += findings.map { $0.diagnostic.named(check.name, severity) }
    }
    result.findings.sort(by: Diagnostic.precedes)
    result.waived.sort { Diagnostic.precedes($0.diagnostic, $1.diagnostic) }
    return result
  }

  /// Returns the positions of the waivers by check and subject; of several, one that still holds.
  private static func waivers(of inspection: Inspection) -> [String: [String: Int]] {
    var result: [String: [String: Int]] = [:]
    for (i, waiver) in inspection.policy.waivers.enumerated() {
      let known = result[waiver.check.value]?[waiver.subject.value]
      if let known, !inspection.policy.waivers[known].provenance.hasLapsed(on: inspection.today) { continue }
      result[waiver.check.value, default: [:]][waiver.subject.value] = i
    }
    return result
  }

  /// Returns what is wrong with the waivers and the chosen severities; `used` are the waivers that met a finding.
  private static func waiverFindings(_ inspection: Inspection, used: Set<Int>) -> [(Check, [Finding])] {
    let policy = inspection.policy
    let names = Set(all.map(\.name))
    let met = Set(used.map { WaiverKey(policy.waivers[$0]) })
    // One that has lapsed and was renewed by another met the same findings: that it lapsed is said elsewhere.
    let unused = policy.waivers.indices.filter { i in
      let waiver = policy.waivers[i]
      return !used.contains(i) && names.contains(waiver.check.value)
        && !(waiver.provenance.hasLapsed(on: inspection.today) && met.contains(WaiverKey(waiver)))
    }
    return [(.unusedWaiver, unused.map { Check.unusedWaiverFinding(policy.waivers[$0]) })]
  }
}

extension Inspection {
  /// The severities that the policy chose, by check; nothing there means `off`.
  fileprivate var chosenSeverities: [String: Severity?] {
    Dictionary(policy.settings.checks.map { ($0.check.value, $0.severity) }) { first, _ in first }
  }

  /// The checks that are to run.
  fileprivate var wantedChecks: [Check] {
    let chosen = chosenSeverities
    return Check.all.filter { (chosen[$0.name] ?? $0.severity) != nil }
  }
}

/// What a waiver is for.
private struct WaiverKey: Hashable {
  let check: String
  let subject: String

  init(_ waiver: Waiver) {
    check = waiver.check.value
    subject = waiver.subject.value
  }
}

extension Diagnostic {
  /// Returns the same finding with the code `code` and the severity `severity`.
  fileprivate func named(_ code: String, _ severity: Severity) -> Diagnostic {
    var result = self
    result.code = code
    result.severity = severity
    return result
  }
}
