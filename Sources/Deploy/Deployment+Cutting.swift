public import Netlink
public import Nftables

extension Deployment {
  /// Drops what arrives in `directions` for a day.
  ///
  /// - Returns: `true` iff there is a table that can drop them.
  public func cut(_ directions: [CutDirection]) throws(NetlinkError) -> Bool {
    try carryOut { $0.cutting(directions) }
  }
}
