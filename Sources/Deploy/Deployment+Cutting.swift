public import Netlink
public import Nftables

extension Deployment {
  /// Drops what arrives in `directions` for some minutes.
  public func cut(_ directions: [CutDirection]) throws(NetlinkError) {
    for attempt in 1... {
      guard let live = try live(), let transaction = live.cutting(directions) else { return }
      do throws(NetlinkError) {
        try kernel.carryOut(transaction, generation: live.generation)
        return
      } catch {
        guard error == .stale, attempt < Deployment.mostAttempts else { throw error }
      }
    }
  }
}
