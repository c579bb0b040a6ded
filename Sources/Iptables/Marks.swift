/// The bits of the packet mark that carry decisions from one table to another.
///
/// Others use other bits: kube-proxy 0xc000, Tailscale 0xff0000, Cilium 0x0f00.
enum Marks {
  /// The packet is addressed to the host and an opening accepts it.
  static let admitted: UInt32 = 0x0100_0000

  /// The packet must be translated before it reaches a socket.
  static let translated: UInt32 = 0x0200_0000

  /// The packet is refused and will be answered so.
  static let refused: UInt32 = 0x0400_0000

  /// The source of the packet becomes the router's.
  static let masqueraded: UInt32 = 0x0800_0000

  /// The source is in the reach that was asked for last.
  static let from: UInt32 = 0x1000_0000

  /// The destination is in the reach that was asked for last.
  static let to: UInt32 = 0x2000_0000

  /// All of the bits.
  static let all: UInt32 = 0x3f00_0000

  /// Returns the match for a packet that has all of `bits`.
  static func has(_ bits: UInt32) -> Match { .mark(value: bits, mask: bits, isNegated: false) }

  /// Returns the target that sets `bits` and leaves the others.
  static func set(_ bits: UInt32) -> Target { .mark(value: bits, mask: bits) }

  /// Returns the target that clears `bits` and leaves the others.
  static func clear(_ bits: UInt32) -> Target { .mark(value: 0, mask: bits) }
}
