import Policies
import Syntax

extension Check {
  /// A waiver that waives nothing.
  static let unusedWaiver = Check(
    "unused-waiver", "A waiver waives nothing", .invariants, .warning,
    page: Page(
      what: "Looks for waivers of a check that has no finding about what the waiver names.",
      why: """
        It is left over from a finding that is mended, and would hide the next one; or the name is wrong, and the \
        finding that it should accept stands.
        """,
      example: """
        service web { owner team; purpose "Site"; port 8443/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        waive sensitive-exposure on ↓web until 2099-12-31 because "vendor appliance"
        """,
      instead: """
        service web { owner team; purpose "Site"; port 22/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        waive sensitive-exposure on web until 2099-12-31 because "vendor appliance"
        """),
    // The runner alone knows which waivers met a finding; it calls `unusedWaiverFinding`.
    run: { _ in [] })

  /// Returns the finding that `waiver` met no finding.
  static func unusedWaiverFinding(_ waiver: Waiver) -> Finding {
    Finding(
      "nothing of `\(waiver.subject.value)` is found by `\(waiver.check.value)`", about: waiver.subject.value,
      at: .init(waiver.subject.span, "there is nothing to waive"),
      also: [.init(waiver.provenance.span, "this waiver")],
      because: "A waiver without a finding would hide the next one.",
      help: "Remove the waiver, or correct the name.",
      fixes: [.init(replace: waiver.provenance.span, with: "", safety: .safe)])
  }

  /// A waiver past its end.
  static let lapsedWaiver = Check(
    "lapsed-waiver", "A waiver is past its last day", .invariants, .warning,
    page: Page(
      what: "Looks for waivers whose `until` is before today. What they accepted is reported again.",
      why: "A waiver is a loan of time. When it is over, the finding is to be mended, or the loan renewed by somebody.",
      example: """
        service web { owner team; purpose "Site"; port 22/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        waive sensitive-exposure on web until ↓2020-12-31 because "vendor appliance"
        """,
      instead: """
        service web { owner team; purpose "Site"; port 22/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        waive sensitive-exposure on web until 2099-12-31 because "vendor appliance"
        """)
  ) { inspection in
    inspection.policy.waivers.compactMap { waiver in
      guard let until = waiver.provenance.until, waiver.provenance.hasLapsed(on: inspection.today) else { return nil }
      return Finding(
        "the waiver of `\(waiver.check.value)` on `\(waiver.subject.value)` ended on \(until.value)",
        about: waiver.subject.value,
        at: .init(until.span, "\(inspection.today.daysSinceEpoch - until.value.daysSinceEpoch) days ago"),
        also: [.init(waiver.provenance.span, "this waiver")],
        because: "What it accepted is reported again.",
        help: "Mend what it waived and remove it, or agree on a new last day.")
    }
  }

  /// A check that does not exist.
  static let unknownCheck = Check(
    "unknown-check", "A waiver or a setting names a check that does not exist", .invariants, .error,
    page: Page(
      what: "Looks for `waive NAME` and `check NAME` with a name that is no check (`portcullis checks` lists them).",
      why: "The statement has no effect: what it should turn off or accept is still reported, or the other way round.",
      example: """
        policy "acme" { check ↓system-prot off }
        """,
      instead: """
        policy "acme" { check system-port off }
        """),
    flagged: ["waive ↓sensitive-exposures on web until 2099-12-31 because \"vendor appliance\""]
  ) { inspection in
    let names = Set(all.map(\.name))
    let used = inspection.policy.settings.checks.map(\.check) + inspection.policy.waivers.map(\.check)
    return used.filter { !names.contains($0.value) }.map { name in
      let near = nearestName(to: name.value)
      return Finding(
        "there is no check `\(name.value)`", about: name.value,
        at: .init(name.span, near.map { "did you mean `\($0)`?" } ?? "not a check"),
        because: "The statement has no effect.", help: "`portcullis checks` lists the checks.",
        fixes: near.map { [.init(replace: name.span, with: $0, safety: .unsafe)] } ?? [])
    }
  }

  /// Returns the name of the check that is most like `name`, if one is.
  public static func nearestName(to name: String) -> String? { Syntax.nearest(to: name, among: all.map(\.name)) }
}
