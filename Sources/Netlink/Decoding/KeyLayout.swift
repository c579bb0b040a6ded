import Nftables

/// Where the parts of a key or of a value are in its bytes.
struct KeyLayout {
  /// The types, and where each begins.
  private var parts: [(type: DataType, offset: Int)] = []

  /// How many bytes there are.
  let length: Int

  /// `true` iff keys stand in the order of their bytes.
  let isOrderedByBytes: Bool

  /// Creates the layout of values of `types`.
  init(_ types: [DataType]) {
    length = Wire.length(of: types)
    isOrderedByBytes = length <= 32 && types.allSatisfy { [.ipv4, .ipv6, .port, .transport].contains($0) }
    var offset = 0
    for type in types {
      parts.append((type, offset))
      offset += Wire.padded(type.length)
    }
  }

  /// Returns the constants that the bytes from `lowest` through `highest` stand for, each from a word on if there are several;
  /// nothing if they are none of ours.
  func data(_ bytes: Span<UInt8>, _ lowest: Extent, _ highest: Extent) -> [Datum]? {
    guard lowest.count == length, highest.count == length else { return nil }
    var data: [Datum] = []
    data.reserveCapacity(parts.count)
    for i in parts.indices {
      let (type, offset) = parts[i]
      let (a, b) = (lowest.lowerBound + offset, highest.lowerBound + offset)
      guard let datum = Datum(type, bytes, a..<a + type.length, b..<b + type.length) else { return nil }
      data.append(datum)
      // What is between the values is compared by the kernel too, so a key with something there never matches.
      let next = parts.count == 1 ? type.length : Wire.padded(type.length)
      for j in type.length..<next where bytes[a + j] != 0 || bytes[b + j] != 0 { return nil }
    }
    return data
  }
}
