import CNetfilter
import Glibc

extension Kernel {
  /// Returns when no packet is left that began to be judged before the call.
  ///
  /// Packets are judged under the kernel's read-copy-update lock, and membarrier(2) waits for all who hold that; where it
  /// is not to be had, a tenth of a second is more than a packet takes.
  public func waitForPackets() {
    if portcullis_wait_for_packets() != 0 { usleep(100_000) }
  }
}
