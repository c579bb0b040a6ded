public import Packets

/// What is known of services and their ports: IANA's registry together with the de-facto names.
public enum KnownServices {
  /// Returns `true` iff `name` is registered, or a name that people use.
  public static func isKnown(_ name: String) -> Bool {
    PortRegistry.iana.isRegistered(name) || DeFactoService.named(name) != nil
  }

  /// Returns `true` iff `name` is registered for `port`, or listens there out of the box.
  public static func isUsual(_ name: String, on port: UInt16, _ transport: TransportProtocol) -> Bool {
    PortRegistry.iana.assigns(name, to: port, transport)
      || DeFactoService.named(name)?.listens(on: port, transport) == true
  }

  /// Returns the names of `port`: those that people use before those that are registered, each once.
  public static func names(of port: UInt16, _ transport: TransportProtocol) -> [String] {
    var result = DeFactoService.all(on: port, transport).map(\.name)
    for name in PortRegistry.iana.names(of: port, transport) where !result.contains(name) { result.append(name) }
    return result
  }

  /// Returns the ports of `name`: those that are registered before those that it takes out of the box, each once.
  public static func ports(of name: String) -> [Traffic] {
    var result = PortRegistry.iana.assignments(of: name)
    for traffic in DeFactoService.named(name)?.traffic ?? [] where !result.contains(where: { $0.contains(traffic) }) {
      result.append(traffic)
    }
    return result
  }
}
