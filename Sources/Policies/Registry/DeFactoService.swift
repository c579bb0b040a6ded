public import Packets

/// A service by the name that people give it, with the ports it listens on out of the box.
///
/// IANA's registry often names another one for these ports, or none.
public struct DeFactoService: Hashable, Sendable {
  /// The usual name.
  public let name: String

  /// Other names that it goes by.
  public let aliases: [String]

  /// Where it listens unless it is told otherwise, by protocol and port.
  public let traffic: [Traffic]

  /// Creates the service `name`, also called `aliases`, that listens on the given ports.
  init(_ name: String, _ aliases: String..., tcp: [UInt16] = [], udp: [UInt16] = []) {
    self.name = name
    self.aliases = aliases
    traffic = tcp.map { .ports(.tcp, PortRange($0)) } + udp.map { .ports(.udp, PortRange($0)) }
  }

  /// Returns `true` iff it listens on `port`.
  public func listens(on port: UInt16, _ transport: TransportProtocol) -> Bool {
    traffic.contains(.ports(transport, PortRange(port)))
  }
}

extension DeFactoService {
  /// Returns the services that listen on `port` out of the box, the best known first.
  public static func all(on port: UInt16, _ transport: TransportProtocol) -> [DeFactoService] {
    (positions.byPort[Traffic.ports(transport, PortRange(port))] ?? []).map { all[$0] }
  }

  /// Returns the service that goes by `name`, in whatever case its letters are.
  public static func named(_ name: String) -> DeFactoService? {
    (positions.byName[name] ?? positions.byName[name.lowercased()]).map { all[$0] }
  }

  /// Where in `all` the services of a port and that of a name are.
  private static let positions: (byPort: [Traffic: [Int]], byName: [String: Int]) = {
    var byPort: [Traffic: [Int]] = [:]
    var byName: [String: Int] = [:]
    for (position, service) in all.enumerated() {
      for traffic in service.traffic { byPort[traffic, default: []].append(position) }
      for name in [service.name] + service.aliases { byName[name] = position }
    }
    return (byPort, byName)
  }()
}
