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

  /// Ends those that are refused: their packets are dropped from now on, and the kernel forgets them.
  ///
  /// - Returns: what was done, in words.
  func cut(by deployment: Deployment) throws -> String {
    guard !refused.isEmpty else { return "No connection is to be cut.\n" }
    let directions = refused.filter(\.original.transport.hasPorts).flatMap { [$0.original, $0.reply] }
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
