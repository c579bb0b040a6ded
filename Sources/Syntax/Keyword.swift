/// A word that the language gives a meaning to.
///
/// Most of them mean it only where the grammar expects them, so that a service may well be called `ping` or a zone
/// `pods`; those that could be taken for a name in a list are reserved (`isReserved`).
enum Keyword: String, CaseIterable, Sendable {
  // Declarations.
  case policy, owner, zone, service, host, group, transit, cluster, block, never, always, waive
  // Settings.
  case deny, with, drop, reject, log, denied, ephemeral, nodeports, ping, open, closed, check, off, note, warning, error
  // Owners.
  case contact, approvers
  // Services.
  case purpose, port, `class`, expose, uses, speaks, to
  // Clauses.
  case `as`, via, on, limit, burst, per, source, until, because, ticket, logged, masquerade, except
  // Hosts.
  case address, interface, `in`, runs, egress
  // Clusters.
  case pods, nodes, allot, ingress, namespace, workload, publish, nodeport, loadbalancer
  // Terms.
  case internet, localhost

  /// The words that begin a declaration.
  static let declarations: [Keyword] = [
    .policy, .owner, .zone, .service, .host, .group, .transit, .cluster, .block, .never, .always, .waive,
  ]

  /// Returns the words that begin a statement in a block of the declaration `self`.
  var statements: [Keyword] {
    switch self {
    case .policy: [.deny, .log, .ephemeral, .nodeports, .ping, .check]
    case .owner: [.contact, .approvers]
    case .service: [.owner, .purpose, .port, .class, .expose, .uses]
    case .host: [.address, .interface, .runs, .ephemeral, .egress]
    case .group: [.runs]
    case .cluster: [.pods, .nodes, .nodeports, .allot, .ingress, .workload]
    case .workload: [.namespace, .pods, .publish]
    default: []
    }
  }

  /// `true` iff the word begins a declaration.
  var beginsDeclaration: Bool {
    switch self {
    case .policy, .owner, .zone, .service, .host, .group, .transit, .cluster, .block, .never, .always, .waive: true
    default: false
    }
  }

  /// `true` iff a line that begins with the word goes on with the statement before it.
  var beginsClause: Bool {
    switch self {
    case .as, .via, .on, .limit, .until, .because, .ticket, .logged, .masquerade, .except: true
    default: false
    }
  }

  /// The kind that the word names before a name, if it does.
  var entityKind: EntityKind? {
    switch self {
    case .zone: .zone
    case .service: .service
    case .host: .host
    case .group: .group
    case .owner: .owner
    case .cluster: .cluster
    default: nil
    }
  }

  /// `true` iff nothing may be called so, since the word would be misread where a name is expected.
  var isReserved: Bool {
    beginsClause || entityKind != nil || self == .internet || self == .localhost || self == .class || self == .to
      || self == .in
  }

  /// `true` iff the word says how a workload is published, so that no port may be called so.
  var isPublication: Bool {
    self == .cluster || self == .nodeport || self == .loadbalancer || self == .ingress
  }
}

/// A hash table of the keywords by their bytes, since every word of a policy is looked up.
struct KeywordTable: Sendable {
  /// The table of all keywords.
  static let all = KeywordTable()

  /// The most bytes that a keyword has.
  private static let longest = 12

  /// The bytes of the keyword in each slot, or 0.
  private var keys = [UInt128](repeating: 0, count: 256)

  /// The keyword in each slot.
  private var keywords = [Keyword](repeating: .policy, count: 256)

  /// Creates the table of all keywords.
  private init() {
    for keyword in Keyword.allCases {
      let key = keyword.rawValue.utf8.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
      var slot = KeywordTable.slot(of: key)
      while keys[slot] != 0 { slot = (slot + 1) & 255 }
      keys[slot] = key
      keywords[slot] = keyword
    }
  }

  /// Returns where the search for `key` begins.
  private static func slot(of key: UInt128) -> Int {
    let folded = UInt64(truncatingIfNeeded: key) ^ UInt64(truncatingIfNeeded: key >> 64)
    return Int((folded &* 0x9e37_79b9_7f4a_7c15) >> 56)
  }

  /// Returns the keyword that `bytes[lower..<upper]` spells, if it spells one.
  func keyword(in bytes: [UInt8], from lower: Int, to upper: Int) -> Keyword? {
    guard upper - lower <= KeywordTable.longest, bytes[lower].isLowercase else { return nil }
    var low: UInt64 = 0
    var high: UInt64 = 0
    for i in lower..<upper {
      high = high << 8 | low >> 56
      low = low << 8 | UInt64(bytes[i])
    }
    let key = UInt128(high) << 64 | UInt128(low)
    var slot = KeywordTable.slot(of: key)
    while keys[slot] != 0 {
      if keys[slot] == key { return keywords[slot] }
      slot = (slot + 1) & 255
    }
    return nil
  }
}
