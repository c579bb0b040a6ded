/// A socket to the kernel's netlink, or something that answers in its place.
///
/// What is sent and received are whole datagrams of one or several messages (RFC 3549 section 2.3.2).
public protocol NetfilterSocket: AnyObject {
  /// Sends `datagram`, which is one transaction if it is a batch.
  func send(_ datagram: [UInt8]) throws(NetlinkError)

  /// Returns the next datagram, for which it waits at most so many `milliseconds`.
  func receive(within milliseconds: Int32) throws(NetlinkError) -> [UInt8]
}
