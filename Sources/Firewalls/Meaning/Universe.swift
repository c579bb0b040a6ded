public import Packets
public import Syntax

/// The packets and translations that meanings which are compared speak of.
///
/// What two meanings say alike has one label or one condition here, whichever ruleset or policy said it.
public final class Universe {
  /// Where the sets live.
  public let space: PacketSpace

  private var translationLabels: [Translation: UInt32] = [:]
  private var translations: [Translation] = []
  private var masked: PacketSet?

  /// Creates a universe of which nothing was said yet.
  public init(space: PacketSpace = PacketSpace()) { self.space = space }

  /// What becomes of the destination of a packet.
  public enum Translation: Hashable, Sendable, CustomStringConvertible {
    /// The packet goes to a port of the host that lies `distance` above the one it was sent to.
    case redirect(by: Int)

    /// The packet goes to one of these addresses, and to a port that lies `distance` above the one it was sent to.
    case forward(to: [Address], by: Int)

    /// The packet goes to this port of the host, whatever port it was sent to.
    ///
    /// Maps of meanings have it only for packets of very many ports; of few ports, the distances are told.
    case redirectAll(to: UInt16)

    /// The packet goes to one of these addresses, and to this port, whatever port it was sent to; else as above.
    case forwardAll(to: [Address], port: UInt16)

    /// Whom the packet may be sent to; nothing means the host itself.
    public var targets: [Address]? {
      switch self {
      case .redirect, .redirectAll: nil
      case .forward(let addresses, _), .forwardAll(let addresses, _): addresses
      }
    }

    /// The translation as fingerprints name it, which must never change.
    public var description: String {
      func list(_ addresses: [Address]) -> String { addresses.map(\.description).joined(separator: ",") }
      return switch self {
      case .redirect(let distance): "redirect \(distance)"
      case .forward(let addresses, let distance): "forward \(list(addresses)) \(distance)"
      case .redirectAll(let port): "redirect all \(port)"
      case .forwardAll(let addresses, let port): "forward all \(list(addresses)) \(port)"
      }
    }

    /// The translation with one order of the targets.
    var normalized: Translation {
      switch self {
      case .redirect, .redirectAll: self
      case .forward(let addresses, let distance): .forward(to: Set(addresses).sorted(), by: distance)
      case .forwardAll(let addresses, let port): .forwardAll(to: Set(addresses).sorted(), port: port)
      }
    }
  }

  /// The conditions that hold by chance.
  private(set) var chances: [PacketField] = []

  /// Returns the condition that holds by the chance `number`, independently of all others.
  ///
  /// Meanings do not tell which of several targets chance picks, so that no map of translations looks at it.
  public func chance(_ number: Int) throws(BudgetExceeded) -> PacketField {
    let condition = try space.condition("chance \(number)")
    if !chances.contains(condition) { chances.append(condition) }
    return condition
  }

  /// Returns the label of `translation`, in maps of translations; that of one that changes nothing is 0.
  public func label(of translation: Translation) -> UInt32 {
    if translation == .redirect(by: 0) { return 0 }
    let translation = translation.normalized
    if let label = translationLabels[translation] { return label }
    translations.append(translation)
    translationLabels[translation] = UInt32(translations.count)
    return UInt32(translations.count)
  }

  /// Returns the translation that has `label`, or nothing if none has.
  public func translation(labelled label: UInt32) -> Translation? {
    label > 0 && Int(label) <= translations.count ? translations[Int(label) - 1] : nil
  }

  /// Returns the condition that a packet is within a rate.
  ///
  /// Limits are told apart by their numbers alone, and not by who counts: it is assumed, not proved, that each rule
  /// counts for itself. 60 a minute is 1 a second: a packet costs the same tokens, of which a full bucket has as many.
  public func within(
    _ rate: Rate, burst: UInt32, perSource: Bool
  ) throws(BudgetExceeded) -> PacketField {
    try space.condition("within \(Universe.canonical(Limit(rate, burst: burst, perSource: perSource)))")
  }

  /// Returns `limit` in the shortest unit of time that has a whole number of packets, with the burst that it has.
  ///
  /// The kernel keeps no unit: nft_limit takes the time of the unit divided by the count as the cost of a packet, and
  /// iptables writes the cost as a multiple of a ten-thousandth of a second (net/netfilter/nft_limit.c, xt_limit.c).
  static func canonical(_ limit: Limit) -> Limit {
    var rate = limit.rate
    for (longer, shorter, factor) in [
      (Rate.Unit.day, Rate.Unit.hour, UInt32(24)), (.hour, .minute, 60), (.minute, .second, 60),
    ]
    where rate.unit == longer && rate.count > 0 && rate.count.isMultiple(of: factor) {
      rate = Rate(rate.count / factor, per: shorter)
    }
    return Limit(rate, burst: limit.burst ?? usualBurst, perSource: limit.perSource)
  }

  /// The last second that the kernel's clock comes to, since 1970 (KTIME_MAX, linux/ktime.h).
  public static let lastMoment: UInt64 = 9_223_372_036

  /// The burst of a limit that has none: that of nft(8) and iptables(8).
  public static let usualBurst: UInt32 = 5

  /// Returns the condition that a packet is within `limit`, whose burst is that of nft(8) and iptables(8) if it has none.
  public func within(_ limit: Limit) throws(BudgetExceeded) -> PacketField {
    try within(limit.rate, burst: limit.burst ?? Universe.usualBurst, perSource: limit.perSource)
  }

  /// Returns the condition that something holds of which nothing is known here, such as a match of another program.
  public func unknown(_ words: String) throws(BudgetExceeded) -> PacketField {
    try space.condition("unknown: \(words)")
  }

  /// The packets that can exist: addresses fit their family, protocols without ports have none, and clocks end.
  ///
  /// Two meanings need only agree on these.
  public var possible: PacketSet {
    get throws(BudgetExceeded) {
      if let masked { return masked }
      let result = try space.set(of: possibleBoxes)
      masked = result
      return result
    }
  }

  private var possibleBoxes: [PacketBox] {
    let ported = IntervalSet(
      TransportProtocol.withPorts.map { UInt128($0.transport.rawValue)...UInt128($0.transport.rawValue) })
    var boxes: [PacketBox] = []
    for family in AddressFamily.allCases {
      var box = PacketBox()
      box[.family] = space.value(family.number, of: .family)
      if family == .ipv4 {
        let addresses = space.values(0...UInt128(UInt32.max), of: .source)
        box[.source] = addresses
        box[.destination] = addresses
      } else {
        // IPv6 has no broadcast (RFC 4291 section 2).
        let broadcast = UInt128(AddressKind.broadcast.rawValue)
        let kinds = space.values(IntervalSet(broadcast...broadcast).complement, of: .sourceKind)
        box[.sourceKind] = kinds
        box[.destinationKind] = kinds
      }
      var withPorts = box
      withPorts[.transport] = space.values(ported, of: .transport)
      let icmp = UInt128((family == .ipv4 ? TransportProtocol.icmp : .icmpv6).rawValue)
      var messages = box
      messages[.transport] = space.value(icmp, of: .transport)
      messages[.destinationPort] = space.values(0...UInt16(255), of: .destinationPort)
      messages[.sourcePort] = space.values(0...UInt16(255), of: .sourcePort)
      var others = box
      others[.transport] = space.values(
        ported.union(IntervalSet(icmp...icmp)).complement.intersection(IntervalSet(0...255)), of: .transport)
      others[.destinationPort] = space.value(UInt16(0), of: .destinationPort)
      others[.sourcePort] = space.value(UInt16(0), of: .sourcePort)
      boxes += [withPorts, messages, others]
    }
    // The kernel's clock, 64 bits of nanoseconds with a sign, ends in the year 2262 (KTIME_MAX, linux/ktime.h).
    let moments = space.values(0...Universe.lastMoment, of: .time)
    for i in boxes.indices { boxes[i][.time] = moments }
    // What arrives came in somewhere; what a process sends did not, and goes out somewhere.
    let somewhere = space.values(1...UInt128.max, of: .arrival)
    return boxes.flatMap { box in
      var arriving = box
      arriving[.direction] = space.value(UInt8(0), of: .direction)
      arriving[.arrival] = somewhere
      var departing = box
      departing[.direction] = space.value(UInt8(1), of: .direction)
      departing[.arrival] = space.value(UInt8(0), of: .arrival)
      departing[.departure] = somewhere
      departing[.sourceKind] = space.value(AddressKind.local.rawValue, of: .sourceKind)
      return [arriving, departing]
    }
  }
}

extension AddressFamily {
  /// The value of `PacketField.family`.
  public var number: UInt8 { self == .ipv4 ? 0 : 1 }
}
