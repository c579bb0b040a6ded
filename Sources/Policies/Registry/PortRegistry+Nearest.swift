import Syntax

extension PortRegistry {
  /// Returns at most `count` registered names that `name` may have been meant to be, the nearest first.
  ///
  /// A name is near if a letter changed, added, left out or swapped with its neighbour for every four makes it so. It
  /// takes a fifth of a millisecond.
  public func names(near name: String, count: Int = 3) -> [String] {
    let wanted = Lowered(name)
    guard (1...32).contains(wanted.bytes.count) else { return [] }
    let text = byName.utf8.span
    var found: [(distance: Int, name: String)] = []
    var line = 0
    while line < text.count {
      let end = PortRegistry.endOfWord(at: line, in: text)
      if wanted.mayBeNear(text.extracting(line..<end)) {
        let candidate = String(byName.utf8Slice(line..<end))
        if let distance = wanted.distance(to: candidate) { found.append((distance, candidate)) }
      }
      line = PortRegistry.startOfNextLine(at: end, in: text)
    }
    // The table is in the order of the names, and the sort keeps it.
    return found.sorted { $0.distance < $1.distance }.prefix(count).map(\.name)
  }
}

extension KnownServices {
  /// Returns at most `count` names that `name` may have been meant to be: those that people use before the registered.
  public static func names(near name: String, count: Int = 3) -> [String] {
    let wanted = Lowered(name)
    guard (1...32).contains(wanted.bytes.count) else { return [] }
    var result = DeFactoService.all.flatMap { [$0.name] + $0.aliases }
      .filter { wanted.mayBeNear($0.utf8.span) }
      .compactMap { name in wanted.distance(to: name).map { (distance: $0, name: name) } }
      .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
      .map(\.name)
    for name in PortRegistry.iana.names(near: name, count: count) where !result.contains(name) { result.append(name) }
    return Array(result.prefix(count))
  }
}

/// A name whose neighbours are looked for.
private struct Lowered {
  /// The name in lower case.
  let bytes: [UInt8]
  /// Its letters and digits.
  let letters: UInt64
  /// How many edits away a near name may be.
  let most: Int

  /// Creates the name to look for.
  init(_ name: String) {
    let bytes = name.utf8.map(loweredASCII)
    self.bytes = bytes
    letters = letterBits(of: bytes.span)
    most = max(1, bytes.count / 4)
  }

  /// Returns `false` if `other` cannot be near, by its length and its letters alone.
  func mayBeNear(_ other: borrowing Swift.Span<UInt8>) -> Bool {
    // Each edit changes at most two of the letters that a name has.
    abs(other.count - bytes.count) <= most && (letterBits(of: other) ^ letters).nonzeroBitCount <= 2 * most
  }

  /// Returns how many edits away `other` is, if it is near and another name.
  func distance(to other: String) -> Int? {
    let distance = editDistance(bytes, other.utf8.map(loweredASCII))
    return (1...most).contains(distance) ? distance : nil
  }
}

/// Returns which letters and digits occur in `name`, a bit each.
private func letterBits(of name: borrowing Swift.Span<UInt8>) -> UInt64 {
  var result: UInt64 = 0
  for i in name.indices { result |= 1 << UInt64(loweredASCII(name[i]) & 63) }
  return result
}
