import Nftables
import Packets

/// What nft(8) and the kernel call the types of values, and how values look as bytes.
enum Wire {
  /// The family of tables that see IPv4 and IPv6 (`NFPROTO_INET`).
  static let inet: UInt16 = 1

  /// The number that a map has for its data if they are verdicts (`NFT_DATA_VERDICT`).
  static let verdictType: UInt32 = 0xffff_ff00

  /// Returns the number that nft(8) has for values of `types` behind one another, six bits for each.
  static func number(of types: [DataType]) -> UInt32 {
    types.reduce(0) { $0 << 6 | $1.number }
  }

  /// Returns the types that `number` stands for, or nothing if one of them is none of ours.
  static func types(_ number: UInt32) -> [DataType]? {
    var rest = number
    var types: [DataType] = []
    while rest > 0 {
      guard let type = DataType.byNumber[rest & 63] else { return nil }
      types.insert(type, at: 0)
      rest >>= 6
    }
    return types.isEmpty ? nil : types
  }

  /// Returns how many bytes values of `types` take behind one another: each part begins at a word.
  static func length(of types: [DataType]) -> Int {
    types.count == 1 ? types[0].length : types.reduce(0) { $0 + padded($1.length) }
  }

  /// Returns `length` rounded up to words of four bytes.
  static func padded(_ length: Int) -> Int { (length + 3) & ~3 }
}

extension DataType {
  /// The number that nft(8) has for the type (`enum datatypes` of its `datatype.h`).
  var number: UInt32 {
    switch self {
    case .family: 2
    case .number: 4
    case .ipv4: 7
    case .ipv6: 8
    case .transport: 12
    case .port: 13
    case .icmpType: 14
    case .time: 18
    case .state: 26
    case .status: 28
    case .icmpv6Type: 29
    case .icmpCode: 32
    case .icmpv6Code: 33
    case .addressType: 38
    case .interface: 41
    }
  }

  /// The types by their numbers.
  static let byNumber = Dictionary(uniqueKeysWithValues: allCases.map { ($0.number, $0) })

  /// How many bytes a value has.
  var length: Int {
    switch self {
    case .family, .transport, .icmpType, .icmpCode, .icmpv6Type, .icmpv6Code: 1
    case .port: 2
    case .ipv4, .state, .status, .addressType, .number: 4
    case .time: 8
    case .ipv6, .interface: 16
    }
  }

  /// The order of bytes that nft(8) writes down beside a set, so that it lists it rightly: 2 for that of the network, 1
  /// for that of the machine, 0 if values have one byte or are concatenated.
  var byteOrder: UInt32 {
    switch self {
    case .family: 0
    case .number, .state, .status, .addressType, .interface: 1
    default: 2
    }
  }
}

extension Nftables.ConnectionState {
  /// The bit that the kernel has for the state.
  var bit: UInt32 {
    switch self {
    case .invalid: 1
    case .established: 2
    case .related: 4
    }
  }
}

extension AddressType {
  /// The number that the kernel has for the kind (`RTN_LOCAL` and so on).
  var number: UInt32 {
    switch self {
    case .local: 2
    case .broadcast: 3
    case .anycast: 4
    case .multicast: 5
    }
  }
}

extension AddressFamily {
  /// The number that the kernel has for the family (`NFPROTO_IPV4`, `NFPROTO_IPV6`).
  var protocolNumber: UInt8 { self == .ipv4 ? 2 : 10 }
}

/// The bit of the status of connections whose destination was translated (`IPS_DST_NAT`).
let destinationTranslatedBit: UInt32 = 0x20

extension [UInt8] {
  /// Appends `number` in the order of this machine.
  mutating func append(host number: UInt32) {
    let bytes = number.littleEndian == number ? number : number.byteSwapped
    for shift in stride(from: 0, to: 32, by: 8) { append(UInt8(truncatingIfNeeded: bytes >> UInt32(shift))) }
  }

  /// Appends the last `count` bytes of `number` in the order of the network.
  mutating func append(network number: UInt128, count: Int) {
    // In halves: numbers of 128 bits are slow to shift.
    let halves = (UInt64(truncatingIfNeeded: number), UInt64(truncatingIfNeeded: number >> 64))
    var place = count - 1
    while place >= 0 {
      append(UInt8(truncatingIfNeeded: (place < 8 ? halves.0 : halves.1) &>> UInt64(8 * (place & 7))))
      place -= 1
    }
  }

  /// Appends the lowest value of `datum`, or the highest.
  mutating func append(_ datum: Datum, highest: Bool = false) {
    switch datum {
    case .address(let address): append(address)
    case .addresses(let range): append(highest ? range.upper : range.lower)
    case .port(let port): append(port: port)
    case .ports(let range): append(port: highest ? range.upper : range.lower)
    case .transport(let transport): append(transport.rawValue)
    case .number(let number): append(number)
    case .interface(let name):
      let start = count
      append(contentsOf: name.utf8.prefix(16))
      while count < start + 16 { append(0) }
    case .family(let family): append(family.protocolNumber)
    case .state(let state): append(host: state.bit)
    case .destinationTranslated: append(host: destinationTranslatedBit)
    case .addressType(let type): append(host: type.number)
    case .seconds(let seconds): append(network: UInt128(UInt(bitPattern: seconds)) * 1_000_000_000, count: 8)
    }
  }

  /// Appends `address`.
  private mutating func append(_ address: Address) {
    if address.family == .ipv4 {
      append(network: address.value, count: 4)
    } else {
      append(network: address.value, count: 16)
    }
  }

  /// Appends `port`.
  private mutating func append(port: UInt16) {
    append(UInt8(truncatingIfNeeded: port >> 8))
    append(UInt8(truncatingIfNeeded: port))
  }

  /// Appends the lowest or highest values of `data`, each from a word on if there are several.
  mutating func append(_ data: [Datum], highest: Bool = false) {
    if data.count == 1 { return append(data[0], highest: highest) }
    for i in data.indices {
      append(data[i], highest: highest)
      while count & 3 != 0 { append(0) }
    }
  }
}

extension Datum {
  /// `true` iff it is several values.
  var isRange: Bool {
    switch self {
    case .addresses, .ports: true
    default: false
    }
  }
}
