import Netlink
import Packets

/// Sockets of one process at one port: many servers open one for each of their workers and families.
struct SocketGroup {
  /// What is said of them.
  var sockets: Audit.Sockets

  /// The addresses that they take packets for.
  var bound: AddressSet

  /// Returns `listeners` by protocol, port, process name and user, in this order.
  static func grouped(_ listeners: [Listener], _ facts: HostFacts) -> [SocketGroup] {
    struct Key: Hashable {
      var transport: TransportProtocol
      var port: UInt16
      var name: String?
      var user: UInt32
    }
    var groups: [Key: [Listener]] = [:]
    for listener in listeners {
      let key = Key(
        transport: listener.transport, port: listener.port, name: listener.processName, user: listener.user)
      groups[key, default: []].append(listener)
    }
    return groups.sorted { a, b in
      let (x, y) = (a.key, b.key)
      if x.transport != y.transport { return x.transport < y.transport }
      return (x.port, x.name ?? "", x.user) < (y.port, y.name ?? "", y.user)
    }.map { key, members in
      let sorted = members.sorted { $0.address < $1.address }
      var addresses: [String] = []
      for member in sorted where !addresses.contains(member.text(facts)) { addresses.append(member.text(facts)) }
      return SocketGroup(
        sockets: .init(
          transport: key.transport, port: key.port, addresses: addresses, processName: key.name,
          process: members.compactMap(\.process).min(), user: facts.users[key.user] ?? String(key.user)),
        bound: AddressSet(unionOf: members.map(\.bound)))
    }
  }
}

extension Listener {
  /// The addresses that the socket takes packets for.
  fileprivate var bound: AddressSet {
    guard address.value == 0 else { return AddressSet([address.unmapped]) }
    if address.family == .ipv4 { return .all(.ipv4) }
    return isIPv6Only ? .all(.ipv6) : .all
  }

  /// The address as ss(8) writes it.
  fileprivate func text(_ facts: HostFacts) -> String {
    let scope = interface.map { "%" + (facts.interfaces[$0] ?? "interface \($0)") } ?? ""
    if address.value == 0, address.family == .ipv6, !isIPv6Only { return "*\(scope)" }
    let plain = address.unmapped
    return plain.family == .ipv4 ? "\(plain)\(scope)" : "[\(plain)]\(scope)"
  }
}
