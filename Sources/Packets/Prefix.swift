/// A block of addresses that share their first bits (RFC 4632, RFC 4291 section 2.3).
///
/// - Invariant: the bits of `address` behind the first `length` are zero.
@frozen public struct Prefix: Hashable, Sendable, Comparable {
  /// The lowest address of the block.
  public let address: Address

  /// The number of leading bits that the addresses of the block share.
  public let length: Int

  /// Creates the block of `length` bits that holds `address`.
  ///
  /// - Requires: `length` is not negative and not above the width of the family.
  @inlinable public init(containing address: Address, length: Int) {
    precondition(length >= 0 && length <= address.family.width)
    let mask = Prefix.mask(length: length, family: address.family)
    self.address = Address(address.family, address.value & mask)
    self.length = length
  }

  /// Returns the bits that a block of `length` bits fixes.
  @inlinable public static func mask(length: Int, family: AddressFamily) -> UInt128 {
    length == 0 ? 0 : (family.highest << UInt128(family.width - length)) & family.highest
  }

  /// The family of the block.
  @inlinable public var family: AddressFamily { address.family }

  /// The addresses of the block.
  @inlinable public var range: AddressRange {
    let free = family.highest & ~Prefix.mask(length: length, family: family)
    return AddressRange(from: address, through: Address(family, address.value | free))
  }

  /// Returns `true` iff `a` starts at a lower address than `b`, or at the same one and is wider.
  @inlinable public static func < (a: Self, b: Self) -> Bool {
    a.address == b.address ? a.length < b.length : a.address < b.address
  }
}

extension Prefix: CustomStringConvertible {
  /// The block as `address/length`, or the address alone if it is a single one.
  public var description: String { length == family.width ? "\(address)" : "\(address)/\(length)" }
}

/// The addresses of one family from one to another, both included.
@frozen public struct AddressRange: Hashable, Sendable, Comparable {
  /// The first address.
  public let lower: Address

  /// The last address.
  public let upper: Address

  /// Creates the range from `lower` through `upper`.
  ///
  /// - Requires: both are of one family and `lower` is not above `upper`.
  @inlinable public init(from lower: Address, through upper: Address) {
    precondition(lower.family == upper.family && lower.value <= upper.value)
    self.lower = lower
    self.upper = upper
  }

  /// Creates the range of `address` alone.
  @inlinable public init(_ address: Address) {
    lower = address
    upper = address
  }

  /// Every address of `family`.
  @inlinable public static func all(_ family: AddressFamily) -> Self {
    AddressRange(from: Address(family, 0), through: Address(family, family.highest))
  }

  /// The family of the range.
  @inlinable public var family: AddressFamily { lower.family }

  /// Returns `true` iff `a` begins before `b`, or together with it and ends before it.
  @inlinable public static func < (a: Self, b: Self) -> Bool {
    a.lower == b.lower ? a.upper < b.upper : a.lower < b.lower
  }

  /// Returns `true` iff `address` is in the range.
  @inlinable public func contains(_ address: Address) -> Bool {
    address.family == family && lower.value <= address.value && address.value <= upper.value
  }

  /// The fewest blocks that make up the range, in order.
  public var prefixes: [Prefix] {
    var result: [Prefix] = []
    var start = lower.value
    while true {
      // The widest block that begins here and does not reach beyond the end.
      var free = start == 0 ? family.width : min(start.trailingZeroBitCount, family.width)
      var last = start | lowBits(free)
      while last > upper.value {
        free -= 1
        last = start | lowBits(free)
      }
      result.append(Prefix(containing: Address(family, start), length: family.width - free))
      if last == upper.value { return result }
      start = last + 1
    }
  }

  /// Returns the value whose lowest `count` bits are set.
  private func lowBits(_ count: Int) -> UInt128 { count == 128 ? .max : (1 << UInt128(count)) - 1 }
}

extension AddressRange: CustomStringConvertible {
  /// The range as a single block if it is one, else as `lower-upper`.
  public var description: String {
    let blocks = prefixes
    return blocks.count == 1 ? "\(blocks[0])" : "\(lower)-\(upper)"
  }
}
