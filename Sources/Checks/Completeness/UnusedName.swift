import Policies
import Syntax

extension Check {
  /// A zone that nothing names.
  static let unusedZone = Check(
    "unused-zone", "A zone is named by nothing", .completeness, .warning,
    page: Page(
      what: "Looks for zones that no audience, interface, transit, block, invariant or other zone names.",
      why: "It has no effect. Often the statement that should use it names something else by mistake.",
      example: """
        zone ↓office { 203.0.113.0/24 }
        service web { owner team; purpose "Site"; port 443/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        """,
      instead: """
        zone office { 203.0.113.0/24 }
        service web { owner team; purpose "Site"; port 443/tcp; expose to office }
        host web1 { address 192.0.2.10; runs web }
        """),
    allowed: [
      """
      zone lab { 203.0.113.128/25 }
      zone office { 203.0.113.0/24 except lab }
      service web { owner team; purpose "Site"; port 443/tcp; expose to office }
      host web1 { address 192.0.2.10; runs web }
      """
    ]
  ) { inspection in
    let named = inspection.mentions
    return inspection.policy.zones.enumerated().filter { !named.zones.contains(ID($0.offset)) }.map { _, zone in
      unused("zone", zone.name)
    }
  }

  /// An owner that nothing names.
  static let unusedOwner = Check(
    "unused-owner", "An owner owns nothing", .completeness, .warning,
    page: Page(
      what: "Looks for owners that own no service, have no NodePorts allotted and are in no audience.",
      why: "It is left over, or the services that it should own are given to somebody else.",
      example: """
        owner ↓payments { contact "payments@acme.example" }
        service web { owner team; purpose "Site"; port 443/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        """,
      instead: """
        owner payments { contact "payments@acme.example" }
        service web { owner payments; purpose "Site"; port 443/tcp; expose to internet }
        host web1 { address 192.0.2.10; runs web }
        """)
  ) { inspection in
    let named = inspection.mentions
    return inspection.policy.owners.enumerated().filter { !named.owners.contains(ID($0.offset)) }.map { _, owner in
      unused("owner", owner.name)
    }
  }

  /// A group that nothing names.
  static let unusedGroup = Check(
    "unused-group", "A group is named by nothing and runs nothing", .completeness, .warning,
    page: Page(
      what: "Looks for groups that run no service and that no audience, cluster, block or invariant names.",
      why: "It has no effect. Often a `runs` was forgotten.",
      example: """
        host web1 { address 192.0.2.10 }
        group ↓web { web1 }
        """,
      instead: """
        service site { owner team; purpose "Site"; port 443/tcp; expose to internet }
        host web1 { address 192.0.2.10 }
        group web { web1; runs site }
        """)
  ) { inspection in
    let named = inspection.mentions
    let grouped = Set(inspection.policy.groups.flatMap(\.memberGroups))
    return inspection.policy.groups.enumerated()
      .filter { !named.groups.contains(ID($0.offset)) && !grouped.contains(ID($0.offset)) && $0.element.runs.isEmpty }
      .map { _, group in unused("group", group.name) }
  }

  /// Returns the finding that the thing `name` of the kind `kind` is not used.
  private static func unused(_ kind: String, _ name: Name) -> Finding {
    Finding(
      "\(kind) `\(name.value)` is used by nothing", about: name.value, at: .init(name.span, "never named"),
      because: "What has no effect misleads whoever reads the policy.",
      help: "Remove it, or name it where it was meant to be.")
  }
}

/// Who is named anywhere in a policy but in their own declaration.
struct Mentions {
  /// The zones.
  var zones = Set<ID<Zone>>()

  /// The owners.
  var owners = Set<ID<Owner>>()

  /// The groups.
  var groups = Set<ID<Group>>()

  /// Collects who is named in `policy`.
  init(_ policy: Policy) {
    for s in policy.services.indices {
      if let owner = policy.services[s].owner { owners.insert(owner) }
      for e in policy.services[s].exposures.indices { add(policy.services[s].exposures[e].audience) }
      for use in policy.services[s].uses { add(use.targets) }
    }
    for host in policy.hosts {
      for interface in host.interfaces { zones.formUnion(interface.zones.map(\.value)) }
    }
    for zone in policy.zones {
      zones.formUnion(zone.members)
      zones.formUnion(zone.exceptions)
    }
    for transit in policy.transits {
      add(transit.audience)
      add(transit.destinations)
    }
    for block in policy.blocks {
      add(block.sources)
      add(block.targets)
    }
    for invariant in policy.invariants {
      add(invariant.audience)
      add(invariant.targets)
    }
    for cluster in policy.clusters {
      owners.formUnion(cluster.allotments.map(\.owner))
      groups.formUnion(cluster.nodeGroups)
    }
  }

  /// Adds the parties and exceptions of `audience`.
  private mutating func add(_ audience: Audience) {
    add(audience.parties)
    add(audience.exceptions)
  }

  /// Adds `parties`.
  private mutating func add(_ parties: [Spelled<Party>]) {
    for party in parties {
      switch party.value {
      case .zone(let zone): zones.insert(zone)
      case .owner(let owner): owners.insert(owner)
      case .group(let group): groups.insert(group)
      default: break
      }
    }
  }
}
