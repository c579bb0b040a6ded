public import Netlink
import Nftables

extension Deployment {
  /// Removes our table, and no other.
  ///
  /// - Returns: `true` iff there was one.
  public func remove() throws(NetlinkError) -> Bool {
    try carryOut { Transaction($0.name, [.deleteTable]) }
  }
}
