/// The findings of one file, up to a number that a person can read.
///
/// It is a reference so that a finding, which is made only if it is kept, may be made from the parser that adds it.
final class Findings {
  /// The most findings that are kept.
  static let limit = 100

  /// What was found first.
  private(set) var kept: [Diagnostic] = []

  /// How many were found after the limit was reached.
  private(set) var omitted = 0

  /// Adds `finding`, which is made only if it is kept.
  func add(_ finding: @autoclosure () -> Diagnostic) {
    if kept.count < Findings.limit { kept.append(finding()) } else { omitted += 1 }
  }

  /// Returns what was found in `self` and `other` in the order of the text, with a last word on what was left out;
  /// `end` is the end of the file.
  func merged(with other: Findings, end: Span) -> [Diagnostic] {
    var all = (kept + other.kept).sorted(by: Diagnostic.precedes)
    var missing = omitted + other.omitted
    if all.count > Findings.limit {
      missing += all.count - Findings.limit
      all.removeLast(all.count - Findings.limit)
    }
    if missing > 0 { all.append(.tooManyErrors(missing, at: end)) }
    return all
  }
}
