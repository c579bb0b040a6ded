import Deploy
import Driver
import Firewalls
import Netlink
import Nftables
import Packets
import Policies
import Syntax

/// The connections of this machine, as the policy of its host judges them.
struct EstablishedConnections {
  /// The most that are cut by one run.
  private static let mostCut = 100_000

  /// What the policy makes of them.
  let review: ConnectionReview

  /// Those that it would refuse if they began now, as far as they are to be cut.
  let refused: [TrackedConnection]

  /// Looks at the connections that `kernel` tracks.
  init(_ kernel: Kernel, judgedBy firewall: Firewall, of pipeline: Pipeline) throws {
    var review = try ConnectionReview(
      firewall, of: pipeline.policy, own: HostFacts.ofThisMachine.addresses, on: pipeline.today)
    var refused: [TrackedConnection] = []
    var problem: BudgetExceeded?
    try kernel.forEachConnection { connection in
      guard problem == nil else { return }
      do throws(BudgetExceeded) {
        if case .refused = try review.review(connection), refused.count < EstablishedConnections.mostCut {
          refused.append(connection)
        }
      } catch {
        problem = error
      }
    }
    if let problem { throw problem }
    (self.review, self.refused) = (review, refused)
  }

  /// What is to be told of them, if something is.
  var text: String {
    guard review.refused > 0 else { return "" }
    var text =
      "\(EstablishedConnections.count(review.refused)) that the policy would refuse if \(review.refused == 1 ? "it" : "they") began now:\n"
    for connection in review.listed { text += "  \(connection)\n" }
    let rest = review.refused - review.listed.count
    return rest > 0 ? text + "  and \(rest) more\n" : text
  }

  /// Ends those that are refused: their packets are dropped from now on, and the kernel forgets them.
  ///
  /// - Returns: what was done, in words.
  func cut(by deployment: Deployment) throws -> String {
    guard !refused.isEmpty else { return "No connection is to be cut.\n" }
    let directions = refused.filter(\.original.transport.hasPorts).flatMap { connection in
      [connection.original, connection.reply].map { side in
        CutDirection(
          from: side.source, side.sourcePort, to: side.destination, side.destinationPort, over: side.transport)
      }
    }
    guard try deployment.cut(directions) else { return "Nothing is cut: there is no table that could drop packets.\n" }
    var count = 0
    for connection in refused where try deployment.kernel.forget(connection) { count += 1 }
    let rest = review.refused - refused.count
    return "Cut \(EstablishedConnections.count(count)).\n"
      + (rest > 0 ? "There are \(rest) more: run it again.\n" : "")
  }

  private static func count(_ number: Int) -> String {
    number == 1 ? "1 established connection" : "\(number) established connections"
  }
}

/// The one who gives the commands, and whether a policy would let him in again.
enum LockOut {
  /// Returns why the policy of `firewall` would shut out the one who gives this command, or nothing if it would not.
  static func reason(_ kernel: Kernel, _ firewall: Firewall, of pipeline: Pipeline) throws -> String? {
    let origin = RemoteSession.Origin(environment("SSH_CONNECTION"))
    let guardian = try LockoutGuard(
      firewall, of: pipeline.policy, sources: pipeline.sources, own: HostFacts.ofThisMachine.addresses,
      listeners: try Listeners().all(), on: pipeline.today)
    var tracked: [TrackedConnection] = []
    var others: [TrackedConnection] = []
    try kernel.forEachConnection { connection in
      if guardian.concerns(connection, origin), tracked.count < 10_000 { tracked.append(connection) }
      if guardian.concerns(connection, .unsaid), others.count < 10_000 { others.append(connection) }
    }
    let finding = try guardian.finding(of: origin, tracked: tracked)
    switch finding.outcome {
    case .shutOut, .unknown: return finding.sentences.joined(separator: "\n")
    case .noSession, .letIn: break
    }
    // A session that is not there any more, such as one that a terminal was detached from, says nothing of the one who is.
    guard case .session = origin, tracked.isEmpty else { return nil }
    let second = try guardian.finding(of: .unsaid, tracked: others)
    return second.outcome == .shutOut ? second.sentences.joined(separator: "\n") : nil
  }
}
