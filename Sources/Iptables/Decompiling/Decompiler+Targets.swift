import Firewalls
import Packets

extension Target {
  /// `true` iff packets go on as if nothing had been: it only counts, logs, or changes what no rule looks at.
  var goesOn: Bool {
    switch self {
    case .log: true
    case .unknown(let words): words.count > 1 && words[0] == "-j" && Self.passing.contains(words[1])
    default: false
    }
  }

  private static let passing: Set<String> = [
    "LOG", "NFLOG", "ULOG", "TRACE", "AUDIT", "TCPMSS", "CLASSIFY", "TOS", "DSCP", "CHECKSUM", "ECN", "TTL", "HL",
    "SECMARK", "CONNSECMARK", "CT", "NOTRACK", "TEE", "LED", "IDLETIMER", "RATEEST", "TCPOPTSTRIP", "SET",
  ]
}

extension Decompiler {
  /// Appends to `rules` what `target` of `rule` does with what is in `selection`.
  mutating func append(
    _ target: Target, of rule: Rule, for selection: Selection, to rules: inout [HookedChains.Rule]
  ) throws(BudgetExceeded) {
    func add(_ action: HookedChains.Action) { rules.append(selection.rule(action, at: line)) }
    switch target {
    case .accept: add(.accept)
    case .drop: add(.drop)
    case .reject: add(.reject)
    case .return: add(.return)
    case .log: break
    case .masquerade: add(.masquerade)
    case .mark(let value, let mask): add(.mark(.packet, clear: mask, flip: value))
    case .jump(let name):
      guard let position = position(of: name) else {
        return try append(unknown: "-j \(name)", for: selection, to: &rules)
      }
      add(.jump(position))
    case .goto(let name):
      guard let position = position(of: name) else {
        return try append(unknown: "-g \(name)", for: selection, to: &rules)
      }
      add(.goto(position))
    case .destination(let address, let ports, let base):
      guard let change = PortChange(ports, base: base, of: rule) else {
        // The kernel chooses the port.
        return try append(unknown: "-j DNAT to one of several ports", for: selection, to: &rules)
      }
      if let address {
        translate(selection, to: [address], change, &rules)
      } else {
        try redirect(selection, change, movesAddress: false, &rules)
      }
    case .unknown(let words):
      guard words.count > 1, words[0] == "-j" else {
        return try append(unknown: words.joined(separator: " "), for: selection, to: &rules)
      }
      var reader = WordReader(words: words.dropFirst(2))
      let options = reader.matchOptions()
      guard reader.isAtEnd, try append(words[1], options, of: rule, for: selection, to: &rules) else {
        return try append(unknown: words.joined(separator: " "), for: selection, to: &rules)
      }
    }
  }

  /// Appends what the target `name` does with `options`, or returns `false` if that is not known.
  private mutating func append(
    _ name: String, _ options: [WordReader.Option], of rule: Rule, for selection: Selection,
    to rules: inout [HookedChains.Rule]
  ) throws(BudgetExceeded) -> Bool {
    switch name {
    case "REJECT": rules.append(selection.rule(.reject, at: line))
    // To whatever address: those behind the host see one of its own, or of its keeper's.
    case "MASQUERADE", "SNAT": rules.append(selection.rule(.masquerade, at: line))
    case "MARK":
      guard options.count == 1, let (clear, flip) = markChange(options[0]) else { return false }
      rules.append(selection.rule(.mark(.packet, clear: clear, flip: flip), at: line))
    case "CONNMARK":
      if options.count == 1, let (clear, flip) = markChange(options[0]) {
        rules.append(selection.rule(.mark(.connection, clear: clear, flip: flip), at: line))
        return true
      }
      return append(copying: options, for: selection, to: &rules)
    case "REDIRECT", "DNAT": return try append(translation: name, options, of: rule, for: selection, to: &rules)
    default: return false
    }
    return true
  }

  /// Returns the bits that `option` of MARK or CONNMARK clears and then flips, if it does so.
  private func markChange(_ option: WordReader.Option) -> (clear: UInt32, flip: UInt32)? {
    guard !option.isNegated, let (value, mask) = option.value.flatMap(markAndMask) else { return nil }
    switch option.name.text {
    case "--set-xmark": return (mask, value)
    case "--set-mark": return (mask | value, value)
    case "--and-mark": return (~value, 0)
    case "--or-mark": return (value, value)
    case "--xor-mark": return (0, value)
    default: return nil
    }
  }

  /// Appends the copy of a mark that `options` of CONNMARK say, or returns `false` if they say none.
  private mutating func append(
    copying options: [WordReader.Option], for selection: Selection, to rules: inout [HookedChains.Rule]
  ) -> Bool {
    var saves: Bool?
    var (packet, connection) = (UInt32.max, UInt32.max)
    for option in options {
      guard !option.isNegated else { return false }
      if option.name == "--save-mark" || option.name == "--restore-mark" {
        guard saves == nil, option.values.isEmpty else { return false }
        saves = option.name == "--save-mark"
        continue
      }
      guard let (mask, _) = option.value.flatMap(markAndMask) else { return false }
      switch option.name.text {
      case "--mask": (packet, connection) = (mask, mask)
      case "--nfmask": packet = mask
      case "--ctmask": connection = mask
      default: return false
      }
    }
    guard let saves else { return false }
    let (from, to): (HookedChains.Mark, HookedChains.Mark) =
      saves ? (.packet, .connection) : (.connection, .packet)
    let (read, cleared) = saves ? (packet, connection) : (connection, packet)
    // Bits that are read and not cleared would be flipped.
    guard read & ~cleared == 0 else { return false }
    guard read != cleared else {
      rules.append(selection.rule(.copy(from: from, to: to, mask: read), at: line))
      return true
    }
    // Both steps are for the same packets, although the first one changes a mark that the rule may look at.
    host.chains.append(
      .init(
        "steps of line \(line.number)",
        rules: [
          .init(.mark(to, clear: cleared & ~read, flip: 0), utf8: line.text),
          .init(.copy(from: from, to: to, mask: read), utf8: line.text),
        ]))
    rules.append(selection.rule(.jump(host.chains.count - 1), at: line))
    return true
  }

  /// Appends what a target does of which nothing is known: it may accept, drop, or do neither.
  mutating func append(
    unknown words: String, for selection: Selection, isNoted: Bool = true, to rules: inout [HookedChains.Rule]
  ) throws(BudgetExceeded) {
    if isNoted { note(words) }
    for (action, name) in [(HookedChains.Action.accept, "accepts"), (.drop, "drops")] {
      var part = selection
      try part.narrow(when: universe.unknown("\(words) \(name)"), in: universe)
      rules.append(part.rule(action, at: line))
    }
  }
}
