import Policies
import Syntax

extension Check {
  /// What has ended and still stands in the policy.
  static let lapsedStatement = Check(
    "lapsed-statement", "A statement is past its last day and has no effect", .exposure, .warning,
    page: Page(
      what: """
        Looks for exposures, uses, transits and blocks whose `until` is before today (`--today`). A waiver that has \
        lapsed is the business of `lapsed-waiver`.
        """,
      why: """
        On hosts the kernel closed an exposure at the end of its last day, on clusters the next compile leaves it out. \
        Whoever reads the policy should not have to compare dates; and whoever still needs the access should hear of it \
        here and not from a customer. A block that has ended no longer protects.
        """,
      example: """
        service api {
          owner team; purpose "API"; port 8443/tcp
          expose to 198.51.100.0/24 until ↓2020-03-31 because "partner cut-over"
        }
        host web1 { address 192.0.2.10; runs api }
        """,
      instead: """
        service api {
          owner team; purpose "API"; port 8443/tcp
          expose to 198.51.100.0/24 until 2099-03-31 because "partner cut-over"
        }
        host web1 { address 192.0.2.10; runs api }
        """)
  ) { inspection in
    let policy = inspection.policy
    var statements: [(subject: String, word: String, provenance: Provenance)] = []
    for s in policy.services.indices {
      for e in policy.services[s].exposures.indices where policy.services[s].exposures[e].provenance.until != nil {
        let name = policy.services[s].name.value
        statements.append((name, "exposure of `\(name)`", policy.services[s].exposures[e].provenance))
      }
      for use in policy.services[s].uses where use.provenance.until != nil {
        let name = policy.services[s].name.value
        statements.append((name, "use by `\(name)`", use.provenance))
      }
    }
    statements += policy.transits.map { (policy[$0.via.value].name.value, "transit", $0.provenance) }
    statements += policy.blocks.map { ("block", "block", $0.provenance) }
    return statements.compactMap { subject, word, provenance in
      guard let until = provenance.until, provenance.hasLapsed(on: inspection.today) else { return nil }
      return Finding(
        "this \(word) ended on \(until.value)", about: subject,
        at: .init(until.span, "\(inspection.today.daysSinceEpoch - until.value.daysSinceEpoch) days ago"),
        also: [.init(provenance.span, "has no effect any more")],
        because: "What has no effect only misleads whoever reads it.",
        help: "Remove the statement, or give it a new last day if it is still needed.",
        fixes: word == "block" ? [] : [.init(replace: provenance.span, with: "", safety: .safe)])
    }
  }
}
