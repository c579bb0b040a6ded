public import Netlink
public import Nftables

extension Deployment {
  /// Drops what arrives in `directions` for some minutes.
  ///
  /// - Returns: `true` iff there is a table that can drop them.
  public func cut(_ directions: [CutDirection]) throws(NetlinkError) -> Bool {
    for attempt in 1... {
      guard let live = try live(), let transaction = live.cutting(directions) else { return false }
      do throws(NetlinkError) {
        try kernel.carryOut(transaction, generation: live.generation)
        return true
      } catch {
        guard error == .stale, attempt < Deployment.mostAttempts else { throw error }
      }
    }
    return false
  }
}
