public import Syntax

/// Returns the policy that `trees` declare, and what is wrong with it.
///
/// It never fails: what cannot be resolved is left out and reported as an error. Neither the order of the trees nor
/// that of the declarations and statements in them shows in the policy; the diagnostics are in the order of their
/// places.
public func resolve(_ trees: [Tree]) -> (policy: Policy, diagnostics: [Diagnostic]) {
  var resolver = Resolver(trees)
  resolver.resolveSettings()
  resolver.declareNames()
  resolver.resolveOwners()
  resolver.resolveZones()
  resolver.resolveServices()
  resolver.resolveHosts()
  resolver.resolveGroups()
  resolver.placeServices()
  resolver.resolveClusters()
  resolver.resolveTransits()
  resolver.resolveBlocks()
  resolver.resolveInvariants()
  resolver.resolveWaivers()
  return (resolver.policy, resolver.diagnostics.sorted(by: Diagnostic.precedes))
}

/// A policy on its way from trees to resolved values.
struct Resolver {
  /// The files.
  let trees: [Tree]

  /// What is resolved already.
  var policy = Policy()

  /// What was found wrong.
  var diagnostics: [Diagnostic] = []

  /// What names mean.
  var names = NameTable()

  /// What groups say that their hosts run, by host.
  var groupRuns: [[Host.Run]] = []

  /// What hosts say that they run themselves, by host.
  var ownRuns: [[Host.Run]] = []

  /// Every class of a service.
  var classes: Set<String> = []

  /// The names that were looked up in vain and what was found instead.
  var suggestions = Suggestions()

  /// Creates a resolver that has not resolved anything of `trees`.
  init(_ trees: [Tree]) { self.trees = trees }

  /// Reports `diagnostic`.
  mutating func report(_ diagnostic: Diagnostic) { diagnostics.append(diagnostic) }

  /// Takes over the one `policy` declaration.
  mutating func resolveSettings() {
    let all = trees.flatMap(\.settings).sorted { $0.span < $1.span }
    guard let first = all.first else { return }
    for other in all.dropFirst() { report(.secondSettings(other, first: first)) }
    var settings = Settings()
    settings.title = first.title?.value ?? ""
    settings.span = first.span
    settings.rejects = first.rejects?.value ?? settings.rejects
    settings.logDenied = first.logDenied
    settings.ephemeral = first.ephemeral?.value ?? settings.ephemeral
    settings.nodePorts = first.nodePorts?.value ?? settings.nodePorts
    settings.pingOpen = first.pingOpen?.value ?? settings.pingOpen
    settings.checks = first.checks.map { ($0.check, $0.severity.value) }
    settings.checks.sort { $0.check.value < $1.check.value }
    policy.settings = settings
  }

  /// Gives every named declaration its place among its kind.
  mutating func declareNames() {
    names.reserveCapacity(trees.reduce(0) { $0 + $1.services.count + $1.hosts.count + $1.zones.count })
    declare(.zone) { $0.zones.map(\.name) }
    declare(.service) { $0.services.map(\.name) }
    declare(.host) { $0.hosts.map(\.name) }
    declare(.group) { $0.groups.map(\.name) }
    declare(.owner) { $0.owners.map(\.name) }
    declare(.cluster) { $0.clusters.map(\.name) }
  }

  /// Gives the declarations of `kind`, whose names are `names(tree)` in each tree, their places.
  private mutating func declare(_ kind: EntityKind, _ namesIn: (Tree) -> [Name]) {
    var all: [Declaration] = []
    for (t, tree) in trees.enumerated() {
      for (i, name) in namesIn(tree).enumerated() { all.append(Declaration(name: name, tree: t, index: i)) }
    }
    all = Resolver.sorted(all)
    var kept: [Declaration] = []
    kept.reserveCapacity(all.count)
    for declaration in all {
      let name = declaration.name
      if let last = kept.last, last.name.value == name.value {
        report(.duplicateName(of: kind, name, first: last.name.span))
      } else if NameTable.isBuiltIn(name.value) {
        report(.reservedName(of: kind, name))
      } else {
        names.define(name.value, as: kind, at: kept.count)
        kept.append(declaration)
      }
    }
    names.declarations[kind.index] = kept
  }

  /// Returns `declarations` in the order of their names, those of one name in the order of their places.
  private static func sorted(_ declarations: [Declaration]) -> [Declaration] {
    // Most names, which are ASCII, differ in their first bytes, and numbers are sorted faster than texts.
    struct Key {
      let start: UInt64
      let index: Int
    }
    var keys: [Key] = []
    keys.reserveCapacity(declarations.count)
    for i in declarations.indices { keys.append(Key(start: start(of: declarations[i].name.value), index: i)) }
    keys.sort { x, y in
      if x.start != y.start { return x.start < y.start }
      let (a, b) = (declarations[x.index].name, declarations[y.index].name)
      return a.value == b.value ? a.span < b.span : a.value < b.value
    }
    return keys.map { declarations[$0.index] }
  }

  /// Returns the first eight bytes of `name` as a number, with zeros behind a shorter one.
  private static func start(of name: String) -> UInt64 {
    var result: UInt64 = 0
    let bytes = name.utf8.span
    for i in 0..<8 { result = result << 8 | (i < bytes.count ? UInt64(bytes[i]) : 0) }
    return result
  }

  /// Resolves the owners.
  mutating func resolveOwners() {
    policy.owners = names.declarations(of: .owner).map { place in
      let declaration = trees[place.tree].owners[place.index]
      var owner = Owner(name: declaration.name, span: declaration.span)
      owner.contact = declaration.contact?.value
      owner.approvers = declaration.approvers.map(\.value)
      return owner
    }
  }
}
