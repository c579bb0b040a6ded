import Firewalls
import Packets

/// What a translation does to the destination port.
enum PortChange {
  /// It moves by so much.
  case by(Int)
  /// It becomes this one.
  case to(UInt16)

  /// Creates the change to `ports`, which keep their distance from `base` if there is one, of what `rule` matches, or
  /// nothing if the kernel chooses among several; no ports are no change.
  init?(_ ports: PortRange?, base: UInt16?, of rule: Rule) {
    guard let ports else {
      self = .by(0)
      return
    }
    if let base {
      self = .by(Int(ports.lower) - Int(base))
      return
    }
    guard ports.isSingle else { return nil }
    for match in rule.matches {
      switch match {
      case .destinationPort(_, let range) where range.isSingle:
        self = .by(Int(ports.lower) - Int(range.lower))
        return
      default: continue
      }
    }
    self = .to(ports.lower)
  }
}

extension Decompiler {
  /// The most addresses that a translation may have as targets.
  private static let mostTargets: UInt128 = 256

  /// Appends what DNAT or REDIRECT, the target `name`, does with `options`, or returns `false` if that is not known.
  mutating func append(
    translation name: String, _ options: [WordReader.Option], of rule: Rule, for selection: Selection,
    to rules: inout [HookedChains.Rule]
  ) throws(BudgetExceeded) -> Bool {
    var text: Word?
    for option in options {
      switch option.name.text {
      // They say how the kernel chooses, and not among what.
      case "--persistent": continue
      case "--to-ports" where name == "REDIRECT", "--to-destination" where name == "DNAT":
        guard text == nil, let value = option.value, !option.isNegated else { return false }
        text = value
      default: return false
      }
    }
    if name == "REDIRECT" {
      var ports: PortRange?
      if let text {
        guard let range = PortRange(saved: text, separator: "-") else { return false }
        ports = range
      }
      guard let change = PortChange(ports, base: nil, of: rule) else { return false }
      try redirect(selection, change, movesAddress: true, &rules)
      return true
    }
    // A range of addresses; one alone is read with the rule.
    guard let (lower, rest) = text?.halves(at: "-"), var upper = rest else { return false }
    var ports: PortRange?
    if family == .ipv4, case let (address, port?) = upper.halves(at: ":") {
      guard let range = PortRange(saved: port, separator: "-") else { return false }
      ports = range
      upper = address
    }
    guard let first = Address(utf8: lower.bytes), first.family == family,
      let last = Address(utf8: upper.bytes), last.family == family, first <= last,
      last.value - first.value < Self.mostTargets, let change = PortChange(ports, base: nil, of: rule)
    else { return false }
    let count = Int(last.value - first.value) + 1
    let addresses = (0..<count).map { Address(family, first.value + UInt128($0)) }
    translate(selection, to: addresses, change, &rules)
    return true
  }

  /// Appends that what is in `selection` goes to one of `addresses`.
  func translate(
    _ selection: Selection, to addresses: [Address], _ change: PortChange, _ rules: inout [HookedChains.Rule]
  ) {
    let label =
      switch change {
      case .by(let distance): universe.label(of: .forward(to: addresses, by: distance))
      case .to(let port): universe.label(of: .forwardAll(to: addresses, port: port))
      }
    rules.append(selection.rule(.translate(label), at: line))
  }

  /// Appends that what is in `selection` goes to a port of the host: whatever its address if `movesAddress`, else what is
  /// addressed to the host.
  mutating func redirect(
    _ selection: Selection, _ change: PortChange, movesAddress: Bool, _ rules: inout [HookedChains.Rule]
  ) throws(BudgetExceeded) {
    let delivered = IntervalSet(AddressKind.delivered.map { UInt128($0.rawValue)...UInt128($0.rawValue) })
    var here = selection
    try here.narrow(.destinationKind, to: universe.space.values(delivered, of: .destinationKind), in: universe)
    switch change {
    case .by(0): rules.append(here.rule(.accept, at: line))
    case .by(let distance) where movesAddress:
      return rules.append(selection.rule(.translate(universe.label(of: .redirect(by: distance))), at: line))
    case .to(let port) where movesAddress:
      return rules.append(selection.rule(.translate(universe.label(of: .redirectAll(to: port))), at: line))
    case .by(let distance):
      rules.append(here.rule(.translate(universe.label(of: .redirect(by: distance))), at: line))
    case .to(let port): rules.append(here.rule(.translate(universe.label(of: .redirectAll(to: port))), at: line))
    }
    var elsewhere = selection
    let kind = AddressKind.elsewhere.rawValue
    try elsewhere.narrow(.destinationKind, to: universe.space.value(kind, of: .destinationKind), in: universe)
    // Rules that look at a mark or an address do not say that they are for this host alone, but mostly are.
    try append(
      unknown: "a change of the port alone of what is routed on", for: elsewhere, isNoted: movesAddress, to: &rules)
  }
}
