/// An answer that was not the expected one.
public struct Discrepancy: Sendable, CustomStringConvertible {
  /// The file.
  public var file: String
  /// The line, which a person can look up.
  public var line: Int
  /// What the line asks, with the packet that was meant of all that it stands for.
  public var question: String
  /// What was wanted.
  public var expected: String
  /// What came.
  public var seen: String

  /// All of it, in four lines.
  public var description: String { "\(file):\(line): \(question)\n    expected: \(expected)\n    seen:     \(seen)" }
}

/// What a laboratory found.
public struct LabReport: Sendable {
  /// How many packets or connections were tried.
  public var probes = 0
  /// The answers that were not the expected ones.
  public var discrepancies: [Discrepancy] = []
  /// What was not asked, and why.
  public var skipped: [String] = []
  /// The kernel's listing afterwards, with counters.
  public var listing = ""

  /// The discrepancies and the listing, for a failing test.
  public var text: String {
    discrepancies.map(\.description).joined(separator: "\n") + "\n\nWhat the kernel has:\n" + listing
  }
}

/// Puts the questions of `lab` to a host that has loaded `ruleset`.
///
/// - Parameters:
///   - lab: the host, its surroundings and the answers wanted.
///   - ruleset: what is loaded first; `reload` loads it again.
///   - others: what the lines `load NAME` load.
/// - Returns: what was not as expected.
/// - Throws: `LabError` if there are not the means for it, or if the ruleset does not load.
public func runLab(_ lab: Lab, ruleset: Ruleset, others: [String: Ruleset] = [:]) throws -> LabReport {
  var report = LabReport()
  if let reason = lab.exceptions[ruleset.kind] {
    report.skipped.append("\(lab.file): not for \(ruleset.kind.rawValue): \(reason)")
    return report
  }
  let bench = try LabBench(lab)
  defer { bench.tearDown() }
  var run = LabRun(bench: bench, ruleset: ruleset, report: report)
  let foreign = bench.foreignTable()
  try bench.load(ruleset)
  try run.carryOut(lab.steps, others: others)
  if bench.foreignTable() != foreign {
    run.report.discrepancies.append(
      Discrepancy(
        file: lab.file, line: 1, question: "somebody else's table", expected: foreign, seen: bench.foreignTable()))
  }
  report = run.report
  report.listing = bench.listing(ruleset.kind)
  return report
}

/// A run through the steps of a laboratory.
struct LabRun {
  let bench: LabBench
  var ruleset: Ruleset
  var report: LabReport
  /// The next number that nothing in this run was sent with: source ports and ICMP identifiers.
  var number: UInt16 = 40000
  /// The connections that are held, by name.
  var held: [String: Trial] = [:]

  /// A packet that is sent.
  struct Trial {
    var question: Question
    var sender: Int
    var number: UInt16
    var identifier: String { "\(number)" }
  }

  init(bench: LabBench, ruleset: Ruleset, report: LabReport) {
    (self.bench, self.ruleset, self.report) = (bench, ruleset, report)
  }

  mutating func carryOut(_ steps: [Lab.Step], others: [String: Ruleset]) throws {
    var waiting: [Question] = []
    for step in steps {
      if case .question(let question) = step, question.count == 1 {
        if question.quoted != nil {
          try ask(waiting)
          waiting = []
        }
        if let reason = question.exceptions[ruleset.kind] {
          report.skipped.append("\(bench.lab.file):\(question.line): \(reason)")
        } else {
          waiting.append(question)
        }
        continue
      }
      try ask(waiting)
      waiting = []
      switch step {
      case .question(let question):
        if question.exceptions[ruleset.kind] == nil { try askCounted(question) }
      case .wait(let milliseconds): sleep(milliseconds: milliseconds)
      case .load(let name, let line):
        if let name {
          guard let other = others[name] else {
            throw LabError(description: "\(bench.lab.file):\(line): no ruleset `\(name)` was given")
          }
          ruleset = other
        }
        try bench.load(ruleset)
      case .held(let name, let alive, let line, let text):
        try checkHeld(name, alive: alive, line: line, text: text)
      }
    }
    try ask(waiting)
  }

  /// Sends all of `questions` at once and judges what came of each.
  private mutating func ask(_ questions: [Question]) throws {
    guard !questions.isEmpty else { return }
    let trials = questions.map { trial(of: $0) }
    let evidence = try send(trials) { evidence in
      trials.allSatisfy { $0.question.expectation.fate.wantsArrival != evidence.arrivals(of: $0).isEmpty }
    }
    for trial in trials {
      report.probes += 1
      if let fault = evidence.fault(of: trial) { note(trial.question, fault.expected, fault.seen) }
      if let name = trial.question.holdName { held[name] = trial }
    }
  }

  /// Sends the packets of a counted question one after the other and counts how many were delivered.
  private mutating func askCounted(_ question: Question) throws {
    guard case .counted(let range) = question.expectation.fate else {
      throw LabError(description: "\(bench.lab.file):\(question.line): `times` wants how many: `N..M`")
    }
    let trials = (0..<question.count).map { _ in trial(of: question) }
    report.probes += trials.count
    let evidence = try send(trials) { _ in true }
    let count = trials.count { !evidence.arrivals(of: $0).isEmpty }
    if !range.contains(count) {
      note(question, "\(range.lowerBound) to \(range.upperBound) of \(trials.count) delivered", "\(count) delivered")
    }
  }

  private mutating func checkHeld(_ name: String, alive: Bool, line: Int, text: String) throws {
    guard let trial = held[name] else {
      throw LabError(description: "\(bench.lab.file):\(line): no connection `\(name)` is held")
    }
    let limit = alive ? 3000 : 600
    try bench.probes[trial.sender].tell(["talk \(trial.identifier) \(limit)"])
    let results = try bench.probes[trial.sender].tell(["collect"])
    let result = results.first { $0.hasPrefix("result \(trial.identifier) ") } ?? "nothing"
    report.probes += 1
    guard result.contains(" answered ") != alive else { return }
    report.discrepancies.append(
      Discrepancy(
        file: bench.lab.file, line: line, question: text,
        expected: alive ? "data both ways" : "no data", seen: result))
  }

  private mutating func note(_ question: Question, _ expected: String, _ seen: String) {
    let packet = "\(question.source) to \(question.destination)"
    report.discrepancies.append(
      Discrepancy(
        file: bench.lab.file, line: question.line, question: "\(question.text)   (\(packet))", expected: expected,
        seen: seen))
  }

  private mutating func trial(of question: Question) -> Trial {
    number += 1
    return Trial(question: question, sender: bench.index(of: question.sender), number: number)
  }
}
