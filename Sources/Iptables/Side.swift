import Firewalls
import Packets

/// One end of a connection, and where it must be.
struct Side: Hashable {
  /// The ends of a connection.
  enum End: Hashable {
    /// Where it comes from, and the interface on which it arrives.
    case source
    /// Where it goes, and the interface on which it leaves.
    case destination
  }

  /// Which end.
  var end: End

  /// Where it must be.
  var reaches: [Reach]

  /// Returns the ways to be there with an address of `family`, each as what one rule can match, or nothing if there
  /// are more than `limit` or it cannot be said so.
  func alternatives(_ family: AddressFamily, atMost limit: Int) -> [Part]? {
    var result: [Part] = []
    for reach in reaches where !reach.addresses.isEmpty(family) && !reach.interfaces.isEmpty {
      var interfaces: [Selector<String>?]
      switch reach.interfaces {
      case .except(let names) where names.isEmpty: interfaces = [nil]
      case .except(let names):
        guard names.count == 1 else { return nil }
        interfaces = [Selector(names[0], isNegated: true)]
      case .only(let names): interfaces = names.map { Selector($0) }
      }
      guard let blocks = Side.blocks(of: reach.addresses, family, atMost: limit) else { return nil }
      guard result.count + interfaces.count * blocks.count <= limit else { return nil }
      for interface in interfaces {
        for block in blocks { result.append(Part(end: end, interface: interface, addresses: block)) }
      }
    }
    return result
  }

  /// Returns the addresses of `family` in `set`, each as what one rule can match, or nothing if there are more than
  /// `limit`.
  static func blocks(of set: AddressSet, _ family: AddressFamily, atMost limit: Int) -> [Part.Addresses]? {
    if family == .ipv4 ? set.ipv4.isAll : set.ipv6.isAll { return [.any] }
    let ranges = set.ranges(family)
    guard ranges.count <= limit else { return nil }
    var result: [Part.Addresses] = []
    for range in ranges {
      let prefixes = range.prefixes
      if prefixes.count <= 2 {
        for prefix in prefixes { result.append(.block(prefix)) }
      } else {
        result.append(.range(range))
      }
    }
    return result.count <= limit ? result : nil
  }
}

/// What one rule matches of one end of a connection.
struct Part: Hashable {
  /// Addresses.
  enum Addresses: Hashable {
    /// Every address.
    case any
    /// A block.
    case block(Prefix)
    /// A range that would be many blocks.
    case range(AddressRange)
  }

  /// Which end.
  var end: Side.End

  /// The interface, if it matters.
  var interface: Selector<String>?

  /// The addresses.
  var addresses: Addresses

  /// Adds what is matched to `rule`.
  func restrict(_ rule: inout Rule) {
    switch (end, addresses) {
    case (_, .any): break
    case (.source, .block(let block)): rule.source = Selector(block)
    case (.destination, .block(let block)): rule.destination = Selector(block)
    case (.source, .range(let range)): rule.matches.append(.sourceRange(range))
    case (.destination, .range(let range)): rule.matches.append(.destinationRange(range))
    }
    guard let interface else { return }
    switch end {
    case .source: rule.arrival = interface
    case .destination: rule.departure = interface
    }
  }
}
