import Packets

// The declarations of a file.

extension Parser {
  /// Reads all declarations.
  mutating func readFile() {
    while kind != .end {
      switch kind {
      case .newline, .semicolon, .invalid: advance()
      case .rightBrace:
        // Taken apart from the finding, which is not made where there are too many.
        let brace = take()
        findings.add(.unopenedBlock(at: brace))
      default: do { try readDeclaration() } catch { skipDeclaration() }
      }
    }
  }

  /// Moves on behind the rest of a declaration that could not be read.
  private mutating func skipDeclaration() {
    let isAtWord = kind == .word
    skipStatement()
    // The block may begin on the next line.
    let next = indexBehindLines(from: position)
    if isAtWord, kind == .newline, tokens[next].kind == .leftBrace {
      move(to: next)
      skipStatement()
    }
  }

  /// Reads the declaration that begins here.
  private mutating func readDeclaration() throws(Failure) {
    switch keyword {
    case .policy: try readSettings()
    case .owner: try readOwner()
    case .zone: try readZone()
    case .service: try readService()
    case .host: try readHost()
    case .group: try readGroup()
    case .transit: try readTransit()
    case .cluster: try readCluster()
    case .block: try readBlockDeclaration()
    case .never: try readInvariant(isAlways: false)
    case .always: try readInvariant(isAlways: true)
    case .waive: try readWaiver()
    default:
      guard kind == .word else {
        try fail("a declaration")
        return
      }
      let home = keyword.flatMap { word in
        [Keyword.service, .host, .cluster, .workload, .policy, .owner].first { $0.statements.contains(word) }
      }
      findings.add(
        .unknownDeclaration(
          shortened(text), at: span, meant: nearest(to: text, among: Keyword.declarations.map(\.rawValue)),
          home: home?.rawValue))
      throw Failure()
    }
  }

  /// Reads `policy "title" { ... }`.
  private mutating func readSettings() throws(Failure) {
    var d = SettingsDeclaration(span: take())
    if kind != .leftBrace, kind != .newline { d.title = try readString("the title of the policy") }
    var checks: [String: Span] = [:]
    try readBlock(of: .policy, named: nil, into: &d) { (p, d) throws(Failure) in
      let word = p.keyword
      let place = p.span
      switch word {
      case .deny:
        p.advance()
        try p.expect(.with, "behind `deny`")
        d.rejects = p.once(d.rejects, try p.readChoice(.reject, or: .drop), .deny, at: place)
      case .log:
        p.advance()
        try p.expect(.denied, "behind `log`")
        d.logDenied = p.once(d.logDenied, try p.readLimit(allowsPerSource: false), .log, at: place)
      case .ephemeral:
        p.advance()
        d.ephemeral = p.once(d.ephemeral, try p.readPortRange("ports such as `32768-60999`"), .ephemeral, at: place)
      case .nodeports:
        p.advance()
        d.nodePorts = p.once(d.nodePorts, try p.readPortRange("ports such as `30000-32767`"), .nodeports, at: place)
      case .ping:
        p.advance()
        d.pingOpen = p.once(d.pingOpen, try p.readChoice(.open, or: .closed), .ping, at: place)
      case .check:
        p.advance()
        let setting = try p.readCheckSetting()
        if let first = checks[setting.check.value] {
          p.findings.add(.givenTwice("check \(setting.check.value)", at: setting.check.span, first: first))
        } else {
          checks[setting.check.value] = setting.check.span
          d.checks.append(setting)
        }
      default: try p.failUnknownStatement(of: .policy)
      }
      p.endStatement()
    }
    d.span = span(from: d.span)
    tree.settings.append(d)
  }

  /// Returns `true` if `yes` stands here, and `false` if `no` does.
  mutating func readChoice(_ yes: Keyword, or no: Keyword) throws(Failure) -> Spelled<Bool> {
    guard keyword == yes || keyword == no else {
      return try fail("`\(yes.rawValue)` or `\(no.rawValue)`", among: [yes.rawValue, no.rawValue])
    }
    let value = keyword == yes
    return Spelled(value, at: take())
  }

  /// Reads `NAME off`, `note`, `warning` or `error`.
  private mutating func readCheckSetting() throws(Failure) -> SettingsDeclaration.CheckSetting {
    let name = try readName("a check")
    let severity: Severity?
    switch keyword {
    case .off: severity = nil
    case .note: severity = .note
    case .warning: severity = .warning
    case .error: severity = .error
    default: return try fail("`off`, `note`, `warning` or `error`", among: ["off", "note", "warning", "error"])
    }
    return .init(check: name, severity: Spelled(severity, at: take()))
  }

  /// Reads `owner NAME { ... }`.
  private mutating func readOwner() throws(Failure) {
    let start = take()
    var d = OwnerDeclaration(span: start, name: try readName("an owner"))
    var approvers: Span?
    try readBlock(of: .owner, named: d.name.value, into: &d) { (p, d) throws(Failure) in
      let place = p.span
      switch p.keyword {
      case .contact:
        p.advance()
        d.contact = p.once(d.contact, try p.readString("the contact"), .contact, at: place)
      case .approvers:
        p.advance()
        let texts = try p.readList("an approver") { (p) throws(Failure) in try p.readString("an approver") }
        if let first = approvers {
          p.findings.add(.givenTwice("approvers", at: place, first: first))
        } else {
          approvers = place
          d.approvers = texts
        }
      default: try p.failUnknownStatement(of: .owner)
      }
      p.endStatement()
    }
    d.span = span(from: start)
    tree.owners.append(d)
  }

  /// Reads `zone NAME { ... }`.
  private mutating func readZone() throws(Failure) {
    let start = take()
    var d = ZoneDeclaration(span: start, name: try readName("a zone"))
    try readBlock(of: .zone, named: d.name.value, into: &d) { (p, d) throws(Failure) in
      let kinds: TermKinds = [.addresses, .internet, .zones]
      d.members += try p.readTerms("addresses or a zone", kinds)
      if p.takes(.except) { d.exceptions += try p.readTerms("addresses or a zone", kinds) }
      p.endStatement(after: [.except])
    }
    d.span = span(from: start)
    tree.zones.append(d)
  }

  /// Reads `group NAME { ... }`.
  private mutating func readGroup() throws(Failure) {
    let start = take()
    var d = GroupDeclaration(span: start, name: try readName("a group"))
    try readBlock(of: .group, named: d.name.value, into: &d) { (p, d) throws(Failure) in
      if p.keyword == .runs {
        d.runs.append(try p.readRuns())
      } else {
        d.members += try p.readList("a host or a group") { (p) throws(Failure) in try p.readName("a host or a group") }
        p.endStatement(after: [.runs])
      }
    }
    d.span = span(from: start)
    tree.groups.append(d)
  }

  /// Reads `transit AUDIENCE to AUDIENCE [on PORTS] via HOST clauses`.
  private mutating func readTransit() throws(Failure) {
    var d = TransitDeclaration(span: take())
    d.sources = try readTerms("who may connect")
    try expect(.to, "and to whom they may connect")
    d.destinations = try readTerms("to whom they may connect")
    try readClauses(
      of: .transit, [.on, .via, .masquerade, .limit, .until, .because, .ticket, .logged], into: &d.clauses)
    d.span = span(from: d.span)
    requireClause(.via, of: .transit, at: d.span, example: "via router", isGiven: d.clauses.via != nil)
    tree.transits.append(d)
  }

  /// Reads `block AUDIENCE, ... [to TARGET, ...] clauses`.
  private mutating func readBlockDeclaration() throws(Failure) {
    var d = BlockDeclaration(span: take())
    d.sources = try readTerms("who is refused")
    if takes(.to) { d.targets = try readTerms("what is closed for them") }
    try readClauses(of: .block, [.on, .until, .because, .ticket, .logged], into: &d.clauses)
    d.span = span(from: d.span)
    tree.blocks.append(d)
  }

  /// Reads `never A to B [on PORTS] [except C]`, or the same with `always`.
  private mutating func readInvariant(isAlways: Bool) throws(Failure) {
    let word = isAlways ? Keyword.always : .never
    var d = InvariantDeclaration(span: take(), isAlways: isAlways)
    d.sources = try readTerms("who connects")
    try expect(.to, "and what they connect to")
    if isTraffic(current) {
      d.clauses.on = try readTrafficLists()
    } else {
      d.targets = try readTerms("what they connect to")
    }
    try readClauses(
      of: word, [.on, .except, .because, .ticket], into: &d.clauses, exceptions: &d.exceptions)
    d.span = span(from: d.span)
    tree.invariants.append(d)
  }

  /// Returns `true` iff `token` was meant to be a port literal and not an address: a letter stands behind its slash.
  private func isTraffic(_ token: Token) -> Bool {
    guard token.kind == .word else { return false }
    let word = bytes[Int(token.lower)..<Int(token.upper)]
    guard let slash = word.firstIndex(of: UInt8(ascii: "/")), slash + 1 < word.endIndex else {
      return word.allSatisfy { $0.isDigit || $0 == UInt8(ascii: "-") }
    }
    return !bytes[slash + 1].isDigit && !looksLikeAddress(token)
  }

  /// Reads `waive CHECK on NAME until DATE because "..." [ticket "..."]`.
  private mutating func readWaiver() throws(Failure) {
    let start = take()
    let check = try readName("a check")
    try expect(.on, "and the name of what the finding is about")
    var d = WaiverDeclaration(span: start, check: check, subject: try readName("what the finding is about"))
    try readClauses(of: .waive, [.until, .because, .ticket], into: &d.clauses)
    d.span = span(from: start)
    requireClause(.until, of: .waive, at: d.span, example: "until 2026-12-31", isGiven: d.clauses.until != nil)
    requireClause(.because, of: .waive, at: d.span, example: "because \"...\"", isGiven: d.clauses.because != nil)
    tree.waivers.append(d)
  }
}
