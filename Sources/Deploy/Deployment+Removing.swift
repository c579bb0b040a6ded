public import Netlink
import Nftables

extension Deployment {
  /// Removes our table, and no other.
  ///
  /// - Returns: `true` iff there was one.
  public func remove() throws(NetlinkError) -> Bool {
    for attempt in 1... {
      guard let live = try live() else { return false }
      do throws(NetlinkError) {
        try kernel.carryOut(Transaction(Deployment.table, [.deleteTable]), generation: live.generation)
        return true
      } catch {
        guard error == .stale, attempt < Deployment.mostAttempts else { throw error }
      }
    }
    return false
  }
}
