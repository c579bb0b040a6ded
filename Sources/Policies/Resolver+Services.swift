import Packets
import Syntax

extension Resolver {
  /// Resolves the services, without the places where they run.
  mutating func resolveServices() {
    let places = names.declarations(of: .service)
    for place in places {
      for name in trees[place.tree].services[place.index].classes { classes.insert(name.value) }
    }
    policy.services.reserveCapacity(places.count)
    for place in places {
      let service = service(trees[place.tree].services[place.index])
      policy.services.append(service)
    }
  }

  /// Returns the service that `declaration` declares.
  private mutating func service(_ declaration: ServiceDeclaration) -> Service {
    var service = Service(name: declaration.name, span: declaration.span)
    if let name = declaration.owner {
      service.owner = owner(name)
      service.ownerSpan = name.span
    }
    service.purpose = declaration.purpose?.value
    service.classes = declaration.classes
    if service.classes.count > 1 { service.classes.sort { ($0.value, $0.span) < ($1.value, $1.span) } }
    service.ports = ports(of: declaration)
    let positions = PortPositions(service.ports)
    service.exposures.reserveCapacity(declaration.exposures.count)
    for statement in declaration.exposures {
      if let exposure = exposure(statement, of: service, positions) { service.exposures.append(exposure) }
    }
    if service.exposures.count > 1 { service.exposures.sort { Exposure.order($0, $1) < 0 } }
    for statement in declaration.uses {
      guard let targets = parties(statement.targets), !targets.isEmpty else { continue }
      service.uses.append(
        Use(
          targets: targets, traffic: statement.clauses.traffic,
          provenance: statement.clauses.provenance(at: statement.span)))
    }
    if service.uses.count > 1 { service.uses.sort { Use.order($0, $1) < 0 } }
    return service
  }

  /// Returns the ports of `declaration`, in order, and reports those of one name.
  private mutating func ports(of declaration: ServiceDeclaration) -> [Port] {
    var ports = declaration.ports.map {
      Port(
        name: $0.name, traffic: $0.traffic.value.count > 1 ? $0.traffic.value.sorted() : $0.traffic.value,
        trafficSpan: $0.traffic.span, speaks: $0.speaks, span: $0.span)
    }
    if ports.count > 1 {
      reportDuplicates(among: ports, of: declaration.name.value)
      ports.sort { Port.order($0, $1) < 0 }
    }
    return ports
  }

  /// Reports the ports of one name among `ports`, those of `service` in the order in which they are written.
  private mutating func reportDuplicates(among ports: [Port], of service: String) {
    // Most services have few ports and no mistake, which is seen faster without a table.
    let areFewAndDistinct =
      ports.count <= 8
      && ports.indices.allSatisfy { i in
        ports[i].name == nil || !ports[..<i].contains { $0.name?.value == ports[i].name?.value }
      }
    if areFewAndDistinct { return }
    var first: [String: Span] = [:]
    for port in ports {
      guard let name = port.name else { continue }
      if let earlier = first[name.value] {
        report(.duplicatePortName(name, in: service, first: earlier))
      } else {
        first[name.value] = name.span
      }
    }
  }

  /// Returns the exposure of `service` that `statement` declares, or reports why there is none.
  private mutating func exposure(
    _ statement: ExposeStatement, of service: Service, _ positions: PortPositions
  ) -> Exposure? {
    let ports = self.ports(statement.ports, of: service, positions, at: statement.span, in: "expose")
    let audience = audience(statement.audience, except: statement.exceptions)
    let router = statement.clauses.via.map { self.router($0) }
    guard let ports, let audience, !audience.parties.isEmpty else { return nil }
    var exposure = Exposure(
      ports: ports, audience: audience, provenance: statement.clauses.provenance(at: statement.span))
    exposure.limit = statement.clauses.limit
    if let router {
      guard let router else { return nil }
      exposure.via = router
    }
    if let publicPort = statement.clauses.publicPort {
      if let diagnostic = Diagnostic.publicPortMismatch(publicPort, exposed: ports, of: service) {
        report(diagnostic)
        return nil
      }
      exposure.publicPort =
        publicPort.value.count > 1
        ? Spelled(publicPort.value.sorted(), at: publicPort.span) : publicPort
    }
    return exposure
  }

  /// Returns the positions of the ports of `service` called `names`, of all if there are no names, or reports why
  /// there are none.
  mutating func ports(
    _ names: [Name], of service: Service, _ positions: PortPositions, at span: Span, in statement: String
  ) -> [Int]? {
    if service.ports.isEmpty {
      report(.noPorts(service.name, at: span, in: statement))
      return nil
    }
    if names.isEmpty { return Array(service.ports.indices) }
    if names.count == 1, let position = positions[names[0].value] { return [position] }
    var result: Set<Int> = []
    var complete = true
    for name in names {
      if let position = positions[name.value] {
        result.insert(position)
      } else {
        report(.unknownPort(name, of: service))
        complete = false
      }
    }
    return complete ? result.sorted() : nil
  }
}

/// The positions of the ports of a service by their names.
struct PortPositions {
  private let ports: [Port]
  private let table: [String: Int]

  /// Creates the positions of `ports`.
  init(_ ports: [Port]) {
    self.ports = ports
    // A few names are compared faster than they are hashed.
    var table: [String: Int] = [:]
    if ports.count > 8 {
      for (i, port) in ports.enumerated() {
        if let name = port.name?.value, table[name] == nil { table[name] = i }
      }
    }
    self.table = table
  }

  /// Returns the position of the port called `name`, or nothing if there is none.
  subscript(name: String) -> Int? {
    ports.count > 8 ? table[name] : ports.firstIndex { $0.name?.value == name }
  }
}
