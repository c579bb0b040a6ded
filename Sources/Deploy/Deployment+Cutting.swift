public import Netlink
import Nftables
public import Packets

extension Deployment {
  /// Drops what arrives in `directions` for a day.
  ///
  /// - Returns: `true` iff there is a table that can drop them.
  public func cut(_ directions: [ConnectionTuple]) throws(NetlinkError) -> Bool {
    try carryOut { $0.cutting(directions) }
  }
}
