import Packets
import Syntax

extension Resolver {
  /// Resolves the hosts and what they say that they run.
  mutating func resolveHosts() {
    let places = names.declarations(of: .host)
    policy.hosts.reserveCapacity(places.count)
    for place in places {
      let host = host(trees[place.tree].hosts[place.index])
      policy.hosts.append(host)
    }
    groupRuns = Array(repeating: [], count: places.count)
    ownRuns = Array(repeating: [], count: places.count)
    var owners: [Address: Int]?
    for (position, place) in places.enumerated() {
      for statement in trees[place.tree].hosts[place.index].runs {
        let services = statement.services.compactMap { service($0) }
        for address in statement.addresses where !policy.hosts[position].has(address.value) {
          if owners == nil { owners = addressOwners() }
          bind(address, on: position, in: statement, otherwiseOf: owners?[address.value])
        }
        ownRuns[position] += services.map {
          Host.Run(service: $0, addresses: statement.addresses, span: statement.span)
        }
      }
    }
  }

  /// Returns the host that `declaration` declares, without what it runs.
  private mutating func host(_ declaration: HostDeclaration) -> Host {
    var host = Host(name: declaration.name, span: declaration.span)
    host.addresses = declaration.addresses.sorted { ($0.value, $0.span) < ($1.value, $1.span) }
    host.ephemeral = declaration.ephemeral
    host.egressClosed = declaration.egressClosed?.value ?? false
    var first: [String: Span] = [:]
    for statement in declaration.interfaces {
      if let earlier = first[statement.name.value] {
        report(.duplicateInterface(statement.name, of: host.name.value, first: earlier))
        continue
      }
      first[statement.name.value] = statement.name.span
      var interface = Host.Interface(name: statement.name, isInternet: false, zones: [])
      for term in statement.zones {
        switch boundZone(term) {
        case .internet: interface.isInternet = true
        case .zone(let id): interface.zones.append(Spelled(id, at: term.span))
        default: break
        }
      }
      interface.zones.sort { ($0.value, $0.span) < ($1.value, $1.span) }
      host.interfaces.append(interface)
    }
    host.interfaces.sort { $0.name.value < $1.name.value }
    return host
  }

  /// Returns `internet` or the zone that `term` means as that of an interface, or reports why it means none.
  private mutating func boundZone(_ term: Spelled<Term>) -> Party? {
    switch term.value {
    case .internet, .named(.zone?, "internet"): return .internet
    case .named(let kind, let name) where name != "localhost":
      return find(name, said: kind, at: term.span, as: .boundZone).map { .zone(ID($0.position)) }
    default:
      report(.unfitting(term.value, at: term.span, as: .boundZone))
      return nil
    }
  }

  /// Returns the host that each address is given to; the first one if there are several.
  private func addressOwners() -> [Address: Int] {
    var owners: [Address: Int] = [:]
    for (position, host) in policy.hosts.enumerated() {
      for address in host.addresses where owners[address.value] == nil { owners[address.value] = position }
    }
    return owners
  }

  /// Lets the host at `position` have `address`, which a service there is bound to, unless it is another host's.
  private mutating func bind(
    _ address: Spelled<Address>, on position: Int, in statement: RunsStatement, otherwiseOf owner: Int?
  ) {
    let host = policy.hosts[position]
    if address.value.value == 0 {
      report(.boundToEverything(address, on: host.name))
    } else if let owner, owner != position {
      report(.boundToForeignAddress(address, on: host.name, of: policy.hosts[owner]))
    } else if !AddressSet.loopback.contains(address.value) {
      // To bind to an address is to have it.
      report(.undeclaredAddress(address, on: host))
      policy.hosts[position].addresses.append(address)
      policy.hosts[position].addresses.sort { ($0.value, $0.span) < ($1.value, $1.span) }
    }
  }

  /// Resolves the groups and tells their hosts what they run.
  mutating func resolveGroups() {
    let places = names.declarations(of: .group)
    var hosts: [[Int]] = []
    var groups: [[Int]] = []
    for place in places {
      let declaration = trees[place.tree].groups[place.index]
      let found = declaration.members.compactMap { find($0.value, at: $0.span, as: .member) }
      hosts.append(found.filter { $0.kind == .host }.map(\.position))
      groups.append(found.filter { $0.kind == .group }.map(\.position))
      var group = Group(name: declaration.name, span: declaration.span)
      group.memberGroups = found.filter { $0.kind == .group }.map { ID($0.position) }
      policy.groups.append(group)
    }
    let (order, cycles) = orderByNeed(groups)
    for cycle in cycles { report(.groupCycle(cycle.map { places[$0].name })) }
    for i in order {
      var all = hosts[i].map { ID<Host>($0) }
      for group in groups[i] { all += policy.groups[group].hosts }
      policy.groups[i].hosts = Set(all).sorted()
    }
    for (i, place) in places.enumerated() {
      for statement in trees[place.tree].groups[place.index].runs { run(statement, on: i) }
      policy.groups[i].runs.sort { ($0.service, $0.span) < ($1.service, $1.span) }
    }
  }

  /// Lets the hosts of the group at position `i` run what `statement` says.
  private mutating func run(_ statement: RunsStatement, on i: Int) {
    let group = policy.groups[i]
    let services = statement.services.compactMap { service($0) }
    for address in statement.addresses {
      for host in group.hosts {
        let host = policy[host]
        guard !host.has(address.value), !AddressSet.loopback.contains(address.value) else { continue }
        report(.addressNotOfMember(address, member: host, group: group.name))
        break
      }
    }
    let runs = services.map { Host.Run(service: $0, addresses: statement.addresses, span: statement.span) }
    policy.groups[i].runs += runs
    for host in group.hosts { groupRuns[host.rawValue] += runs }
  }

  /// Joins what hosts and their groups say that they run, and tells the services.
  ///
  /// Where a host says itself how it runs a service, that holds, and what its groups say of the service does not.
  mutating func placeServices() {
    // For each service, the host that was last seen to run it, and the position among that host's runs.
    var lastHost = Array(repeating: -1, count: policy.services.count)
    var lastRun = Array(repeating: 0, count: policy.services.count)
    for h in policy.hosts.indices {
      var runs: [Host.Run] = []
      for run in ownRuns[h].sorted(by: { $0.span < $1.span }) {
        let s = run.service.rawValue
        if lastHost[s] == h {
          runs[lastRun[s]].join(run)
        } else {
          (lastHost[s], lastRun[s]) = (h, runs.count)
          runs.append(run)
        }
      }
      let own = runs.count
      for run in groupRuns[h].sorted(by: { $0.span < $1.span }) {
        let s = run.service.rawValue
        if lastHost[s] != h {
          (lastHost[s], lastRun[s]) = (h, runs.count)
          runs.append(run)
        } else if lastRun[s] >= own {
          runs[lastRun[s]].join(run)
        }
      }
      for i in runs.indices where runs[i].addresses.count > 1 {
        runs[i].addresses.sort { ($0.value, $0.span) < ($1.value, $1.span) }
      }
      runs.sort { $0.service < $1.service }
      for run in runs {
        policy.services[run.service.rawValue].placements.append(
          Placement(host: ID(h), addresses: run.addresses, span: run.span))
      }
      policy.hosts[h].runs = runs
    }
  }
}

extension Host {
  /// Returns `true` iff `address` is one of the host.
  func has(_ address: Address) -> Bool { addresses.contains { $0.value == address } }
}

extension Host.Run {
  /// Lets the service be bound to the addresses of `other`, too; a service without addresses is bound to all.
  fileprivate mutating func join(_ other: Self) {
    if addresses.isEmpty || other.addresses.isEmpty {
      addresses = []
    } else {
      for address in other.addresses where !addresses.contains(where: { $0.value == address.value }) {
        addresses.append(address)
      }
    }
  }
}
