public import Packets

/// What becomes of every original packet at an enforcement point, whatever enforces it.
public struct Meaning {
  /// What the sets and labels are about.
  public let universe: Universe

  /// What becomes of packets: the labels are those of `Verdict`; every packet of `Universe.possible` has one.
  public var verdicts: PacketMap

  /// Where accepted first packets of a connection are sent instead: the labels are those of `Universe`; packets that go
  /// where they were sent to have none.
  public var translations: PacketMap

  /// The first packets of accepted connections that leave with an address of this host as their source.
  public var masqueraded: PacketSet

  /// Creates the meaning that is `raw` without what cannot exist.
  public init(_ raw: RawMeaning) throws(BudgetExceeded) {
    universe = raw.universe
    verdicts = try raw.verdicts.restricted(to: universe.possible)
    (translations, masqueraded) = (raw.translations, raw.masqueraded)
    guard raw.changesAddresses else { return }
    let accepted = try verdicts.packets(labelled: Verdict.accept.label).intersection(universe.new)
    translations = try translations.restricted(to: accepted)
    // An address of this host stays one.
    masqueraded = try masqueraded.intersection(accepted).subtracting(
      universe.space.set(
        .sourceKind, in: universe.space.value(AddressKind.local.rawValue, of: .sourceKind)))
  }

  /// The packets that are accepted.
  public var accepted: PacketSet {
    get throws(BudgetExceeded) { try verdicts.packets(labelled: Verdict.accept.label) }
  }

  /// Returns the meaning for the packets of `set` alone.
  public func restricted(to set: PacketSet) throws(BudgetExceeded) -> Meaning {
    if set.isAll { return self }
    // What cannot exist, or is not accepted, is gone already.
    var result = self
    result.verdicts = try verdicts.restricted(to: set)
    result.translations = try translations.restricted(to: set)
    result.masqueraded = try masqueraded.intersection(set)
    return result
  }

  /// Returns `true` iff the same becomes of every packet; both must be of one universe.
  public func isEqual(to other: Meaning) -> Bool {
    verdicts == other.verdicts && translations == other.translations && masqueraded == other.masqueraded
  }
}

/// What becomes of every packet at an enforcement point, of those that cannot exist too.
///
/// Sets without the latter are larger and take longer to make, and a comparison hardly ever needs them.
public struct RawMeaning {
  /// What the sets and labels are about.
  public var universe: Universe

  /// What becomes of packets: the labels are those of `Verdict`; every packet has one.
  public var verdicts: PacketMap

  /// Where first packets of a connection are sent instead, as far as they are accepted.
  public var translations: PacketMap

  /// The packets that leave with an address of this host as their source, as far as they are accepted.
  public var masqueraded: PacketSet

  /// `true` iff some packets are sent elsewhere, or leave with another source.
  var changesAddresses: Bool { !translations.isEmpty || !masqueraded.isEmpty }

  /// Returns `true` iff the same becomes by `other` of those of `packets` that can exist; if `false`, it may be so all the
  /// same.
  public func isPlainlyEqual(to other: RawMeaning, for packets: PacketSet) throws(BudgetExceeded) -> Bool {
    if changesAddresses || other.changesAddresses { return false }
    return try verdicts.differing(from: other.verdicts).intersection(packets).intersection(universe.possible).isEmpty
  }
}

extension Meaning {
  /// Returns the packets of which something else becomes by `other`, which must be of the same universe.
  public func differing(from other: Meaning) throws(BudgetExceeded) -> PacketSet {
    if isEqual(to: other) { return universe.space.nothing }
    return try verdicts.differing(from: other.verdicts).union(translations.differing(from: other.translations))
      .union(masqueraded.symmetricDifference(other.masqueraded))
  }

  /// Returns what becomes of `packet`, in words.
  public func fate(of packet: PacketValues) -> String {
    guard let verdict = Verdict(label: verdicts.label(of: packet)) else { return "nothing" }
    var words = verdict.rawValue
    switch universe.translation(labelled: translations.label(of: packet)) {
    case .redirect(let distance)?: words += ", redirected to port \(Int(packet[.destinationPort]) + distance)"
    case .forward(let addresses, let distance)?:
      let targets = addresses.map(\.description).joined(separator: " or ")
      words += ", forwarded to \(targets) port \(Int(packet[.destinationPort]) + distance)"
    case .redirectAll(let port)?: words += ", redirected to port \(port)"
    case .forwardAll(let addresses, let port)?:
      let targets = addresses.map(\.description).joined(separator: " or ")
      words += ", forwarded to \(targets) port \(port)"
    case nil: break
    }
    return masqueraded.contains(packet) ? words + ", masqueraded" : words
  }
}

extension Meaning {
  /// Returns what becomes of `packet`, in words, with the conditions under which it is accepted if it is not at any
  /// rate, and the packet with those conditions.
  public func conditionalFate(of packet: PacketValues) -> (words: String, packet: PacketValues) {
    let fields = universe.space.conditionFields
    var plain = packet
    for field in fields { plain[field] = 0 }
    guard Verdict(label: verdicts.label(of: plain)) != .accept else { return (fate(of: plain), plain) }
    // One condition mostly decides, one that holds of the packet first; where several must hold, all of them are tried.
    for i in fields.indices.filter({ packet[fields[$0]] == 1 }) + fields.indices.filter({ packet[fields[$0]] == 0 }) {
      var one = plain
      one[fields[i]] = 1
      if Verdict(label: verdicts.label(of: one)) == .accept {
        let condition = universe.space.conditions[i]
        let words = condition.hasPrefix("unknown: ") ? "if \(condition.dropFirst(9))" : condition
        return ("\(fate(of: one)) \(words)", one)
      }
    }
    var all = plain
    for field in fields { all[field] = 1 }
    guard Verdict(label: verdicts.label(of: all)) == .accept else { return (fate(of: plain), plain) }
    return ("\(fate(of: all)) under conditions", all)
  }
}
