import CNetfilter
import Nftables
import Packets

/// An expression of libnftnl, which belongs to whatever it is added to.
@safe struct Expression {
  /// What libnftnl knows it by.
  let handle: OpaquePointer

  /// Creates the expression `name`, or nothing if libnftnl does not know it.
  init?(_ name: String) {
    guard let made = unsafe nftnl_expr_alloc(name) else { return nil }
    unsafe handle = made
  }

  /// Sets an attribute to a number of 32 bits.
  func put(_ attribute: Int, _ number: UInt32) { unsafe nftnl_expr_set_u32(handle, UInt16(attribute), number) }

  /// Sets an attribute to a number of 64 bits.
  func put(_ attribute: Int, long number: UInt64) { unsafe nftnl_expr_set_u64(handle, UInt16(attribute), number) }

  /// Sets an attribute to a number of 8 bits.
  func put(_ attribute: Int, byte number: UInt8) { unsafe nftnl_expr_set_u8(handle, UInt16(attribute), number) }

  /// Sets an attribute to a text.
  func put(_ attribute: Int, _ text: String) { unsafe _ = nftnl_expr_set_str(handle, UInt16(attribute), text) }

  /// Sets an attribute to `bytes`.
  func put(_ attribute: Int, _ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes {
      unsafe _ = nftnl_expr_set(handle, UInt16(attribute), $0.baseAddress, UInt32($0.count))
    }
  }
}

/// A place for data while a rule is worked through, counted in words of four bytes.
///
/// The kernel has sixteen words, and other numbers for four blocks of four (`enum nft_registers`).
enum Register {
  /// Returns the number of the register that begins with `word`.
  static func number(_ word: Int) -> UInt32 { UInt32(word % 4 == 0 ? word / 4 + 1 : word + 8) }

  /// Returns the word that the register `number` begins with, or nothing if it is none for data.
  static func word(_ number: UInt32) -> Int? {
    switch number {
    case 1...4: Int(number - 1) * 4
    case 8...23: Int(number) - 8
    default: nil
    }
  }

  /// How many words there are.
  static let count = 16
}

/// Where in a packet a field is.
struct PacketPlace: Hashable {
  /// 1 for the network header, 2 for the transport header (`enum nft_payload_bases`).
  var base: UInt32

  /// The first byte.
  var offset: Int

  /// The number of bytes.
  var length: Int
}

extension Field {
  /// Where in a packet the field is, if it is in a packet.
  var place: PacketPlace? {
    switch self {
    case .saddr(.ipv4): PacketPlace(base: 1, offset: 12, length: 4)
    case .daddr(.ipv4): PacketPlace(base: 1, offset: 16, length: 4)
    case .saddr(.ipv6): PacketPlace(base: 1, offset: 8, length: 16)
    case .daddr(.ipv6): PacketPlace(base: 1, offset: 24, length: 16)
    case .hopLimit: PacketPlace(base: 1, offset: 7, length: 1)
    case .sport: PacketPlace(base: 2, offset: 0, length: 2)
    case .dport: PacketPlace(base: 2, offset: 2, length: 2)
    case .icmpType, .icmpv6Type: PacketPlace(base: 2, offset: 0, length: 1)
    case .icmpCode, .icmpv6Code: PacketPlace(base: 2, offset: 1, length: 1)
    default: nil
    }
  }

  /// The number of the field among what is known about a packet (`enum nft_meta_keys`).
  var metaKey: UInt32? {
    switch self {
    case .iif: 4
    case .oif: 5
    case .iifname: 6
    case .oifname: 7
    case .nfproto: 15
    case .l4proto: 16
    case .time: UInt32(NFT_META_TIME_NS.rawValue)
    default: nil
    }
  }

  /// The number of the field among what is known about a connection (`enum nft_ct_keys`).
  var connectionKey: UInt32? {
    switch self {
    case .ctState: 0
    case .ctStatus: 2
    default: nil
    }
  }

  /// What the routing table is asked, and about which address (`enum nft_fib_result`, `enum nft_fib_flags`).
  var route: (result: UInt32, flags: UInt32)? {
    switch self {
    case .fibDestinationType: (3, 2)
    case .fibSourceType: (3, 1)
    case .fibDestinationInterface: (2, 2)
    default: nil
    }
  }

  /// How many bytes the field has in a register.
  var length: Int {
    switch self {
    case .iif, .oif: 4
    case .hopLimit: 1
    default: type.length
    }
  }

  /// `true` iff constants are bits, of which the field has some.
  var isBits: Bool { self == .ctState || self == .ctStatus }
}
