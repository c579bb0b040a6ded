public import Deploy
public import Firewalls
public import Nftables

/// What a plan would do to a host, as it is written.
public struct PlanReport {
  /// The host, as the policy names it.
  public var host: String

  /// The steps.
  public var plan: Plan

  /// The connections that the policy would refuse if they began now.
  public var connections: ConnectionReview

  /// What opens and closes; nothing if there is nothing to do.
  public var difference: DifferenceReport?

  /// Creates the report of `plan`.
  public init(
    _ plan: Plan, host: String, connections: ConnectionReview, difference: Difference?
  ) {
    self.plan = plan
    self.host = host
    self.connections = connections
    self.difference = difference.map {
      DifferenceReport($0, from: "what the kernel does now", to: "what it would do")
    }
  }

  /// Returns the text for a person, in colours iff `color`.
  public func text(color: Bool) -> String {
    plan.shown + connections.refusedText + (difference.map { "\n" + $0.text(color: color) } ?? "")
  }

  /// The document for a program: `portcullis-plan`, version 1 (docs/hosts.md).
  public var json: String {
    JSON.object([
      ("format", .string("portcullis-plan")),
      ("version", .number(1)),
      ("host", .string(host)),
      ("empty", .bool(plan.isEmpty)),
      ("anew", .array(plan.reasons.map { .string($0) })),
      (
        "changes",
        .array(
          plan.changes.map { change in
            .object([
              ("kind", .string(change.kind.rawValue)), ("name", .string(change.name)),
              ("added", .array(change.added.map { .string($0) })),
              ("removed", .array(change.removed.map { .string($0) })),
            ])
          })
      ),
      (
        "steps",
        .array(
          plan.steps.map { step in
            .object([
              ("purpose", .string(step.purpose.rawValue)), ("commands", .number(step.transaction.commands.count)),
            ])
          })
      ),
      (
        "connections",
        .object([
          ("refused", .number(connections.refused)),
          ("listed", .array(connections.listed.map { .string("\($0)") })),
        ])
      ),
      ("difference", difference?.document ?? .null),
    ]).text
  }
}

extension Plan {
  /// The text for a person, in which nothing that others wrote into the kernel can do harm.
  public var shown: String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { printable(String($0)) }.joined(separator: "\n")
  }
}

extension ConnectionReview {
  /// The refused connections in words, if there are some.
  public var refusedText: String {
    guard refused > 0 else { return "" }
    var text =
      "\(refused == 1 ? "1 established connection" : "\(refused) established connections") that the policy would "
    text += "refuse if \(refused == 1 ? "it" : "they") began now:\n"
    for connection in listed { text += "  \(printable("\(connection)"))\n" }
    let rest = refused - listed.count
    return rest > 0 ? text + "  and \(rest) more\n" : text
  }
}
